"""Metrics by ir_measures, per query first. A failure is counted apart from a zero.

nDCG@10 (linear gains, as trec_eval), RR@10, R@100 and Judged@10, over the queries that have at least one positive
judgment. A query without a ranking scores 0 and stays in the mean. Queries without an answer are counted apart.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labkit.corpus.collection import Collection
from labkit.errors import LabError, check_count
from labkit.progress import bar
from labkit.ranking.ranking import Ranking
from labkit.ranking.two_stage import Searcher, TwoStage

MEASURES = ("nDCG@10", "RR@10", "R@100", "Judged@10")


@dataclass(frozen=True)
class Evaluation:
    """What a system reached on a collection.

    Attributes
    ----------
    metrics : measure to mean over ``queries`` queries
    per_query : query id to measure to value
    latency_ms : ``p50`` and ``p95`` of one query, in milliseconds
    failures : query id to the error that kept it from being ranked; such a query scores 0
    unanswerable : how many queries have judgments but no positive one; they are in no mean
    """

    collection: str
    system: str
    split: str
    k: int
    metrics: dict[str, float]
    per_query: dict[str, dict[str, float]] = field(repr=False)
    latency_ms: dict[str, float] = field(repr=False, compare=False)
    failures: dict[str, str] = field(default_factory=dict, repr=False)
    unanswerable: int = 0
    drift: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def queries(self) -> int:
        """How many queries the means are over."""
        return len(self.per_query)

    def to_dict(self) -> dict[str, Any]:
        """The JSON that ``labkit evaluate --json`` prints."""
        return {
            "collection": self.collection,
            "system": self.system,
            "queries": self.queries,
            "metrics": self.metrics,
            "latency_ms": self.latency_ms,
            "failures": len(self.failures),
        }

    def __repr__(self) -> str:
        values = "  ".join(f"{name} {value:.3f}" for name, value in self.metrics.items())
        failed = f", {len(self.failures)} FAILED" if self.failures else ""
        drift = ", ".join(f"{count} documents {what}" for what, count in self.drift.items() if count)
        return (
            f"{self.system} on {self.collection} ({self.split}, {self.queries} queries, k={self.k}{failed}): {values}"
            + (f"  [drift: {drift}]" if drift else "")
        )


def evaluate(
    system: Searcher | TwoStage,
    collection: Collection,
    split: str | None = None,
    k: int = 100,
    progress: bool = False,
) -> Evaluation:
    """Run a system over a collection's judged queries and measure it.

    Parameters
    ----------
    system : a first stage, or a TwoStage (which runs with ``top_n = k``)
    collection : Collection
    split : ``"dev"`` where there is one, else ``"all"``, unless named
    k : how deep to rank
    progress : show a bar over the queries

    Raises
    ------
    LabError
        If the split has no query with a positive judgment, or if every query fails.
    """
    check_count(k, "k")
    split = split or ("dev" if "dev" in collection.splits else "all")
    part = collection.split(split)
    positive = [q for q in part.queries if any(grade > 0 for grade in part.qrels.get(q, {}).values())]
    if not positive:
        raise LabError(
            f"{collection.name} has no query with a positive judgment in {split!r}; there is nothing to measure."
        )
    run: dict[str, list[str]] = {}
    failures: dict[str, str] = {}
    seconds = []
    for query_id in bar(positive, what=system.name, unit="query", show=progress):
        began = time.perf_counter()
        try:
            run[query_id] = _search(system, part.queries[query_id], k).ids
            seconds.append(time.perf_counter() - began)
        except Exception as error:  # one bad query must not lose the others
            failures[query_id] = f"{type(error).__name__}: {error}"
    if not run:
        raise LabError(f"every query failed; the first: {next(iter(failures.values()))}")
    qrels = {query_id: part.qrels[query_id] for query_id in positive}
    per_query = measure(run, qrels)
    return Evaluation(
        collection.name, system.name, split, k, _means(per_query), per_query, _latency(seconds), failures,
        sum(bool(part.qrels.get(q)) for q in part.queries) - len(positive),
        {what: collection.drift[what] for what in ("missing", "changed") if collection.drift.get(what)},
    )  # fmt: skip


def measure(run: Mapping[str, Sequence[str]], qrels: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, float]]:
    """Measures of rankings: query id to measure to value, for every query with a positive judgment.

    Parameters
    ----------
    run : query id to document ids, best first; a query that is absent scores 0
    qrels : query id to document id to grade

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
    judged = {q: dict(grades) for q, grades in qrels.items() if any(grade > 0 for grade in grades.values())}
    # The rank is the score: trec_eval would break ties between scores by document id.
    scored = {q: {d: float(-rank) for rank, d in enumerate(run.get(q, ()), start=1)} for q in judged}
    values = {q: dict.fromkeys(MEASURES, 0.0) for q in judged}
    measures = {str(m): m for m in (ir_measures.parse_measure(name) for name in MEASURES)}
    for result in ir_measures.iter_calc(list(measures.values()), judged, {q: d for q, d in scored.items() if d}):
        values[result.query_id][str(result.measure)] = float(result.value)
    return values


def _search(system: Searcher | TwoStage, query: str, k: int) -> Ranking:
    return system.search(query, k=k, top_n=k) if isinstance(system, TwoStage) else system.search(query, k=k)


def _means(per_query: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([values[name] for values in per_query.values()])) for name in MEASURES}


def _latency(seconds: Sequence[float]) -> dict[str, float]:
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}
