"""A query's walk through the stages of a system: the rank of the first right answer after each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np

from labkit.ranking.fusion import FusionReranker, FusionRetriever
from labkit.ranking.ranking import Hit, Ranking
from labkit.ranking.two_stage import Searcher, TwoStage


class Stage(NamedTuple):
    """What ranks, and the rank that it gives the first right answer; None where its list has none."""

    name: str
    rank: int | None


Step = tuple[Stage, ...]  # stages that run side by side
Walk = tuple[Step, ...]


def walk(system: Searcher | TwoStage, query: str, right: Collection[str], k: int) -> Walk:
    """The steps of a system. Its last step is the system itself, so its rank is that of the system's list.

    Parameters
    ----------
    system : a first stage ranks everything; a TwoStage reranks ``k`` candidates
    query : text
    right : ids of right answers; without one no stage runs, and all ranks are None
    k : candidates
    """
    if not right:
        return ((Stage(system.name, None),),)
    if not isinstance(system, TwoStage):
        everything = max(1, len(system.collection.docs))
        return (*_sides(system, query, right, everything), (_stage(system.search(query, k=everything), right),))
    candidates = system.candidates(query, k)
    first = system.first
    before = walk(first, query, right, k)[:-1] if isinstance(first, TwoStage) else _sides(first, query, right, k)
    after = system.reranker.rerank(query, candidates, top_n=k)
    parts = _parts(system.reranker, query, candidates, right)
    return (*before, (_stage(candidates, right, first.name),), *parts, (_stage(after, right, system.reranker.name),))


def _stage(ranking: Ranking, right: Collection[str], name: str = "") -> Stage:
    return Stage(name or ranking.system, ranking.rank_of(set(right)))


def _sides(system: Searcher, query: str, right: Collection[str], k: int) -> Walk:
    """What a fused first stage sums."""
    if not isinstance(system, FusionRetriever):
        return ()
    return (tuple(_stage(part.search(query, k), right, part.name) for part in system.retrievers),)


def _parts(reranker: object, query: str, candidates: Ranking, right: Collection[str]) -> Walk:
    """What a fused reranker sums: the rank that each part would give."""
    if not isinstance(reranker, FusionReranker) or not len(candidates):
        return ()
    scored = [(part.name, part.score_hits(query, candidates.hits)) for part in reranker.parts]
    return (tuple(Stage(name, _first(scores, candidates.hits, right)) for name, scores in scored),)


def _first(scores: np.ndarray, hits: Sequence[Hit], right: Collection[str]) -> int | None:
    """The rank of the first right answer by scores; equal ones keep their order."""
    order = np.argsort(-np.asarray(scores), kind="stable").tolist()
    return next((rank for rank, i in enumerate(order, start=1) if hits[i].doc_id in right), None)
