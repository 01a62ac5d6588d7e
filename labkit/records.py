"""The learner's own records: bets, claims, outcomes, looks at a test split and the ledger, as lines of JSON.

They lie under `labkit.paths.home`. A line is appended under a lock and synced; a line that a killed process left torn
is skipped when read. Nothing leaves the machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from labkit import paths

WAIT_SECONDS = 30  # for another writer


def append_line(name: str, record: Mapping[str, object]) -> None:
    """Append one record, with its time, to a file of JSON lines under `paths.home`; it is on disk on return.

    Raises
    ------
    OSError
        Where the folder cannot be written, or another process holds the file for half a minute.
    """
    path = paths.home() / name
    line = json.dumps({**record, "at": datetime.now(UTC).isoformat(timespec="seconds")}, sort_keys=True) + "\n"
    with FileLock(f"{path}.lock", timeout=WAIT_SECONDS), path.open("ab+") as file:
        if file.seek(0, os.SEEK_END) and _last_byte(file) != b"\n":
            line = "\n" + line  # a killed process tore the last line: leave it alone, start a new one
        file.write(line.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())


def read_lines(name: str) -> Iterator[dict[str, Any]]:
    """The records of a file of JSON lines under `paths.home`, oldest first; torn lines are skipped."""
    yield from read_counted(name)[0]


def read_counted(name: str | Path) -> tuple[list[dict[str, Any]], int]:
    """The records as `read_lines` gives them, and how many lines were skipped because they are torn. An absolute path
    is read where it is."""
    path = paths.home() / name
    lines = path.read_bytes().splitlines() if path.is_file() else []
    records = []
    for line in filter(None, lines):
        with suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict):
                records.append(record)
    return records, sum(bool(line) for line in lines) - len(records)


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)
