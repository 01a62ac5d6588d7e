"""Differences query by query: who carries a mean, and how much surer more queries would make it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from labkit.errors import LabError
from labkit.evaluation.compare import Comparison
from labkit.evaluation.statistics import interval
from labkit.views.figure import BLUE, GREY, ORANGE, Picture, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (10, 20, 30, 60, 100, 200)


class Deltas(Picture):
    """Left, each query's difference, sorted. Right, the mean and its 95 % interval for the first n queries in a fixed
    random order.

    Parameters
    ----------
    comparison : from ``lk.compare``
    sizes : values of n; those beyond the queries there are become all of them
    seed : of the order
    """

    def __init__(self, comparison: Comparison, sizes: Sequence[int] = SIZES, seed: int = 0) -> None:
        if min(sizes, default=0) < 2:
            raise LabError(f"sizes must be 2 or more; got {list(sizes)}.")
        self.comparison = comparison
        self.title = f"{comparison.after} against {comparison.before}, {comparison.measure}"
        values = np.array(list(comparison.deltas.values()))
        order = np.random.default_rng(seed).permutation(values)
        self.sizes = sorted({min(size, len(values)) for size in sizes} | {len(values)})
        self.means = [float(order[:n].mean()) for n in self.sizes]
        self.intervals = [interval(order[:n]) for n in self.sizes[:-1]] + [(comparison.low, comparison.high)]

    def to_text(self) -> str:
        """Wins, ties, losses, then a line for each n."""
        c = self.comparison
        lines = [self.title, f"{c.wins} wins, {c.ties} ties, {c.losses} losses"]
        for n, mean, (low, high) in zip(self.sizes, self.means, self.intervals, strict=True):
            lines.append(f"{n:>4} queries  {mean:+.3f}  95 % interval {low:+.3f} to {high:+.3f}")
        return "\n".join(lines)

    def _figure(self) -> Figure:
        """Bars, and intervals around a line at 0."""
        figure = new_figure(9.5, 3.4)
        left, right = figure.subplots(1, 2)
        values = np.sort(list(self.comparison.deltas.values()))[::-1]
        left.bar(range(len(values)), values, color=np.where(values >= 0, BLUE, ORANGE), width=1.0)
        left.set_xlabel("queries, sorted by difference")
        left.set_ylabel(f"difference in {self.comparison.measure}")
        places = range(len(self.sizes))
        spans = np.abs(np.array(self.intervals).T - np.array(self.means))
        right.errorbar(places, self.means, yerr=spans, fmt="o", color=BLUE, ecolor=GREY, capsize=4)
        right.set_xticks(places, [str(n) for n in self.sizes])
        right.set_xlabel("number of queries; bars are 95 % intervals of the mean")
        for axes in (left, right):
            axes.axhline(0, color="black", lw=0.8)
            axes.spines[["top", "right"]].set_visible(False)
        figure.suptitle(self.title, fontsize=11, x=0.01, ha="left")
        return figure


deltas = Deltas
