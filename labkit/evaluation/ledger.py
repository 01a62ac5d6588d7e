"""The ledger: every run, what it changed, and what came of it. Nothing is ever deleted, least of all what lost.

``lk.evaluate`` appends a line of JSON to ``ledger.jsonl`` under `labkit.paths.home`. A run's parent is the earlier run
on the same queries that differs least from it; a run that changes more than one thing is asked which one did it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from labkit.errors import LabError
from labkit.evaluation.knobs import changes
from labkit.records import append_line, code_hash, read_counted, versions
from labkit.scoring.table import html_table

if TYPE_CHECKING:
    from labkit.evaluation.evaluate import Evaluation

FILE = "ledger.jsonl"
SHOWN = "nDCG@10"


@dataclass(frozen=True)
class Run:
    """One line of the ledger.

    Attributes
    ----------
    number : its place in the ledger, from 1
    parent : the number of the earlier run that it differs least from, or None
    changed : what differs from the parent, one sentence a knob
    delta : its nDCG@10 minus the parent's, or None
    told : the line itself
    """

    number: int
    parent: int | None
    changed: tuple[str, ...]
    delta: float | None
    told: Mapping[str, Any] = field(repr=False)

    @property
    def question(self) -> str:
        """What the ledger asks of a run that changes several things at once; "" otherwise."""
        return f"{len(self.changed)} changes at once: which one did it?" if len(self.changed) > 1 else ""


@dataclass(frozen=True)
class Ledger:
    """The runs of a ledger, oldest first, and how many of its lines were torn."""

    runs: tuple[Run, ...]
    torn: int = 0

    def __len__(self) -> int:
        return len(self.runs)

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def __getitem__(self, number: int) -> Run:
        """The run of that number, counted from 1 as everywhere."""
        if not 1 <= number <= len(self.runs):
            raise LabError(f"the ledger has runs 1 to {len(self.runs)}; got {number!r}.")
        return self.runs[number - 1]

    def diff(self, a: int, b: int) -> tuple[str, ...]:
        """Why two runs may differ, the first cause first: queries, data, knobs, code, versions. Empty if nothing is."""
        return causes(self[a].told, self[b].told)

    def to_frame(self):
        """Runs by what is known of them, as a pandas table."""
        import pandas as pd

        return pd.DataFrame([_row(run) for run in self.runs]).set_index("run") if self.runs else pd.DataFrame()

    def to_text(self) -> str:
        """The same table as plain text."""
        table = self.to_frame().to_string() if self.runs else "No runs yet: lk.evaluate() writes them."
        return table + (f"\n{self.torn} torn lines skipped." if self.torn else "")

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        if not self.runs:
            return f"<p>{self.to_text()}</p>"
        rows = [_row(run) for run in self.runs]
        cells = [list(map(str, row.values())) for row in rows]
        return html_table(list(rows[0]), cells, f"{self.torn} torn lines skipped" if self.torn else "")


def ledger(file: Path | str | None = None, collection: str | None = None, split: str | None = None) -> Ledger:
    """Read the ledger.

    Parameters
    ----------
    file : another ledger, such as a colleague's; your own if None
    collection, split : keep these runs only; numbers stay as they are
    """
    if file is not None and not Path(file).is_file():
        raise LabError(f"there is no ledger {str(file)!r}.")
    lines, torn = read_counted(FILE if file is None else Path(file).resolve())
    runs = _with_parents([line for line in lines if "configuration" in line and "metrics" in line])
    runs = [r for r in runs if collection in (None, r.told["collection"]) and split in (None, r.told["split"])]
    return Ledger(tuple(runs), torn)


def record(run: Evaluation, note: str = "") -> Evaluation:
    """Append a run and return it with its ``run_id``. A ledger that cannot be written is a warning: the run counts."""
    run_id = uuid4().hex
    line = {
        "run_id": run_id, "collection": run.collection, "split": run.split, "system": run.system, "k": run.k,
        "configuration": run.configuration, "data": run.fingerprint, "code": code_hash(), "versions": versions(),
        "metrics": run.metrics, "per_query": run.per_query, "queries": run.queries, "failures": len(run.failures),
        "fallbacks": len(run.fallbacks), "latency_ms": run.latency_ms, "seconds_per_1000": run.seconds_per_1000,
        "looks": run.looks, "note": note,
    }  # fmt: skip
    try:
        append_line(FILE, line)
    except OSError as error:
        warnings.warn(f"the run was not written to the ledger: {error}", stacklevel=3)
        return run
    return replace(run, run_id=run_id)


def causes(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, ...]:
    """Why two lines of a ledger may differ, the first cause first."""
    found = [f"{name}: {a[name]} → {b[name]}" for name in ("collection", "split") if a[name] != b[name]]
    found += changes(a["configuration"], b["configuration"]) if found else _knobs(a, b)
    if a.get("code") != b.get("code"):
        found.append(f"code: {a.get('code')} → {b.get('code')}")
    return (*found, *changes(a.get("versions", {}), b.get("versions", {}), "version of "))


def _with_parents(lines: list[dict[str, Any]]) -> list[Run]:
    runs: list[Run] = []
    for number, line in enumerate(lines, start=1):
        same = [r for r in runs if (r.told["collection"], r.told["split"]) == (line["collection"], line["split"])]
        near = min(same, key=partial(_distance, line), default=None)
        if near is None:
            runs.append(Run(number, None, (), None, line))
            continue
        delta = line["metrics"][SHOWN] - near.told["metrics"][SHOWN]
        runs.append(Run(number, near.number, _knobs(near.told, line), delta, line))
    return runs


def _distance(line: Mapping[str, Any], run: Run) -> tuple:
    """How far an earlier run is: the number of changes; then same data, same system and the earliest come first.

    The earliest, since eight variants of one base are held against the base, not against each other.
    """
    told = run.told
    other = (told.get("data") != line.get("data"), told["system"] != line["system"])
    return (len(_knobs(told, line)), *other, run.number)


def _knobs(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, ...]:
    """What one meant to change: data and configuration."""
    data = ("data: texts, queries or judgments changed",) if a.get("data") != b.get("data") else ()
    return (*data, *changes(a["configuration"], b["configuration"]))


def _row(run: Run) -> dict[str, Any]:
    first = run.parent is None
    return {
        "run": run.number,
        "split": run.told["split"],
        "system": run.told["system"],
        "k": run.told["k"],
        "queries": run.told["queries"],
        SHOWN: f"{run.told['metrics'][SHOWN]:.3f}",
        "against": "" if first else run.parent,
        "change": "" if first else f"{run.delta:+.3f}",
        "what changed": "" if first else "; ".join(run.changed) or "nothing",
        "note": "; ".join(filter(None, (run.told.get("note", ""), run.question))),
    }
