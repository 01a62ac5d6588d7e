"""The alignment: which words of a query matched which words of a document, for how much, and why B is above A.

One `Alignment` is one state of the view. Its text, HTML, figure and the widget's scene show the numbers that it holds.
A score is a sum over query tokens, so each word of the query has its part in it; what an alignment cannot tell is why
the encoder gave two tokens similar vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from labkit.scoring.table import text_table
from labkit.views import alignment_figure, alignment_html, alignment_scene
from labkit.views import alignment_words as words
from labkit.views.aligner import Match
from labkit.views.compared import KINDS, Compared, Line
from labkit.views.figure import Page
from labkit.views.words import one_line


class Row(NamedTuple):
    """A row of the table: a word's, a kind's sum or the total, and its cells as they are shown."""

    mark: str
    cells: tuple[str, ...]
    line: Line | None = None


class Alignment(Compared, Page):
    """One state of the view, in every form. Parameters are those of `Compared`."""

    to_html, _figure, scene = alignment_html.page, alignment_figure.figure, alignment_scene.scene

    def __init__(self, *given: Any, **state: Any) -> None:
        super().__init__(*given, **state)
        self.title = f"Alignment of “{one_line(self.query.text, 200)}”"

    def head(self) -> tuple[str, ...]:
        """The columns of `rows`."""
        rival = (f"match in {self.against.name}", "earns", "difference") if self.against else ()
        return ("", "word of the query", f"match in {self.shown.name}", "earns", "share", *rival)

    def rows(self) -> list[Row]:
        """A row a word of the query, words of content first; a row a kind where there are several; the total."""
        found = []
        kinds = [kind for kind in ("word", *KINDS) if any(line.word.kind == kind for line in self.lines)]
        for kind in kinds:
            lines = [line for line in self.lines if line.word.kind == kind]
            found += [Row("word", self._cells(line), line) for line in lines]
            if len(kinds) > 1:
                found.append(Row("kind", self._summed(KINDS.get(kind, "words of content"), lines)))
        return [*found, Row("total", self._summed("total", [line for line in self.lines if line.counted]))]

    def standings(self) -> list[tuple[str, ...]]:
        """A row a document: rank, name, score; and both without the tokens that are left out."""
        rows = []
        for rank, match in enumerate(self.matches, start=1):
            now = (f"{self.score(match):.2f}", str(self.rank(match))) if self.without else ()
            rows.append((str(rank), match.name, f"{match.score:.2f}", *now))
        return rows

    def standings_head(self) -> tuple[str, ...]:
        """The columns of `standings`."""
        left = ", ".join(KINDS[kind] for kind in KINDS if kind in self.without)
        return ("rank", "document", "score", *((f"without {left}", "rank then") if self.without else ()))

    def to_text(self) -> str:
        """Headline and reasons, standings, rows, receipt."""
        reasons = [f"  {reason.difference}  {reason.words}: {reason.why}" for reason in words.reasons(self)]
        told = [words.headline(self), *reasons, words.function_words(self), *words.notes(self)]
        standings = text_table(self.standings_head(), self.standings())
        table = text_table(self.head(), [row.cells for row in self.rows()], left=3)
        return "\n".join([self.title, *filter(None, told), "", standings, "", table, words.receipt(self)])

    def _cells(self, line: Line) -> tuple[str, ...]:
        rival = (line.rival, f"{line.rival_earned:.3f}", f"{line.difference:+.3f}") if self.against else ()
        share = f"{line.share:.1%}" if line.counted else "left out"
        return (str(line.number), line.word.label, line.partner, f"{line.earned:.3f}", share, *rival)

    def _summed(self, name: str, lines: Sequence[Line]) -> tuple[str, ...]:
        own, rival = sum(line.earned for line in lines), sum(line.rival_earned for line in lines)
        out = bool(lines) and not lines[0].counted
        share = "left out" if out else f"{sum(line.share for line in lines):.1%}"
        others = ("", _earned(rival, self.against), f"{own - rival:+.3f}") if self.against else ()
        return ("", name, "", _earned(own, self.shown), share, *others)


def _earned(earned: float, match: Match) -> str:
    return f"{earned:.3f}" if len(match.document) else "-"
