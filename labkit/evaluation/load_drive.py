"""The load test's clockwork: arrivals, workers that take queries from one line, and what became of each.

Open loop: arrivals are laid out before the clock starts, and a latency runs from the scheduled arrival to the end. So
waiting counts, and a slow system cannot slow down its own questions (coordinated omission).
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np

from labkit.errors import LabError

MOST_QUERIES = 1_000_000


class Fresh(str):
    """A query that equals no other, even of the same words, so that no encoder's cache knows it from before.

    Within one search it equals itself: parts of a pipeline that share an encoder still encode it once.
    """

    __slots__ = ()
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other


class Clock:
    """Seconds, and how to wait for them; tests bring their own."""

    def now(self) -> float:
        return time.perf_counter()

    def wait_until(self, moment: float) -> None:
        time.sleep(max(0.0, moment - self.now()))


@dataclass(frozen=True, eq=False)
class Run:
    """What happened to n queries, in seconds since the clock started.

    Attributes
    ----------
    arrivals, starts, ends : [n]; starts and ends are NaN for a query that had not begun at ``until``
    errors : number of a query to what it failed with
    cpu : CPU seconds of this process meanwhile
    """

    arrivals: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    errors: dict[int, str]
    until: float = math.inf
    cpu: float = 0.0


def arrivals_at(rate: float, seconds: float, seed: int) -> np.ndarray:
    """Arrival times [n] of a Poisson process in seconds, given that n = rate × seconds of them come.

    Given their number, such arrivals are sorted uniform draws. So the offered rate is exactly the one asked for.
    """
    return np.sort(np.random.default_rng(seed).uniform(0, seconds, how_many(rate, seconds)))


def drive(
    serve: Callable[[str], object], queries: Sequence[str], arrivals: np.ndarray, workers: int = 1,
    until: float = math.inf, clock: Clock | None = None,
) -> Run:  # fmt: skip
    """Serve query i at ``arrivals[i]`` or, when all workers are busy, once those before it are taken and one is free.

    An idle worker takes the next query and waits for its arrival, so nobody has to send them. Each query is `Fresh`.
    """
    clock, stopped = clock or Clock(), threading.Event()
    starts, ends, errors = np.full(len(arrivals), np.nan), np.full(len(arrivals), np.nan), {}
    line: SimpleQueue[int | None] = SimpleQueue()
    for number in [*range(len(arrivals)), *[None] * workers]:  # a None sends a worker home
        line.put(number)
    began, cpu = clock.now(), time.process_time()

    def work() -> None:
        for i in iter(line.get, None):
            clock.wait_until(began + arrivals[i])
            if stopped.is_set() or clock.now() - began >= until:
                return
            starts[i] = clock.now() - began
            try:
                serve(Fresh(queries[i]))
            except Exception as error:  # counted; one bad query must not end the test
                errors[i] = f"{type(error).__name__}: {error}"
            ends[i] = clock.now() - began

    threads = [threading.Thread(target=work, daemon=True) for _ in range(workers)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        stopped.set()  # after an interrupt, the workers finish what they have in hand
    return Run(arrivals, starts, ends, errors, until, time.process_time() - cpu)


def summary(run: Run, rate: float, seconds: float, workers: int = 1) -> dict[str, Any]:
    """One rate's row. A failed query has no latency; one left over has the least that it can be.

    ``utilisation`` is the busy share of the workers while queries arrive. Failed queries have service times too.
    """
    ended, failed = ~np.isnan(run.ends), np.isin(np.arange(len(run.arrivals)), list(run.errors))
    latency = (np.where(ended, run.ends, run.until) - run.arrivals)[~failed]
    percentiles = np.percentile(latency * 1000, [50, 95, 99]).round(2).tolist() if len(latency) else [None] * 3
    service = (run.ends - run.starts)[ended]
    load = rate * float(service.mean()) / workers if len(service) else None
    busy = np.nansum(np.minimum(run.ends, seconds) - np.minimum(run.starts, seconds))
    left_over = int((~ended).sum())
    return {
        "rate": rate, "queries": len(run.arrivals),
        "achieved": int((ended & ~failed & (run.ends <= seconds)).sum()) / seconds,
        "ms": dict(zip(("p50", "p95", "p99"), percentiles, strict=True)),
        "service_ms": round(float(service.mean()) * 1000, 3) if len(service) else None,
        "utilisation": round(float(busy) / (workers * seconds), 4), "load": None if load is None else round(load, 4),
        "failures": len(run.errors), "first_failure": run.errors[min(run.errors)] if run.errors else None,
        "left_over": left_over, "saturated": left_over > 0 or load is None or load >= 1,
        "busy_seconds": round(float(service.sum()), 3), "cpu_seconds": round(run.cpu, 3),
    }  # fmt: skip


def saturation(rows: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """The highest rate that is not saturated, and the lowest that is."""
    kept, over = ([row["rate"] for row in rows if row["saturated"] is state] for state in (False, True))
    return {"highest_not_saturated": max(kept, default=None), "lowest_saturated": min(over, default=None)}


def how_many(rate: float, seconds: float) -> int:
    """How many queries come at that rate; a `LabError` if that makes no test."""
    count = round(rate * seconds)
    if not 1 <= count <= MOST_QUERIES:
        raise LabError(
            f"a rate must bring 1 to {MOST_QUERIES:,} queries; {rate:.4g} per second for {seconds:g} s are {count:,}. "
            "Give other seconds or another rate."
        )
    return count
