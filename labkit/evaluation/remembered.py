"""Stages that remember, so that the cells of a sweep share their work.

Candidates are fetched once, at the largest k, and cut. Each part of a reranker scores a query with a document once; k
and weights are then cuts and sums, done by the very classes that do them outside of a sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from labkit.ranking.cross_encoder import CrossEncoderReranker
from labkit.ranking.first_stage import Retriever
from labkit.ranking.fusion import FusionRetriever
from labkit.ranking.late_interaction import DenseReranker, LateInteractionReranker
from labkit.ranking.ranking import Hit, Ranking
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import Scored

FIRSTS = (Retriever, FusionRetriever)  # k more are the same ones first, so a long list can be cut
PARTS = (LateInteractionReranker, DenseReranker, CrossEncoderReranker, Retriever)  # each document scored for itself


class RememberedFirst:
    """A first stage that searches once a query, ``depth`` deep, and cuts."""

    def __init__(self, first: Any, depth: int) -> None:
        self.first, self.depth = first, depth
        self.name, self.collection, self.configuration = first.name, first.collection, first.configuration
        self._known: dict[str, Ranking] = {}

    def search(self, query: str, k: int = 50) -> Ranking:
        """The ``k`` best documents."""
        if query not in self._known:
            self._known[query] = self.first.search(query, max(k, self.depth))
        return self._known[query].top(k)


class Remembered(Reranker):
    """A part of a reranker that scores each query with each document once; documents of equal text count as one."""

    def __init__(self, part: Any) -> None:
        self.part, self.name, self.scale = part, part.name, part.scale
        self._known: dict[str, dict[tuple[str, ...], tuple[float, int]]] = {}

    @property
    def configuration(self) -> dict[str, Any]:
        """The part's own."""
        return self.part.configuration

    def score(self, query: str, hits: Sequence[Hit]) -> Scored:
        known, texts = self._known.setdefault(query, {}), [hit.passages or (hit.text,) for hit in hits]
        if fresh := {text: hit for text, hit in zip(texts, hits, strict=True) if text not in known}:
            some, rerankers = list(fresh.values()), isinstance(self.part, Reranker)
            scored = self.part.score(query, some) if rerankers else Scored(self.part.score_hits(query, some))
            best = scored.best if scored.best is not None else [0] * len(some)
            known.update(zip(fresh, zip(scored.scores.tolist(), best, strict=True), strict=True))
        found = [known[text] for text in texts]
        return Scored(np.array([score for score, _ in found]), [place for _, place in found])
