"""One cell of a sweep: a configuration and what it reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from labkit.errors import LabError
from labkit.evaluation.grid import KNOBS, PLAIN, Knobs

SHOWN = "nDCG@10"
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

    def to_dict(self) -> dict[str, Any]:
        """The cell as plain data for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(given: Mapping[str, Any]) -> Cell:
        """The way back from `to_dict`."""
        told = {**PLAIN, **given["knobs"]}  # what knew fewer knobs had them as they are without
        knobs = {name: tuple(told[name]) if isinstance(told[name], list) else told[name] for name in KNOBS}
        return Cell(**{**given, "knobs": knobs, "per_query": tuple(given["per_query"])})
