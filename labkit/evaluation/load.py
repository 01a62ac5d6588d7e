"""``labkit bench load``: what a pipeline does when questions come at a rate of their own, and what that costs.

Open loop: arrivals are laid out before the clock starts, and a latency runs from the scheduled arrival to the end. So
waiting counts, and a slow system cannot slow down its own questions (coordinated omission).

A rate saturates the workers when its work exceeds them: load = rate × mean service time / workers, measured at that
rate, is 1 or more; or when queries are left over. Simulated (one worker, service times ±40 %), 20 queries at 0.9 and at
1.1 of the capacity are told right 97 times in 100; by "5 % wait at the end" 20 at 0.9 are told wrong 2 times in 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from labkit.bars import bar, waiting
from labkit.corpus.collection import join_title
from labkit.corpus.pydocs import count_wordpieces
from labkit.errors import LabError, check_count, check_text, is_number
from labkit.evaluation import bench, load_report
from labkit.evaluation.load_cost import cost, hosted_usage
from labkit.evaluation.load_drive import Clock, Run, arrivals_at, drive, how_many, saturation, summary
from labkit.ranking.prices import read_prices

SECONDS = 8.0
FRACTIONS = (0.25, 0.5, 0.75, 0.9, 1.1, 1.5)  # of the capacity
UNLOADED = 100  # queries to find it with
PATIENCE = 2  # windows after which no query is begun any more
PROBES = 3  # of the floor, before each run


def load_test(
    system: Any, queries: Sequence[str], rates: Sequence[float] | None = None, seconds: float = SECONDS, k: int = 50,
    workers: int = 1, seed: int = 0, volume: int | None = None, prices: Path | None = None, progress: bool = False,
    clock: Clock | None = None,
) -> bench.Report:  # fmt: skip
    """Latency, saturation and cost of a pipeline at several rates.

    Parameters
    ----------
    system : whatever has ``search(query, k=k)``, a ``name`` and a ``collection``
    queries : texts to draw from; the pipeline is warmed on all of them, so that their documents are stored
    rates : queries per second; 0.25 to 1.5 times ``workers`` / unloaded service time if None
    seconds : how long queries arrive at each rate; what has not begun after twice as long is left over
    k : candidates
    workers : threads that take queries from one queue
    seed : of arrivals and draws
    volume : queries a month, to project costs
    prices : a table like ``data/prices.toml``, which is read if None
    progress : show bars
    clock : where time comes from

    Raises
    ------
    LabError
        For numbers that make no test, for no queries, for a malformed price table, and if every query fails unloaded.
    """
    check_load(rates, seconds, k, workers, volume)
    if isinstance(queries, str) or not (asked := list(queries)):
        raise LabError(f"a load test draws from a list of one query or more; got {queries!r}.")
    asked = [check_text(query, f"query {number}") for number, query in enumerate(asked)]
    table, machine = read_prices(prices), bench.banner()
    test = _Test(system, asked, k, seed, clock or Clock())
    usage = test.warm(progress)
    with waiting("load, one at a time", show=progress):
        mean = test.unloaded(seconds)
    rates = sorted(set(rates)) if rates else [fraction * workers / mean for fraction in FRACTIONS]
    rows = []
    for rate in rates:
        with waiting(f"load, {rate:.3g} a second", show=progress):
            rows.append(test.at(rate, seconds, workers))
    data = {
        "bench": "load", "machine": machine, "system": system.name, "collection": system.collection.name, "k": k,
        "queries": len(asked), "seconds": seconds, "workers": workers, "seed": seed,
        "unloaded_ms": round(mean * 1000, 3), "capacity": round(workers / mean, 3), "rates": rows, **saturation(rows),
        "cost": cost(rows, usage, table, volume), **bench.floor(test.floor),
    }  # fmt: skip
    return bench.Report(data, "\n".join(load_report.lines(data)))


def check_load(
    rates: Sequence[float] | None, seconds: float, k: int = 50, workers: int = 1, volume: int | None = None
) -> None:
    """Raise a `LabError` unless these numbers make a test, before anything is loaded for it."""
    for count, name in ((k, "k"), (workers, "workers"), (1 if volume is None else volume, "volume")):
        check_count(count, name)
    for number, name in ((seconds, "seconds"), *((rate, "a rate") for rate in rates or ())):
        if not is_number(number) or number <= 0:
            raise LabError(f"{name} must be a number above 0; got {number!r}.")
    for rate in rates or ():
        how_many(rate, seconds)


class _Test:
    """A pipeline, its queries, and what all its runs share. ``floor`` is filled with the probe's seconds."""

    def __init__(self, system: Any, queries: Sequence[str], k: int, seed: int, clock: Clock) -> None:
        self.system, self.queries, self.k, self.seed, self.clock = system, queries, k, seed, clock
        self.random, self.probe, self.floor = np.random.default_rng(seed), bench.probe(), []

    def warm(self, progress: bool) -> dict[str, float]:
        """Ask each query once. Returns what a hosted reranker would be billed for its candidates, in the mean."""
        candidates = getattr(self.system, "candidates", self.system.search)
        docs, sizes, usages = self.system.collection.docs, {}, []
        for query in bar(list(dict.fromkeys(self.queries)), what="warm", unit="query", show=progress):
            try:
                self.system.search(query, k=self.k)
                ids = candidates(query, k=self.k).ids
            except Exception:  # it fails again in the runs, and is counted there
                continue
            new = [i for i in ids if i not in sizes]
            texts = [join_title(docs[i].title, docs[i].text) for i in new]
            length, *found = count_wordpieces([query, *texts])
            sizes.update(zip(new, found, strict=True))
            usages.append(hosted_usage([sizes[i] for i in ids], length))
        return {name: round(float(np.mean([u[name] for u in usages] or [0])), 3) for name in hosted_usage([])}

    def unloaded(self, seconds: float) -> float:
        """Mean seconds of a query, one after the other, for at most ``seconds``."""
        run = self._run(np.zeros(UNLOADED), 1, seconds)
        spent = np.delete(run.ends - run.starts, list(run.errors))
        if np.isnan(spent).all():
            raise LabError(f"every query failed, so there is nothing to time; the first: {run.errors[0]}")
        return float(np.nanmean(spent))

    def at(self, rate: float, seconds: float, workers: int) -> dict[str, Any]:
        """One rate's row."""
        run = self._run(arrivals_at(rate, seconds, self.seed), workers, PATIENCE * seconds)
        return summary(run, rate, seconds, workers)

    def _run(self, arrivals: np.ndarray, workers: int, until: float) -> Run:
        self.floor.extend(self.probe() for _ in range(PROBES))
        drawn = [self.queries[i] for i in self.random.integers(len(self.queries), size=len(arrivals))]
        return drive(lambda query: self.system.search(query, k=self.k), drawn, arrivals, workers, until, self.clock)
