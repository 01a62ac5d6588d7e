"""What a reranker says of its candidates, and what rerankers do with passages and scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from labkit.ranking.ranking import Hit

ROUNDED = 1e-6  # a spread of scores, relative to the largest, that rounding alone can make


@dataclass(frozen=True, eq=False)
class Scored:
    """A reranker's word on n candidates: scores [n], and where it has them each one's best passage, and whether its
    text was cut, which parts are relevant, what it cost, and what went wrong."""

    scores: np.ndarray
    best: Sequence[int] | None = None
    truncated: Sequence[bool] | None = None
    reasons: dict[int, str] = field(default_factory=dict)
    encoded: int = 0
    cached: int = 0
    spans: Sequence[tuple[tuple[int, int], ...]] | None = None
    cost: dict[str, float] = field(default_factory=dict)
    note: str = ""


def flat(hits: Sequence[Hit]) -> tuple[list[str], list[int]]:
    """All passages of all hits, and where each hit's begin."""
    passages: list[str] = []
    starts = []
    for hit in hits:
        starts.append(len(passages))
        passages.extend(hit.passages or (hit.text,))
    return passages, starts


def distinct(passages: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The different passages in their order, and which of them each passage is: equal texts are scored once, and so
    alike to the last bit, wherever they stand.

    >>> distinct(["b", "a", "b"])
    (['b', 'a'], array([0, 1, 0]))
    """
    place = {text: number for number, text in enumerate(dict.fromkeys(passages))}
    return list(place), np.array([place[text] for text in passages], np.int64)


def best(scores: np.ndarray, starts: Sequence[int]) -> list[int]:
    """For each hit the number of its best passage."""
    return [int(part.argmax()) for part in np.split(scores, starts[1:])]


def summed(bills: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """One bill of several: the same units are added."""
    return dict(sum(map(Counter, bills), Counter()))


def zscores(scores: np.ndarray) -> np.ndarray:
    """Scores as distances from their mean in standard deviations, over the finite ones; minus infinity stays.

    A spread of 0 gives 0 everywhere: such a side has no opinion. So does one that is no wider than what float32 rounds:
    equal texts may score 6e-8 apart, by their places in a product, and z-scores would make that a difference of 2.

    >>> zscores(np.array([1.0, 3.0, -np.inf])).tolist()
    [-1.0, 1.0, -inf]
    >>> zscores(np.array([0.5, np.nextafter(np.float32(0.5), np.float32(1))])).tolist()
    [0.0, 0.0]
    """
    scores = np.asarray(scores, np.float64)
    finite = np.isfinite(scores)
    answer = np.full(len(scores), -np.inf)
    if finite.any():
        spread, least = scores[finite].std(), ROUNDED * np.abs(scores[finite]).max()
        answer[finite] = (scores[finite] - scores[finite].mean()) / spread if spread > least else 0.0
    return answer
