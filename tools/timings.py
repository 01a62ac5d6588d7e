"""Time every learner's notebook on this machine and write docs/timings.md: ``make timings``.

A silence is a stretch of a cell's run in which nothing is printed, drawn or moved by a progress bar.
"""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "timings.md"
TOTAL, ONE, SILENCE = 12 * 60, 150, 5  # seconds: all notebooks, one of them, a cell without a sign of life
_YOU = re.compile(r"\*\*You:\*\* (\d+) minutes")


class TimedClient(NotebookClient):
    """Runs a notebook and keeps, for each code cell, when it began, when it said something, and when it ended."""

    def time(self) -> dict[int, list[float]]:
        """Run it; the moments of each code cell, in seconds of one clock, first to last."""
        self.moments: dict[int, list[float]] = {}
        self.on_cell_execute = lambda cell, cell_index: self.moments.update({cell_index: [time.perf_counter()]})
        self.on_cell_executed = lambda cell, cell_index, execute_reply: self._said(cell_index)
        self.execute(env=self._environment())
        return {index: moments for index, moments in self.moments.items() if len(moments) > 1}

    def process_message(self, msg: dict, cell: nbformat.NotebookNode, cell_index: int) -> nbformat.NotebookNode | None:
        """As nbclient does; whatever reaches the page is a sign of life."""
        if msg["msg_type"] in {"stream", "display_data", "execute_result", "update_display_data", "comm_msg"}:
            self._said(cell_index)
        return super().process_message(msg, cell, cell_index)

    def _said(self, index: int) -> None:
        self.moments[index].append(time.perf_counter())

    def _environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(ROOT), "LABKIT_HOME": self.resources["home"], "HF_HUB_OFFLINE": "1"}


@dataclass
class Timing:
    """One notebook: the reader's minutes, the machine's seconds, the longest silence of each cell (from 1)."""

    name: str
    minutes: int
    seconds: float
    silences: dict[int, float]

    def row(self) -> str:
        """As a line of the table."""
        cell, silence = max(self.silences.items(), key=lambda item: item[1])
        return f"| {self.name} | {self.minutes} | {self.seconds:.0f} | {silence:.1f} | {cell} |"

    def problems(self) -> list[str]:
        """What is over its budget."""
        told = [f"{self.name} takes {self.seconds:.0f} s, more than {ONE}"] if self.seconds > ONE else []
        late = {cell: silence for cell, silence in self.silences.items() if silence > SILENCE}
        more = f"more than {SILENCE}"
        return told + [f"{self.name}, cell {cell}: silent for {s:.1f} s, {more}" for cell, s in late.items()]


def timing(path: Path) -> Timing:
    """Run a notebook from a fresh kernel and home; the store of vectors stays."""
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as home:
        resources = {"metadata": {"path": str(path.parent)}, "home": home}
        began = time.perf_counter()
        moments = TimedClient(notebook, kernel_name="python3", timeout=900, resources=resources).time()
        seconds = time.perf_counter() - began
    silences = {index + 1: max(b - a for a, b in pairwise(told)) for index, told in moments.items()}
    minutes = next(int(found[1]) for cell in notebook.cells if (found := _YOU.search(cell.source)))
    return Timing(path.stem, minutes, seconds, silences)


def page(timings: list[Timing]) -> str:
    """docs/timings.md."""
    head = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    seconds, minutes = sum(t.seconds for t in timings), sum(t.minutes for t in timings)
    lines = [
        "# How long does it take?",
        "",
        f"Written by `make timings` on {head}, after `make warm`; kernels start anew. A busy machine is slower.",
        "*You* is our estimate of a reader's minutes, from the notebook's head. *Silence* is the longest stretch",
        "in which a cell shows nothing, neither text nor picture nor a moving bar, and *cell* says where.",
        "",
        "| notebook | you, minutes | machine, seconds | longest silence, seconds | in cell |",
        "| --- | --- | --- | --- | --- |",
        *[t.row() for t in timings],
        f"| all | {minutes} | {seconds:.0f} | | |",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Time all, write the page, and name what is over budget; exit code 1 then."""
    timings = []
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        timings.append(timing(path))
        print(timings[-1].row(), flush=True)
    TARGET.write_text(page(timings), encoding="utf-8")
    problems = [problem for t in timings for problem in t.problems()]
    if (total := sum(t.seconds for t in timings)) > TOTAL:
        problems.append(f"all notebooks take {total:.0f} s, more than {TOTAL}")
    print("\n".join(problems or ["within the budgets"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
