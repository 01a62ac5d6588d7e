"""What a load costs: this machine by the hour, hosted rerankers by a dated price table that the user edits. And the
load test's report as text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from labkit.evaluation import bench
from labkit.evaluation.load_drive import saturation
from labkit.ranking.prices import UNITS
from labkit.ranking.standin_rules import MAX_TOKENS_PER_DOC, units_for

MONTH_HOURS = 730


def hosted_usage(sizes: Sequence[int], query: int = 0) -> dict[str, int]:
    """What one query to a hosted reranker is billed for, given the tokens of its candidates and of the query.

    >>> hosted_usage([500] * 99 + [501], query=10)  # the last one is two chunks, which makes 101
    {'documents': 100, 'search_units': 2, 'tokens': 50011}
    """
    cut = [min(size, MAX_TOKENS_PER_DOC) for size in sizes]
    return {"documents": len(cut), "search_units": units_for(cut), "tokens": sum(cut) + query if cut else 0}


def cost(
    rows: Sequence[Mapping[str, Any]], usage: Mapping[str, float], table: Sequence[Mapping[str, Any]],
    volume: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Compute seconds and money for 1,000 queries, and money for ``volume`` queries a month.

    ``sustained`` is the highest rate below saturation: what a machine is taken to serve, always on.
    """
    served = sum(row["queries"] - row["left_over"] for row in rows)
    over = saturation(rows)["lowest_saturated"] or math.inf
    rate = max((row["rate"] for row in rows if row["rate"] < over), default=None)
    return {
        **{name: round(1000 * sum(row[name] for row in rows) / served, 3) for name in ("busy_seconds", "cpu_seconds")},
        "usage": dict(usage), "sustained": rate, "volume": volume,
        "prices": [{**entry, **_money(entry, usage, rate, volume)} for entry in table],
    }  # fmt: skip


def _money(
    entry: Mapping[str, Any], usage: Mapping[str, float], rate: float | None, volume: int | None
) -> dict[str, float | int | None]:
    if entry["unit"] != "hour":
        per_1000 = entry["price"] * (usage["search_units"] if entry["unit"] == UNITS[1] else usage["tokens"] / 1000)
        return {"per_1000": per_1000, "per_month": volume and per_1000 * volume / 1000}
    if rate is None:
        return {"per_1000": None, "per_month": None, "machines": None}
    machines = volume and math.ceil(volume / (rate * MONTH_HOURS * 3600))
    per_month = machines and machines * MONTH_HOURS * entry["price"]
    return {"per_1000": entry["price"] * 1000 / (rate * 3600), "per_month": per_month, "machines": machines}


def cost_lines(cost: Mapping[str, Any]) -> list[str]:
    """The costs as text: what was used, a line a price, and where each price is from."""
    usage, volume, notes = cost["usage"], cost["volume"], {}
    lines = [
        f"1,000 queries: {cost['cpu_seconds']:,.1f} CPU seconds, {cost['busy_seconds']:,.1f} s of a busy worker",
        f"a hosted reranker would get {usage['documents']:,.1f} whole documents a query: {usage['search_units']:.2f} "
        f"search units, {usage['tokens']:,.0f} tokens (our wordpieces); the first stage still runs here",
        f"{'':24} {'1,000 queries':>16}" + (f" {f'{volume:,} a month':>26}" if volume else ""),
    ]
    for entry in cost["prices"]:
        state = "" if entry["verified"] else "UNVERIFIED, "
        note = notes.setdefault(f"{state}{entry['date']}, {entry['source']}: {entry['note']}", len(notes) + 1)
        many = f" ({entry['machines']} always on)" if entry.get("machines") else ""
        at = f" at {cost['sustained']:.2f} queries/s" if entry["unit"] == "hour" and cost["sustained"] else ""
        month = f" {_amount(entry, 'per_month', 2) + many:>26}" if volume else ""
        told = f"{entry['price']:g} {entry['currency']} per {entry['unit']}{at} [{note}]"
        lines.append(f"{entry['name']:24} {_amount(entry, 'per_1000', 4):>16}{month}  {told}")
    lines += [f"[{number}] {note}" for note, number in notes.items()]
    return [*lines, "edit data/prices.toml, or give --prices FILE"]


def _amount(entry: Mapping[str, Any], what: str, digits: int) -> str:
    return "-" if entry[what] is None else f"{entry[what]:,.{digits}f} {entry['currency']}"


def report_lines(data: Mapping[str, Any]) -> list[str]:
    """The load test's report without the banner."""
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
