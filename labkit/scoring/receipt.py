"""The receipt of a score: who matched whom, and for how much. Its rows sum to the score, or it refuses to exist."""

from __future__ import annotations

import html
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.encoding.tokens import PackedTokens
from labkit.errors import LabError
from labkit.scoring.maxsim import maxsim

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

# English function words: they carry grammar, not topic. Used to label rows, never to change a score.
FUNCTION_WORDS = frozenset(
    """a about after all am an and any are as at be because been before being between both but by can could did do
    does doing during each for from further had has have having he her here hers him his how i if in into is it its
    itself just me more most my no nor not of off on once one only or other our out over own same she should so some
    such than that the their them then there these they this those through to too under until up us very was we were
    what when where which while who whom why will with would you your""".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Row:
    """One query token: its best document token, their similarity, and the share of the score it earns."""

    query_token: str
    document_token: str
    similarity: float
    share: float
    kind: str
    query_span: tuple[int, int]
    document_span: tuple[int, int]


@dataclass(frozen=True)
class Receipt:
    """A score taken apart: one row a query token.

    Raises
    ------
    LabError
        If the rows, summed in float64, differ from the score by more than ``1e-5 * max(1, |score|)``.
    """

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

    def to_dict(self) -> dict[str, Any]:
        """The receipt as plain data, ready for JSON."""
        return {**asdict(self), "rows": [asdict(row) for row in self.rows]}

    def to_frame(self):
        """The rows as a pandas table."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows])

    def to_text(self) -> str:
        """The receipt as a plain table, total last."""
        width = max([len(row.query_token) for row in self.rows] + [11])
        other = max([len(row.document_token) for row in self.rows] + [14])
        lines = [f"{'query token':<{width}}  {'document token':<{other}}  {'sim':>6}  {'share':>6}  kind"]
        lines += [
            f"{r.query_token:<{width}}  {r.document_token:<{other}}  {r.similarity:6.3f}  {r.share:6.1%}  {r.kind}"
            for r in self.rows
        ]
        return "\n".join([*lines, f"{'total':<{width}}  {'':<{other}}  {self.score:6.3f}  {1:6.1%}"])

    def to_html(self) -> str:
        """The receipt as an escaped HTML table with the same numbers."""
        head = "".join(f"<th>{name}</th>" for name in ("query token", "document token", "sim", "share", "kind"))
        body = "".join(
            "<tr>"
            + "".join(
                f"<td>{html.escape(cell)}</td>"
                for cell in (r.query_token, r.document_token, f"{r.similarity:.3f}", f"{r.share:.1%}", r.kind)
            )
            + "</tr>"
            for r in self.rows
        )
        total = f"<tr><th>total</th><td></td><td>{self.score:.3f}</td><td>100.0%</td><td></td></tr>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}{total}</tbody></table>"

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        return self.to_text()


def receipt(query: str, document: str, encoder: Encoder) -> Receipt:
    """Take the MaxSim score of one query and one document apart.

    Parameters
    ----------
    query, document : texts
    encoder : from ``load_encoder()``

    Raises
    ------
    LabError
        For a document without tokens: its score is minus infinity, and nothing earned it.
    """
    queries, documents = encoder.encode_queries([query]), encoder.encode_documents([document])
    if not len(documents.vectors):
        raise LabError("a receipt needs a document with tokens; this one has none, so its score is minus infinity.")
    return from_tokens(query, document, queries, documents)


def from_tokens(query: str, document: str, queries: PackedTokens, documents: PackedTokens) -> Receipt:
    """The receipt of text 0 of two packs that came from an encoder."""
    scores, winners = maxsim(queries[0], documents, argmax=True)
    vectors, document_vectors = np.asarray(queries[0], np.float64), np.asarray(documents[0], np.float64)
    names, document_names = queries.tokens(0), documents.tokens(0)
    score = float(scores[0])
    rows = []
    for i, winner in enumerate(winners[0]):
        similarity = float(vectors[i] @ document_vectors[winner])
        span = tuple(queries.spans[i].tolist())
        rows.append(
            Row(
                names[i], document_names[winner], similarity, similarity / score if score else 0.0,
                _kind(names[i], span), span, tuple(documents.spans[winner].tolist()),
            )
        )  # fmt: skip
    return Receipt(query, document, score, tuple(rows))


def _kind(token: str, span: tuple[int, int]) -> str:
    if token == "[MASK]":
        return "expansion"
    if span[0] < 0:
        return "special"
    if token.lower() in FUNCTION_WORDS:
        return "function word"
    return "word" if any(character.isalnum() for character in token) else "punctuation"
