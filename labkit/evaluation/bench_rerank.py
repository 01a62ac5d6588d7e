"""``labkit bench rerank``: from a question to the top 5, reranking BM25's 50 candidates, and MaxSim's share of it.

Cold, the encoder has no store and encodes every candidate; cached, all of them come from the store; indexed, from an
index that is mapped into memory, as a search service would hold it. The question is new to the encoder each time.
MaxSim is also timed alone on the same packed candidates. The offline cross-encoder, of the same size, reranks the same
candidates: nothing of it can be cached.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.bars import bar
from labkit.errors import LabError
from labkit.evaluation import bench
from labkit.evaluation.evaluate import latency
from labkit.evaluation.load_drive import Fresh

if TYPE_CHECKING:
    from labkit.corpus.collection import Collection
    from labkit.encoding.encoders import Encoder
    from labkit.ranking.first_stage import Retriever
    from labkit.ranking.two_stage import TwoStage

K, TOP = 50, 5
QUESTIONS, COLD = 20, 3
ALONE = 5  # timings of MaxSim alone


def bench_rerank(
    collection: Collection | None = None,
    questions: int = QUESTIONS,
    cold: int = COLD,
    busy: bool = False,
    progress: bool = False,
) -> bench.Report:
    """p50 and p95 of a question, and MaxSim's share, cold and cached.

    Parameters
    ----------
    collection : pydocs if None
    questions : how many of its dev queries to ask with everything cached
    cold : how many to ask with nothing cached
    busy : keep one core busy meanwhile
    progress : show bars
    """
    from labkit.corpus.load import load_collection
    from labkit.encoding.checkpoints import load_encoder
    from labkit.encoding.index_build import build_index
    from labkit.ranking.cross_encoder import CrossEncoderReranker
    from labkit.ranking.first_stage import BM25Retriever
    from labkit.ranking.late_interaction import LateInteractionReranker
    from labkit.ranking.two_stage import TwoStage

    collection = collection or load_collection("pydocs", progress=progress)
    asked = list(collection.split(collection.default_split).queries.values())[:questions]
    if not asked:
        raise LabError(f"{collection.name} has no questions to ask.")
    first, machine = BM25Retriever(collection), bench.banner(busy)
    floor: list[float] = []
    runs: dict[str, dict[str, Any]] = {}
    stored, storeless = load_encoder(), load_encoder(store=False)
    passages = [passage for question in asked for hit in first.search(question, K) for passage in hit.passages]
    stored.warm(list(dict.fromkeys(passages)), progress)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, bench.load_on_one_core(busy):
        index = build_index(folder, passages, stored)
        probe = bench.probe()
        rerankers = {
            "cold": LateInteractionReranker(storeless),
            "cached": LateInteractionReranker(stored),
            "indexed": LateInteractionReranker(stored, index=index),
            "cross": CrossEncoderReranker(stored=False),
        }
        for name, reranker in rerankers.items():
            some = asked[: cold if name in ("cold", "cross") else None]
            whole = _seconds(name, TwoStage(first, reranker), some, probe, floor, progress)
            runs[name] = {"questions": len(whole), "ms": latency(whole)}
            if name != "cross":
                alone = np.array([_maxsim_alone(first, stored, question) for question in some])
                ms = {f"p{q}": round(float(np.percentile(alone * 1000, q)), 3) for q in (50, 95)}
                runs[name] |= {"maxsim_ms": ms, "maxsim_share": round(float(np.median(alone / whole)), 5)}
    data = {
        "bench": "rerank", "machine": machine, "collection": collection.name, "k": K, "top": TOP, **runs,
        **bench.floor(floor, busy),
    }  # fmt: skip
    return bench.Report(data, "\n".join(_lines(data)))


def _seconds(
    name: str, system: TwoStage, questions: Sequence[str], probe: bench.Timer, floor: list[float], progress: bool
) -> np.ndarray:
    """The seconds of each question [n], which is new to every encoder; the probe fills ``floor``."""
    system.search(questions[0], k=1)  # whatever is loaded or compiled at the first call
    seconds = []
    for question in bar(questions, what=name, unit="question", show=progress):
        floor.append(probe())
        began = time.perf_counter()
        system.search(Fresh(question), k=K, top_n=TOP)
        seconds.append(time.perf_counter() - began)
    return np.array(seconds)


def _maxsim_alone(first: Retriever, encoder: Encoder, question: str) -> float:
    """Seconds of MaxSim over the packed candidates, the median of a few."""
    from labkit.scoring.maxsim import maxsim

    documents = encoder.encode_documents([passage for hit in first.search(question, K) for passage in hit.passages])
    query = encoder.encode_queries([question])[0]
    score = bench.timer(lambda: maxsim(query, documents), least=0)
    return float(np.median([score() for _ in range(ALONE)]))


def _lines(data: dict[str, Any]) -> list[str]:
    lines = [f"{data['collection']}: question to top {data['top']} over {data['k']} candidates of BM25"]
    for name in ("cold", "cached", "indexed"):
        run = data[name]
        lines.append(
            f"{name:>7}: p50 {run['ms']['p50']:,.1f} ms, p95 {run['ms']['p95']:,.1f} ms, {run['questions']} questions; "
            f"MaxSim alone {run['maxsim_ms']['p50']:.2f} ms, {run['maxsim_share']:.2%} of it"
        )
    ms = {name: data[name]["ms"]["p50"] for name in ("cold", "cached", "indexed", "cross")}
    lines.append(
        f"  cross: p50 {ms['cross']:,.1f} ms, p95 {data['cross']['ms']['p95']:,.1f} ms, "
        f"{data['cross']['questions']} questions; its p50 is {ms['cross'] / ms['cached']:.0f} times MaxSim's cached, "
        f"{ms['cross'] / ms['indexed']:.0f} times MaxSim's indexed, {ms['cross'] / ms['cold']:.1f} times MaxSim's cold"
    )
    return [*lines, bench.void_line(data["void"], data["floor_spread"])]
