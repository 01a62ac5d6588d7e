"""``lk.evaluate``: run a system over the judged queries of a collection and keep what it did, query by query.

A query that fails is counted as a failure, apart from one that scores 0. Queries without an answer are in no mean;
their best scores are kept beside those of the others. A look at a test split is counted for good.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labkit.bars import bar
from labkit.corpus.collection import Collection
from labkit.errors import LabError, check_count
from labkit.evaluation import ledger, metrics, peeks
from labkit.ranking.ranking import Ranking
from labkit.ranking.rerankers import configuration_of
from labkit.ranking.two_stage import Searcher, TwoStage

WITHHELD = "no quality figure: a stand-in scored, not the service. Run it with live=True and a key."


@dataclass(frozen=True)
class Evaluation:
    """What a system reached on a collection.

    Attributes
    ----------
    metrics : measure to mean over ``queries`` queries; None each where a stand-in scored
    per_query : query id to measure to value
    latency_ms : ``p50`` and ``p95`` of one query, in milliseconds; None each where scores were looked up
    failures : query id to the error that kept it from being ranked; such a query scores 0
    fallbacks : query id to the word for why a guard left the first stage's order; such a ranking counts as it is
    unanswerable : how many queries have judgments but no positive one; they are in no mean
    rankings : query id to what was ranked, unanswerable queries included
    configuration : what decides the rankings
    fingerprint : of the collection's documents, queries and judgments
    seconds_per_1000 : mean seconds of one query, times 1,000, on this machine; None where scores were looked up
    looks : which look at this test split it was; 0 where the split is none
    run_id : the run's name in the ledger; "" where it was not logged
    """

    collection: str
    system: str
    split: str
    k: int
    metrics: dict[str, float | None]
    per_query: dict[str, dict[str, float | None]] = field(repr=False)
    latency_ms: dict[str, float | None] = field(repr=False, compare=False)
    failures: dict[str, str] = field(default_factory=dict, repr=False)
    unanswerable: int = 0
    drift: dict[str, int] = field(default_factory=dict, repr=False)
    rankings: dict[str, Ranking] = field(default_factory=dict, repr=False, compare=False)
    configuration: dict[str, Any] = field(default_factory=dict, repr=False)
    fingerprint: str = ""
    seconds_per_1000: float | None = field(default=None, repr=False, compare=False)
    looks: int = field(default=0, compare=False)
    run_id: str = field(default="", compare=False)
    fallbacks: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def queries(self) -> int:
        """How many queries the means are over."""
        return len(self.per_query)

    def false_accepts(self, recall: float = 0.9) -> float:
        """Which share of the queries without an answer passes the threshold that keeps ``recall`` of the others.

        Raises a LabError if the split has no query without an answer.
        """
        best = {q: ranking[0].score if len(ranking) else -math.inf for q, ranking in self.rankings.items()}
        without = [score for q, score in best.items() if q not in self.per_query]
        return metrics.false_accepts([score for q, score in best.items() if q in self.per_query], without, recall)

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
        known = {name: value for name, value in self.metrics.items() if value is not None}
        values = "  ".join(f"{name} {value:.3f}" for name, value in known.items()) or WITHHELD
        failed = f", {len(self.failures)} FAILED" if self.failures else ""
        failed += f", {len(self.fallbacks)} FELL BACK" if self.fallbacks else ""
        drift = ", ".join(f"{count} documents {what}" for what, count in self.drift.items() if count)
        return (
            f"{self.system} on {self.collection} ({self.split}, {self.queries} queries, k={self.k}{failed}): {values}"
            + (f"  [drift: {drift}]" if drift else "")
            + (f"  [{peeks.told(self.looks)}]" if self.looks else "")
        )


def evaluate(
    system: Searcher | TwoStage,
    collection: Collection,
    split: str | None = None,
    k: int = 100,
    progress: bool = False,
    note: str = "",
) -> Evaluation:
    """Run a system over a collection's judged queries and measure it. The run is written to the ledger.

    A system with a stand-in in it is run and timed, not measured: its metrics are None, and no ledger takes it. Raises
    a LabError if the split has no query with a positive judgment, if a grade is negative or fractional, if every query
    fails, or if no document that came is one of the collection's.

    What is searched is what the system was built over; the collection asks and judges. So two ways to prepare texts are
    compared by two systems and one collection.

    Parameters
    ----------
    system : a first stage, or a TwoStage (which runs with ``top_n = k``)
    collection : Collection
    split : ``"dev"`` where there is one, else ``"all"``, unless named
    k : how deep to rank
    progress : show a bar over the queries
    note : why you ran it, for the ledger
    """
    run = measured(system, collection, split or collection.default_split, k, progress)
    return run if None in run.metrics.values() else ledger.record(run, note)


def _require_shared_ids(rankings: Mapping[str, Ranking], system: str, collection: Collection) -> None:
    """Refuse rankings of which no document is one of the collection's: its ids are spelled another way."""
    came = [doc for ranking in rankings.values() for doc in ranking.ids]
    if came and collection.docs.keys().isdisjoint(came):
        raise LabError(
            f"{system} ranks documents that {collection.name} does not have: it says {came[0]!r}, the collection "
            f"{next(iter(collection.docs))!r}. Ids must be the same strings."
        )


