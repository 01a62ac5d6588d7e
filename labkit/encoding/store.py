"""The vector store: what has been encoded once is never encoded again, in any process.

One SQLite file in WAL mode, so that two kernels can write at once and a killed process leaves the last committed
batch. A row is keyed by recipe (see `labkit.encoding.recipe`) and by the exact text. Each row has a checksum: a
damaged row counts as missing and is encoded again; a damaged file is kept aside and a new one begun.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import warnings
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from filelock import FileLock

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS vectors (
    recipe TEXT NOT NULL, text TEXT NOT NULL, length INTEGER NOT NULL, lost INTEGER NOT NULL,
    pooled BLOB, checksum INTEGER NOT NULL, ids BLOB, spans BLOB, tokens BLOB,
    PRIMARY KEY (recipe, text)
);
"""  # the large columns stand last, so that a query for the pooled vector alone does not walk them
QUESTION_MARKS = 400  # look-ups a statement; SQLite's limit is far above
BUSY_SECONDS = 60.0
RECENT_BYTES = 256 * 2**20


@dataclass(frozen=True, eq=False)
class Entry:
    """What the store holds of one text. Arrays as in `labkit.encoding.tokens.PackedTokens`, ``vectors`` float16."""

    vectors: np.ndarray | None
    ids: np.ndarray | None
    spans: np.ndarray | None
    pooled: np.ndarray | None
    lost: int


class _Connection(sqlite3.Connection):
    """Closes itself with its thread or its store; left open, it is a ResourceWarning from Python 3.13 on."""

    def __del__(self) -> None:
        self.close()


class _Recent:
    """Entries read lately, kept in memory up to a number of bytes, so that a warm process does not read twice."""

    def __init__(self, limit: int = RECENT_BYTES) -> None:
        self._limit, self._bytes = limit, 0
        self._entries: OrderedDict[tuple[str, str], Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, recipe: str, texts: Sequence[str]) -> dict[str, Entry]:
        with self._lock:
            found = {key: self._entries[recipe, key] for key in texts if (recipe, key) in self._entries}
            for key in found:
                self._entries.move_to_end((recipe, key))
            return found

    def put(self, recipe: str, entries: dict[str, Entry]) -> None:
        with self._lock:
            for key, entry in entries.items():
                if (recipe, key) not in self._entries and entry.vectors is not None:
                    self._entries[recipe, key] = entry
                    self._bytes += entry.vectors.nbytes
            while self._bytes > self._limit:
                _, oldest = self._entries.popitem(last=False)
                self._bytes -= oldest.vectors.nbytes


