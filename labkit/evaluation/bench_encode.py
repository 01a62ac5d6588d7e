"""``labkit bench encode``: our documents encoder against sentence-transformers' own ``encode_document``.

Both run one model on the same texts. Ours also keeps token ids, character spans and the dense twin's vector, and
rounds the token vectors to float16 as the store holds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.errors import LabError
from labkit.evaluation import bench

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder
    from labkit.encoding.tokens import PackedTokens

EVERY = 15  # of the passages of pydocs
ROUNDS = 3
CLOSE = 1e-5  # how close vectors are before rounding


def bench_encode(
    texts: Sequence[str] | None = None, rounds: int = ROUNDS, encoder: Encoder | None = None, busy: bool = False
) -> bench.Report:
    """Tokens per second of both, in turns.

    Parameters
    ----------
    texts : what to encode; every 15th passage of pydocs if None
    rounds : timings of each, of which the median counts
    encoder : the default one without a store if None
    busy : keep one core busy meanwhile
    """
    from labkit.corpus.load import load_collection
    from labkit.encoding.checkpoints import load_encoder

    encoder = encoder or load_encoder(store=False)
    if encoder.store is not None:
        raise LabError("encoding is timed without a store; load the encoder with store=False.")
    if texts is None:
        texts = load_collection("pydocs", progress=True).passages[::EVERY]
    texts = list(dict.fromkeys(texts))
    machine = bench.banner(busy)
    ours, theirs = encoder.encode_documents(texts), encoder.model.encode_document(texts)  # also warms both up
    tokens = len(ours.vectors)
    with bench.load_on_one_core(busy):
        timers = {
            "ours": bench.timer(lambda: encoder.encode_documents(texts), warm=False),
            "sentence-transformers": bench.timer(lambda: encoder.model.encode_document(texts), warm=False),
            "floor": bench.probe(),
        }
        seconds, _ = bench.take_turns(timers, rounds)
    rates = {name: round(tokens / float(np.median(seconds[name])), 1) for name in list(timers)[:2]}
    data = {
        "bench": "encode", "machine": machine, "rounds": rounds, "texts": len(texts), "tokens": tokens,
        "tokens_per_second": rates, "ratio": round(rates["ours"] / rates["sentence-transformers"], 3),
        "vectors": compared(ours, [np.asarray(vectors.cpu()) for vectors in theirs]),
        **bench.floor(seconds["floor"], busy),
    }  # fmt: skip
    return bench.Report(data, "\n".join(_lines(data)))


def compared(ours: PackedTokens, theirs: Sequence[np.ndarray]) -> dict[str, Any]:
    """How far our float16 vectors are from theirs in float32, and whether both were equal to 1e-5 before rounding.

    Rounding keeps order, so a vector within 1e-5 of theirs is rounded into what theirs -+ 1e-5 are rounded to.
    """
    if [len(vectors) for vectors in theirs] != ours.lengths.tolist():
        return {"same_tokens": False, "largest_difference": None, "within_1e-5": False}
    largest, close = 0.0, True
    for (a, b), their in zip(pairwise(ours.offsets), theirs, strict=True):
        our = np.asarray(ours.vectors[a:b])
        largest = max(largest, float(np.abs(our.astype(np.float32) - their).max(initial=0.0)))
        low, high = (np.asarray(their + by, np.float32).astype(our.dtype) for by in (-CLOSE, CLOSE))
        close = close and bool(((low <= our) & (our <= high)).all())
    return {"same_tokens": True, "largest_difference": largest, "within_1e-5": close}


def _lines(data: dict[str, Any]) -> list[str]:
    same = data["vectors"]
    equal = "equal" if same["within_1e-5"] else "NOT equal"
    largest = "-" if same["largest_difference"] is None else f"{same['largest_difference']:.1e}"
    return [
        f"{data['texts']} texts, {data['tokens']:,} token vectors, medians of {data['rounds']} rounds",
        *(f"{name:>22} {rate:>8,.0f} tokens/s" for name, rate in data["tokens_per_second"].items()),
        f"ours is {data['ratio']:.2f} times as fast",
        f"vectors {equal} to 1e-5 before ours are rounded to float16; after it they differ by at most {largest}",
        bench.void_line(data["void"], data["floor_spread"]),
    ]
