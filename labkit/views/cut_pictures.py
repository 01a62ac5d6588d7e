"""A cut document as a tree of elements, and as a matplotlib figure."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from labkit.views.figure import BLUE, GREY, ORANGE, new_figure
from labkit.views.tree import Node, iso, node, slider

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from labkit.views.cut import CutView


def tree(view: CutView) -> Node:
    """The whole view."""
    cut = slider("Cut the document", "read", 1, len(view.strip.ends), view.read, f"after character {view.end:,}")
    rows = [node("tr", node("td", system), node("td", rank, class_="lk-num"), node("td", iso(why)))
            for system, rank, why in view.cells()]  # fmt: skip
    head = node("tr", [node("th", name, class_="lk-num" if name == "rank" else "") for name in view.HEAD])
    table = node("table", node("thead", head), node("tbody", rows), class_="lk-cut-rows")
    answer = [node("p", iso(view.answer()))] if view.answer() else []
    best = node("p", node("b", "MaxSim's best window: "), iso(view.excerpt()))
    return node("div", node("h3", iso(view.headline())), _bar(view), cut, _key(view), table, answer, best)


def _bar(view: CutView) -> Node:
    """A segment a window, the stronger the better it scores; behind the cut they are empty."""
    parts = []
    for number, shade in enumerate(_shades(view)):
        start, end = view.span(number)
        name = ("lk-seen" if number < view.read else "lk-unseen") + (" lk-best" if number == view.best else "")
        parts.append(
            node("i", node("i", class_=name, style=f"--s:{shade:.2f}"), style=f"width:{(end - start) / view.size:.1%}")
        )
    place = view.strip.place
    mark = [node("span", class_="lk-marked", style=f"width:{place / view.size:.1%}")] if place >= 0 else []
    return node("div", parts, mark, class_="lk-strip")


def _shades(view: CutView) -> list[float]:
    low, high = float(view.strip.scores.min()), float(view.strip.scores.max())
    return [0.15 + 0.85 * (float(score) - low) / ((high - low) or 1.0) for score in view.strip.scores]


def _key(view: CutView) -> Node:
    kinds = [("lk-seen", "before the cut: the stronger, the better for MaxSim"), ("lk-unseen", "behind the cut"),
             ("lk-seen lk-best", "MaxSim's best window")]  # fmt: skip
    shown = [node("span", node("i", class_=name, style="--s:0.60"), f" {told}") for name, told in kinds]
    mark = [node("span", node("span", class_="lk-marked"), " ", iso(view.marked))] if view.strip.place >= 0 else []
    return node("p", shown, mark, class_="lk-key lk-strip-key")


def figure(view: CutView) -> Figure:
    """The bar with the cut and the mark; below it a line a system."""
    made = new_figure(9.5, 2.4)
    axes = made.subplots()
    for number, shade in enumerate(_shades(view)):
        start, end = view.span(number)
        look = {"facecolor": BLUE, "alpha": shade} if number < view.read else {"facecolor": "white", "hatch": "////"}
        axes.barh(0, end - start, left=start, height=0.6, edgecolor=GREY, lw=0.5, **look)
    axes.axvline(view.end, color="black", lw=2)
    if view.strip.place >= 0:
        axes.plot([view.strip.place], [0.5], marker="v", color=ORANGE, markersize=10, clip_on=False)
    axes.set_xlim(0, len(view.strip.text))
    axes.set_ylim(-0.4, 0.6)
    axes.set_yticks([])
    axes.set_title(fill(view.headline(), 90), fontsize=11, loc="left", weight="bold")
    told = [f"{system} {rank}: {why}" for system, rank, why in view.cells()] + [view.answer()]
    axes.set_xlabel("\n".join(fill(line, 110) for line in told if line), fontsize=9)
    return made
