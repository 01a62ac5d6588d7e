"""What compression costs: quality, bytes a token and time, for each way of it, over BM25's 100 candidates.

    python data/recipes/compress_table.py                          # pydocs, split dev
    python data/recipes/compress_table.py FOLDER [--outside FILE]  # any collection
    python data/recipes/compress_table.py --encoder labkit-late-minilm

Each row is an index on disk, reranked as anybody would. ``difference`` is the mean paired difference in nDCG@10 to
all dimensions in float16, with its 95 % interval; ``of the bits`` is that to the same dimensions in float16. ``time``
is that of scoring the candidates of a query, query encoded and index in memory, as a ratio to the same: all rows take
turns within one run. ``--outside`` names the vectors that ``train_head.py`` keeps in the cache: docstrings that the
collection does not hold. With another encoder there are no rows of the head, which is the default's.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

import labkit as lk
from labkit.encoding.compress import Compressor
from labkit.encoding.tokens import PackedTokens, as_float32
from labkit.evaluation.evaluate import Evaluation

K = 100
TIMED = 20  # queries
ROUNDS = 2  # the fastest counts
FUNCTION_WORDS = ("function words",)
FULL = "float16"
KNOBS = {
    FULL: {},
    "int8": {"storage": "int8"},
    "PCA 128": {"dim": 128},
    "random 128": {"dim": 128, "projection": "random"},
    "head 128": {"dim": 128, "projection": "head"},
    "PCA 128, int8": {"dim": 128, "storage": "int8"},
    "PCA 128, 4 bits": {"dim": 128, "storage": "residual4"},
    "PCA 128, 2 bits": {"dim": 128, "storage": "residual2"},
    "PCA 152, 2 bits": {"dim": 152, "storage": "residual2"},  # 40 bytes a token
    "head 128, 2 bits": {"dim": 128, "projection": "head", "storage": "residual2"},
    "pooled by 2": {"pool": 2},
    "pooled by 3": {"pool": 3},
    "without function words": {"prune": FUNCTION_WORDS},
}
FROM_OUTSIDE = {"PCA 128", "PCA 128, 2 bits"}


class LengthsKept(Compressor):
    """A projection after which vectors keep the length that it leaves them."""

    def projected(self, packed: PackedTokens) -> PackedTokens:
        return replace(packed, vectors=as_float32(packed, 0, len(packed.vectors)) @ self.matrix, scales=None)


def main(source: str, outside: Path | None, only: list[str], model: str | None) -> None:
    c = lk.load_collection(source)
    first, encoder = lk.BM25Retriever(c), lk.load_encoder(model)
    sample = encoder.encode_documents(c.passages[:: max(1, len(c.passages) // 1024)])
    with tempfile.TemporaryDirectory() as folder:
        rerankers: dict[str, lk.LateInteractionReranker] = {}
        runs: dict[str, Evaluation] = {}
        for name, compression in wishes(outside, only, heads=model is None):
            try:
                index = lk.build_index(Path(folder) / name.replace(" ", "-"), c, encoder, compression)
            except lk.LabError as error:
                print(f"left out: {name}: {error}", flush=True)
                continue
            rerankers[name] = lk.LateInteractionReranker(encoder, index=index)
            runs[name] = lk.evaluate(lk.TwoStage(first, rerankers[name]), c, k=K)
            told = row(name, runs[name], runs[FULL], index.compressor.bytes_per_token(sample))
            if name.endswith("bits") and (plain := runs.get(name.partition(",")[0])):
                told += f"  of the bits {difference(plain, runs[name])}"
            print(told, flush=True)
        pca = lk.Compression(dim=128).fit(sample)
        kept = LengthsKept(pca.compression, pca.matrix)
        run = lk.evaluate(lk.TwoStage(first, lk.LateInteractionReranker(encoder, compression=kept)), c, k=K)
        print(row("PCA 128, lengths kept", run, runs[FULL], kept.bytes_per_token(sample)), flush=True)
        queries = list(c.split(c.default_split).queries.values())[:TIMED]
        for name, ratio in times(rerankers, first, queries).items():
            print(f"time of {name}: {ratio:.2f}", flush=True)


def wishes(outside: Path | None, only: list[str], heads: bool) -> list[tuple[str, lk.Compression | Compressor]]:
    """Names and what `build_index` is to make of them; ``heads``: with the rows of the trained head."""
    knobs = {name: k for name, k in KNOBS.items() if heads or k.get("projection") != "head"}
    rows: list[tuple[str, lk.Compression | Compressor]] = [(name, lk.Compression(**k)) for name, k in knobs.items()]
    if outside is not None:
        from safetensors.numpy import load_file

        arrays = load_file(outside)
        texts = PackedTokens(arrays["passages.vectors"], arrays["passages.offsets"], finite=True)
        rows += [(f"{name}, from outside", lk.Compression(**KNOBS[name]).fit(texts)) for name in sorted(FROM_OUTSIDE)]
    return [(name, wish) for name, wish in rows if not only or name in {FULL, *only}]


def row(name: str, run: Evaluation, full: Evaluation, size: float) -> str:
    """One line of the table."""
    told = f"{name:32}{run.metrics['nDCG@10']:8.4f}{size:8.1f} B"
    if run is full:
        return told
    return f"{told}  {difference(full, run)}"


def difference(before: Evaluation, after: Evaluation) -> str:
    """In nDCG@10, with its 95 % interval."""
    found = lk.compare(before, after)
    return f"{found.delta:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def times(rerankers: dict[str, lk.LateInteractionReranker], first, queries: list[str]) -> dict[str, float]:  # type: ignore[no-untyped-def]
    """The median over queries of each reranker's seconds to those of the full vectors."""
    ratios: dict[str, list[float]] = {name: [] for name in rerankers}
    for query in queries:
        hits = first.search(query, k=K).hits
        if not hits:
            continue
        fastest = dict.fromkeys(rerankers, np.inf)
        for _ in range(ROUNDS):
            for name, late in rerankers.items():
                began = time.perf_counter()
                late.score(query, hits)
                fastest[name] = min(fastest[name], time.perf_counter() - began)
        for name, seconds in fastest.items():
            ratios[name].append(seconds / fastest[FULL])
    return {name: statistics.median(values) for name, values in ratios.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collection", nargs="?", default="pydocs")
    parser.add_argument("--outside", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="names of rows; all if none")
    parser.add_argument("--encoder", help="a name that load_encoder takes; the default one if none")
    arguments = parser.parse_args()
    main(arguments.collection, arguments.outside, arguments.only, arguments.encoder)
