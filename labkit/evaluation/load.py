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
from labkit.evaluation import bench
from labkit.evaluation.load_cost import cost, hosted_usage, report_lines
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

    Raises a LabError for numbers that make no test, for no queries, for a malformed price table, and if every query
    fails unloaded.

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
    """
    check_load(rates, seconds, k, workers, volume)
    if isinstance(queries, str) or not (asked := list(queries)):
        raise LabError(f"a load test draws from a list of one query or more; got {queries!r}.")
    asked = [check_text(query, f"query {number}") for number, query in enumerate(asked)]
    table, machine, probe = read_prices(prices), bench.banner(), bench.probe()
    draw, floor = np.random.default_rng(seed), []

    def run(arrivals: np.ndarray, workers: int, until: float) -> Run:
        floor.extend(probe() for _ in range(PROBES))
        drawn = [asked[i] for i in draw.integers(len(asked), size=len(arrivals))]
        return drive(lambda query: system.search(query, k=k), drawn, arrivals, workers, until, clock)

    usage = _warmed(system, asked, k, progress)
    with waiting("load, one at a time", show=progress):
        mean = _unloaded(run(np.zeros(UNLOADED), 1, seconds))
    rates = sorted(set(rates)) if rates else [fraction * workers / mean for fraction in FRACTIONS]
    rows = []
    for rate in rates:
        with waiting(f"load, {rate:.3g} a second", show=progress):
            served = run(arrivals_at(rate, seconds, seed), workers, PATIENCE * seconds)
        rows.append(summary(served, rate, seconds, workers))
    data = {
        "bench": "load", "machine": machine, "system": system.name, "collection": system.collection.name, "k": k,
        "queries": len(asked), "seconds": seconds, "workers": workers, "seed": seed,
        "unloaded_ms": round(mean * 1000, 3), "capacity": round(workers / mean, 3), "rates": rows, **saturation(rows),
        "cost": cost(rows, usage, table, volume), **bench.floor(floor),
    }  # fmt: skip
    return bench.Report(data, "\n".join(report_lines(data)))


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


def _warmed(system: Any, queries: Sequence[str], k: int, progress: bool) -> dict[str, float]:
    """Ask each query once. Returns what a hosted reranker would be billed for its candidates, in the mean."""
    candidates = getattr(system, "candidates", system.search)
    docs, sizes, usages = system.collection.docs, {}, []
    for query in bar(list(dict.fromkeys(queries)), what="warm", unit="query", show=progress):
        try:
            system.search(query, k=k)
            ids = candidates(query, k=k).ids
        except Exception:  # it fails again in the runs, and is counted there
            continue
        new = [i for i in ids if i not in sizes]
        texts = [join_title(docs[i].title, docs[i].text) for i in new]
        length, *found = count_wordpieces([query, *texts])
        sizes.update(zip(new, found, strict=True))
        usages.append(hosted_usage([sizes[i] for i in ids], length))
    return {name: round(float(np.mean([u[name] for u in usages] or [0])), 3) for name in hosted_usage([])}


def _unloaded(run: Run) -> float:
    """Mean seconds of a query, one after the other."""
    spent = np.delete(run.ends - run.starts, list(run.errors))
    if np.isnan(spent).all():
        raise LabError(f"every query failed, so there is nothing to time; the first: {run.errors[0]}")
    return float(np.nanmean(spent))
