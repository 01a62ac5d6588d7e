"""The duel as a matplotlib figure."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from labkit.views.figure import BLUE, GREY, ORANGE, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from labkit.views.duel import DuelView


def figure(view: DuelView) -> Figure:
    """A bar a word; who is above whom on top, the smallest removal at the foot."""
    verdict = fill(view.verdict(), 105)
    headline = fill(view.headline(), 85)
    lines = headline.count("\n") + verdict.count("\n")
    made = new_figure(9.5, 1.9 + 0.27 * len(view.lines) + 0.2 * lines)
    axes = made.subplots()
    for y, (line, cells) in enumerate(zip(view.lines, view.cells(), strict=False)):
        on = view.counted(line)
        side = {"color": BLUE} if line.difference >= 0 else {"facecolor": "white", "edgecolor": ORANGE, "hatch": "////"}
        axes.barh(y, line.difference if on else 0.0, height=0.65, **side)
        grey = GREY if line.word.kind != "word" or not on else "black"
        left = "" if on else " (left out)"
        axes.text(-0.02, y, f"{line.word.label}{left}  {cells[5]}", ha="right", va="center", fontsize=9, color=grey,
                  transform=axes.get_yaxis_transform())  # fmt: skip
        axes.text(1.02, y, f"{cells[1]} {cells[3]}  |  {cells[2]} {cells[4]}", va="center", fontsize=9, color=grey,
                  transform=axes.get_yaxis_transform())  # fmt: skip
    axes.axvline(0, color="black", lw=0.8)
    axes.set_ylim(len(view.lines) - 0.4, -0.6)
    axes.set_yticks([])
    for name in ("top", "left", "right"):
        axes.spines[name].set_visible(False)
    axes.set_title(headline, fontsize=12, loc="left", weight="bold")
    one, two = view.first.name, view.second.name
    axes.set_xlabel(f"← for {two}        for {one} →\nright: match in {one} | in {two}\n{verdict}", fontsize=9)
    return made
