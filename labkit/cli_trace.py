"""``labkit trace``: what was asked, what each stage did, and whether it would answer the same again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from labkit.cli_options import JsonOption, say, warn
from labkit.errors import LabError

trace = typer.Typer(no_args_is_help=True, help="Read and replay the requests that lk.Trace logged.")

FileArgument = Annotated[Path, typer.Argument(help="a trace.jsonl; its rotated files are read too")]
RequestOption = Annotated[str | None, typer.Option("--request", help="a request's id or the first digits of it")]
LastOption = Annotated[bool, typer.Option("--last", help="the last request, as without --request")]


@trace.command("list")
def list_requests(file: FileArgument, as_json: JsonOption = False) -> None:
    """A line a request: time, id, query as logged, system, time taken, what became of it, cost."""
    from labkit.views.timeline import overview

    records = _read(file)
    print(json.dumps(records) if as_json else overview(records))


@trace.command("show")
def show(
    file: FileArgument, request: RequestOption = None, last: LastOption = False,
    n: Annotated[int, typer.Option("-n", min=0, help="hits to show of each stage")] = 5, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """One request, stage by stage."""
    from labkit.views.timeline import timeline

    record = _chosen(_read(file), request, last)
    print(json.dumps(record) if as_json else timeline(record, n))


@trace.command("replay")
def replay_request(
    file: FileArgument, request: RequestOption = None, last: LastOption = False,
    query: Annotated[str | None, typer.Option("--query", help="its text, where only a hash was logged")] = None,
    collection: Annotated[str | None, typer.Option("--collection", help="where it lies, if it moved")] = None,
    live: Annotated[bool, typer.Option("--live", help="ask Cohere again, if it was asked: that costs")] = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Ask it again and say what differs. Exit code 0: the same answer; 1: another one; 2: it cannot be replayed."""
    record = _chosen(_read(file), request, last)
    from labkit.evaluation.replay import asked, replay

    asked(record, query)  # refuse before anything is loaded
    from labkit.corpus.load import load_collection

    logged = record["collection"]
    c = load_collection(collection or logged["source"] or logged["name"], progress=True)
    warn(c.warnings)
    result = replay(record, query, c, live)
    print(json.dumps(result.to_dict()) if as_json else result)
    raise typer.Exit(0 if result.same else 1)


def _read(file: Path) -> list[dict[str, Any]]:
    from labkit.ranking.trace import read_traces

    records, torn = read_traces(file)
    if torn:
        say(f"note: {torn} torn lines skipped.")
    return records


def _chosen(records: list[dict[str, Any]], request: str | None, last: bool) -> dict[str, Any]:
    if request and last:
        raise LabError("give --request ID or --last, not both.")
    found = [record for record in records if record["id"].startswith(request)] if request else records[-1:]
    if not found:
        raise LabError(
            f"no request begins with {request!r}: see labkit trace list." if request else "the trace is empty."
        )
    if len(found) > 1:
        raise LabError(f"{len(found)} requests begin with {request!r}. Give more digits.")
    return found[0]
