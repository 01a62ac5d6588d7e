"""Traces to read: a line a request, and one request stage by stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from labkit.ranking.ranking import score_text
from labkit.text import shortened

QUERY_SHOWN = 40  # characters


def overview(records: Sequence[Mapping[str, Any]]) -> str:
    """A line a request: time (UTC), id, query as logged, system, milliseconds, what became of it, cost."""
    rows = [
        f"{record['at'][:19]}  {record['id'][:8]}  {_query(record):<{QUERY_SHOWN}}  {_plain(record['system']):<16}"
        f"  {record['seconds'] * 1000:>7.0f} ms  {_became(record)}{_cost(record)}"
        for record in records
    ]
    return "\n".join(rows) or "No requests yet."


def timeline(record: Mapping[str, Any], n: int = 5) -> str:
    """One request: when, what, and what each stage got, gave and took; ``n`` hits a stage."""
    c = record["collection"]
    lines = [
        f"request {record['id']}  {record['at']}  {_became(record)}{_cost(record)}",
        f"  query {_query(record, 200)} over {_plain(c['name'])} (hash {c['hash']}) by {_plain(record['system'])}",
    ]
    start = 0.0
    for stage in record["stages"]:
        lines += [f"  +{start * 1000:.0f} ms  {_stage(stage)}", *_sentences(stage)]
        lines += [_hit(hit) for hit in stage["out"][:n]]
        if len(stage["out"]) > n:
            lines.append(f"      … {len(stage['out']) - n} more")
        start += stage["seconds"]
    lines.append(f"  +{record['seconds'] * 1000:.0f} ms  done")
    if record["redacted"]:
        lines.append("  redacted: " + ", ".join(f"{count} {rule}" for rule, count in record["redacted"].items()))
    return "\n".join(lines)


def fallbacks(record: Mapping[str, Any]) -> list[str]:
    """Why stages of a request fell back, in their order."""
    return [stage["fallback"] for stage in record["stages"] if stage["fallback"]]


def _stage(stage: Mapping[str, Any]) -> str:
    asked = ", ".join(f"{name}={stage[name]}" for name in ("k", "top_n") if name in stage)
    given = f"{len(stage['in'])} in, " if "top_n" in stage else ""
    counts = (
        f", {stage['encoded']} encoded, {stage['cached']} from the store" if stage["encoded"] + stage["cached"] else ""
    )
    model = f"; {_plain(stage['model'])}" if stage["model"] else ""
    took = f"{stage['seconds'] * 1000:.0f} ms"
    return f"{_plain(stage['name'])} ({asked}): {given}{len(stage['out'])} out in {took}{counts}{model}{_cost(stage)}"


def _sentences(stage: Mapping[str, Any]) -> list[str]:
    told = [("fell back", stage["fallback"]), ("note", stage["note"])]
    return [f"      {what}: {_plain(sentence)}" for what, sentence in told if sentence]


def _hit(hit: Mapping[str, Any]) -> str:
    was = f"({hit['previous_rank']})" if hit["previous_rank"] is not None else ""
    reason = f"  {_plain(hit['reason'])}" if hit["reason"] else ""
    return f"    {hit['rank']:>4} {was:>5}  {score_text(hit['score']):>8}  {_plain(hit['id'])}{reason}"


def _became(record: Mapping[str, Any]) -> str:
    told = "; ".join(filter(None, [record["error"], *fallbacks(record)]))
    return record["outcome"] + (f" ({_plain(told)})" if told else "")


def _cost(told: Mapping[str, Any]) -> str:
    return "".join(f", {amount:g} {unit.replace('_', ' ')}" for unit, amount in told["cost"].items())


def _query(record: Mapping[str, Any], length: int = QUERY_SHOWN) -> str:
    if record["query"] is None:
        return f"#{record['query_hash'][:12]}"
    shown = repr(record["query"])  # a log is shown in a terminal: no control character of a query may reach it
    return shortened(shown, length)


def _plain(text: str) -> str:
    return text if text.isprintable() else repr(text)
