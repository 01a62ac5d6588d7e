"""The learner's own records: bets, claims and outcomes as lines of JSON under `labkit.paths.home`.

A line is appended and synced in one go; a line that a killed process left torn is skipped when read. Nothing leaves the
machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from labkit import paths


def append_line(name: str, record: Mapping[str, object]) -> None:
    """Append one record, with its time, to a file of JSON lines under `paths.home`; it is on disk on return."""
    path = paths.home() / name
    line = json.dumps({**record, "at": datetime.now(UTC).isoformat(timespec="seconds")}, sort_keys=True) + "\n"
    if path.is_file() and path.read_bytes()[-1:] not in (b"", b"\n"):
        line = "\n" + line  # a killed process tore the last line: leave it alone, start a new one
    with path.open("ab") as file:
        file.write(line.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())


def read_lines(name: str) -> Iterator[dict[str, Any]]:
    """The records of a file of JSON lines under `paths.home`, oldest first; torn lines are skipped."""
    path = paths.home() / name
    for line in path.read_bytes().splitlines() if path.is_file() else []:
        with suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict):
                yield record
