"""Metrics by ir_measures, per query. A ranking that is missing scores 0, and is told apart from a failure elsewhere.

nDCG@10 (linear gains, as trec_eval), RR@10, R@100 and Judged@10, over the queries that have at least one positive
judgment. And how much of an exact search an approximate one finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral

import numpy as np

from labkit.errors import LabError, check_count
from labkit.ranking.ranking import Ranking

MEASURES = ("nDCG@10", "RR@10", "R@100", "Judged@10")


def measure(run: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, float]]:
    """Measures of rankings: query id to measure to value, for every query with a positive judgment.

    Raises a LabError for a ranking that names a document twice, and for a grade that is negative or no whole number.

    Parameters
    ----------
    run : query id to document ids, best first; a query that is absent scores 0
    qrels : query id to document id to grade, a whole number from 0

    Example
    -------
    The one relevant document stands second: RR is 1/2, nDCG is 1 / log2(3).

    >>> values = measure({"q": ["b", "a"]}, {"q": {"a": 1, "b": 0}})["q"]
    >>> {name: round(value, 3) for name, value in values.items()}
    {'nDCG@10': 0.631, 'RR@10': 0.5, 'R@100': 1.0, 'Judged@10': 1.0}
    """
    import ir_measures

    for query_id, doc_ids in run.items():
        if len(set(doc_ids)) != len(doc_ids):
            raise LabError(f"a ranking must name a document once; query {query_id!r} repeats one.")
    judged = positive(qrels)
    # The rank is the score: trec_eval would break ties between scores by document id.
    scored = {q: {d: float(-rank) for rank, d in enumerate(run.get(q, ()), start=1)} for q in judged}
    values = {q: dict.fromkeys(MEASURES, 0.0) for q in judged}
    measures = {str(m): m for m in (ir_measures.parse_measure(name) for name in MEASURES)}
    for result in ir_measures.iter_calc(list(measures.values()), judged, {q: d for q, d in scored.items() if d}):
        values[result.query_id][str(result.measure)] = float(result.value)
    return values


def positive(qrels: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """The judgments of the queries that have a positive one.

    Raises a LabError for a grade that is negative or no whole number.
    """
    for query_id, grades in qrels.items():
        for doc_id, grade in grades.items():
            if isinstance(grade, bool) or not isinstance(grade, Integral) or grade < 0:
                raise LabError(f"a grade must be a whole number from 0; got {grade!r} for {query_id!r}, {doc_id!r}.")
    return {q: dict(grades) for q, grades in qrels.items() if any(grade > 0 for grade in grades.values())}


def means(per_query: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Each measure's mean over all queries."""
    return {name: float(np.mean([values[name] for values in per_query.values()])) for name in MEASURES}


def false_accepts(answerable: Sequence[float], unanswerable: Sequence[float], recall: float = 0.9) -> float:
    """Which share of the queries without an answer passes a threshold on the best score.

    The threshold is the highest that lets ``recall`` of the answerable queries pass. In practice it would be chosen on
    other queries than these, so the share is a lower bound.

    Parameters
    ----------
    answerable, unanswerable : the first document's score for each query; minus infinity where nothing was found
    recall : from above 0 to 1

    Example
    -------
    Nine in ten of the answerable score 2 or more, and so does one of the two others.

    >>> false_accepts(range(1, 11), [0.5, 7.0])
    0.5
    """
    if not 0 < recall <= 1:
        raise LabError(f"recall must be above 0 and at most 1; got {recall!r}.")
    if not len(answerable) or not len(unanswerable):
        raise LabError("false accepts need the scores of queries with an answer and of queries without one.")
    kept = int(np.ceil(recall * len(answerable) - 1e-9))
    threshold = np.sort(np.asarray(answerable, np.float64))[::-1][kept - 1]
    return float(np.mean(np.asarray(unanswerable, np.float64) >= threshold))


def recall_against(found: Sequence[Ranking], truth: Sequence[Ranking], top: int = 10, k: int = 100) -> np.ndarray:
    """[Nq] float64: for each query the share of the truth's first ``top`` documents in the first ``k`` found.

    Raises a LabError for different queries, for a truth without hits, and for top or k below 1.

    Parameters
    ----------
    found, truth : rankings of the same queries in the same order; the truth from a search that misses nothing

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
