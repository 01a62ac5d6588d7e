"""The alignment as a matplotlib figure: what each word of the query matched and earns, in two documents."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from labkit.text import shortened
from labkit.views import alignment_words as words
from labkit.views.figure import GREY, ORANGE, Bar, bars, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from labkit.views.alignment import Alignment, Row

WRAPPED = 112  # characters of a line above the picture
CELL = 21  # characters of a cell


def figure(view: Alignment) -> Figure:
    """Sentences on top; below them words, matches and bars; at the bottom the similarities of all pairs of tokens."""
    headline, *told = _told(view)
    rows = [_bar(view, row) for row in view.rows()]
    tall = [0.4 + 0.19 * len(told), 0.8 + 0.23 * len(rows)]
    tall += [0.9 + 0.11 * len(view.query)] if len(view.shown.document) else []
    made = new_figure(10, sum(tall))
    top, middle, *bottom = made.subfigures(len(tall), 1, height_ratios=tall)
    top.text(0.01, 1 - 0.08 / tall[0], headline, fontsize=13, weight="bold", va="top")
    top.text(0.01, 1 - 0.36 / tall[0], "\n".join(told), fontsize=9.5, va="top", linespacing=1.45)
    axes = middle.subplots()
    bars(axes, rows)
    axes.set_xlabel(_key(view), fontsize=9, color=GREY)
    for below in bottom:
        _map(below.subplots(), view)
    return made


def _told(view: Alignment) -> list[str]:
    """The lines above the bars, the headline first."""
    reasons = [f"{reason.difference}  {reason.words}: {reason.why}" for reason in words.reasons(view)]
    ends = (words.function_words(view), *words.notes(view), words.receipt(view))
    return [*_wrapped(words.headline(view)), *reasons, *(line for part in ends for line in _wrapped(part))]


def _wrapped(text: str) -> list[str]:
    return wrap(text, WRAPPED) or [""]


def _bar(view: Alignment, row: Row) -> Bar:
    """A word's difference to the rival, without one what it earns; sums have no bar."""
    word, match, earned, rival, rival_earned, difference = (
        shortened(row.cells[n], CELL) if n < len(row.cells) else "" for n in (1, 2, 3, 5, 6, 7)
    )
    line, two = row.line, view.against is not None
    label = f"{word}{' (left out)' if line and not line.counted else ''}  {difference if two else earned}"
    text = f"{match} {earned}  |  {rival} {rival_earned}" if two else match
    if line is None:
        return Bar(label, 0.0, text.strip(), "sum")
    value = line.difference if two else line.earned
    return Bar(label, value if line.counted else 0.0, text, "" if line.word.kind == "word" and line.counted else "soft")


def _key(view: Alignment) -> str:
    one = view.shown.name
    if view.against is None:
        return f"what a word earns; right: its match in {one}"
    two = view.against.name
    return f"← for {two}        for {one} →\nright: match in {one} | in {two}"


def _map(axes: Axes, view: Alignment) -> None:
    match = view.shown
    axes.imshow(match.similarities, cmap="Blues", vmin=0, vmax=max(1.0, float(match.similarities.max())),
                aspect="auto", interpolation="nearest")  # fmt: skip
    at = np.flatnonzero(view.counted)
    axes.scatter(match.winners[at], at, s=16, marker="s", facecolors="none", edgecolors=ORANGE, linewidths=1.1)
    axes.set_yticks(range(len(view.query)), [shortened(label, 14) for label in view.query.labels], fontsize=7)
    axes.set_xlabel(f"tokens of {match.name}; dark: similar; framed: the best of each row", fontsize=8.5)
    axes.tick_params(axis="x", labelsize=7)
