"""The eraser: which of a document's tokens never win for a given set of queries, and what the others are worth.

A token that no query token chooses adds nothing to any of these scores. Other queries may choose it: what is said here
holds for the queries given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from labkit.errors import LabError
from labkit.scoring.table import Explanation

if TYPE_CHECKING:
    from labkit.encoding.tokens import PackedTokens

STEPS = 10  # points of the curve


@dataclass(frozen=True)
class TokenValue:
    """A document token: how many query tokens choose it, and the similarity that it earns with them."""

    position: int
    token: str
    wins: int
    earned: float
    span: tuple[int, int]


@dataclass(frozen=True, repr=False)
class Erasure(Explanation):
    """A document's tokens, the most valuable first, and the part of the score that the best of them keep.

    ``curve`` holds pairs (share of the tokens kept, share of the summed score kept), for the tokens kept in this order.
    """

    HEAD: ClassVar = ("token", "wins", "earned", "span")
    LEFT: ClassVar = 1

    queries: tuple[str, ...]
    document: str
    tokens: tuple[TokenValue, ...]
    curve: tuple[tuple[float, float], ...]

    @property
    def dead(self) -> tuple[TokenValue, ...]:
        """The tokens that never win."""
        return tuple(token for token in self.tokens if not token.wins)

    def to_frame(self):
        """The tokens as a pandas table."""
        import pandas as pd

        return pd.DataFrame([asdict(token) for token in self.tokens])

    def verdict(self) -> str:
        """How many tokens never win."""
        several = len(self.queries) > 1
        return (
            f"{len(self.dead)} of {len(self.tokens)} tokens never win for "
            f"{f'these {len(self.queries)} queries' if several else 'this query'}: without them "
            f"{'every' if several else 'its'} score stays what it is."
        )

    def cells(self) -> list[tuple[str, ...]]:
        """A row a token that wins."""
        return [
            (token.token, str(token.wins), f"{token.earned:.3f}", f"{token.span[0]}-{token.span[1]}")
            for token in self.tokens
            if token.wins
        ]


def check_queries(queries: Sequence[str]) -> None:
    """Raise a `LabError` for a bare string and for no query."""
    if isinstance(queries, str) or not len(queries):
        raise LabError(f"queries must be a list of at least one text; got {queries!r}.")


def similarities(queries: PackedTokens, documents: PackedTokens) -> np.ndarray:
    """[sum of Lq, Ld] float64: every token of every query with every token of text 0 of ``documents``."""
    vectors = np.asarray(documents[0], np.float64)
    if not len(vectors):
        raise LabError("an eraser needs a document with tokens; this one has none.")
    return np.concatenate([np.asarray(query, np.float64) for query in queries]) @ vectors.T


def unvalued(documents: PackedTokens) -> list[tuple[int, str, tuple[int, int]]]:
    """Position, string and characters of each token of text 0."""
    names = documents.tokens(0)
    spans = documents.spans[: len(names)].tolist()  # type: ignore[union-attr]
    return [(position, name, tuple(spans[position])) for position, name in enumerate(names)]


def from_table(
    texts: Sequence[str], document: str, table: np.ndarray, tokens: Sequence[tuple[int, str, tuple[int, int]]]
) -> Erasure:
    """The erasure of ``tokens``, of which ``table`` has the columns; see `similarities` and `unvalued`."""
    winners, count = table.argmax(axis=1), len(tokens)
    wins = np.bincount(winners, minlength=count)
    earned = np.bincount(winners, weights=table.max(axis=1), minlength=count)
    order = np.lexsort((np.arange(count), -earned, wins == 0))
    values = zip(order.tolist(), wins[order].tolist(), earned[order].tolist(), strict=True)
    made = tuple(TokenValue(*tokens[i][:2], won, worth, tokens[i][2]) for i, won, worth in values)
    return Erasure(tuple(texts), document, made, _curve(table[:, order]))


def _curve(ordered: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Shares of tokens and of the score kept, for columns [sum of Lq, Ld] in the order in which they are kept."""
    kept = np.maximum.accumulate(ordered, axis=1).sum(axis=0)
    counts = np.unique(np.ceil(np.linspace(0, 1, STEPS + 1)[1:] * ordered.shape[1]).astype(int))
    whole = kept[-1]
    return tuple(
        (count / ordered.shape[1], float(kept[count - 1] / whole) if whole else 1.0) for count in counts.tolist()
    )
