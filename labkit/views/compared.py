"""Two documents compared word by word for one query: the numbers of the alignment view, and nothing that is drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labkit.views.aligner import Match
from labkit.views.pieces import Read, Word

BEST, NONE = -1, -2  # instead of a document's number: the best one that is not the other; no one
KINDS = {
    "function word": "function words", "punctuation": "punctuation", "special": "special tokens",
    "expansion": "expansion tokens",
}  # fmt: skip


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


class Compared:
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
        self.query, self.matches = query, list(matches)
        kinds = [query.words[number].kind for number in query.word_of]
        self.kinds = [kind for kind in KINDS if kind in kinds]
        self.without = set(self.kinds) & set(without)
        self.counted = np.array([kind not in self.without for kind in kinds], bool)
        self.shown = self._chosen(shown, None) or self.matches[0]
        self.against = None if against == NONE else self._chosen(against, self.shown)
        self.lines = [self._line(number, word) for number, word in enumerate(query.words, start=1)]

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

    def lead(self, kind: str | None = None) -> float:
        """By how much the score is above the rival's, or what one kind of tokens adds to that."""
        if self.against is None:
            return 0.0
        if kind is not None:
            return self.earned(self.shown, kind) - self.earned(self.against, kind)
        return self.score(self.shown) - self.score(self.against)

    def rank_without(self, kind: str) -> int:
        """The place of the document shown if tokens of one kind did not count."""
        return Compared(self.query, self.matches, without=[kind]).rank(self.shown)

    def function_share(self) -> float:
        """The part of the whole score that function words earn; 0 where the score is not above 0."""
        score = self.shown.score
        return self.earned(self.shown, "function word") / score if score > 0 and math.isfinite(score) else 0.0

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


def bar_scale(lines: Sequence[Line]) -> tuple[float, float]:
    """What fills a bar, and what fills half of a diverging one."""
    most = max((max(abs(line.earned), abs(line.rival_earned)) for line in lines), default=0.0)
    return most or 1.0, max((abs(line.difference) for line in lines), default=0.0) or 1.0


def partner(match: Match, tokens: Sequence[int]) -> str:
    """The words of a document that some query tokens chose, in order, each once."""
    if not len(match.document):
        return "-"
    words = list(dict.fromkeys(match.document.word_of[match.winners[token]] for token in tokens))
    names = list(dict.fromkeys(match.document.words[number].label for number in words))
    return " + ".join(names[:3]) + (f" + {len(names) - 3} more" if len(names) > 3 else "")
