"""``labkit ledger``: what was run, what each run changed, and why two runs differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labkit.cli_options import JsonOption

ledger = typer.Typer(invoke_without_command=True, help="Every run of evaluate, and what it changed.")

FileOption = Annotated[Path | None, typer.Option("--file", help="another ledger.jsonl, such as a colleague's")]


@ledger.callback()
def table(
    context: typer.Context,
    file: FileOption = None,
    collection: Annotated[str | None, typer.Option("--collection", help="runs on this collection only")] = None,
    split: Annotated[str | None, typer.Option("--split", help="runs on this split only")] = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="draw the chain into this .svg or .png")] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the runs; with --figure also draw them (name collection and split then)."""
    if context.invoked_subcommand:
        context.obj = file
        return
    from labkit.evaluation.ledger import ledger as read

    runs = read(file, collection, split)
    if figure:
        from labkit.views.chain import Chain

        Chain(runs).save(figure)
    told = [{**run.told, "run": run.number, "parent": run.parent, "changed": list(run.changed)} for run in runs]
    print(json.dumps(told) if as_json else runs)


@ledger.command("diff")
def diff(
    context: typer.Context,
    a: Annotated[int, typer.Argument(help="a run's number")],
    b: Annotated[int, typer.Argument(help="another run's number")],
) -> None:
    """Why two runs differ: the first cause first."""
    from labkit.evaluation.ledger import ledger as read

    runs = read(context.obj)
    one, two = runs[a].told["metrics"], runs[b].told["metrics"]
    print(f"nDCG@10 {one['nDCG@10']:.3f} → {two['nDCG@10']:.3f}")
    print("\n".join(runs.diff(a, b)) or "Nothing differs: same queries, data, knobs, code and versions.")
