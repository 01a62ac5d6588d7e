"""The receipt of a score: who matched whom, for how much, and by what margin.

Its rows sum to the score, or it refuses to exist. What a receipt explains is the sum: not why the encoder gave two
tokens similar vectors.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from labkit.encoding.checkpoints import load_encoder
from labkit.encoding.prune import FUNCTION_WORDS
from labkit.encoding.tokens import PackedTokens
from labkit.errors import LabError
from labkit.scoring.maxsim import maxsim
from labkit.scoring.table import Explanation

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder


@dataclass(frozen=True)
class Row:
    """One query token: its best document token, their similarity, and the share of the score it earns.

    ``runner_up`` is the second best document token and ``margin`` how far it is behind: what would be lost without the
    best one. Both are None where the document has one token. Spans are characters, -1 where a token has no place.
    """

    query_token: str
    document_token: str
    similarity: float
    share: float
    kind: str
    query_span: tuple[int, int]
    document_span: tuple[int, int]
    runner_up: str | None = None
    margin: float | None = None

    def cells(self) -> tuple[str, ...]:
        """The row as it is shown."""
        behind = ("-", "-") if self.margin is None else (f"{self.margin:.3f}", self.runner_up or "")
        shown = (self.query_token, self.document_token, f"{self.similarity:.3f}", f"{self.share:.1%}")
        return (*shown, behind[0], behind[1], self.kind)


@dataclass(frozen=True, repr=False)
class Receipt(Explanation):
    """A score taken apart: one row a query token.

    A `LabError` if the rows, summed in float64, differ from the score by more than ``1e-5 * max(1, |score|)``.
    """

    HEAD: ClassVar = ("query token", "document token", "sim", "share", "margin", "runner-up", "kind")

    query: str
    document: str
    score: float
    rows: tuple[Row, ...]

    def __post_init__(self) -> None:
        total = float(np.sum([row.similarity for row in self.rows], dtype=np.float64))
        if not abs(total - self.score) <= 1e-5 * max(1.0, abs(self.score)):
            raise LabError(f"a receipt must balance; its rows sum to {total:.6f}, the score is {self.score:.6f}.")

    def share_of(self, kind: str) -> float:
        """The part of the score that one kind of query token earns: ``"word"``, ``"function word"``, ..."""
        return float(sum(row.share for row in self.rows if row.kind == kind))

    def to_frame(self):
        """The rows as a pandas table."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def cells(self) -> list[tuple[str, ...]]:
        """A row a query token, total last."""
        total = ("total", "", f"{self.score:.3f}", "100.0%", "", "", "")
        return [*(row.cells() for row in self.rows), total]


def receipt(query: str, document: str, encoder: Encoder | None = None) -> Receipt:
    """Take the MaxSim score of one query and one document apart.

    A `LabError` for a document without tokens: its score is minus infinity, and nothing earned it.

    Parameters
    ----------
    query, document : texts
    encoder : from ``load_encoder()``; the default one if None
    """
    encoder = encoder or load_encoder()
    queries, documents = encoder.encode_queries([query]), encoder.encode_documents([document])
    if not len(documents.vectors):
        raise LabError("a receipt needs a document with tokens; this one has none, so its score is minus infinity.")
    return from_tokens(query, document, queries, documents)


def from_tokens(query: str, document: str, queries: PackedTokens, documents: PackedTokens) -> Receipt:
    """The receipt of text 0 of two packs that came from an encoder."""
    scores, winners = maxsim(queries[0], documents[0:1], argmax=True)
    similarities = similarity_table(queries, documents)
    names, document_names = queries.tokens(0), documents.tokens(0)
    score = float(scores[0])
    rows = []
    for i, winner in enumerate(winners[0].tolist()):
        similarity = float(similarities[i, winner])
        second = second_best(similarities[i], winner)
        span = tuple(queries.spans[i].tolist())
        rows.append(
            Row(
                names[i], document_names[winner], similarity, similarity / score if score else 0.0,
                kind_of(names[i], span), span, tuple(documents.spans[winner].tolist()),
                None if second is None else document_names[second],
                None if second is None else similarity - float(similarities[i, second]),
            )
        )  # fmt: skip
    return Receipt(query, document, score, tuple(rows))


def similarity_table(queries: PackedTokens, documents: PackedTokens) -> np.ndarray:
    """[Lq, Ld] float64: every query token of text 0 with every document token of text 0."""
    return np.asarray(queries[0], np.float64) @ np.asarray(documents[0], np.float64).T


def second_best(similarities: np.ndarray, winner: int) -> int | None:
    """The position of the best similarity but the winner's; None where the winner is alone."""
    if len(similarities) < 2:
        return None
    others = similarities.copy()
    others[winner] = -np.inf
    return int(others.argmax())


def kind_of(token: str, span: tuple[int, int]) -> str:
    """``"word"``, ``"function word"``, ``"punctuation"``, ``"special"`` or, for a [MASK], ``"expansion"``."""
    if token == "[MASK]":
        return "expansion"
    if span[0] < 0:
        return "special"
    if token.lower() in FUNCTION_WORDS:
        return "function word"
    return "word" if any(character.isalnum() for character in token) else "punctuation"
