"""``labkit bench rerank``: from a question to the top 5, reranking BM25's 50 candidates, and MaxSim's share of it.

Cold, the encoder has no store and encodes every candidate; cached, all of them come from the store; indexed, from an
index that is mapped into memory, as a search service would hold it. The question is new to the encoder each time.
MaxSim is also timed alone on the same packed candidates. The offline cross-encoder, of the same size, reranks the same
candidates: nothing of it can be cached.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.bars import bar
from labkit.errors import LabError
from labkit.evaluation import bench
from labkit.evaluation.load_drive import Fresh

if TYPE_CHECKING:
    from labkit.corpus.collection import Collection
    from labkit.encoding.encoders import Encoder
    from labkit.ranking.first_stage import Retriever
    from labkit.ranking.late_interaction import LateInteractionReranker
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
    from labkit.ranking.first_stage import BM25Retriever
    from labkit.ranking.late_interaction import LateInteractionReranker

    collection = collection or load_collection("pydocs", progress=progress)
    asked = list(collection.split(collection.default_split).queries.values())[:questions]
    if not asked:
        raise LabError(f"{collection.name} has no questions to ask.")
    first, machine, floor = BM25Retriever(collection), bench.banner(busy), []
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
        }
        runs = {
            name: _ask(name, first, late, stored, asked[: cold if name == "cold" else None], probe, floor, progress)
            for name, late in rerankers.items()
        }
        cross = _crossed(first, asked[:cold], probe, floor, progress)
    spread = bench.spread(floor)
    data = {
        "bench": "rerank", "machine": machine, "collection": collection.name, "k": K, "top": TOP, **runs,
        "cross": cross,
        "floor_spread": round(spread, 3), "void": bench.is_void(floor, busy),
    }  # fmt: skip
    return bench.Report(data, "\n".join(_lines(data)))


def _ask(
    name: str, first: Retriever, late: LateInteractionReranker, stored: Encoder, questions: Sequence[str],
    probe: bench.Timer, floor: list[float], progress: bool,
) -> dict[str, Any]:  # fmt: skip
    """Ask each question once. ``stored`` only packs what MaxSim alone scores; the probe fills ``floor``."""
    from labkit.ranking.two_stage import TwoStage

    system = TwoStage(first, late)
    whole, alone = [], []
    for question, seconds in _timed(name, system, questions, probe, floor, progress):
        whole.append(seconds)
        alone.append(_maxsim_alone(first, stored, question))
    return _summary(np.array(whole), np.array(alone))


def _timed(
    name: str, system: TwoStage, questions: Sequence[str], probe: bench.Timer, floor: list[float], progress: bool
) -> Iterator[tuple[str, float]]:
    """Each question and the seconds that it takes, new to every encoder; the probe fills ``floor``."""
    system.search(questions[0], k=1)  # whatever is loaded or compiled at the first call
    for question in bar(questions, what=name, unit="question", show=progress):
        floor.append(probe())
        began = time.perf_counter()
        system.search(Fresh(question), k=K, top_n=TOP)
        yield question, time.perf_counter() - began


def _crossed(
    first: Retriever, questions: Sequence[str], probe: bench.Timer, floor: list[float], progress: bool
) -> dict[str, Any]:
    """Ask each question once, and rerank with the offline cross-encoder; every pair is run."""
    from labkit.ranking.cross_encoder import CrossEncoderReranker
    from labkit.ranking.two_stage import TwoStage

    system = TwoStage(first, CrossEncoderReranker(stored=False))
    whole = [seconds for _, seconds in _timed("cross", system, questions, probe, floor, progress)]
    return {"questions": len(whole), "ms": _percentiles(np.array(whole))}


def _maxsim_alone(first: Retriever, encoder: Encoder, question: str) -> float:
    """Seconds of MaxSim over the packed candidates, the median of a few."""
    from labkit.scoring.maxsim import maxsim

    documents = encoder.encode_documents([passage for hit in first.search(question, K) for passage in hit.passages])
    query = encoder.encode_queries([question])[0]
    score = bench.timer(lambda: maxsim(query, documents), least=0)
    return float(np.median([score() for _ in range(ALONE)]))


def _summary(whole: np.ndarray, alone: np.ndarray) -> dict[str, Any]:
    """Of seconds [questions] for the whole and for MaxSim alone."""
    return {
        "questions": len(whole),
        "ms": _percentiles(whole),
        "maxsim_ms": {name: round(float(np.percentile(alone * 1000, q)), 3) for name, q in (("p50", 50), ("p95", 95))},
        "maxsim_share": round(float(np.median(alone / whole)), 5),
    }


def _percentiles(seconds: np.ndarray) -> dict[str, float]:
    p50, p95 = np.percentile(seconds * 1000, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}


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
