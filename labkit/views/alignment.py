"""The alignment: which words of a query matched which words of a document, for how much, and why B is above A.

One `Alignment` is one state of the view. Its text, HTML, figure and the widget's scene show the numbers that it holds.
A score is a sum over query tokens, so each word of the query has its part in it; what an alignment cannot tell is why
the encoder gave two tokens similar vectors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from labkit.scoring.table import text_table
from labkit.views.aligner import Match
from labkit.views.figure import Picture
from labkit.views.pieces import Read, Word

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BEST, NONE = -1, -2  # instead of a document's number: the best one that is not the other; no one
KINDS = {
    "function word": "function words", "punctuation": "punctuation", "special": "special tokens",
    "expansion": "expansion tokens",
}  # fmt: skip
SHOWN = 3  # words named as reasons
CAVEAT = "The rows sum to the score exactly. They do not say why the encoder made two tokens similar."


@dataclass(frozen=True)
class Line:
    """One word of the query: what it matched in the document and in its rival, and what that earns."""

    number: int
    word: Word
    counted: bool
    partner: str
    earned: float
    share: float
    rival: str = ""
    rival_earned: float = 0.0

    @property
    def difference(self) -> float:
        """How much more it earns than with the rival."""
        return self.earned - self.rival_earned


class Row(NamedTuple):
    """A row of the table: a word's, a kind's sum or the total, and its cells as they are shown."""

    mark: str
    cells: tuple[str, ...]
    line: Line | None = None


class Reason(NamedTuple):
    """A part of the difference between two documents: by how much, the words, and what they matched."""

    difference: str
    words: str
    why: str


class Alignment(Picture):
    """A query aligned with documents: one is shown, and another one it is compared with.

    Parameters
    ----------
    query : as the encoder read it
    matches : at least one, best first
    shown : the number of a document, or -1 for the best one
    against : the number of its rival; -1 for the best other one, -2 for none
    without : kinds of query tokens that are left out of the scores, of the keys of ``KINDS``
    """

    def __init__(
        self, query: Read, matches: Sequence[Match], shown: int = BEST, against: int = BEST,
        without: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.query, self.matches, self.without = query, list(matches), set(without)
        kinds = [query.words[number].kind for number in query.word_of]
        self.counted = np.array([kind not in self.without for kind in kinds], bool)
        self.kinds = [kind for kind in KINDS if kind in kinds]
        self.shown = self._chosen(shown, None) or self.matches[0]
        self.against = None if against == NONE else self._chosen(against, self.shown)
        self.lines = [self._line(number, word) for number, word in enumerate(query.words, start=1)]
        self.title = f"Alignment of “{self._short(query.text)}”"

    def score(self, match: Match) -> float:
        """The document's score by the tokens that count: the kernel's where all do."""
        if self.counted.all() or not len(match.document):
            return match.score
        return float(match.best[self.counted].sum())

    def rank(self, match: Match) -> int:
        """The document's place by the tokens that count; equal scores keep their order."""
        scores = [self.score(other) for other in self.matches]
        at = self.matches.index(match)
        return 1 + sum(score > scores[at] or (score == scores[at] and i < at) for i, score in enumerate(scores))

    def earned(self, match: Match, kind: str) -> float:
        """What the query tokens of a kind earn with a document."""
        return float(sum(match.best[list(w.positions)].sum() for w in self.query.words if w.kind == kind))

    @property
    def balanced(self) -> bool:
        """Whether the rows of the documents that are shown sum to their scores."""
        return all(match.balanced for match in (self.shown, self.against) if match)

    def headline(self) -> str:
        """Why the one is above the other, as a sum that comes out."""
        if not len(self.shown.document):
            return f"{self.shown.name} has no tokens, so its score is minus infinity: nothing can match."
        if self.against is None:
            return f"{self.shown.name} scores {self.score(self.shown):.2f}{self._left()}."
        if not len(self.against.document):
            return f"{self.against.name} has no tokens, so its score is minus infinity; any document is above it."
        lead = self.lead()
        where = f"is {'above' if lead > 0 else 'below'}" if lead else "scores the same as"
        by = f" by {abs(lead):.{self._digits()}f}" if lead else ""
        return f"{self.shown.name} {where} {self.against.name}{by}{self._left()}."

    def lead(self) -> float:
        """By how much the score is above the rival's, by the tokens that count."""
        return self.score(self.shown) - self.score(self.against) if self.against else 0.0

    def reasons(self) -> list[Reason]:
        """What makes the difference: up to three words that carry it, and the sum of the others. It comes out.

        Without a rival, what makes the score.
        """
        if not all(len(match.document) for match in (self.shown, self.against) if match):
            return []
        sign, lines = (-1 if self.lead() < 0 else 1), [line for line in self.lines if line.counted]
        gain = (lambda line: line.difference) if self.against else (lambda line: line.earned)
        top = [line for line in sorted(lines, key=lambda line: -sign * gain(line))[:SHOWN] if sign * gain(line) > 0]
        form = f"{'+' if self.against else ''}.{self._digits()}f"
        told = [Reason(format(gain(line), form), line.word.label, self._why(line)) for line in top]
        if len(lines) > len(top):
            rest = sum(map(gain, lines)) - sum(map(gain, top))
            words = "word" if len(lines) - len(top) == 1 else "words together"
            told.append(Reason(format(rest, form), f"the other {len(lines) - len(top)} {words}", ""))
        return told

    def function_words(self) -> str:
        """How much of the score and of the lead function words earn; "" where the query has none."""
        words = list(dict.fromkeys(w.label for w in self.query.words if w.kind == "function word"))
        if not words or not len(self.shown.document):
            return ""
        share, earned = self.function_share(), self.earned(self.shown, "function word")
        off = "left out here, earn" if "function word" in self.without else "earn"
        told = f"Function words ({', '.join(words)}) {off} {share:.0%} of its score: {earned:.2f} of "
        told += f"{self.shown.score:.2f}."
        if self.against is not None and len(self.against.document):
            told += f" Of its difference to {self.against.name} they make {self._of_lead():+.2f}."
        if len(self.matches) == 1:
            return told
        with_them, without = self.matches.index(self.shown) + 1, self._rank_without_function_words()
        return f"{told} Without them it would {'still ' if without == with_them else ''}be at rank {without}."

    def function_share(self) -> float:
        """The part of the whole score that function words earn; 0 where the score is not above 0."""
        score = self.shown.score
        return self.earned(self.shown, "function word") / score if score > 0 and math.isfinite(score) else 0.0

    def notes(self) -> list[str]:
        """What a reader must know about the texts: what was cut, what could not be read."""
        told = []
        if self.query.lost:
            told.append(f"The query's last {self.query.lost} wordpieces are beyond the encoder's limit: not read.")
        for match in filter(None, (self.shown, self.against)):
            if match.document.lost:
                told.append(f"{match.name}: its last {match.document.lost} wordpieces are beyond the limit: not read.")
        return told

    def receipt(self) -> str:
        """The sum of the rows beside the kernel's score."""
        total = float(self.shown.best.sum())
        if not len(self.shown.document):
            return "There is no receipt: without tokens there is nothing to sum."
        if not self.balanced:
            return f"The receipt does NOT balance: its rows sum to {total:.4f}, the score is {self.shown.score:.4f}."
        return f"The receipt balances: its rows sum to {total:.3f}, and the score is {self.shown.score:.3f}."

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
        table = text_table(self.head(), [row.cells for row in self.rows()], left=3)
        reasons = [f"  {r.difference}  {r.words}{': ' if r.why else ''}{r.why}" for r in self.reasons()]
        opening = [self.headline(), *reasons, self.function_words(), *self.notes()]
        standings = text_table(self.standings_head(), self.standings())
        query = f"query: {self._short(self.query.text)}"
        return "\n".join([query, *filter(None, opening), "", standings, "", table, self.receipt()])

    def to_html(self) -> str:
        """Self-contained HTML without a script: the same rows, and the documents as running text."""
        from labkit.views.alignment_html import page

        return page(self)

    def figure(self) -> Figure:
        """Bars a word, for both documents, and the similarities of every pair of tokens."""
        from labkit.views.alignment_figure import figure

        return figure(self)

    def scene(self) -> dict[str, Any]:
        """What the widget paints."""
        from labkit.views.alignment_scene import scene

        return scene(self)

    def _chosen(self, number: int, other: Match | None) -> Match | None:
        """The match of a document's number, else the first that is not ``other``."""
        fitting = [match for match in self.matches if match.number == number and match is not other]
        rest = [match for match in self.matches if match is not other]
        return (fitting or rest or [None])[0]

    def _line(self, number: int, word: Word) -> Line:
        at = list(word.positions)
        earned = float(self.shown.best[at].sum())
        whole = self.score(self.shown)
        counted = bool(self.counted[at[0]])
        share = earned / whole if counted and whole > 0 and math.isfinite(whole) else 0.0
        own = (number, word, counted, partner(self.shown, at), earned, share)
        if self.against is None:
            return Line(*own)
        return Line(*own, partner(self.against, at), float(self.against.best[at].sum()))

    def _digits(self) -> int:
        return 2 if self.against is None or abs(self.lead()) >= 0.1 else 3

    def _left(self) -> str:
        return f" without {', '.join(KINDS[k] for k in self.kinds if k in self.without)}" if self.without else ""

    def _why(self, line: Line) -> str:
        own = f"matches “{line.partner}” ({line.earned:.2f})"
        if self.against is None:
            return own
        return f"{own}; in {self.against.name} “{line.rival}” ({line.rival_earned:.2f})"

    def _rank_without_function_words(self) -> int:
        content = Alignment(self.query, self.matches, without=["function word"])
        return content.rank(self.shown)

    def _of_lead(self) -> float:
        return self.earned(self.shown, "function word") - self.earned(self.against, "function word")  # type: ignore[arg-type]

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

    @staticmethod
    def _short(text: str) -> str:
        from labkit.views.words import one_line

        return one_line(text, 200)


def partner(match: Match, tokens: Sequence[int]) -> str:
    """The words of a document that some query tokens chose, in order, each once."""
    if not len(match.document):
        return "-"
    words = list(dict.fromkeys(match.document.word_of[match.winners[token]] for token in tokens))
    names = list(dict.fromkeys(match.document.words[number].label for number in words))
    return " + ".join(names[:3]) + (f" + {len(names) - 3} more" if len(names) > 3 else "")


def _earned(earned: float, match: Match) -> str:
    return f"{earned:.3f}" if len(match.document) else "-"
