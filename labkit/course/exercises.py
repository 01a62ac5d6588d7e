"""What an exercise is, and how an attempt is judged. Nothing here keeps state, prints or writes.

A wrong attempt is diagnosed by behaviour: if it gives on all inputs what a known wrong answer gives, it gets that
answer's hint; else it gets the input, what came, what was expected, and the exercise's main misconception.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, Literal

from labkit.course.attempts import Run, difference, run, show

# White on a dark colour: it reads on a light page and on a dark one.
BADGE = "color:#fff;font-weight:bold;padding:0 0.4em;border-radius:3px"
_COLOUR = {"correct": "#1a7f37", "wrong": "#cf222e", "error": "#9a6700", "not attempted": "#57606a"}


@dataclass(frozen=True)
class Outcome:
    """What `check` found. Its text is the same in every run: it can be stored in a notebook.

    >>> Outcome("wrong", "Ranks start at 1.")
    [wrong] Ranks start at 1.
    """

    state: Literal["correct", "wrong", "error", "not attempted"]
    message: str

    def __repr__(self) -> str:
        return f"[{self.state}] {self.message}"

    def _repr_html_(self) -> str:
        style = f"background:{_COLOUR[self.state]};{BADGE}"
        return (
            f'<div><span style="{style}">{escape(self.state)}</span>'
            f'<pre style="white-space:pre-wrap;margin:0">{escape(self.message)}</pre></div>'
        )


@dataclass(frozen=True)
class Wrong:
    """A known wrong answer: a short name, the function or option, and the hint that it must trigger."""

    name: str
    answer: Any
    hint: str


@dataclass(frozen=True)
class Bet:
    """A whole number to commit to before the result is shown.

    >>> bet = Bet("00.x", "How many per cent?", 0, 100)
    >>> bet.margin, [bet.judge(40, truth) for truth in (45, 45.5, 56)]
    (5, ['right', 'near', 'wrong'])
    >>> bet = Bet("00.y", "How many tokens?", 0, 100, off=1)
    >>> bet.margin, [bet.judge(40, truth) for truth in (41, 43, 43.5)]
    (1, ['right', 'near', 'wrong'])
    """

    id: str
    question: str
    low: int
    high: int
    off: int | None = None

    @property
    def margin(self) -> int:
        """How far off a right bet may be: ``off``, by default a twentieth of the range, rounded down."""
        return (self.high - self.low) // 20 if self.off is None else self.off

    @property
    def near_margin(self) -> int:
        """How far off a near bet may be: three times ``off``, by default three twentieths of the range, rounded."""
        return round(3 * (self.high - self.low) / 20) if self.off is None else 3 * self.off

    def judge(self, value: float, truth: float) -> Literal["right", "near", "wrong"]:
        """Right within the margin, near within the wider one, else wrong."""
        off = abs(value - truth)
        return "right" if off <= self.margin else "near" if off <= self.near_margin else "wrong"


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """What every exercise tells before the work starts. Difficulty and importance go from 1 to 3."""

    id: str
    title: str
    minutes: int
    difficulty: int
    importance: int
    misconception: str
    see: str
    hints: tuple[str, ...]
    reasoning: str

    def text(self) -> str:
        """Two paragraphs of markdown: title and effort, then what there is to see at the end."""
        effort = f"{self.minutes} min, difficulty {self.difficulty}/3, importance {self.importance}/3"
        return f"**{self.id} · {self.title}** ({effort})\n\nYou should see: {self.see}"


@dataclass(frozen=True, kw_only=True)
class CodeExercise(Exercise):
    """A function to write. ``cases`` gives the inputs, ``solution`` what is expected on them.

    ``preamble`` is the import that the solution's source needs; ``given`` are objects that a notebook hands out.
    """

    solution: Callable[..., Any]
    cases: Callable[[], Sequence[tuple]]
    wrong_answers: tuple[Wrong, ...]
    preamble: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The solution as a notebook cell."""
        return f"{self.preamble}\n\n\n{inspect.getsource(self.solution)}".strip()

    @property
    def stub(self) -> str:
        """The untouched attempt: the solution's signature and docstring, then ``...``."""
        code = inspect.getsource(self.solution).strip()
        docstring = ast.parse(code).body[0].body[0]  # type: ignore[attr-defined]
        return "\n".join([*code.splitlines()[: docstring.end_lineno], "    ..."])

    def judge(self, attempt: object) -> Outcome:
        """Compare the attempt with the solution on every input, and diagnose the first difference."""
        name = self.solution.__name__
        if attempt is None or attempt is ...:
            return Outcome("not attempted", f"Write {name}, then hand it over: .check({name}).")
        if not callable(attempt):
            return Outcome("error", f"check needs the function itself; got {show(attempt)}. Write .check({name}).")
        cases = self.cases()
        came = [run(attempt, case) for case in cases]
        if came[0].blank:
            advice = "Write its body; end it with a return. (list.sort() gives None; sorted() gives a list.)"
            return Outcome("not attempted", f"{name} gave {came[0].shown}. {advice}")
        wanted = [run(self.solution, case) for case in cases]
        faults = [n for n, ours in enumerate(wanted) if not came[n].like(ours)]
        if not faults:
            return Outcome("correct", f"{name} agrees with ours on {len(cases)} inputs, most of them unseen.")
        case, theirs, ours = cases[faults[0]], came[faults[0]], wanted[faults[0]]
        said = f"raised {theirs.shown}" if theirs.error else f"gave     {theirs.shown}\nexpected {ours.shown}"
        hint = self._known(cases, came, faults)
        advice = hint or f"{difference(theirs, ours)} Keep in mind: {self.misconception}".lstrip()
        message = f"{name}({', '.join(map(show, case))})\n{said}\n{advice}"
        return Outcome("error" if theirs.error else "wrong", message)

    def _known(self, cases: Sequence[tuple], came: list[Run], faults: list[int]) -> str:
        """The hint of the known wrong answer that behaves like this attempt; empty if none does.

        One that behaves the same throughout comes first. Else an attempt has two faults: then it is the one that is
        most often the same where the attempt is wrong, at the first such input, at more than half of them, and at four
        fifths of all inputs. ``faults`` are the numbers of the inputs at which the attempt is wrong.
        """
        best, most, first = "", len(faults) / 2, faults[0]
        for wrong in self.wrong_answers:
            if not run(wrong.answer, cases[first]).like(came[first]):
                continue  # most answers end here, and some are slow
            alike = [run(wrong.answer, case).like(theirs) for case, theirs in zip(cases, came, strict=True)]
            if all(alike):
                return f"Hint: {wrong.hint}"
            shared = sum(alike[n] for n in faults)
            if shared > most and sum(alike) >= 0.8 * len(cases):
                best, most = f"Hint: {wrong.hint}", shared
        return best


