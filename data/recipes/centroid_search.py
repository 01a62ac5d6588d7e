"""Centroid-pruned search against exhaustive MaxSim on 20,000 passages of installed documentation.

The passages are those of pydocs and, chunked at 100 wordpieces, docstrings of other installed packages. Encoding them
takes half an hour on two slow cores; killed, it goes on where it was.

    python data/recipes/centroid_search.py               recall and time, a line a setting
    python data/recipes/centroid_search.py pydocs        what searching all of pydocs gains over reranking BM25's 100
"""

from __future__ import annotations

import random
import sys
import time

import numpy as np
from cross_texts import pydocs_sentences, sources

import labkit as lk
from labkit.corpus.chunks import chunk
from labkit.corpus.collection import Collection, Document
from labkit.corpus.load import load_collection
from labkit.corpus.pydocs import count_wordpieces
from labkit.encoding.checkpoints import load_encoder

PASSAGES = 20_000
WORDPIECES = 100
TOP, K = 10, 100


def collection(most: int = PASSAGES) -> Collection:
    """The passages of pydocs, each a document, and chunks of other packages' docstrings up to ``most`` passages.

    The queries are those of pydocs dev.
    """
    pydocs = load_collection("pydocs").split("dev")
    texts = dict.fromkeys(pydocs.passages)
    outside = list(sources(pydocs_sentences()))
    random.Random(0).shuffle(outside)
    for source in outside:
        if len(texts) >= most:
            break
        pieces = chunk(source.sections.text, count_wordpieces, WORDPIECES, title=source.name)
        texts |= dict.fromkeys(piece.text for piece in pieces)
    docs = {f"{number:05}": Document("", text) for number, text in enumerate(list(texts)[:most])}
    return Collection("installed", docs, pydocs.queries)


def measure(c: Collection) -> None:
    """Recall of exhaustive MaxSim's top and time as a share of its time. Queries are encoded before."""
    encoder = load_encoder()
    print(f"{encoder.warm(c.passages, progress=True):,} passages encoded now", flush=True)
    pruned = lk.TokenRetriever(c, encoder, progress=True)
    began = time.perf_counter()
    exhaustive = lk.TokenRetriever(c, encoder, "exhaustive", packed=pruned.packed)
    print(pruned.packed, pruned.knobs, flush=True)
    queries = list(c.queries.values())
    encoder.encode_queries(queries)
    for nprobe, threshold, most in ((1, 0.3, 512), (2, 0.3, 512), (4, 0.3, 512), (4, -1, 512), (8, 0.3, 512),
                                    (4, 0.3, 128), (4, 0.3, 256), (4, 0.4, 512), (4, 0.3, 1024)):  # fmt: skip
        report(queries, exhaustive, pruned.tuned(nprobe=nprobe, threshold=threshold, ncandidates=most))
    print(f"{time.perf_counter() - began:.0f} s of searching", flush=True)


def report(queries: list[str], exhaustive: lk.TokenRetriever, pruned: lk.TokenRetriever) -> None:
    """One line of figures; the two searches take turns, so that both meet the same machine."""
    for system in (exhaustive, pruned):
        system.search(queries[0], K)
    pairs = [(exhaustive.search(query, K), pruned.search(query, K)) for query in queries]
    truth, found = zip(*pairs, strict=True)
    seconds = np.array([[one.seconds["first_stage"] for one in pair] for pair in pairs])
    of_ten, of_hundred = (lk.recall_against(found, truth, top, K) for top in (TOP, K))
    shown = {knob: pruned.knobs[knob] for knob in ("nprobe", "threshold", "ncandidates") if knob in pruned.knobs}
    print(
        f"{pruned.name} {shown}: top 10 in 100 {of_ten.mean():.4f} (worst query {of_ten.min():.1f}), top 100 "
        f"{of_hundred.mean():.4f}; time {np.median(seconds[:, 1] / seconds[:, 0]):.3f} of exhaustive, "
        f"{seconds[:, 1].sum() / seconds[:, 0].sum():.3f} over all queries; medians "
        f"{np.median(seconds[:, 0]) * 1000:.0f} and {np.median(seconds[:, 1]) * 1000:.0f} ms",
        flush=True,
    )


def gain() -> None:
    """nDCG@10 and R@100 on pydocs dev of searching with late interaction, against reranking BM25's 100."""
    c = lk.load_collection("pydocs")
    pruned = lk.TokenRetriever(c, progress=True)
    exhaustive = lk.TokenRetriever(c, pruned.encoder, "exhaustive", packed=pruned.packed)
    before = lk.evaluate(lk.system("bm25+late", c), c, split="dev", k=100)
    runs = [lk.evaluate(system, c, split="dev", k=100) for system in (pruned, exhaustive)]
    for run in (before, *runs):
        print(run.system, {name: round(value, 4) for name, value in run.metrics.items()})
    print(lk.compare(before, runs))
    print(lk.compare(before, runs, measure="R@100"))
    queries = list(c.split("dev").queries.values())
    report(queries, exhaustive, pruned)


if __name__ == "__main__":
    if sys.argv[1:] == ["pydocs"]:
        gain()
    else:
        measure(collection())
