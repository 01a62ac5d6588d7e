"""How much of an exact search an approximate one finds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from labkit.errors import LabError, check_count
from labkit.ranking.ranking import Ranking


def recall_against(found: Sequence[Ranking], truth: Sequence[Ranking], top: int = 10, k: int = 100) -> np.ndarray:
    """[Nq] float64: for each query the share of the truth's first ``top`` documents in the first ``k`` found.

    Parameters
    ----------
    found, truth : rankings of the same queries in the same order; the truth from a search that misses nothing

    Raises
    ------
    LabError
        For different queries, for a truth without hits, and for top or k below 1.

    >>> from labkit import Ranking
    >>> from labkit.ranking.ranking import Hit
    >>> ranked = lambda *ids: Ranking("q", tuple(Hit(i, rank, 0.0) for rank, i in enumerate(ids, start=1)))
    >>> recall_against([ranked("c", "a")], [ranked("a", "b", "c")], top=2).tolist()
    [0.5]
    """
    check_count(top, "top")
    check_count(k, "k")
    if [one.query for one in found] != [one.query for one in truth]:
        raise LabError("found and truth must be rankings of the same queries in the same order.")
    if empty := [one.query for one in truth if not len(one)]:
        raise LabError(f"the truth must have hits; it has none for {empty[0]!r}. Leave such queries out.")
    pairs = zip(found, truth, strict=True)
    return np.array([np.isin(right.ids[:top], one.ids[:k]).mean() for one, right in pairs], np.float64)
