"""What the alignment says in sentences: why one document is above the other, and what function words earn."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from labkit.views.compared import KINDS, Compared, Line

SHOWN = 3  # words named as reasons


class Reason(NamedTuple):
    """A part of the difference between two documents: by how much, the words, and what they matched."""

    difference: str
    words: str
    why: str


def caption(view: Compared) -> str:
    """What stands above the words of the query."""
    return f"Each word of the query ↓ its best match in {view.shown.name}, and what it earns"


def headline(view: Compared) -> str:
    """Why the one is above the other, as a sum that comes out."""
    if not len(view.shown.document):
        return f"{view.shown.name} has no tokens, so its score is minus infinity: nothing can match."
    if view.against is None:
        return f"{view.shown.name} scores {view.score(view.shown):.2f}{left_out(view)}."
    if not len(view.against.document):
        return f"{view.against.name} has no tokens, so its score is minus infinity; any document is above it."
    lead = view.lead()
    where = f"is {'above' if lead > 0 else 'below'}" if lead else "scores the same as"
    by = f" by {abs(lead):.{_digits(view)}f}" if lead else ""
    return f"{view.shown.name} {where} {view.against.name}{by}{left_out(view)}."


def reasons(view: Compared) -> list[Reason]:
    """What makes the difference: up to three words that carry it, and the sum of the others. It comes out.

    Without a rival, what makes the score.
    """
    if not all(len(match.document) for match in (view.shown, view.against) if match):
        return []
    sign, lines = (-1 if view.lead() < 0 else 1), [line for line in view.lines if line.counted]
    gain = (lambda line: line.difference) if view.against else (lambda line: line.earned)
    top = [line for line in sorted(lines, key=lambda line: -sign * gain(line))[:SHOWN] if sign * gain(line) > 0]
    form = f"{'+' if view.against else ''}.{_digits(view)}f"
    told = [Reason(format(gain(line), form), line.word.label, _why(view, line)) for line in top]
    if len(lines) > len(top):
        rest, rest_of = sum(map(gain, lines)) - sum(map(gain, top)), len(lines) - len(top)
        others = f"{rest_of} other{'s' * (rest_of != 1)}"
        told.append(Reason(format(rest, form), others, f"the rest of the query{_most_against(lines, sign, gain)}"))
    return told


def function_words(view: Compared) -> str:
    """How much of the score and of the lead function words earn; "" where the query has none."""
    words = list(dict.fromkeys(w.label for w in view.query.words if w.kind == "function word"))
    if not words or not len(view.shown.document):
        return ""
    share, earned, lead = view.function_share(), view.earned(view.shown, "function word"), view.lead("function word")
    off = "left out here, earn" if "function word" in view.without else "earn"
    told = f"Function words ({', '.join(words)}) {off} {share:.0%} of {view.shown.name}’s score: {earned:.2f} of "
    told += f"{view.shown.score:.2f}."
    if view.against is not None and len(view.against.document):
        told += f" Of the difference to {view.against.name} they make {lead:+.2f}."
    if len(view.matches) == 1:
        return told
    with_them, without = view.matches.index(view.shown) + 1, view.rank_without("function word")
    still = "still " if without == with_them else ""
    return f"{told} Without them it would {still}be at rank {without} of these {len(view.matches)}."


def notes(view: Compared) -> list[str]:
    """What a reader must know about the texts: what was cut, what could not be read."""
    told = []
    if view.query.lost:
        told.append(f"The query's last {view.query.lost} wordpieces are beyond the encoder's limit: not read.")
    for match in filter(None, (view.shown, view.against)):
        if match.document.lost:
            told.append(f"{match.name}: its last {match.document.lost} wordpieces are beyond the limit: not read.")
    return told


def receipt(view: Compared) -> str:
    """The sum of the rows beside the kernel's score."""
    if not len(view.shown.document):
        return "There is no receipt: without tokens there is nothing to sum."
    match = next((m for m in (view.shown, view.against) if m and not m.balanced), view.shown)
    does = "balances" if match.balanced else f"of {match.name} does NOT balance"
    return f"The receipt {does}: its rows sum to {match.best.sum():.4f}, and the score is {match.score:.4f}."


def left_out(view: Compared) -> str:
    """Which kinds do not count, to end a clause with."""
    return f" without {', '.join(KINDS[k] for k in view.kinds if k in view.without)}" if view.without else ""


def _digits(view: Compared) -> int:
    return 2 if view.against is None or abs(view.lead()) >= 0.1 else 3


def _why(view: Compared, line: Line) -> str:
    pieces = f", {len(line.word.positions)} pieces" if len(line.word.positions) > 1 else ""
    told = f"matches “{line.partner}” ({line.earned:.2f}{pieces})"
    if view.against is not None:
        told += f"; in {view.against.name} “{line.rival}” ({line.rival_earned:.2f})"
    return told + ("; a function word" if line.word.kind == "function word" else "")


def _most_against(lines: list[Line], sign: int, gain: Callable[[Line], float]) -> str:
    """The word that speaks most for the other side, where one does."""
    last = min(lines, key=lambda line: sign * gain(line))
    return f", “{last.word.label}” with {gain(last):+.2f} among them" if sign * gain(last) <= -0.005 else ""
