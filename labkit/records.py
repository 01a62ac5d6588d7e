"""The learner's own records: bets, claims, outcomes, looks at a test split, the ledger and traces, as lines of JSON,
and which versions and which code wrote them.

They lie under `labkit.paths.home`. A line is appended under a lock and synced; a line that a killed process left torn
is skipped when read. Nothing leaves the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from filelock import FileLock

from labkit import paths

WAIT_SECONDS = 30  # for another writer
PACKAGES = ("late-interaction-lab", "torch", "sentence-transformers", "numpy", "bm25s", "faiss-cpu")


def append_line(name: str, record: Mapping[str, object]) -> None:
    """Append one record, with its time, to a file of JSON lines under `paths.home`; it is on disk on return.

    Raises `OSError` where the folder cannot be written, or another process holds the file for half a minute.
    """
    path = paths.home() / name
    with FileLock(f"{path}.lock", timeout=WAIT_SECONDS):
        line = json.dumps({**record, "at": datetime.now(UTC).isoformat(timespec="seconds")}, sort_keys=True) + "\n"
        write_bytes(path, line.encode("utf-8"))


def write_bytes(path: Path, line: bytes, sync: bool = True) -> None:
    """Append a line in one write, for who holds the lock already; with ``sync`` it is on disk on return."""
    with path.open("ab+", buffering=0) as file:
        if file.seek(0, os.SEEK_END) and _last_byte(file) != b"\n":
            line = b"\n" + line  # a killed process tore the last line: leave it alone, start a new one
        if file.write(line) != len(line):
            raise OSError(f"{path} took only a part of a line: the disk may be full.")
        if sync:
            os.fsync(file.fileno())


@cache
def versions() -> dict[str, str]:
    """The versions of what decides a score."""
    return {name: version for name in PACKAGES if (version := version_of(name))}


def version_of(package: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


@cache
def code_hash() -> str:
    """Twelve digits of sha256 over labkit's own source."""
    digest, root = hashlib.sha256(), Path(__file__).parent
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


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
            records.append(json.loads(line))
    records = [record for record in records if isinstance(record, dict)]
    return records, sum(map(bool, lines)) - len(records)


def _last_byte(file: Any) -> bytes:
    file.seek(-1, os.SEEK_END)
    return file.read(1)
