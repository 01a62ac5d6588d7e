"""``lk.exercise(id)``: an exercise in the learner's hands, with check, hint and solution."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from labkit.course.catalogue import catalogue
from labkit.course.commitments import check_sure
from labkit.course.exercises import CodeExercise, Outcome, ThoughtExercise
from labkit.errors import LabError
from labkit.records import append_line


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

    def check(self, attempt: object, sure: float | None = None) -> Outcome:
        """Judge an attempt: your function itself, or the letter of your answer.

        ``sure`` says how probable you think it is, 0 to 1, that the attempt is correct; `labkit.calibration` counts
        that of a first attempt. Another value is a LabError, and the attempt is not judged.
        """
        odds = check_sure(sure)
        outcome = self.definition.judge(attempt)
        record = {"exercise": self.definition.id, "state": outcome.state}
        with suppress(OSError):  # a full disk must not cost the learner the answer
            append_line("progress.jsonl", record | ({} if odds is None else {"sure": odds}))
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

    def yours_or_ours(self, attempt: object) -> Any:
        """Your function where it is correct, else ours, so that the cells after an open exercise run all the same."""
        if not isinstance(self.definition, CodeExercise):
            raise LabError(f"{self.definition.id} is a question; only an exercise that asks for a function has one.")
        if self.definition.judge(attempt).state == "correct":
            return attempt
        print(f"{self.definition.id} is still open: the cells below use our {self.definition.solution.__name__}.")
        return self.definition.solution

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