class Store:
    """A file of encoded texts, safe for several processes and threads.

    Parameters
    ----------
    path : file of the store; its folder must exist or be creatable
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.damaged_rows = 0
        self._local = threading.local()
        self._recent = _Recent()

    def get(self, recipe: str, texts: Sequence[str], dim: int, pooled_only: bool = False) -> dict[str, Entry]:
        """Entries by text key; what is not stored, or is damaged, is not in the answer."""
        if pooled_only:
            return self._retry(lambda: self._get(recipe, texts, dim, pooled_only=True))
        found = self._recent.get(recipe, texts)
        unread = [key for key in texts if key not in found]
        if unread:
            read = self._retry(lambda: self._get(recipe, unread, dim, pooled_only=False))
            self._recent.put(recipe, read)
            found.update(read)
        return found

    def missing(self, recipe: str, texts: Sequence[str]) -> list[str]:
        """The text keys whose token vectors are not stored, in the order given, without repeats."""
        stored = self._retry(lambda: self._stored(recipe, texts))
        return [key for key in dict.fromkeys(texts) if key not in stored]

    def put(self, recipe: str, entries: Iterable[tuple[str, Entry]]) -> None:
        """Store entries in one transaction: all of them or, if the process dies, none."""
        rows = [(recipe, key, *_to_row(entry)) for key, entry in entries]
        self._retry(lambda: self._put(rows))

    def count(self, recipe: str) -> int:
        """How many texts are stored under a recipe."""
        sql = "SELECT COUNT(*) FROM vectors WHERE recipe = ?"
        return int(self._retry(lambda: self._connection().execute(sql, (recipe,)).fetchone()[0]))

    def close(self) -> None:
        """Close this thread's connection; the next use opens it again."""
        connection = self._local.__dict__.pop("connection", None)
        if connection is not None:
            connection.close()

    def _get(self, recipe: str, texts: Sequence[str], dim: int, pooled_only: bool) -> dict[str, Entry]:
        columns = "text, length, lost, pooled" + ("" if pooled_only else ", checksum, ids, spans, tokens")
        found: dict[str, Entry] = {}
        for row in self._rows(columns, "", recipe, texts):
            entry = _pooled_entry(row) if pooled_only else _from_row(row, dim)
            if entry is None:
                self.damaged_rows += 1
            else:
                found[row[0]] = entry
        return found

    def _stored(self, recipe: str, texts: Sequence[str]) -> set[str]:
        return {row[0] for row in self._rows("text", "AND length >= 0", recipe, texts)}

    def _rows(self, columns: str, condition: str, recipe: str, texts: Sequence[str]) -> Iterator[tuple]:
        for start in range(0, len(texts), QUESTION_MARKS):
            part = texts[start : start + QUESTION_MARKS]
            marks = ",".join("?" * len(part))
            sql = f"SELECT {columns} FROM vectors WHERE recipe = ? {condition} AND text IN ({marks})"
            yield from self._connection().execute(sql, (recipe, *part))

    def _put(self, rows: list[tuple]) -> None:
        sql = "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        with self._connection() as connection:  # commits at the end, rolls back on an exception
            connection.executemany(sql, rows)

    def _connection(self) -> sqlite3.Connection:
        state = self._local.__dict__
        if state.get("pid") != os.getpid():  # a forked child must not use its parent's connection
            state.clear()
        if "connection" not in state:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, factory=_Connection, check_same_thread=False)
            with FileLock(f"{self.path}.lock", timeout=BUSY_SECONDS):  # SQLite does not wait for others to turn WAL on
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.executescript(SCHEMA)
            state.update(connection=connection, pid=os.getpid())
        return state["connection"]

    def _retry(self, action: Callable[[], T]) -> T:
        """Run ``action``; if the file turns out to be damaged, set it aside, say so, and run it on a new one."""
        try:
            return action()
        except sqlite3.OperationalError:
            raise  # busy, disk full, read-only: the file itself is sound
        except sqlite3.DatabaseError as error:
            self._set_aside(error)
            return action()

    def _set_aside(self, error: Exception) -> None:
        self.close()
        number = 1
        while (aside := self.path.with_name(f"{self.path.name}.damaged-{number}")).exists():
            number += 1
        os.replace(self.path, aside)
        for suffix in ("-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        warnings.warn(
            f"the vector store was damaged ({error}); it is kept as {aside.name} and a new one begun. "
            "Nothing is lost but time: what is missing is encoded again.",
            stacklevel=4,
        )


def _to_row(entry: Entry) -> tuple:
    blobs = [None if a is None else np.ascontiguousarray(a).tobytes() for a in (entry.ids, entry.spans, entry.vectors)]
    pooled = None if entry.pooled is None else entry.pooled.astype("<f4").tobytes()
    length = -1 if entry.vectors is None else len(entry.vectors)
    return (length, entry.lost, pooled, _checksum(pooled, *blobs), *blobs)


def _from_row(row: tuple, dim: int) -> Entry | None:
    _, length, lost, pooled, checksum, ids, spans, tokens = row
    if checksum != _checksum(pooled, ids, spans, tokens):
        return None
    return Entry(
        None if length < 0 else np.frombuffer(tokens, "<f2").reshape(length, dim),
        None if ids is None else np.frombuffer(ids, "<i4"),
        None if spans is None else np.frombuffer(spans, "<i4").reshape(-1, 2),
        None if pooled is None else np.frombuffer(pooled, "<f4"),
        lost,
    )


def _pooled_entry(row: tuple) -> Entry | None:
    """The pooled vector alone; the checksum covers the whole row, so here its length of 1 has to vouch for it."""
    _, _, lost, blob = row
    pooled = np.frombuffer(blob or b"", "<f4")
    return Entry(None, None, None, pooled, lost) if abs(float(pooled @ pooled) - 1) < 1e-3 else None


def _checksum(*blobs: bytes | None) -> int:
    value = 0
    for blob in blobs:
        value = zlib.crc32(blob or b"", value)
    return value
