"""The fewest document tokens whose removal brings a score below a bound: exact where that is cheap, else greedy."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

STATES = 20_000  # how many sets of removed tokens the exact search looks at before it gives up
DOUBT = 1e-9  # a sum that is this near to the bound is summed again, plainly


def smallest_removal(similarities: np.ndarray, below: float) -> tuple[tuple[int, ...], bool]:
    """The fewest columns of [Lq, Ld] without which the sum of row maxima is below ``below``; and whether that is exact.

    Some column of a smallest set is a row's maximum now (else removing the set would change nothing), and so on after
    each removal. So it is enough to try, one after the other, columns that hold a maximum: sets of one, of two, ... The
    search ends when one does it, or after `STATES` sets, where the greedy answer is given.
    """
    greedy = _greedy(similarities, below)
    seen, layer = {frozenset()}, [frozenset()]
    for _ in range(1, len(greedy)):
        grown: list[frozenset] = []
        for gone in layer:
            holders, totals = _next(similarities, gone)
            for column, total in zip(holders, totals, strict=True):
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


def _greedy(similarities: np.ndarray, below: float) -> list[int]:
    """Remove the column whose loss costs most, until the sum is below."""
    gone: list[int] = []
    while not _total(similarities, gone) < below:
        holders, totals = _next(similarities, gone)
        gone.append(holders[totals.index(min(totals))])
    return gone


def _next(similarities: np.ndarray, gone: Collection[int]) -> tuple[list[int], list[float]]:
    """The columns that hold a row's maximum once ``gone`` are gone, and the sum of maxima without each of them too."""
    left, rows = _left(similarities, gone), np.arange(len(similarities))
    holders = left.argmax(axis=1)
    first = left[rows, holders]
    left[rows, holders] = -np.inf
    lost = np.bincount(holders, weights=first - left.max(axis=1))
    columns = np.unique(holders)
    return columns.tolist(), (first.sum() - lost[columns]).tolist()


def _total(similarities: np.ndarray, gone: Collection[int]) -> float:
    return float(_left(similarities, gone).max(axis=1).sum())


def _left(similarities: np.ndarray, gone: Collection[int]) -> np.ndarray:
    left = similarities.copy()
    left[:, list(gone)] = -np.inf
    return left
