"""The cockpit: a sweep as a picture to click. Quality with its interval against what it costs, the front, two pins."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.evaluation.grid import value_told
from labkit.evaluation.sweep_cell import COSTS, SHOWN, Cell
from labkit.evaluation.sweep_result import Sweep
from labkit.views import cockpit_tree
from labkit.views.figure import BLUE, GREY, ORANGE, new_figure
from labkit.views.live import Live
from labkit.views.words import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

UNITS = {"latency": "{:.3g} ms", "bytes": "{:.3g} bytes a token", "price": "{:.2g} USD for 1,000 queries"}


class Cockpit(Live):
    """See `cockpit`.

    Attributes
    ----------
    x : what the cells cost, one of ``"latency"``, ``"bytes"`` and ``"price"``
    pins : numbers in ``options``, where 0 pins nothing; cells of another value are dimmed
    chosen : the cell whose numbers are shown; -1 for none
    done : cell to what came of running it again
    """

    view, png = "cockpit", True
    tree = cockpit_tree.tree

    def __init__(
        self, sweep: Sweep, x: str = "latency", pins: tuple[int, int] = (0, 0), chosen: int = -1,
        done: dict[int, str] | None = None,
    ) -> None:  # fmt: skip
        self.sweep, self.x, self.pins, self.done = sweep, x, pins, done or {}
        self.options = [("", None), *((name, value) for name, values in sweep.values().items() for value in values)]
        if not all(0 <= pin < len(self.options) for pin in pins):
            raise LabError(f"a pin must be from 0 to {len(self.options) - 1}; got {pins}.")
        self.chosen = chosen if 0 <= chosen < len(sweep) else -1
        self.front = sweep.front(x)
        pinned = {self.options[pin] for pin in pins if pin}
        self.lit = {i for i, cell in enumerate(sweep.cells) if all(cell.knobs[n] == v for n, v in pinned)}
        self.drawn = [i for i, cell in enumerate(sweep.cells) if (cell.cost(x) or 0) > 0]
        self.title = f"{one_line(sweep.collection)}: {SHOWN} against {COSTS[x]}"

    def headline(self) -> str:
        """The best cell that is not dimmed."""
        if not self.lit:
            return "No cell has both pinned values."
        best = max(sorted(self.lit), key=lambda i: self.sweep[i].quality)
        return f"Best{' of those pinned' if len(self.lit) < len(self.sweep) else ''}: {self.told(best)}"

    def told(self, number: int) -> str:
        """A cell in a sentence: quality with its interval, cost, and what it changes of the base."""
        cell = self.sweep[number]
        base = "the base: " if not number else ""
        return f"{quality(cell)} at {self.cost(number)}; {base}{self.name(number)}"

    def name(self, number: int) -> str:
        """What a cell changes of the base."""
        return one_line(self.sweep.told(number), 200)

    def cost(self, number: int) -> str:
        """A cell's cost with its unit."""
        value = self.sweep[number].cost(self.x)
        return f"unknown {COSTS[self.x]}" if value is None else UNITS[self.x].format(value)

    def numbers(self, number: int) -> list[tuple[str, str]]:
        """All that is known of a cell: what, and how much."""
        cell = self.sweep[number]
        knobs = [(name, one_line(value_told(v))) for name, v in cell.knobs.items() if v is not None]
        p50, p95 = (
            ("unknown" if v is None else f"{v:.3g} ms") for v in (cell.latency_ms["p50"], cell.latency_ms["p95"])
        )
        size = "none kept" if cell.bytes_per_token is None else f"{cell.bytes_per_token:.3g}"
        price = "unknown" if cell.price is None else UNITS["price"].format(cell.price)
        found = [(SHOWN, quality(cell)), *self._held(number), ("latency p50, p95", f"{p50}, {p95}"),
                 ("bytes a token", size), ("price", price)]  # fmt: skip
        failed = [("queries that FAILED", str(cell.failures))] if cell.failures else []
        return [("system", one_line(cell.system)), *knobs, *found, *failed]

    def _held(self, number: int) -> list[tuple[str, str]]:
        if not number:
            return []
        c = self.sweep.comparisons[number - 1]
        return [("against the base", f"{c.delta:+.3f} ({c.low:+.3f} to {c.high:+.3f}); {c.verdict}, p = {c.p_holm:.3f} "
                 f"corrected for {len(self.sweep) - 1}")]  # fmt: skip

    def pinned(self) -> str:
        """The pins in words; "" where there is none."""
        return " and ".join(self.pin(number) for number in self.pins if number)

    def pin(self, number: int) -> str:
        """One of the options in words."""
        name, value = self.options[number]
        return f"{name} {one_line(value_told(value))}" if name else "anything"

    def note(self) -> str:
        """What is in the picture, and what is not."""
        absent = len(self.sweep) - len(self.drawn)
        missing = f" {absent} cells have no {COSTS[self.x]} and are not drawn." if absent else ""
        count = f"{len(self.sweep)} cells, {len(self.sweep.queries)} queries of {one_line(self.sweep.split)}"
        marks = "Filled: on the front, none is better at this cost or less. Diamond: the base."
        void = f" VOID: {self.sweep.void}." if self.sweep.void and self.x != "bytes" else ""
        return f"{count}; bars: 95 % interval of the mean. {marks}{missing}{void}"

    def to_text(self) -> str:
        """The front, the base, the best, and what is pinned and chosen."""
        lines = [self.title, self.headline(), f"front, from {COSTS[self.x]} low to high:"]
        lines += [f"  {self.told(i)}" for i in self.front]
        lines += [f"base: {self.told(0)}"] + ([f"pinned: {self.pinned()}"] if self.pinned() else [])
        if self.chosen >= 0:
            lines += ["chosen:", *(f"  {what}: {much}" for what, much in self.numbers(self.chosen))]
        lines += [f"run again: {one_line(told, 400)}" for told in self.done.values()]
        return "\n".join([*lines, self.note()])

    def inputs(self) -> dict[str, Any]:
        """What decides the state: three costs by their number, two pins, the chosen cell, and one to run again.

        ``pin`` and ``also`` are numbers in ``options``; 0 pins nothing. ``chosen`` and ``again`` are -1 for none.
        """
        pin, also = self.pins
        return {"x": list(COSTS).index(self.x), "pin": pin, "also": also, "chosen": self.chosen, "again": -1}

    def at(self, x: int, pin: int, also: int, chosen: int, again: int) -> Cockpit:  # type: ignore[override]
        """The sweep seen otherwise. A cell runs ``again`` once; what keeps it from that is told in its place."""
        if not 0 <= x < len(COSTS):
            raise LabError(f"x must be from 0 to {len(COSTS) - 1}; got {x}.")
        made = Cockpit(self.sweep, list(COSTS)[x], (pin, also), chosen, dict(self.done))
        if again >= 0 and again not in made.done:
            made.done[again] = _again(self.sweep, again)
        return made

    def _figure(self) -> Figure:
        made = new_figure(9, 5)
        axes = made.subplots()
        axes.set_xscale("log")
        for i in self.drawn:
            cell, on, dim = self.sweep[i], i in self.front, i not in self.lit
            colour, x = BLUE if on else GREY, cell.cost(self.x)
            over = 3 + on + 2 * (not i) + 3 * (i == self.chosen)
            axes.plot([x, x], [cell.low, cell.high], color=colour, lw=1.6 if on else 0.8, alpha=0.1 if dim else 0.6)
            axes.plot([x], [cell.quality], marker="o" if i else "D", ms=9 if i == self.chosen else 7, color=colour,
                      mfc=colour if on else "white", mec=ORANGE if i == self.chosen else colour,
                      mew=3 if i == self.chosen else 1.4, alpha=0.25 if dim else 1, zorder=over)  # fmt: skip
        steps = [self.sweep[i] for i in self.front if i in self.drawn]
        axes.step([c.cost(self.x) for c in steps], [c.quality for c in steps], where="post", color=BLUE, lw=1.2)
        ticks = cockpit_tree.ticks_of(*self.span()) if self.drawn else []
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
        pinned = f", pinned: {self.pinned()}" if self.pinned() else ""
        axes.set_title(fill(self.headline(), 110), fontsize=10, loc="left")  # wrap=True would read formulas
        axes.set_xlabel(f"{COSTS[self.x]} (log scale){pinned}\n{fill(self.note(), 150)}", fontsize=8)
        axes.set_ylabel(SHOWN)
        return made

    def span(self) -> tuple[float, float]:
        """The least and the largest cost that is drawn, with some room."""
        costs = [self.sweep[i].cost(self.x) for i in self.drawn]
        return min(costs) / 1.15, max(costs) * 1.15  # type: ignore[type-var, operator]


def cockpit(sweep: Sweep, x: str = "latency") -> Cockpit:
    """Draw a sweep: nDCG@10 with its 95 % interval against what each cell costs, on a log scale.

    In a notebook two knobs can be pinned, a cell chosen, and, where the sweep has its pipeline, run again live. A
    `LabError` for what is no sweep, and for another ``x``.

    Parameters
    ----------
    sweep : from ``lk.sweep`` or ``lk.load_sweep``
    x : ``"latency"`` (p50), ``"bytes"`` (a token) or ``"price"`` (of 1,000 queries)
    """
    if not isinstance(sweep, Sweep):
        raise LabError(f"a cockpit needs a sweep from lk.sweep() or lk.load_sweep(); got {type(sweep).__name__}.")
    return Cockpit(sweep, x)


def quality(cell: Cell) -> str:
    """Quality and its interval."""
    return f"{cell.quality:.3f} ({cell.low:.3f} to {cell.high:.3f})"


def _again(sweep: Sweep, cell: int) -> str:
    try:
        return sweep.recompute(cell).to_text()
    except LabError as error:
        return str(error)
