"""01.gauntlet: tests that find the bugs of other people's MaxSim."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from labkit.course.exercises import Exercise, Outcome, Wrong
from labkit.course.gauntlet import WANTED, Verdict, gauntlet
from labkit.errors import LabError

Test = Callable[..., None]


def by_hand(maxsim):
    assert maxsim([[1, 0], [0, 1]], [[[10, 0], [1, 100]]])[0] == 110


def negative_and_best_last(maxsim):
    assert list(maxsim([[1, 0]], [[[-3, 0], [-2, 0]], [[-1, 0]]])) == [-2, -1]


def alone_and_in_company(maxsim):
    assert maxsim([[1, 0], [0, 1]], [[[1, 2]]])[0] == maxsim([[1, 0], [0, 1]], [[[1, 2]], [[3, 4], [5, 6]]])[0] == 3


def no_tokens(maxsim):
    assert maxsim([[1, 0]], [[], [[1, 0]]])[0] == -np.inf


def long_and_wide(maxsim):
    assert maxsim(np.eye(200), [np.eye(200)])[0] == 200
    assert maxsim([[1]], [[[0]] * 400 + [[1]]])[0] == 1


TESTS = [by_hand, negative_and_best_last, alone_and_in_company, no_tokens, long_and_wide]


def _positive_only(maxsim):
    assert list(maxsim([[1, 0], [0, 1]], [[[3, 4]], [[1, 2]]])) == [7, 3]


def _best_first(maxsim):
    scores = list(maxsim([[1, 0], [0, 1]], [[[3, 4]], [[1, 2]]]))
    assert scores[0] == max(scores)


def _other_number(maxsim):
    assert maxsim([[1, 0], [0, 1]], [[[10, 0], [1, 100]]])[0] == 101


def _array_as_truth(maxsim):
    assert maxsim([[1, 0]], [[[3, 0]], [[1, 0]]]) == [3, 1]


def _no_assert(maxsim):
    return maxsim([[1, 0]], [[[-3, 0], [-2, 0]]])[0] == -2


RETURNS = "a test that returns its comparison says nothing. Write assert in front of it."
FAILS = "your test fails on the correct kernel. Compute the number by hand again."
RAISES = "an error stops your test on the correct kernel too; it is shown below. Scores are an array, one a document."


@dataclass(frozen=True, kw_only=True)
class TestsExercise(Exercise):
    """A list of tests to write, judged by the kernels that they kill."""

    right: list[Test]
    wrong_answers: tuple[Wrong, ...]

    @property
    def source(self) -> str:
        """The solution as a notebook cell."""
        names = ", ".join(test.__name__ for test in self.right)
        return "\n\n".join([*(inspect.getsource(test).strip() for test in self.right), f"tests = [{names}]"])

    @property
    def stub(self) -> str:
        """One test to begin with."""
        return f"{inspect.getsource(by_hand).strip()}\n\ntests = [by_hand]"

    def judge(self, attempt: object) -> Outcome:
        """Count the kernels that the tests kill; a test that fails on the correct one is told first."""
        if attempt is None or attempt is ... or attempt == []:
            return Outcome("not attempted", "Write tests, and hand over the list: .check(tests).")
        try:
            verdict = gauntlet(attempt)  # type: ignore[arg-type]
        except LabError as error:
            return Outcome("error", str(error))
        if isinstance(attempt, list) and [getattr(test, "__name__", "") for test in attempt] == ["by_hand"]:
            return Outcome("not attempted", f"by_hand was given; it kills {len(verdict.killed)}. Add your own.")
        count = f"killed {len(verdict.killed)}; {WANTED} are wanted."
        if verdict.invalid:
            first = next(iter(verdict.invalid))
            return Outcome("wrong", f"{first}: {_why(verdict.invalid[first])}")
        if len(verdict.killed) < WANTED:
            return Outcome("wrong", f"{count} {self._known(verdict) or self.misconception}")
        return Outcome("correct", f"{count} Not noticed: {', '.join(verdict.survived) or 'none'}.")

    def _known(self, verdict: Verdict) -> str:
        """The hint of the known wrong answer that kills the same kernels; empty if none does."""
        for wrong in self.wrong_answers:
            other = gauntlet(wrong.answer)
            if not other.invalid and other.killed.keys() == verdict.killed.keys():
                return f"Hint: {wrong.hint}"
        return ""


def _why(told: str) -> str:
    """The hint for a test that is no test, from what the gauntlet said of it."""
    return RETURNS if "it returns" in told else FAILS if "AssertionError" in told else RAISES


GAUNTLET = TestsExercise(
    id="01.gauntlet",
    title=f"Tests that kill at least {WANTED} of the buggy kernels",
    minutes=12,
    difficulty=3,
    importance=3,
    misconception="One example with round numbers does not prove a kernel right. Bugs live at the edges: signs, "
    "lengths, order, company, nothing at all.",
    see=f"{WANTED} kernels or more with the name of one of your tests behind them.",
    hints=(
        "A kernel gives one score a document. Ask for a document alone, and for the same one beside a longer one.",
        "Make every similarity negative. What would a row of zeros win?",
        "Which lengths do models cut at? Put the only match behind them: in the query, the document, the dimensions.",
    ),
    reasoning="Five tests, five kinds of edge: hand-made, negative, company, nothing, long. What they miss they miss "
    "together: zero rows, half precision, NaN.",
    right=TESTS,
    wrong_answers=(
        Wrong("nothing is asserted", [_no_assert], RETURNS),
        Wrong("fails on the correct kernel", [_other_number], FAILS),
        Wrong("an array compared as a whole", [_array_as_truth], RAISES),
        Wrong(
            "one more case, all positive",
            [by_hand, _positive_only],
            "documents of equal length need no padding, positive numbers hide it, and sorted input hides sorting.",
        ),
        Wrong(
            "only the order",
            [_best_first],
            "many bugs keep the order of an easy pair. Assert the scores, computed by hand.",
        ),
    ),
)

EXERCISES = (GAUNTLET,)
