"""``labkit lint``: the dirt in a folder, for a person or for CI."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from labkit.cli_options import JsonOption, say
from labkit.errors import LabError

EXIT = {None: 0, "note": 0, "warning": 1, "error": 3}  # 2 is bad usage
FAIL_ON = {"error": ("error",), "warning": ("error", "warning"), "never": ()}


def lint(
    folder: Annotated[str, typer.Argument(help="a folder in BEIR layout, pydocs, pydocs-raw or ir_datasets:NAME")],
    encoder: Annotated[
        str, typer.Option("--encoder", help="whose cuts to tell: name, folder, default or none")
    ] = "default",
    fail_on: Annotated[str, typer.Option("--fail-on", help="error, warning or never")] = "warning",
    limit: Annotated[int, typer.Option("--limit", min=1, help="findings of a rule told one by one")] = 1_000,
    as_json: JsonOption = False,
) -> None:
    """Find dirt in documents, queries and judgments, and say what it does to a search.

    Exit code 0: nothing, or notes only; 1: warnings; 3: errors; 2: it cannot be read at all; 130: interrupted, what was
    found so far is printed. --fail-on error lets warnings pass with 0, never lets all pass.
    """
    if fail_on not in FAIL_ON:
        raise LabError(f"--fail-on must be {', '.join(FAIL_ON)}; got {fail_on!r}.")
    from labkit.corpus.beir import read_folder
    from labkit.corpus.lint import lint as run
    from labkit.corpus.load import load_collection
    from labkit.encoding.checkpoints import load_encoder
    from labkit.ranking.first_stage import BM25Retriever

    path = Path(folder).expanduser()
    c = read_folder(path, strict=False) if path.is_dir() else load_collection(folder, progress=True)
    cuts = None if encoder == "none" else load_encoder(None if encoder == "default" else encoder)
    report = run(c, cuts, BM25Retriever(c) if c.queries else None, limit, progress=True)
    print(json.dumps(report.to_dict()) if as_json else report)
    if report.partial:
        say("labkit: interrupted; this is what was found so far.")
        raise typer.Exit(130)
    raise typer.Exit(EXIT[report.worst] if report.worst in FAIL_ON[fail_on] else 0)
