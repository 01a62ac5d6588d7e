"""Two stages: a fast one fetches k candidates, a careful one reorders them. It nests."""

from __future__ import annotations

from typing import Any, Protocol

from labkit.corpus.collection import Collection
from labkit.errors import LabError, check_count
from labkit.ranking.ranking import Ranking
from labkit.ranking.rerankers import Reranker, configuration_of


class Searcher(Protocol):
    """Whatever ranks a collection: a first stage, a fusion, or another two-stage pipeline."""

    name: str
    collection: Collection

    def search(self, query: str, k: int = 50) -> Ranking: ...


def _require(part: Any, what: str, needed: tuple[str, ...]) -> None:
    lacking = [name for name in ("name", *needed) if not hasattr(part, name)]
    if lacking:
        raise LabError(f"{type(part).__name__} must be {what}; it has no {' and no '.join(lacking)}.")


class TwoStage:
    """A first stage, then a reranker.

    Parameters
    ----------
    first : a first stage or another TwoStage (the outer k is then the inner top_n); or anything of yours that has a
        ``name``, the ``collection`` that it searches, and ``search(query, k)`` that gives a `Ranking`
    reranker : what reorders the candidates
    k : how many candidates to fetch when ``search`` is not told; 50 if None
    """

    def __init__(self, first: Searcher | TwoStage, reranker: Reranker, k: int | None = None) -> None:
        _require(first, "a first stage, which has a name, a collection and search(query, k)", ("collection", "search"))
        _require(reranker, "a reranker, which has a name and rerank(query, candidates, top_n)", ("rerank",))
        self.first = first
        self.reranker = reranker
        self.k = None if k is None else check_count(k, "k")
        self.name = f"{first.name}+{reranker.name}"
        self.collection = first.collection

    @property
    def stand_in(self) -> bool:
        """Whether any part's scores are those of a stand-in."""
        return self.reranker.stand_in or (isinstance(self.first, TwoStage) and self.first.stand_in)

    @property
    def configuration(self) -> dict[str, Any]:
        """What decides its rankings beside k, for the ledger. A part that does not tell counts by its name."""
        return {"first": configuration_of(self.first), "reranker": configuration_of(self.reranker)}

    def search(self, query: str, k: int | None = None, top_n: int = 5) -> Ranking:
        """The ``top_n`` best of ``k`` candidates.

        Raises `LabError` for k or top_n below 1 and for a query that is no valid string.
        """
        check_count(top_n, "top_n")
        return self.reranker.rerank(query, self.candidates(query, k), top_n)

    def candidates(self, query: str, k: int | None = None) -> Ranking:
        """The ``k`` candidates that the reranker gets."""
        k = check_count(self.k or 50 if k is None else k, "k")
        if isinstance(self.first, TwoStage):
            return self.first.search(query, k=max(k, self.first.k or 50), top_n=k)
        return self.first.search(query, k)
