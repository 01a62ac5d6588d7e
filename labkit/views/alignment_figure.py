"""The alignment as a matplotlib figure: what each word of the query matched and earns, in two documents."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from labkit.text import shortened
from labkit.views import alignment_words as words
from labkit.views.compared import bar_scale
from labkit.views.figure import BLUE, GREY, ORANGE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from labkit.views.alignment import Alignment, Row

WRAPPED = 112  # characters of a line above the picture
CELL = 21  # characters of a cell


def figure(view: Alignment) -> Figure:
    """Sentences on top; below them words, matches and bars; at the bottom the similarities of all pairs of tokens."""
    rows = view.rows()
    told = _told(view)
    tall = 0.23 * len(rows) + 0.5
    map_tall = 0.11 * len(view.query) + 0.9 if len(view.shown.document) else 0.01
    text_tall = 0.19 * len(told) + 0.45
    height = text_tall + tall + map_tall
    made = new_figure(10, height)
    made.set_layout_engine("none")  # places are known, and no label can push them
    top = made.add_axes((0.09, 1 - (text_tall - 0.1) / height, 0.9, (text_tall - 0.2) / height))
    middle = made.add_axes((0.09, map_tall / height, 0.9, tall / height))
    bottom = made.add_axes((0.09, 0.42 / height, 0.9, max(0.01, map_tall - 0.5) / height))
    for axes in (top, middle):
        axes.set_axis_off()
    top.text(0, 1, _wrapped(words.headline(view))[0], fontsize=13, fontweight="bold", va="top", transform=top.transAxes)
    lines = "\n".join(told)
    top.text(0, 1 - 0.32 / text_tall, lines, fontsize=9.5, va="top", linespacing=1.45, transform=top.transAxes)
    _bars(middle, view, rows)
    if len(view.shown.document):
        _map(bottom, view)
    else:
        bottom.set_axis_off()
    return made


def _told(view: Alignment) -> list[str]:
    reasons = [f"{reason.difference}  {reason.words}: {reason.why}" for reason in words.reasons(view)]
    parts = [*_wrapped(words.headline(view))[1:], *reasons]
    for part in (words.function_words(view), *words.notes(view), words.receipt(view)):
        parts += _wrapped(part)
    return parts


def _wrapped(text: str) -> list[str]:
    return wrap(text, WRAPPED) or [""]


def _bars(axes: Axes, view: Alignment, rows: list[Row]) -> None:
    """Columns of text and bars; x runs from 0 to 100."""
    rival = view.against is not None
    most, widest = bar_scale(view.lines)
    axes.set_xlim(0, 100)
    axes.set_ylim(len(rows) - 0.3, -1.2)
    _texts(axes, -0.8, [view.head()[n] for n in ((1, 2, 3, 5, 6, 7) if rival else (1, 2, 3))], colour=GREY)
    for y, row in enumerate(rows):
        cells = [row.cells[n] for n in ((1, 2, 3, 5, 6, 7) if rival else (1, 2, 3))]
        line = row.line
        light = line is not None and (line.word.kind != "word" or not line.counted)
        _texts(axes, y, cells, GREY if light else "black", bold=line is None, struck=bool(line and not line.counted))
        if line is None:
            axes.axhline(y - 0.5, color=GREY, lw=0.7)
            continue
        axes.barh(y, 9 * max(0.0, line.earned) / most, left=39, height=0.6, color=BLUE, alpha=0.5 if light else 1)
        if rival:
            axes.barh(y, 9 * max(0.0, line.rival_earned) / most, left=72, height=0.6, facecolor="white",
                      edgecolor=ORANGE, hatch="////", lw=0.8, alpha=0.6 if light else 1)  # fmt: skip
            colour = BLUE if line.difference >= 0 else ORANGE
            axes.barh(y, 4.5 * line.difference / widest, left=94, height=0.6, color=colour, alpha=0.6 if light else 1)


def _texts(axes: Axes, y: float, cells: list[str], colour: str, bold: bool = False, struck: bool = False) -> None:
    weight = "bold" if bold else "normal"
    shown = [f"({cell})" if struck and n == 0 else cell for n, cell in enumerate(cells)]
    for cell, x, right in zip(shown, (0, 16, 38, 49, 71, 88), (0, 0, 1, 0, 1, 1), strict=False):
        axes.text(
            x,
            y,
            shortened(cell, CELL),
            va="center",
            ha="right" if right else "left",
            fontsize=9,
            color=colour,
            weight=weight,
        )


def _map(axes: Axes, view: Alignment) -> None:
    match = view.shown
    axes.imshow(match.similarities, cmap="Blues", vmin=0, vmax=max(1.0, float(match.similarities.max())),
                aspect="auto", interpolation="nearest")  # fmt: skip
    at = np.flatnonzero(view.counted)
    axes.scatter(match.winners[at], at, s=16, marker="s", facecolors="none", edgecolors=ORANGE, linewidths=1.1)
    axes.set_yticks(range(len(view.query)), [shortened(label, 14) for label in view.query.labels], fontsize=7)
    axes.set_xlabel(f"tokens of {match.name}; dark: similar; framed: the best of each row", fontsize=8.5)
    axes.tick_params(axis="x", labelsize=7)
