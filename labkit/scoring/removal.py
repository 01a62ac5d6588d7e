"""The fewest document tokens whose removal brings a score below a bound: exact where that is cheap, else greedy."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

STATES = 20_000  # how many sets of removed tokens the exact search looks at before it gives up


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
            for column in _holders(similarities, gone):
                larger = gone | {column}
                if larger in seen:
                    continue
                seen.add(larger)
                if _total(similarities, larger) < below:
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
        gone.append(min(_holders(similarities, gone), key=lambda column: _total(similarities, [*gone, column])))
    return gone


def _holders(similarities: np.ndarray, gone: Collection[int]) -> list[int]:
    """The columns that hold a row's maximum once ``gone`` are gone."""
    return np.unique(_left(similarities, gone).argmax(axis=1)).tolist()


def _total(similarities: np.ndarray, gone: Collection[int]) -> float:
    return float(_left(similarities, gone).max(axis=1).sum())


def _left(similarities: np.ndarray, gone: Collection[int]) -> np.ndarray:
    left = similarities.copy()
    left[:, list(gone)] = -np.inf
    return left
