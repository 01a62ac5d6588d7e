"""The fewest document tokens whose removal brings a score below a bound: exact where that is cheap, else greedy."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

STATES = 400  # how many sets of removed tokens the exact search looks at before it gives up
NOTHING = -1e12  # what a row without columns adds
DOUBT = 1e-9  # a sum that is this near to the bound is summed again, plainly


def smallest_removal(similarities: np.ndarray, below: float) -> tuple[tuple[int, ...], bool]:
    """The fewest columns of [Lq, Ld] without which the sum of row maxima is below ``below``; and whether that is exact.

    Some column of a smallest set is a row's maximum now (else removing the set would change nothing), and so on after
    each removal. So it is enough to try, one after the other, columns that hold a maximum: sets of the first size that
    is not ruled out at once, of the next, ... A branch ends where no columns can do it (see `_Search.drops`). After
    `STATES` sets the greedy answer is given.
    """
    search = _Search(similarities, below)
    greedy = search.greedy()
    sizes = range(1, len(greedy))
    for size in sizes[bisect_left(sizes, True, key=search.may) :]:  # the drops of more columns are never smaller
        found = search.grow((), (), size)
        if search.states > STATES:
            return tuple(sorted(greedy)), False
        if found is not None:
            return tuple(sorted(found)), True
    return tuple(sorted(greedy)), True


class _Search:
    """Sets of a given size, the most promising column first; a column that was tried is kept by later branches."""

    def __init__(self, similarities: np.ndarray, below: float) -> None:
        self.similarities, self.below, self.states = similarities, below, 0
        order = np.argsort(-similarities, axis=1, kind="stable")
        values = np.take_along_axis(similarities, order, axis=1)
        self.rows = np.arange(len(order))[:, None]
        last = ((0, 0), (0, 1))  # a column that is never removed, of no worth
        self.order = np.pad(order, last, constant_values=similarities.shape[1])
        self.values = np.pad(values, last, constant_values=NOTHING)

    def grow(self, gone: Sequence[int], kept: Sequence[int], more: int) -> Sequence[int] | None:
        """A set that holds ``gone``, ``more`` other columns and none that is ``kept``, and that does it; or None."""
        self.states += 1
        if self.states > STATES:
            return None
        total, drops, tops = self.drops(gone, kept, more)
        if not self._enough(total, drops, more):
            return None
        for column in sorted(tops, key=lambda c: (-drops[c], c)):
            larger = (*gone, column)
            if more > 1:
                found = self.grow(larger, kept, more - 1)
            elif not self._enough(total, drops[[column]], 1):
                return None
            else:
                found = larger if self._done(larger) else None
            if found is not None:
                return found
            kept = (*kept, column)
        return None

    def may(self, size: int) -> bool:
        """Whether ``size`` columns are not ruled out at once."""
        total, drops, _ = self.drops((), (), size)
        return self._enough(total, drops, size)

    def greedy(self) -> list[int]:
        """Remove the column whose loss costs most, until the sum is below."""
        gone: list[int] = []
        rows, left = self.rows[:, 0], np.ones(self.order.shape, bool)
        while True:
            first = left.argmax(axis=1)
            best = self.values[rows, first]
            if best.sum() < self.below:
                return gone
            left[rows, first] = False
            second = left.argmax(axis=1)
            left[rows, first] = True
            tops, row = np.unique(self.order[rows, first], return_inverse=True)
            gone.append(int(tops[np.bincount(row, best - self.values[rows, second]).argmax()]))
            left[self.order == gone[-1]] = False

    def drops(self, gone: Sequence[int], kept: Sequence[int], more: int) -> tuple[float, np.ndarray, list[int]]:
        """The sum of maxima without ``gone``; [Ld] the most that each column adds to a drop; the columns of the maxima.

        Of a row's columns that are left, best first, the values are v1, v2, ... A removal that takes the first j of
        them, and not the next, lowers the row by v1 - v(j+1), the sum of the j gaps behind them. So a removal of
        ``more`` columns lowers the total by no more than their gaps where they are among a row's first ``more``.
        """
        width = len(gone) + more + 1
        columns, values = self.order[:, :width], self.values[:, :width]
        state = np.zeros(self.order.shape[1], np.int8)
        state[[*kept, -1]], state[list(gone)] = 1, 2
        if gone:
            left = np.argsort(state[columns] == 2, axis=1, kind="stable")[:, : more + 1]
            columns, values = columns[self.rows, left], values[self.rows, left]
        free = ~np.logical_or.accumulate(state[columns] == 1, axis=1)[:, :-1]
        gaps = np.where(free, values[:, :-1] - values[:, 1:], 0.0)
        drops = np.bincount(columns[:, :-1].ravel(), gaps.ravel(), minlength=len(state))[:-1]
        return float(values[:, 0].sum()), drops, np.unique(columns[free[:, 0], 0]).tolist()

    def _enough(self, total: float, drops: np.ndarray, more: int) -> bool:
        """Whether the ``more`` largest of ``drops`` bring ``total`` below the bound, or too near to tell."""
        return bool(total - np.partition(drops, -more)[-more:].sum() < self.below + DOUBT)

    def _done(self, gone: Sequence[int]) -> bool:
        """Whether the sum of maxima without ``gone`` is below the bound."""
        left = self.similarities.copy()
        left[:, list(gone)] = -np.inf
        return bool(left.max(axis=1).sum() < self.below)
