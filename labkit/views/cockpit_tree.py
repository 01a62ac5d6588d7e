"""The cockpit as a tree of elements: cells as buttons over lines, choices above, the chosen cell's numbers beside."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

from labkit.evaluation.sweep_cell import COSTS, SHOWN
from labkit.views.tree import Node, button, iso, node, select, status

if TYPE_CHECKING:
    from labkit.views.cockpit import Cockpit

HINT = "Point at a cell for its numbers, or move over them with Tab and the arrow keys. Press one to choose it."
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2)  # between lines across


def tree(view: Cockpit) -> Node:
    """The whole view."""
    told = view.told(view.chosen) if view.chosen >= 0 else HINT
    plot = _plot(view) if view.drawn else node("p", f"{COSTS[view.x]}: not known of any cell.")
    sides = node(
        "div", node("div", plot, node("p", view.note(), class_="lk-soft lk-small")), _panel(view), class_="lk-flight"
    )
    return node("div", _controls(view), node("h3", iso(view.headline())), sides, status(told))


def _controls(view: Cockpit) -> Node:
    """The choices: what stands across, and two pins, the second of another knob than the first."""
    made = [select("across", "x", enumerate(COSTS.values()), list(COSTS).index(view.x))]
    for label, trait, own, other in (("pin", "pin", *view.pins), ("and", "also", *view.pins[::-1])):
        taken = view.options[other][0]
        options = [(n, view.pin(n)) for n, (name, _) in enumerate(view.options) if not name or name != taken]
        made.append(select(label, trait, options, own))
    return node("div", made, class_="lk-controls", live=True)


def _plot(view: Cockpit) -> Node:
    low, high = (math.log10(edge) for edge in view.span())
    cells = [view.sweep[i] for i in view.drawn]
    least, most = min(cell.low for cell in cells), max(cell.high for cell in cells)
    step = next((s for s in STEPS if (most - least) / s <= 7), STEPS[-1])
    bottom, top = math.floor(least / step) * step, math.ceil(most / step + 1e-9) * step

    def across(cost: float) -> float:
        return 100 * (math.log10(cost) - low) / (high - low)

    def up(value: float) -> float:
        return 100 * (value - bottom) / (top - bottom)

    rungs = [bottom + n * step for n in range(round((top - bottom) / step) + 1)]
    ticks = ticks_of(*view.span())
    lines = [_line("lk-rung", 0, 100, up(rung), up(rung)) for rung in rungs]
    lines += _bars(view, across, up) + _steps(view, across, up)
    picture = node("svg", lines, viewBox="0 0 100 100", preserveAspectRatio="none", aria_hidden="true")
    names = [node("span", f"{rung:.2f}", class_="lk-up", style=f"bottom:{up(rung):.2f}%") for rung in rungs]
    names += [node("span", f"{tick:g}", class_="lk-across", style=f"left:{across(tick):.2f}%") for tick in ticks]
    points = [_point(view, i, across, up) for i in sorted(view.drawn, key=lambda i: (view.sweep[i].cost(view.x), i))]
    area = node("div", picture, names, points, class_="lk-area", role="toolbar", aria_label="cells by their cost")
    return node(
        "div", node("b", SHOWN, class_="lk-small"), area, node("b", f"{COSTS[view.x]} →", class_="lk-small lk-foot")
    )


def _line(name: str, x1: float, x2: float, y1: float, y2: float, **more: object) -> Node:
    """A line; y is counted from below."""
    return node("line", class_=name, x1=f"{x1:.2f}", x2=f"{x2:.2f}", y1=f"{100 - y1:.2f}", y2=f"{100 - y2:.2f}",
                vector_effect="non-scaling-stroke", **more)  # fmt: skip


def _bars(view: Cockpit, across: Callable[[float], float], up: Callable[[float], float]) -> list[Node]:
    """Each cell's interval."""
    made = []
    for i in view.drawn:
        cell, x = view.sweep[i], across(view.sweep[i].cost(view.x))
        made.append(_line(f"lk-bar-of{_marks(view, i)}", x, x, up(cell.low), up(cell.high), lit=f"c{i}"))
    return made


def _steps(view: Cockpit, across: Callable[[float], float], up: Callable[[float], float]) -> list[Node]:
    """The front as stairs."""
    at = [(across(view.sweep[i].cost(view.x)), up(view.sweep[i].quality)) for i in view.front if i in view.drawn]
    made = []
    for (x, y), (further, higher) in pairwise(at):
        made += [_line("lk-front", x, further, y, y), _line("lk-front", further, further, y, higher)]
    return made


def _point(view: Cockpit, i: int, across: Callable[[float], float], up: Callable[[float], float]) -> Node:
    cell = view.sweep[i]
    place = f"left:{across(cell.cost(view.x)):.2f}%;bottom:{up(cell.quality):.2f}%"
    dim = "" if i in view.lit else ", not pinned"
    on = ", on the front" if i in view.front else ""
    said = f"Cell {i}: {view.told(i)}{on}{dim}."
    press, held = {"chosen": -1 if i == view.chosen else i}, str(i == view.chosen).lower()
    return button("", f"cell {i}", set=press, say=said, lit=f"c{i}", style=place, aria_label=said, aria_pressed=held,
                  class_=f"lk-cell{_marks(view, i)}")  # fmt: skip


def _marks(view: Cockpit, i: int) -> str:
    marks = {
        "lk-on-front": i in view.front,
        "lk-base": not i,
        "lk-dim": i not in view.lit,
        "lk-chosen": i == view.chosen,
    }
    return "".join(f" {name}" for name, holds in marks.items() if holds)


def _panel(view: Cockpit) -> Node:
    """The chosen cell's numbers, and a button that runs it again; without one the front."""
    if view.chosen < 0:
        rows = [node("tr", node("td", iso(view.told(i)))) for i in view.front]
        return node("div", node("h4", "On the front, cheapest first"), node("table", node("tbody", rows)))
    i = view.chosen
    rows = [node("tr", node("th", what), node("td", iso(much))) for what, much in view.numbers(i)]
    title = node("h4", f"Cell {i}: ", iso(view.name(i)))
    return node("div", title, node("table", node("tbody", rows), class_="lk-numbers"), _again(view, i))


def _again(view: Cockpit, i: int) -> list[Node]:
    if i in view.done:
        return [node("p", "run again: ", iso(view.done[i]), class_="lk-again")]
    if view.sweep.bench is None:
        return [
            node("p", "lk.load_sweep(path, pipe, collection) lets you run it again here.", class_="lk-soft lk-small")
        ]
    p50 = view.sweep[i].latency_ms["p50"]
    about = "" if p50 is None else f" (about {max(1, p50 * len(view.sweep.queries) / 1000):.0f} s)"
    return [button(f"recompute this cell{about}", "again", set={"again": i}, live=True)]


def ticks_of(low: float, high: float) -> list[float]:
    """Round numbers on a log scale: 1, 2 and 5 times powers of ten.

    >>> ticks_of(3, 60)
    [5.0, 10.0, 20.0, 50.0]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [float(f"{step}e{power}") for power in powers for step in (1, 2, 5)]
    return [tick for tick in found if low <= tick <= high]