@dataclass(frozen=True, kw_only=True)
class ThoughtExercise(Exercise):
    """A question with lettered options; ``why`` explains each one, the right one too."""

    question: str
    options: Mapping[str, str]
    right: str
    why: Mapping[str, str]

    def text(self) -> str:
        """The exercise as markdown: title and effort, question, options."""
        lines = "\n".join(f"- **{letter}** {option}" for letter, option in self.options.items())
        return f"{super().text()}\n\n{self.question}\n\n{lines}"

    @property
    def source(self) -> str:
        """The solution as a notebook cell."""
        return f'lk.exercise("{self.id}").check("{self.right}")'

    @property
    def stub(self) -> str:
        """The untouched attempt as a notebook cell."""
        return f'lk.exercise("{self.id}").check(...)'

    @property
    def wrong_answers(self) -> tuple[Wrong, ...]:
        """Every option but the right one, with its explanation as the hint."""
        return tuple(Wrong(self.options[key], key, self.why[key]) for key in self.options if key != self.right)

    def judge(self, attempt: object) -> Outcome:
        """Compare the chosen letter with the right one, and explain the choice."""
        letters = ", ".join(self.options)
        if attempt is None or attempt is ... or attempt == "":
            return Outcome("not attempted", f"Choose one of {letters}, and write it in quotes.")
        letter = attempt.strip().lower() if isinstance(attempt, str) else attempt
        if not isinstance(letter, str) or letter not in self.options:
            return Outcome("error", f"The answer must be one of {letters}; got {show(attempt)}.")
        return Outcome("correct" if letter == self.right else "wrong", f"{letter}: {self.why[letter]}")
