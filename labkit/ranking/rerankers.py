"""What every reranker shares: candidates in, the same candidates in a better order out.

A reranker never adds a document, never loses one, and does not care about the order it was given, except to break ties.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from labkit.bars import bar
from labkit.errors import LabError, check_count, check_text
from labkit.ranking.ranking import Candidates, Hit, Ranking, as_hits
from labkit.ranking.scored import Scored


class Reranker(ABC):
    """Scores candidates and sorts them."""

    name: str
    scale: str
    configuration: dict[str, Any]  # what decides its scores, for the ledger; one that has none counts by its name
    model = ""  # the identity of the model that scores, where there is one
    stand_in = False  # True where the scores are not those of what the name says: they enter no quality figure

    @abstractmethod
    def score(self, query: str, hits: Sequence[Hit]) -> Scored:
        """Score hits (at least one); minus infinity for what cannot be scored, with a reason."""

    def prepare(self) -> None:  # noqa: B027 (optional: most rerankers have nothing to load)
        """Load what scoring needs, so that it is not counted as scoring time."""

    def most_cost(self, query: str, hits: Sequence[Hit]) -> dict[str, float]:
        """The most that scoring hits can be billed, unit name to amount; nothing for a model on this machine."""
        return {}

    def score_hits(self, query: str, hits: Sequence[Hit]) -> np.ndarray:
        """[n] the scores alone."""
        return self.score(query, hits).scores

    def rerank(self, query: str, candidates: Candidates, top_n: int = 5) -> Ranking:
        """The ``top_n`` best candidates, best first.

        Parameters
        ----------
        query : text
        candidates : a Ranking; a mapping from id to text, such as your own search engine's answer, best first; or a
            list of texts, whose positions become ids
        top_n : how many to keep; beyond the list keeps all

        Returns
        -------
        Ranking
            Each hit with its previous rank. Equal scores keep the order of the candidates. Its note repeats why an
            earlier stage fell back, and says how many candidates came without a text.

        Raises `LabError` for a top_n below 1 and for texts that are no valid strings.
        """
        check_count(top_n, "top_n")
        check_text(query, "query")
        hits = as_hits(candidates)
        earlier = candidates.seconds if isinstance(candidates, Ranking) else {}
        told = joined(fallback_note(candidates) if isinstance(candidates, Ranking) else "", without_text(hits))
        system = f"{candidates.system}+{self.name}" if isinstance(candidates, Ranking) else self.name
        if not hits:
            return Ranking(query, (), system, self.scale, {**earlier, "rerank": 0.0})
        self.prepare()
        began = time.perf_counter()
        scored = self.score(query, hits)
        order = np.argsort(-scored.scores, kind="stable")[:top_n]
        kept = tuple(_moved(hits[i], i, rank, scored) for rank, i in enumerate(order.tolist(), start=1))
        spent = time.perf_counter() - began + earlier.get("rerank", 0.0)
        return Ranking(
            query, kept, system, self.scale, {**earlier, "rerank": spent}, scored.encoded, scored.cached, self.model,
            scored.cost, joined(told, scored.note),
        )  # fmt: skip

    def rerank_batch(
        self, queries: Sequence[str], candidates: Sequence[Candidates], top_n: int = 5,
        progress: bool = False,
    ) -> list[Ranking]:  # fmt: skip
        """[Nq] rankings: what `rerank` gives for each query and its own candidates, in the same order.

        A bare string, two different numbers, and whatever `rerank` refuses are a `LabError` before any work. With
        ``progress`` a bar is shown.
        """
        if isinstance(queries, str) or isinstance(candidates, (str, Ranking)):
            raise LabError("a batch takes a list of queries and a list with the candidates of each; rerank takes one.")
        if len(queries) != len(candidates):
            raise LabError(f"each query needs its candidates; got {len(queries)} queries and {len(candidates)} lists.")
        check_count(top_n, "top_n")
        for number, query in enumerate(queries):
            check_text(query, f"query {number}")
        for some in candidates:
            as_hits(some)
        pairs = bar(list(zip(queries, candidates, strict=True)), what=self.name, unit="query", show=progress)
        return [self.rerank(query, some, top_n) for query, some in pairs]


def _moved(hit: Hit, i: int, rank: int, scored: Scored) -> Hit:
    """The hit at its new rank. Its previous rank is its place among the candidates."""
    score = float(scored.scores[i])
    text = hit.passages[scored.best[i]] if scored.best is not None and hit.passages else hit.text
    return replace(
        hit,
        rank=rank,
        previous_rank=i + 1,
        score=score,
        text=text,
        reason=scored.reasons.get(i) if not math.isfinite(score) else None,
        truncated=bool(scored.truncated[i]) if scored.truncated is not None else hit.truncated,
        spans=scored.spans[i] if scored.spans is not None else (),
    )


def fallback_note(candidates: Ranking) -> str:
    """What a later stage must repeat: why an earlier one fell back; "" where none did."""
    return candidates.note if candidates.fallback else ""


def without_text(hits: Sequence[Hit]) -> str:
    """How many of some candidates have no text to score, in words; "" where all have one.

    >>> without_text([Hit("a", 1, 9.0), Hit("b", 2, 8.0, text="a text")])
    '1 of 2 candidates came without a text'
    """
    count = sum(not any(hit.passages or (hit.text,)) for hit in hits)
    return f"{count} of {len(hits)} candidates came without a text" if count else ""


def joined(*notes: str) -> str:
    """Several notes as one.

    >>> joined("cut", "", "cached")
    'cut; cached'
    """
    return "; ".join(filter(None, notes))


def configuration_of(part: Any) -> dict[str, Any]:
    """What decides a part's rankings or scores; one that does not tell counts by its name."""
    return getattr(part, "configuration", {"name": part.name})
