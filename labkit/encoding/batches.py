"""Which texts go through a model together: of like length, and no more than fit a budget of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Numbers of texts in batches, longest first. A batch padded to its longest has at most ``budget`` tokens.

    A text longer than the budget goes alone.

    >>> list(batches([3, 9, 4, 4], budget=10))
    [[1], [2, 3], [0]]
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    start = 0
    while start < len(order):
        count = max(1, budget // max(1, lengths[order[start]]))
        yield order[start : start + count]
        start += count
