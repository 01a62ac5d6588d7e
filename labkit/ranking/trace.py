"""Traces: one line of JSON for each request, with what every stage got, gave, cost and took.

A request is one line, not one a stage: a line is written in one go, so it is whole or skipped, and nothing has to be
joined to read it. The price: a request that is under way when the process dies leaves no line. Texts of documents are
not written, only hashes that tell whether they changed.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress
from copy import copy
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from filelock import FileLock

from labkit import paths
from labkit.errors import LabError, check_count
from labkit.ranking.ranking import Ranking
from labkit.ranking.redaction import RULES, Redaction
from labkit.ranking.trace_line import SCHEMA, Lines, plain
from labkit.ranking.two_stage import Searcher, TwoStage
from labkit.ranking.watched import Delegate, about, run
from labkit.records import read_counted, write_bytes

FILE = "trace.jsonl"
QUERIES = ("redacted", "hash", "text")
WAIT_SECONDS = 1.0  # no request waits longer for the log
log = logging.getLogger(__name__)


class Trace:
    """A file of traces. ``wrap`` a pipeline, and each of its requests is one line.

    Parameters
    ----------
    path : the file; ``trace.jsonl`` under `labkit.paths.home` if None
    queries : ``"redacted"`` writes the query after the rules, ``"hash"`` only its salted hash, ``"text"`` as it is.
        The hash is always there. Ids, notes and errors pass the rules in any mode; the keys in the environment never
        reach a line.
    rules : (name, regular expression) pairs; add to `labkit.ranking.redaction.RULES`
    max_bytes, backups : a file that would grow beyond ``max_bytes`` becomes ``path.1``, that ``path.2``, and so on, as
        `logging.handlers.RotatingFileHandler` names them; the oldest beyond ``backups`` goes. The handler itself is
        not safe with several processes; here it rotates under the same lock under which each line is written.
    sync : wait until each line is on disk. Off: a killed process loses nothing, the system has the line; only a power
        cut may lose the last ones, and each request would pay for the disk.

    Attributes
    ----------
    lost : requests that could not be written. They were answered all the same.

    Raises `LabError` for bad parameters.
    """

    def __init__(
        self, path: Path | str | None = None, queries: str = "redacted", rules: Sequence[tuple[str, str]] = RULES,
        max_bytes: int = 10_000_000, backups: int = 5, sync: bool = False,
    ) -> None:  # fmt: skip
        if queries not in QUERIES:
            raise LabError(f"queries must be one of {', '.join(QUERIES)}; got {queries!r}.")
        self.path = Path(path).expanduser().resolve() if path else paths.home() / FILE
        self.sync = sync
        self.max_bytes, self.backups = check_count(max_bytes, "max_bytes"), check_count(backups, "backups")
        self.lost = 0
        self._lines, self._lock = Lines(queries, Redaction(rules)), threading.Lock()

    def __repr__(self) -> str:
        return f"Trace({str(self.path)!r}, queries={self.queries!r}, lost={self.lost})"

    @property
    def queries(self) -> str:
        """How queries are written."""
        return self._lines.queries

    def wrap(self, system: Searcher | TwoStage) -> Searcher | TwoStage:
        """The same system, logged: a TwoStage stays one. Its configuration is read now, which loads its models.

        Logging never fails a request: what cannot be written is counted in ``lost`` and warned of once.
        """
        told = about(system)
        if not isinstance(system, TwoStage):
            return Delegate(system, search=lambda query, k=50: self.search(system, told, query, k=k))
        traced = copy(system)
        traced.search = lambda query, k=None, top_n=5: self.search(system, told, query, k=k, top_n=top_n)
        return traced

    def read(self) -> tuple[list[dict[str, Any]], int]:
        """The requests of this file, as `read_traces` gives them."""
        return read_traces(self.path)

    def search(self, system: Searcher | TwoStage, about: dict[str, Any], query: str, **settings: Any) -> Ranking:
        """One logged request: what ``wrap`` calls."""
        request = run(system, query, settings)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            line = json.dumps(self._lines.of(request, about), allow_nan=False, default=plain) + "\n"
            with FileLock(f"{self.path}.lock", timeout=WAIT_SECONDS):
                self._rotate(len(line))
                write_bytes(self.path, line.encode("ascii"), self.sync)
        except Exception as error:
            self._lose(error)
        if request.error:
            raise request.error
        return request.ranking

    def _rotate(self, coming: int) -> None:
        with suppress(OSError):  # where a reader holds the file (Windows) it grows on
            if self.path.is_file() and 0 < self.path.stat().st_size > self.max_bytes - coming:
                RotatingFileHandler(self.path, backupCount=self.backups, delay=True).doRollover()

    def _lose(self, error: Exception) -> None:
        with self._lock:
            self.lost += 1
            first = self.lost == 1
        if first:  # a log record: a warning may be set to raise, and its text may hold a query
            why = error if isinstance(error, OSError) else type(error).__name__
            log.warning("a request was answered and not written to %s: %s. More are counted in .lost.", self.path, why)


def read_traces(path: Path | str) -> tuple[list[dict[str, Any]], int]:
    """The requests of a trace and of its rotated files, oldest first, and how many torn lines were skipped.

    Raises `LabError` if there is no such file, or a newer labkit wrote it.
    """
    path = Path(path).expanduser().resolve()
    older = [p for p in path.parent.glob(f"{path.name}.*") if p.suffix[1:].isdigit()]
    files = [p for p in (path, *sorted(older, key=lambda p: int(p.suffix[1:]))) if p.is_file()]
    if not files:
        raise LabError(f"there is no trace {str(path)!r}. lk.Trace(path).wrap(pipeline) writes one.")
    found: dict[str, dict[str, Any]] = {}
    torn = 0
    for file in files:  # the newest first: a rotation meanwhile shows a line twice, never loses one
        lines, skipped = read_counted(file)
        torn += skipped
        for line in reversed(lines):
            schema = line.get("schema")
            if isinstance(schema, int) and schema > SCHEMA:
                raise LabError(f"{file.name} has lines of schema {schema}, and this labkit reads {SCHEMA}. Update it.")
            if schema == SCHEMA:
                found.setdefault(line["id"], line)
    return list(found.values())[::-1], torn
