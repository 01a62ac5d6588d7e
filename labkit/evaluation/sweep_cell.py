"""One cell of a sweep: a configuration and what it reached. And two checks on cells: does one come out the same when it
is run again, and does dev's choice hold on test?
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labkit.errors import LabError
from labkit.evaluation import peeks
from labkit.evaluation.compare import Comparisons
from labkit.evaluation.grid import KNOBS, PLAIN, Knobs

SHOWN = "nDCG@10"
TOLERANCE = 5e-4  # three digits of a mean; scores may differ in the last bits between machines
COSTS = {"latency": "p50 latency, ms", "bytes": "bytes a token", "price": "USD for 1,000 queries"}


@dataclass(frozen=True)
class Cell:
    """One configuration and what it reached.

    Attributes
    ----------
    knobs : all values that decide it
    metrics : measure to mean; ``per_query`` are the nDCG@10 behind it, in the order of the sweep's queries
    low, high : 95 % bootstrap interval of the mean nDCG@10
    latency_ms : ``p50`` and ``p95`` of one query on the machine that ran it; None each where scores were looked up
    bytes_per_token : as the reranker keeps token vectors; None where it keeps none
    price : USD for 1,000 queries on this machine, kept busy; None where it is not known
    failures : queries that failed, and count 0
    run_id : its run in the ledger
    floor_spread : p90 over p10 of a fixed product's time while latencies were taken: how busy the machine was
    """

    knobs: Knobs
    system: str
    metrics: dict[str, float]
    per_query: tuple[float, ...] = field(repr=False)
    low: float
    high: float
    latency_ms: dict[str, float | None]
    bytes_per_token: float | None
    price: float | None
    failures: int = 0
    run_id: str = ""
    floor_spread: float = 1.0

    @property
    def quality(self) -> float:
        """Mean nDCG@10."""
        return self.metrics[SHOWN]

    def cost(self, what: str) -> float | None:
        """One of COSTS: ``"latency"`` (p50, ms), ``"bytes"`` a token, ``"price"`` of 1,000 queries."""
        if what not in COSTS:
            raise LabError(f"a cost must be one of {', '.join(COSTS)}; got {what!r}.")
        return {"latency": self.latency_ms["p50"], "bytes": self.bytes_per_token, "price": self.price}[what]

    @staticmethod
    def from_dict(given: Mapping[str, Any]) -> Cell:
        """The way back from `dataclasses.asdict`."""
        told = {**PLAIN, **given["knobs"]}  # what knew fewer knobs had them as they are without
        knobs = {name: tuple(told[name]) if isinstance(told[name], list) else told[name] for name in KNOBS}
        return Cell(**{**given, "knobs": knobs, "per_query": tuple(given["per_query"])})


@dataclass(frozen=True, repr=False)
class Recomputed:
    """A cell as it was stored, and as it came out now.

    Attributes
    ----------
    cell : what it changes of the base
    stored, now : mean nDCG@10
    agrees : whether both means are the same to three digits, over the same queries
    differing : queries whose value is another one now, or that only one of both has
    queries : how many were stored
    why : what is not as it was: data, models, configuration
    """

    cell: str
    stored: float
    now: float
    agrees: bool
    differing: list[str]
    queries: int
    why: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Both values, and whether they agree."""
        verdict = "agree" if self.agrees else "DO NOT AGREE"
        why = f"; not as it was: {'; '.join(self.why)}" if self.why else ""
        count = f"{len(self.differing)} of {self.queries} queries differ"
        return f"{self.cell}: stored {self.stored:.4f}, now {self.now:.4f}: they {verdict}; {count}{why}"

    def __repr__(self) -> str:
        return self.to_text()


@dataclass(frozen=True, repr=False)
class TestCheck:
    """Dev's best cells and what they gain over the base on test.

    Attributes
    ----------
    cells : what each changes of the base, dev's best first
    dev : what each gains over the base on dev, nDCG@10
    test : the same cells against the base on test, corrected for all of them
    looks : which look at the test split it was
    tried : among how many cells they were the best on dev
    """

    __test__ = False  # no test, though its name begins like one

    cells: tuple[str, ...]
    dev: tuple[float, ...]
    test: Comparisons
    looks: int
    tried: int

    @property
    def kept(self) -> float:
        """Which share of the mean gain on dev is there on test; NaN where dev has none."""
        gained = float(np.mean(self.dev))
        return float(np.mean([c.delta for c in self.test])) / gained if gained > 0 else float("nan")

    def to_text(self) -> str:
        """A line a cell, and how much of the gain was dev's luck."""
        lines = [
            f"  {dev:+.3f} on dev, {c.delta:+.3f} on test ({c.low:+.3f} to {c.high:+.3f}): {c.verdict}; {cell}"
            for cell, dev, c in zip(self.cells, self.dev, self.test, strict=True)
        ]
        kept = "dev shows no gain to keep" if np.isnan(self.kept) else f"test keeps {self.kept:.0%} of dev's mean gain"
        head = f"dev's best {len(self.cells)} of {self.tried} cells against the base, nDCG@10:"
        return "\n".join([head, *lines, kept, peeks.told(self.looks)])

    def __repr__(self) -> str:
        return self.to_text()
