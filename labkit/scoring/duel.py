"""A duel: why is one document above another, and how little would have to go for the order to flip?

What is removed are token vectors, one by one; the rest keep the vectors that they have. The text is not encoded again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.errors import LabError
from labkit.scoring.maxsim import maxsim
from labkit.scoring.receipt import kind_of
from labkit.scoring.removal import smallest_removal

if TYPE_CHECKING:
    from labkit.encoding.tokens import PackedTokens

ROUNDING = 1e-5  # by how much a score must fall below the other, relative to it, to be below and not merely rounded


@dataclass(frozen=True)
class DuelRow:
    """One query token: its best partner in each document, and by how much the winner's is better."""

    query_token: str
    winner_token: str
    loser_token: str
    winner_similarity: float
    loser_similarity: float
    difference: float
    kind: str


@dataclass(frozen=True)
class Removed:
    """A document token that has to go: its position, its string and its characters."""

    position: int
    token: str
    span: tuple[int, int]


@dataclass(frozen=True)
class Duel:
    """Two documents, the query tokens that decide between them, and the fewest tokens whose removal flips the order.

    ``exact`` tells whether no smaller set flips it, or whether the search was cut off and the set is a greedy one. Each
    set was verified by scoring the document without it.
    """

    query: str
    winner: str
    loser: str
    winner_score: float
    loser_score: float
    rows: tuple[DuelRow, ...]
    removed: tuple[Removed, ...]
    score_without: float
    exact: bool

    def to_frame(self):
        """The rows as a pandas table, the largest difference first."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data, ready for JSON."""
        return asdict(self)


def from_tokens(texts: tuple[str, str, str], queries: PackedTokens, *sides: tuple[PackedTokens, np.ndarray]) -> Duel:
    """The duel of text 0 of two packs that came from an encoder, each with its `similarity_table`.

    ``texts`` are query, a and b; ``sides`` those of a and b.
    """
    if not all(table.shape[1] for _, table in sides):
        raise LabError("a duel needs two documents with tokens; one of these has none, so its score is minus infinity.")
    scores = [float(maxsim(queries[0], pack[0:1])[0]) for pack, _ in sides]
    order = (0, 1) if scores[0] >= scores[1] else (1, 0)
    names = [texts[1 + i] for i in order]
    (winner, loser), tables = zip(*(sides[i] for i in order), strict=True)
    clearly = min(scores) - ROUNDING * max(1.0, abs(min(scores)))
    positions, exact = smallest_removal(tables[0], clearly)
    tokens, spans = winner.tokens(0), winner.spans.tolist()  # type: ignore[union-attr]
    removed = tuple(Removed(position, tokens[position], tuple(spans[position])) for position in positions)
    without = _score_without(queries, winner, positions)
    if not without < min(scores):
        raise LabError(f"the removal must flip the order; {without:.6f} is not below {min(scores):.6f}.")
    rows = _rows(queries, winner, loser, tables)
    return Duel(texts[0], names[0], names[1], max(scores), min(scores), rows, removed, without, exact)


def _score_without(queries: PackedTokens, document: PackedTokens, positions: tuple[int, ...]) -> float:
    """The MaxSim of the document's other tokens, by the kernel itself."""
    rest = np.delete(np.asarray(document[0]), positions, axis=0)
    return float(maxsim(queries[0], [rest])[0])


def _rows(queries: PackedTokens, winner: PackedTokens, loser: PackedTokens, tables: tuple[np.ndarray, ...]):  # type: ignore[no-untyped-def]
    names = queries.tokens(0), winner.tokens(0), loser.tokens(0)
    rows = []
    for i, token in enumerate(names[0]):
        best = [int(table[i].argmax()) for table in tables]
        values = [float(table[i, position]) for table, position in zip(tables, best, strict=True)]
        kind = kind_of(token, tuple(queries.spans[i].tolist()))
        rows.append(DuelRow(token, names[1][best[0]], names[2][best[1]], *values, values[0] - values[1], kind))
    return tuple(sorted(rows, key=lambda row: -row.difference))
