"""Fusion: add the scores that several systems already have. The honest rival of every reranker.

Scores of different systems have different units, so they are summed as z-scores, or only ranks are used (reciprocal
rank fusion: Cormack, Clarke and Buettcher, SIGIR 2009).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.errors import LabError, check_count, check_text
from labkit.ranking.first_stage import Retriever
from labkit.ranking.ranking import Hit, Ranking
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import Scored, summed, zscores

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

DEPTH = 1_000  # how far down each side is read
RRF_K = 60


class FusionRetriever:
    """Several first stages as one: the union of each one's top 1,000, every side scored for all of it.

    Parameters
    ----------
    retrievers : first stages over the same collection
    method : ``"z"`` sums z-scores over the union; ``"rrf"`` sums 1 / (60 + rank) over each side's own top 1,000
    weights : one a side; 1 each by default
    """

    name = "fusion"

    def __init__(
        self, retrievers: Sequence[Retriever], method: str = "z", weights: Sequence[float] | None = None
    ) -> None:
        if method not in ("z", "rrf"):
            raise LabError(f"method must be 'z' or 'rrf'; got {method!r}.")
        if not retrievers:
            raise LabError("fusion needs at least one retriever; got none.")
        if any(side.collection.doc_ids != retrievers[0].collection.doc_ids for side in retrievers):
            raise LabError("fusion needs retrievers over the same documents; make each over one collection.")
        self.retrievers = list(retrievers)
        self.collection = self.retrievers[0].collection
        self.method = method
        self.weights = _weights(weights, len(self.retrievers))
        self.scale = "sum of z-scores" if method == "z" else "reciprocal rank"

    @property
    def configuration(self) -> dict[str, Any]:
        sides = [side.configuration for side in self.retrievers]
        return {"name": self.name, "method": self.method, "weights": self.weights, "sides": sides}

    def search(self, query: str, k: int = 50) -> Ranking:
        """The ``k`` best documents of the union. Ties keep the order of the first side, then the document id.

        Raises `LabError` for a k below 1 or a query that is no valid string.
        """
        check_count(k, "k")
        check_text(query, "query")
        began = time.perf_counter()
        found = [side.best(query, DEPTH) for side in self.retrievers]
        rows = self._union([own for own, _ in found])
        if self.method == "rrf":
            total = self._reciprocal([own for own, _ in found])[rows]
        else:
            total = _weighted([side.score_rows(query, rows) for side in self.retrievers], self.weights)
        order = np.argsort(-total, kind="stable")[:k]
        hits = (self._hit(row, rank, found) for rank, row in enumerate(rows[order].tolist(), start=1))
        kept = tuple(replace(hit, score=float(score)) for hit, score in zip(hits, total[order], strict=True))
        return Ranking(query, kept, self.name, self.scale, {"first_stage": time.perf_counter() - began})

    def _union(self, sides: Sequence[np.ndarray]) -> np.ndarray:
        """The first side's documents in its order, then the others by id."""
        others = np.setdiff1d(np.concatenate(sides), sides[0])
        return np.concatenate([sides[0], others[np.argsort(self.retrievers[0].id_order[others])]])

    def _reciprocal(self, sides: Sequence[np.ndarray]) -> np.ndarray:
        total = np.zeros(len(self.collection.docs))
        for rows, weight in zip(sides, self.weights, strict=True):
            total[rows] += weight / (RRF_K + 1 + np.arange(len(rows)))
        return total

    def _hit(self, row: int, rank: int, found: Sequence[tuple[np.ndarray, np.ndarray]]) -> Hit:
        """With the passage that the first of the sides which found it holds for the best."""
        side, scores = next((i, scores) for i, (rows, scores) in enumerate(found) if row in rows)
        return self.retrievers[side].hit(row, rank, scores)


class FusionReranker(Reranker):
    """Several systems' z-scores over the candidates, summed. Passage shown, model and encoder are the first part's.

    Parameters
    ----------
    parts : the first is a reranker; the others rerankers, or first stages over the candidates' collection
    weights : one a part; 1 each by default
    """

    scale = "sum of z-scores"

    def __init__(
        self, parts: Sequence[Reranker | Retriever], weights: Sequence[float] | None = None, name: str = "fused"
    ) -> None:
        if not parts or not isinstance(parts[0], Reranker):
            raise LabError("the first part must be a reranker such as LateInteractionReranker().")
        self.parts = list(parts)
        self.weights = _weights(weights, len(self.parts))
        self.name = name
        self.stand_in = any(getattr(part, "stand_in", False) for part in self.parts)

    @property
    def configuration(self) -> dict[str, Any]:
        return {"name": self.name, "weights": self.weights, "parts": [part.configuration for part in self.parts]}

    @property
    def model(self) -> str:
        return self.parts[0].model

    @property
    def encoder(self) -> Encoder:
        return self.parts[0].encoder

    def prepare(self) -> None:
        for part in self.parts:
            if isinstance(part, Reranker):
                part.prepare()

    def most_cost(self, query: str, hits: Sequence[Hit]) -> dict[str, float]:
        return summed(part.most_cost(query, hits) for part in self.parts if isinstance(part, Reranker))

    def score(self, query: str, hits: Sequence[Hit]) -> Scored:
        sides = [
            part.score(query, hits) if isinstance(part, Reranker) else Scored(part.score_hits(query, hits))
            for part in self.parts
        ]
        scores = _weighted([side.scores for side in sides], self.weights)
        return replace(sides[0], scores=scores, cost=summed(side.cost for side in sides))


def _weighted(sides: Sequence[np.ndarray], weights: Sequence[float]) -> np.ndarray:
    """[n] float64: the weighted sum of z-scores."""
    return np.sum([weight * zscores(side) for side, weight in zip(sides, weights, strict=True)], axis=0)


def _weights(weights: Sequence[float] | None, count: int) -> list[float]:
    chosen = [1.0] * count if weights is None else [float(weight) for weight in weights]
    if len(chosen) != count:
        raise LabError(f"weights must be one a part, {count}; got {len(chosen)}.")
    return chosen
