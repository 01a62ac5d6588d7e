"""The load test's report as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labkit.evaluation import bench
from labkit.evaluation.load_cost import cost_lines


def lines(data: Mapping[str, Any]) -> list[str]:
    """The report without the banner."""
    return [
        f"{data['system']} on {data['collection']}: {data['k']} candidates; {data['queries']} queries to draw from, "
        f"{data['seconds']:g} s of Poisson arrivals at each rate, seed {data['seed']}",
        f"warmed: documents are in the store, each query is new. Unloaded: {data['unloaded_ms']:,.1f} ms a query, so "
        f"about {data['capacity']:,.2f}/s with {data['workers']} worker(s)",
        "",
        *_table(data["rates"]),
        _saturation_line(data["highest_not_saturated"], data["lowest_saturated"]),
        "saturated: load = rate × service / workers is 1 or more, or queries are left over",
        bench.void_line(data["void"], data["floor_spread"]),
        "",
        *cost_lines(data["cost"]),
    ]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    names = ("rate/s", "queries", "achieved/s", "p50 ms", "p95 ms", "p99 ms", "service ms", "busy", "load", "failed")
    lines = [" ".join(f"{name:>10}" for name in names)]
    for row in rows:
        cells = [f"{row['rate']:.2f}", f"{row['queries']:,}", f"{row['achieved']:.2f}"]
        cells += ["-" if ms is None else f"{ms:,.1f}" for ms in (*row["ms"].values(), row["service_ms"])]
        cells += [f"{row['utilisation']:.0%}", "-" if row["load"] is None else f"{row['load']:.2f}", row["failures"]]
        lines.append(" ".join(f"{cell:>10}" for cell in cells) + ("  saturated" if row["saturated"] else ""))
    for row in rows:
        if row["failures"]:
            lines.append(f"FAILED at {row['rate']:.2f}/s: {row['failures']}, without latency; {row['first_failure']}")
        if row["left_over"]:
            lines.append(f"left over at {row['rate']:.2f}/s: {row['left_over']}, so its latencies are at least these")
    if (fewest := min(row["queries"] for row in rows)) < 100:
        lines.append(f"p99 of fewer than 100 queries (here as few as {fewest}) is about the worst of them")
    return lines


def _saturation_line(kept: float | None, over: float | None) -> str:
    if over is None:
        return f"not saturated at any rate, up to {kept:.2f}/s"
    if kept is None:
        return f"saturated at every rate, from {over:.2f}/s on"
    if kept > over:
        return f"unclear: saturated at {over:.2f}/s but not at {kept:.2f}/s; give more seconds"
    return f"saturates between {kept:.2f}/s and {over:.2f}/s"
