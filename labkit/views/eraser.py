"""``lk.eraser``: which of a document's tokens never win, and what its scores and ranks are once some are erased.

A state of the view is a `labkit.scoring.eraser.Erasure` of the tokens that are left. Nothing is encoded again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from labkit.encoding.checkpoints import load_encoder
from labkit.encoding.tokens import only
from labkit.errors import LabError, check_text
from labkit.ranking.scored import flat
from labkit.scoring.eraser import Erasure, TokenValue, check_queries, from_table, similarities, unvalued
from labkit.scoring.maxsim import maxsim
from labkit.scoring.table import text_table
from labkit.views import eraser_pictures
from labkit.views.aligner import Documents, named_hits
from labkit.views.live import Live
from labkit.views.pieces import read
from labkit.views.words import one_line

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder


class Standing(NamedTuple):
    """A query's score and rank of the document: whole, and as it is now. Ranks are 0 where there are no others."""

    query: str
    whole: float
    score: float
    rank: int
    rank_now: int

    def cells(self) -> tuple[str, ...]:
        """As it is shown."""
        ranks = (str(self.rank), str(self.rank_now)) if self.rank else ()
        return (one_line(self.query, 80), f"{self.whole:.3f}", f"{self.score:.3f}", f"{self.kept:.1%}", *ranks)

    @property
    def kept(self) -> float:
        """The part of the whole score that is left."""
        return self.score / self.whole if self.whole else 1.0


class Sheet:
    """A document, the queries that are asked of it, and the scores of others: encoded once."""

    def __init__(self, queries: Sequence[str], document: str, others: Documents, encoder: Encoder) -> None:
        self.texts, self.document = list(queries), document
        self.queries, self.packed = encoder.encode_queries(self.texts), encoder.encode_documents([document])
        self.table, self.tokens = similarities(self.queries, self.packed), unvalued(self.packed)
        self.read = read(document, self.packed)
        self.whole = self.scores(range(len(self.read)))
        self.others = self._others(others, encoder)

    def scores(self, positions: Sequence[int]) -> np.ndarray:
        """[Nq] MaxSim of the document with these tokens."""
        return np.asarray(maxsim(self.queries, only(self.packed, positions)))[:, 0]

    def rank(self, scores: np.ndarray) -> np.ndarray:
        """[Nq] the document's ranks among the others with these scores; 0 without others. It wins ties."""
        return 1 + (self.others > scores[:, None]).sum(axis=1) if self.others.size else np.zeros(len(scores), int)

    def erased(self, positions: Sequence[int]) -> Erasure:
        """The erasure of these tokens, whose positions are those in the whole document."""
        return from_table(self.texts, self.document, self.table[:, positions], [self.tokens[p] for p in positions])

    def _others(self, others: Documents, encoder: Encoder) -> np.ndarray:
        if not len(others):
            return np.zeros((len(self.texts), 0))
        passages, starts = flat(named_hits(others))
        scores = np.asarray(maxsim(self.queries, encoder.encode_documents(passages)))
        return np.maximum.reduceat(scores, starts, axis=1)


class EraserView(Live, Erasure):
    """An `Erasure` that shows itself: dead tokens grey, the others by what they earn; in a notebook tokens can go.

    Attributes
    ----------
    off : positions of the tokens that are erased; ``tokens`` and ``curve`` are of those that are left
    standings : a `Standing` a query
    most : what the best token earns
    """

    view = "eraser"
    tree, _figure = eraser_pictures.tree, eraser_pictures.figure

    def __init__(self, sheet: Sheet, off: Sequence[int] = ()) -> None:
        gone = {position for position in off if 0 <= position < len(sheet.read)}
        kept = [position for position in range(len(sheet.read)) if position not in gone]
        if not kept:
            raise LabError("no token of the document is left, so its score is minus infinity. Put one back.")
        super().__init__(**vars(sheet.erased(kept)))
        scores = sheet.scores(kept)
        columns = (sheet.whole.tolist(), scores.tolist(), sheet.rank(sheet.whole).tolist(), sheet.rank(scores).tolist())
        standings = [Standing(*row) for row in zip(sheet.texts, *columns, strict=True)]
        vars(self).update(sheet=sheet, off=gone, standings=standings)
        most = max((token.earned for token in self.tokens), default=0.0)
        vars(self).update(value={token.position: token for token in self.tokens}, most=most, title="Eraser")

    def headline(self) -> str:
        """How many tokens never win, and what erasing has cost."""
        if not self.off:
            return self.verdict()
        whole, now = (sum(column) for column in zip(*((s.whole, s.score) for s in self.standings), strict=True))
        cost = f"{now / whole:.1%} of the score is left" if whole > 0 else f"the score is {now:.3f}"
        return f"{len(self.off)} of {len(self.sheet.read)} tokens are erased: {cost}. {self.verdict()}"

    def label(self, token: TokenValue) -> str:
        """A token in words."""
        return self.sheet.read.named(token.position)

    def cells(self) -> list[tuple[str, ...]]:
        """A row a token that wins."""
        return [(self.label(self.value[t.position]), *cells[1:])
                for t, cells in zip((t for t in self.tokens if t.wins), super().cells(), strict=True)]  # fmt: skip

    def standings_head(self) -> tuple[str, ...]:
        """The columns of `Standing.cells`."""
        ranked = self.sheet.others.size
        ranks = ("rank", f"rank now, of {self.sheet.others.shape[1] + 1}") if ranked else ()
        return ("query", "whole score", "score now", "kept", *ranks)

    def to_text(self) -> str:
        """The tokens that win, what is left of each score, and how many tokens never win."""
        tokens = text_table(self.HEAD, self.cells(), self.LEFT)
        return "\n".join([tokens, "", text_table(self.standings_head(), [s.cells() for s in self.standings], 1),
                          "", self.headline()])  # fmt: skip

    def inputs(self) -> dict[str, Any]:
        """The positions of the document's tokens that are erased, from 0."""
        return {"off": sorted(self.off)}

    def at(self, off: Sequence[int]) -> EraserView:  # type: ignore[override]
        """The document with other tokens erased."""
        return EraserView(self.sheet, off)


def eraser(queries: Sequence[str], document: str, encoder: Encoder | None = None, others: Documents = ()) -> EraserView:
    """Value a document's tokens by what they earn for some queries; in a notebook they can be erased.

    A `LabError` for a bare string or no query, and for a document without tokens.

    Parameters
    ----------
    queries : texts, one at least
    document : text
    encoder : from ``load_encoder()``; the default one if None
    others : a Ranking, texts, or a mapping from name to text: documents that the rank is counted among
    """
    check_queries(queries)
    for number, query in enumerate(queries, start=1):
        check_text(query, f"query {number}")
    return EraserView(Sheet(queries, check_text(document, "document"), others, encoder or load_encoder()))