def measured(
    system: Searcher | TwoStage, collection: Collection, split: str, k: int = 100, progress: bool = False,
    looks: int | None = None,
) -> Evaluation:  # fmt: skip
    """What `evaluate` does, without a line in the ledger. ``looks``: the look it is part of, if one was counted."""
    check_count(k, "k")
    part = collection.split(split)
    qrels = metrics.positive(part.qrels)
    if not qrels:
        raise LabError(
            f"{collection.name} has no query with a positive judgment in {split!r}; there is nothing to measure."
        )
    rankings: dict[str, Ranking] = {}
    failures: dict[str, str] = {}
    seconds = []
    looks = peeks.look(collection, split, system.name, k) if looks is None else looks
    for query_id in bar([q for q in part.queries if part.qrels.get(q)], what=system.name, unit="query", show=progress):
        began = time.perf_counter()
        try:
            rankings[query_id] = ask(system, part.queries[query_id], k)
            seconds.append(math.nan if rankings[query_id].looked_up else time.perf_counter() - began)
        except Exception as error:  # one bad query must not lose the others
            failures[query_id] = f"{type(error).__name__}: {error}"
    if not rankings.keys() & qrels.keys():
        raise LabError(f"every query failed; the first: {next(iter(failures.values()))}")
    _require_shared_ids(rankings, system.name, collection)
    per_query = metrics.measure({q: rankings[q].ids for q in qrels if q in rankings}, qrels)
    means = metrics.means(per_query)
    withheld = isinstance(system, TwoStage) and system.stand_in
    if withheld:
        means, per_query = dict.fromkeys(means), {q: dict.fromkeys(means) for q in per_query}
    return Evaluation(
        collection.name, system.name, split, k, means, per_query, latency(seconds), failures,
        sum(bool(grades) for grades in part.qrels.values()) - len(qrels),
        {what: collection.drift[what] for what in ("missing", "changed") if collection.drift.get(what)},
        rankings, configuration(system, k), part.fingerprint, per_1000(seconds), looks,
        fallbacks={q: ranking.fallback for q, ranking in rankings.items() if ranking.fallback},
    )  # fmt: skip


def configuration(system: Any, k: int) -> dict[str, Any]:
    """What decides a system's rankings, repairs of its texts included. One that does not tell counts by its name."""
    told = configuration_of(system)
    texts = getattr(getattr(system, "collection", None), "preparation", {})
    told = told if "first" in told else {"first": told, "reranker": None}
    return {**told, "k": k, **({"texts": texts} if texts else {})}


def ask(system: Searcher | TwoStage, query: str, k: int) -> Ranking:
    """One query's ranking of ``k`` documents; a `LabError` for a score that is NaN."""
    ranking = system.search(query, k=k, top_n=k) if isinstance(system, TwoStage) else system.search(query, k=k)
    if any(hit.score is not None and math.isnan(hit.score) for hit in ranking):
        raise LabError("a score is NaN, so the order means nothing.")
    return ranking


def per_1000(seconds: Sequence[float]) -> float | None:
    """Seconds for 1,000 queries; None where one was looked up."""
    mean = float(np.mean(seconds))
    return None if math.isnan(mean) else round(1000 * mean, 3)


def latency(seconds: Sequence[float]) -> dict[str, float | None]:
    """``p50`` and ``p95`` in milliseconds; None each where one was looked up."""
    if np.isnan(seconds).any():
        return {"p50": None, "p95": None}
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}
