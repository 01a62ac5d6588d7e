"""The fewest document tokens whose removal brings a score below a bound: exact where that is cheap, else greedy."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

STATES = 20_000  # how many sets of removed tokens the exact search looks at before it gives up
Rows = list[tuple[list[int], list[float]]]
DOUBT = 1e-9  # a sum that is this near to the bound is summed again, plainly


def smallest_removal(similarities: np.ndarray, below: float) -> tuple[tuple[int, ...], bool]:
    """The fewest columns of [Lq, Ld] without which the sum of row maxima is below ``below``; and whether that is exact.

    Some column of a smallest set is a row's maximum now (else removing the set would change nothing), and so on after
    each removal. So it is enough to try, one after the other, columns that hold a maximum: sets of one, of two, ... The
    search ends when one does it, or after `STATES` sets, where the greedy answer is given.
    """
    rows = _ranked(similarities)
    greedy = _greedy(similarities, rows, below)
    seen, layer = {frozenset()}, [frozenset()]
    for _ in range(1, len(greedy)):
        grown: list[frozenset] = []
        for gone in layer:
            for column, total in _next(rows, gone).items():
                larger = gone | {column}
                if larger in seen:
                    continue
                seen.add(larger)
                if total < below + DOUBT and _total(similarities, larger) < below:
                    return tuple(sorted(larger)), True
                grown.append(larger)
                if len(seen) > STATES:
                    return tuple(sorted(greedy)), False
        layer = grown
    return tuple(sorted(greedy)), True


def _greedy(similarities: np.ndarray, rows: Rows, below: float) -> list[int]:
    """Remove the column whose loss costs most, until the sum is below."""
    gone: list[int] = []
    while not _total(similarities, gone) < below:
        totals = _next(rows, frozenset(gone))
        gone.append(min(totals, key=totals.__getitem__))
    return gone


def _ranked(similarities: np.ndarray) -> Rows:
    """Each row's columns and values, best first; then two that are never removed and add minus infinity."""
    order = np.argsort(-similarities, axis=1, kind="stable")
    values = np.take_along_axis(similarities, order, axis=1)
    lists = zip(order.tolist(), values.tolist(), strict=True)
    return [([*columns, -1, -2], [*kept, -np.inf, -np.inf]) for columns, kept in lists]


def _next(rows: Rows, gone: Collection[int]) -> dict[int, float]:
    """The columns that hold a row's maximum once ``gone`` are gone; to each the sum of maxima without it as well."""
    total, losses = 0.0, dict[int, float]()
    for columns, values in rows:
        first = 0
        while columns[first] in gone:
            first += 1
        second = first + 1
        while columns[second] in gone:
            second += 1
        total += values[first]
        losses[columns[first]] = losses.get(columns[first], 0.0) + values[first] - values[second]
    return {column: total - losses[column] for column in sorted(losses)}


def _total(similarities: np.ndarray, gone: Collection[int]) -> float:
    return float(_left(similarities, gone).max(axis=1).sum())


def _left(similarities: np.ndarray, gone: Collection[int]) -> np.ndarray:
    left = similarities.copy()
    left[:, list(gone)] = -np.inf
    return left
