"""``lk.duel``: why is one document above another, word by word, and how little would have to go for the order to flip?

A state of the view is a `labkit.scoring.duel.Duel` of the query tokens that count, so its numbers, the smallest removal
included, are computed and verified there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from labkit.encoding.checkpoints import load_encoder
from labkit.encoding.tokens import only
from labkit.errors import LabError, check_text
from labkit.scoring.duel import Duel, from_tokens
from labkit.scoring.table import text_table
from labkit.views import duel_pictures
from labkit.views.aligner import Aligner, Documents, Match
from labkit.views.compared import Compared, Line
from labkit.views.live import Live
from labkit.views.words import one_line

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

NAMED = 8  # removed tokens that a sentence names


class Ring:
    """A query and the documents that may meet: encoded and aligned once."""

    def __init__(self, query: str, documents: Documents, encoder: Encoder) -> None:
        aligner = Aligner(documents, encoder)
        self.ids = [hit.doc_id for hit in aligner.hits]
        self.query, matches = aligner.align(query)
        self.matches = sorted(matches, key=lambda match: match.number)
        self.queries = encoder.encode_queries([query])

    def fight(self, first: Match, second: Match, off: set[int]) -> Duel:
        """The duel by the words that are not ``off``."""
        counted = [p for number, word in enumerate(self.query.words) if number not in off for p in word.positions]
        if not counted:
            raise LabError("no word of the query is left, so every score is 0. Let one count.")
        texts = (self.query.text, first.document.text, second.document.text)
        sides = ((match.packed, match.similarities[counted]) for match in (first, second))
        return from_tokens(texts, only(self.queries, counted), *sides)


class DuelView(Live, Duel):
    """A `Duel` that shows itself: bars a word, the smallest removal in the winner's text; in a notebook it answers.

    Attributes
    ----------
    first, second : the documents, in the order that all words give
    ahead, behind : the same in the order that the words that count give
    off : numbers of the query's words that do not count, from 0
    lines : a word of the query each, the one that speaks most for ``first`` on top
    """

    view = "duel"
    tree, _figure = duel_pictures.tree, duel_pictures.figure

    def __init__(self, ring: Ring, a: int, b: int, off: Sequence[int] = ()) -> None:
        if a == b:
            raise LabError("a duel needs two different documents; got the same one twice.")
        first, second = sorted((ring.matches[a], ring.matches[b]), key=lambda match: -match.score)
        gone = set(off)
        fight = ring.fight(first, second, gone)
        super().__init__(**vars(fight))
        compared = Compared(ring.query, (first, second), first.number, second.number)
        ahead, behind = (first, second) if fight.winner == first.document.text else (second, first)
        lines = sorted(compared.lines, key=lambda line: -line.difference)
        own = {"ring": ring, "a": a, "b": b, "first": first, "second": second, "ahead": ahead, "behind": behind}
        vars(self).update(own, off=gone, lines=lines, title=f"Duel for “{one_line(self.query, 200)}”")

    @property
    def HEAD(self) -> tuple[str, ...]:
        """The columns of `cells`."""
        one, two = self.first.name, self.second.name
        return ("word of the query", f"match in {one}", f"match in {two}", one, two, "difference", "kind")

    def counted(self, line: Line) -> bool:
        """Whether a word counts."""
        return line.number - 1 not in self.off

    @property
    def lead(self) -> float:
        """By how much the one is ahead."""
        return self.winner_score - self.loser_score

    def headline(self) -> str:
        """Who is above whom, by how much, and by which words."""
        left = ", ".join(f"“{line.word.label}”" for line in sorted(self.lines, key=lambda line: line.number)
                         if not self.counted(line))  # fmt: skip
        without = f" without {left}" if left else ""
        by = (
            f"is above {self.behind.name} by {self.lead:.3f}" if self.lead else f"scores the same as {self.behind.name}"
        )
        return f"{self.ahead.name} {by}{without}."

    def verdict(self) -> str:
        """One sentence: which of the winner's tokens would have to go."""
        return (
            f"Without {len(self.removed)} of its {len(self.ahead.document)} tokens ({self.gone()}) {self.ahead.name} "
            f"falls from {self.winner_score:.3f} to {self.score_without:.3f}, below {self.loser_score:.3f}: "
            f"{'the fewest that do it' if self.exact else 'found greedily; fewer may do'}."
        )

    def gone(self) -> str:
        """The tokens of the smallest removal, by name."""
        names = [self.ahead.document.named(token.position) for token in self.removed[:NAMED]]
        more = len(self.removed) - NAMED
        return ", ".join(names) + (f" and {more} more" if more > 0 else "")

    def cells(self) -> list[tuple[str, ...]]:
        """A row a word, then both scores by the words that count."""
        rows = [
            (
                line.word.label, line.partner, line.rival, f"{line.earned:.3f}", f"{line.rival_earned:.3f}",
                f"{line.difference:+.3f}", line.word.kind if self.counted(line) else "left out",
            )
            for line in self.lines
        ]  # fmt: skip
        scores = (self.winner_score, self.loser_score)
        one, two = scores if self.ahead is self.first else scores[::-1]
        return [*rows, ("total", "", "", f"{one:.3f}", f"{two:.3f}", f"{one - two:+.3f}", "")]

    def to_text(self) -> str:
        """Who is above whom, a row a word, and the smallest removal."""
        query = f"query: {one_line(self.query, 200)}"
        return "\n".join([query, self.headline(), text_table(self.HEAD, self.cells(), left=3), self.verdict()])

    def inputs(self) -> dict[str, Any]:
        """The numbers of both documents, in the order given, and of the words that do not count; all from 0."""
        return {"a": self.a, "b": self.b, "off": sorted(self.off)}

    def at(self, a: int, b: int, off: Sequence[int]) -> DuelView:  # type: ignore[override]
        """The duel of another pair, or by other words."""
        return DuelView(self.ring, a, b, off)


def duel(query: str, a: str, b: str, encoder: Encoder | None = None, docs: Documents | None = None) -> DuelView:
    """Why one of two documents is above the other; in a notebook words can be switched off and the pair changed.

    A `LabError` where a document has no tokens: there is nothing to compare; and for names that ``docs`` does not have.

    Parameters
    ----------
    query : text
    a, b : texts; with ``docs`` the names of two of them. Where both score the same, ``a`` counts as the winner.
    encoder : from ``load_encoder()``; the default one if None
    docs : a Ranking, or a mapping from name to text: the documents to choose from
    """
    pair = {"document A": a, "document B": b} if docs is None else docs
    ring = Ring(check_text(query, "query"), pair, encoder or load_encoder())
    if docs is None:
        return DuelView(ring, 0, 1)
    if unknown := [name for name in (a, b) if name not in ring.ids]:
        raise LabError(f"docs has no document {unknown[0]!r}; it has {', '.join(ring.ids[:NAMED])}.")
    return DuelView(ring, ring.ids.index(a), ring.ids.index(b))
