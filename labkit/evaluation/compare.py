"""``lk.compare``: is a difference between two systems more than luck?

Both ran on the same queries, so everything rests on the differences query by query: a bootstrap interval of their
mean, a permutation test that swaps the two systems' labels, and the smallest difference that so many queries could
have shown. Intervals and tests by scipy.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from labkit.errors import LabError
from labkit.evaluation import peeks
from labkit.evaluation.statistics import LEVEL, holm, interval, permutation_p, smallest_effect

if TYPE_CHECKING:
    from labkit.evaluation.evaluate import Evaluation


@dataclass(frozen=True)
class Comparison:
    """What two runs over the same queries say about the difference between their systems.

    Attributes
    ----------
    delta : mean difference, after minus before
    low, high : its 95 % bootstrap interval
    p : two-sided permutation p-value; ``p_holm`` the same after Holm's correction for all comparisons made together
    smallest : the true difference that a test at 5 % with so many queries would find in 4 of 5 experiments
    wins, ties, losses : queries on which after is better, equal, worse
    deltas : query id to difference
    failed : queries that failed in either run and count 0 there
    """

    before: str
    after: str
    measure: str
    means: tuple[float, float]
    delta: float
    low: float
    high: float
    p: float
    p_holm: float
    smallest: float
    wins: int
    ties: int
    losses: int
    deltas: dict[str, float] = field(repr=False)
    failed: int = 0
    looks: int = 0

    @property
    def queries(self) -> int:
        """How many queries it rests on."""
        return len(self.deltas)

    @property
    def relative(self) -> float:
        """The difference as a share of the mean before; NaN where that is 0."""
        return self.delta / self.means[0] if self.means[0] else math.nan

    @property
    def verdict(self) -> str:
        """One of ``"better"``, ``"worse"`` and ``"cannot tell"``, by the corrected p-value at 5 %."""
        return "cannot tell" if self.p_holm > LEVEL else "better" if self.delta > 0 else "worse"

    def biggest(self, n: int = 3) -> list[str]:
        """The ``n`` queries that gained most, then the ``n`` that lost most, the largest first."""
        order = sorted(self.deltas, key=lambda query: (-self.deltas[query], query))
        gained = [query for query in order[:n] if self.deltas[query] > 0]
        return gained + [query for query in order[::-1][:n] if self.deltas[query] < 0]

    def to_text(self) -> str:
        """Three lines: the difference, how sure, and what so many queries can show at all."""
        corrected = f", {_p(self.p_holm)} corrected" if self.p_holm != self.p else ""
        failed = f", {self.failed} of them FAILED" if self.failed else ""
        looks = f"\n{peeks.told(self.looks)}" if self.looks else ""
        return (
            f"{self.after} against {self.before}, {self.measure}, {self.queries} queries{failed}: "
            f"{self.means[0]:.3f} → {self.means[1]:.3f}, {self.delta:+.3f} ({self.relative:+.0%})\n"
            f"95 % interval {self.low:+.3f} to {self.high:+.3f}; {_p(self.p)}{corrected}: {self.verdict}; "
            f"{self.wins} wins, {self.ties} ties, {self.losses} losses\n"
            f"smallest difference that so many queries show in 4 of 5 experiments: {self.smallest:.3f}{looks}"
        )

    def __repr__(self) -> str:
        return self.to_text()


class Comparisons(tuple):
    """Comparisons made together; each p-value is corrected for all of them."""

    def to_frame(self):
        """A row a comparison, as a pandas table."""
        import pandas as pd

        names = ("before", "after", "delta", "low", "high", "relative", "p", "p_holm", "verdict")
        names += ("wins", "ties", "losses", "smallest", "queries")
        rows = [{name: getattr(c, name) for name in names} for c in self]
        return pd.DataFrame(rows).rename(columns={"p_holm": "p corrected"})

    def __repr__(self) -> str:
        return "\n\n".join(c.to_text() for c in self)

    def _repr_html_(self) -> str:
        looks = max((c.looks for c in self), default=0)
        note = f"<p>{peeks.told(looks)}</p>" if looks else ""
        return self.to_frame().round(3).to_html(index=False, border=0) + note


def compare(
    before: Evaluation | Iterable[Evaluation],
    after: Evaluation | Iterable[Evaluation],
    measure: str = "nDCG@10",
    queries: Iterable[str] | None = None,
) -> Comparison | Comparisons:
    """Hold one run against another, or several pairs at once with Holm's correction.

    Raises a LabError for runs over different queries or different texts or judgments, for no query at all, and for a
    measure that the runs do not have.

    Parameters
    ----------
    before, after : runs over the same queries. Where one is a list, each of its runs is held against the other run;
        where both are, they are paired in order
    measure : a measure of the runs
    queries : ids to restrict the comparison to, such as one kind; all if None
    """
    several = [isinstance(side, Iterable) for side in (before, after)]
    if not any(several):
        return _compared([(before, after)], measure, queries)[0]  # type: ignore[list-item]
    sides = [list(side) if is_list else [side] for side, is_list in zip((before, after), several, strict=True)]
    count = max(len(side) for side, is_list in zip(sides, several, strict=True) if is_list)
    sides = [side if is_list else side * count for side, is_list in zip(sides, several, strict=True)]
    if len(sides[0]) != len(sides[1]) or not count:
        raise LabError(f"needs as many runs before as after, one at least; got {len(sides[0])} and {len(sides[1])}.")
    return Comparisons(_compared(list(zip(*sides, strict=True)), measure, queries))


def differences(
    before: Evaluation, after: Evaluation, measure: str, queries: Iterable[str] | None = None
) -> dict[str, float]:
    """Query id to difference, once both runs are over the same queries and data."""
    if before.fingerprint != after.fingerprint or before.per_query.keys() != after.per_query.keys():
        alone = sorted(before.per_query.keys() ^ after.per_query.keys())
        what = f"queries; only one has {', '.join(alone[:3])}" if alone else "texts or judgments"
        raise LabError(
            f"{before.system} and {after.system} ran over different {what}. Run evaluate again for both, on one split."
        )
    wanted = list(before.per_query) if queries is None else [q for q in queries if q in before.per_query]
    if not wanted:
        raise LabError("none of these queries is in the runs, or none has a positive judgment; nothing to compare.")
    for run in (before, after):
        if run.metrics.get(measure, 0.0) is None:
            raise LabError(f"{run.system} has no quality figure to compare: a stand-in scored, not the service.")
    if measure not in before.metrics:
        raise LabError(f"the runs have no measure {measure!r}; they have {', '.join(before.metrics)}.")
    return {q: after.per_query[q][measure] - before.per_query[q][measure] for q in wanted}


def _compared(pairs: list[tuple[Evaluation, Evaluation]], measure: str, queries: Iterable[str] | None):
    wanted = None if queries is None else list(queries)
    found = [differences(a, b, measure, wanted) for a, b in pairs]
    p_values = [permutation_p(list(deltas.values())) for deltas in found]
    return [
        _comparison(a, b, measure, deltas, p, corrected)
        for (a, b), deltas, p, corrected in zip(pairs, found, p_values, holm(p_values), strict=True)
    ]


def _comparison(
    before: Evaluation, after: Evaluation, measure: str, deltas: dict[str, float], p: float, corrected: float
) -> Comparison:
    values = np.array(list(deltas.values()))
    means = tuple(float(np.mean([run.per_query[q][measure] for q in deltas])) for run in (before, after))
    low, high = interval(values)
    return Comparison(
        before.system, after.system, measure, means, float(values.mean()), low, high, p, corrected,
        smallest_effect(len(values), float(values.std(ddof=1)) if len(values) > 1 else 0.0),
        int((values > 0).sum()), int((values == 0).sum()), int((values < 0).sum()), deltas,
        len((before.failures.keys() | after.failures.keys()) & deltas.keys()), max(before.looks, after.looks),
    )  # fmt: skip


def _p(value: float) -> str:
    return f"p = {value:.4f}" if value < 0.01 else f"p = {value:.3f}"
