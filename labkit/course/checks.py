"""What a learner calls: ``lk.exercise(id)`` with check, hint and solution, and ``lk.bet(id, value)``.

Bets and outcomes are kept as lines of JSON under `labkit.paths.home`: ``bets.jsonl`` and ``progress.jsonl``. A line is
appended and synced in one go; a line that a killed process left torn is skipped when read. Nothing leaves the machine.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from labkit import paths
from labkit.course.catalogue import catalogue
from labkit.course.exercises import CodeExercise, Outcome, ThoughtExercise
from labkit.errors import LabError


class Note(str):
    """Markdown that a notebook renders, and that prints as plain text, without quotes."""

    __repr__ = _repr_markdown_ = str.__str__


@dataclass
class Task:
    """One exercise in the learner's hands. It remembers which hint comes next, and records each outcome."""

    definition: CodeExercise | ThoughtExercise
    _hints_given: int = field(default=0, repr=False)

    def __repr__(self) -> str:
        return self.definition.text()

    _repr_markdown_ = __repr__

    @property
    def given(self) -> Mapping[str, Any]:
        """Objects that the exercise hands out, by name; empty for most."""
        return getattr(self.definition, "given", {})

    def check(self, attempt: object) -> Outcome:
        """Judge an attempt: your function itself, or the letter of your answer."""
        outcome = self.definition.judge(attempt)
        with suppress(OSError):  # a full disk must not cost the learner the answer
            append_line("progress.jsonl", {"exercise": self.definition.id, "state": outcome.state})
        return outcome

    def hint(self, n: int | None = None) -> Note:
        """The next hint, or hint number ``n``, counted from 1."""
        hints = self.definition.hints
        if n is None:
            if self._hints_given == len(hints):
                return Note("That was the last hint. `.solution()` shows ours, with the reasoning.")
            n = self._hints_given = self._hints_given + 1
        if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= len(hints):
            raise LabError(f"{self.definition.id} has hints 1 to {len(hints)}; got {n!r}.")
        return Note(f"Hint {n} of {len(hints)}: {hints[n - 1]}")

    def solution(self) -> Note:
        """Our answer, with the reasoning."""
        return Note(f"{self.definition.reasoning}\n\n```python\n{self.definition.source}\n```")


@cache
def exercise(id: str) -> Task:  # noqa: A002 - the name that learners read
    """The exercise with this id, for example ``lk.exercise("02.rrf").check(rrf)``; a LabError lists those there are."""
    there = catalogue().exercises
    if id not in there:
        raise LabError(f"there is no exercise {id!r}; there is {', '.join(sorted(there))}.")
    return Task(there[id])


@dataclass(frozen=True)
class PlacedBet:
    """What is stored for a bet, or that nothing is."""

    id: str
    value: int | None

    def __repr__(self) -> str:
        bet = catalogue().bets[self.id]
        if self.value is None:
            return f"No bet yet. {bet.question} Put a whole number from {bet.low} to {bet.high} in place of `...`."
        return f"Your bet {self.id}: {self.value} (from {bet.low} to {bet.high}). {bet.question}"


_READ = object()


def bet(id: str, value: object = _READ) -> PlacedBet | None:  # noqa: A002 - the name that learners read
    """Store a bet; without a value, return the one that is stored, or None. The latest bet on an id counts.

    An unknown id, or a value that is no whole number in the bet's range, is a LabError.
    """
    there = catalogue().bets
    if id not in there:
        raise LabError(f"there is no bet {id!r}; there is {', '.join(sorted(there))}.")
    if value is _READ:
        stored = [line["value"] for line in read_lines("bets.jsonl") if line.get("bet") == id and "value" in line]
        return PlacedBet(id, stored[-1]) if stored else None
    if value is None or value is ...:
        return PlacedBet(id, None)
    low, high = there[id].low, there[id].high
    if isinstance(value, bool) or not hasattr(value, "__index__") or not low <= value.__index__() <= high:
        raise LabError(f"the bet {id} must be a whole number from {low} to {high}; got {value!r}.")
    number = value.__index__()
    try:
        append_line("bets.jsonl", {"bet": id, "value": number})
    except OSError as error:
        raise LabError(f"the bet was not stored: {error}. Set LABKIT_HOME to a folder you may write to.") from None
    return PlacedBet(id, number)


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
