"""What a mean of paired differences is worth: intervals, tests and power, by scipy, and Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from labkit.errors import LabError

LEVEL = 0.05
POWER = 0.8
RESAMPLES = 9_999
EXACT_UP_TO = 20  # differences other than 0: 2^20 swaps can all be tried
SEED = 0


def interval(deltas: Sequence[float] | np.ndarray, resamples: int = RESAMPLES, seed: int = SEED) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of differences [n]; a single point where all are equal.

    The percentile interval is too narrow for few queries, so it is taken at a wider level, by which a normal sample
    would be covered exactly: Hesterberg, What Teachers Should Know About the Bootstrap, 2015, section 5.3.
    """
    from scipy import stats

    values = _values(deltas)
    if values.min() == values.max():
        return float(values[0]), float(values[0])
    n = len(values)
    wider = 2 * stats.norm.cdf(math.sqrt(n / (n - 1)) * stats.t.ppf(1 - LEVEL / 2, n - 1)) - 1
    found = stats.bootstrap(
        (values,), np.mean, confidence_level=wider, n_resamples=resamples, method="percentile",
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def permutation_p(deltas: Sequence[float] | np.ndarray, resamples: int = RESAMPLES, seed: int = SEED) -> float:
    """Two-sided p-value of a mean difference, if the two labels of each query could as well be swapped.

    With at most 20 differences other than 0 every swap is tried and p is exact. Beyond, (c + 1) / (B + 1): c of B
    random swaps are as extreme (Phipson and Smyth 2010, https://doi.org/10.2202/1544-6115.1585), so p is never 0.

    Five wins and no loss can come about by luck in 2 of 2^5 ways:

    >>> permutation_p([0.1, 0.2, 0.3, 0.4, 0.5])
    0.0625
    """
    from scipy import stats

    values = _values(deltas)
    values = values[values != 0]  # a query without a difference is the same under both labels
    if len(values) < 2:
        return 1.0  # scipy asks for two; swapping the only one is as extreme
    exact = len(values) <= EXACT_UP_TO
    found = stats.permutation_test(
        (values,), lambda x, axis: x.mean(axis), permutation_type="samples", vectorized=True,
        n_resamples=np.inf if exact else resamples, rng=np.random.default_rng(seed), batch=10_000,
    )  # fmt: skip
    return float(found.pvalue)


def smallest_effect(queries: int, spread: float) -> float:
    """The true difference that a two-sided test at 5 % would find in 4 of 5 experiments with so many queries.

    Parameters
    ----------
    queries : how many there will be
    spread : standard deviation of the differences, from an earlier run; about 0.25 for nDCG@10 is common

    >>> round(smallest_effect(100, 0.25), 3)
    0.07
    """
    from scipy import stats

    if queries < 1 or spread < 0:
        raise LabError(f"needs one query or more and a spread from 0; got {queries} and {spread}.")
    return float((stats.norm.ppf(1 - LEVEL / 2) + stats.norm.ppf(POWER)) * spread / math.sqrt(queries))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: each p-value, as it would have to be if it were the only one.

    Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, 1979.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, np.float64)
    order, corrected = np.argsort(p, kind="stable"), np.empty(len(p))
    corrected[order] = np.maximum.accumulate(np.minimum(1.0, np.arange(len(p), 0, -1) * p[order]))
    return corrected.tolist()


def _values(deltas: Sequence[float] | np.ndarray) -> np.ndarray:
    values = np.asarray(deltas, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise LabError(f"differences must be finite numbers [n], one at least; got shape {values.shape}.")
    return values
