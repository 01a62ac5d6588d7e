"""What the commands share: their options, and how they speak beside the result, on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

import typer

CollectionOption = Annotated[str, typer.Option("--collection", help="pydocs, pydocs-raw, a folder, ir_datasets:NAME")]
RetrieverOption = Annotated[str, typer.Option("--retriever", help="bm25, dense or fusion")]
RerankerOption = Annotated[str, typer.Option("--reranker", help="late, late+fusion, cross, cohere or none")]
LiveOption = Annotated[bool, typer.Option("--live", help="cohere asks Cohere: needs a key, costs money")]
JsonOption = Annotated[bool, typer.Option("--json", help="print only JSON to stdout")]


def warn(warnings: Iterable[str]) -> None:
    """Say what a collection's reading skipped or repaired."""
    for sentence in warnings:
        say(f"note: {sentence}")


def say(text: str) -> None:
    """A line on stderr, at once."""
    print(text, file=sys.stderr, flush=True)
