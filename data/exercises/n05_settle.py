"""05.settle: how many queries would settle it."""

from __future__ import annotations

import math
import random

from labkit.course.exercises import CodeExercise, Wrong


def queries_needed(effect: float, spread: float) -> int:
    """How many queries show ``effect`` in 4 of 5 experiments; ``spread`` is the differences' standard deviation."""
    return math.ceil((2.8 * spread / effect) ** 2)


WRONG_ANSWERS = (
    Wrong(
        "not squared",
        lambda effect, spread: math.ceil(2.8 * spread / effect),
        "the spread of a mean falls with the square root of n, so n grows with the square.",
    ),
    Wrong(
        "not rounded up",
        lambda effect, spread: (2.8 * spread / effect) ** 2,
        "a number of queries is whole, and it must be enough: round up.",
    ),
    Wrong(
        "rounded down",
        lambda effect, spread: int((2.8 * spread / effect) ** 2),
        "int() cuts. With one query too few the effect is not reached: round up.",
    ),
    Wrong(
        "rounded to the nearest",
        lambda effect, spread: round((2.8 * spread / effect) ** 2),
        "round() can go down. One query too few is too few: round up.",
    ),
    Wrong(
        "upside down",
        lambda effect, spread: math.ceil((2.8 * effect / spread) ** 2),
        "a smaller effect needs more queries: the effect divides.",
    ),
    Wrong(
        "only the interval",
        lambda effect, spread: math.ceil((1.96 * spread / effect) ** 2),
        "1.96 makes the interval as wide as the effect: then you see it in half of the experiments. 4 of 5 need 2.8.",
    ),
    Wrong(
        "only the interval, rounded down",
        lambda effect, spread: int((1.96 * spread / effect) ** 2),
        "1.96 finds the effect in half of the experiments; 4 of 5 need 2.8. And int() cuts: round up.",
    ),
    Wrong(
        "only the power",
        lambda effect, spread: math.ceil((0.84 * spread / effect) ** 2),
        "0.84 comes on top of 1.96: together they are the 2.8 standard errors that 4 of 5 experiments need.",
    ),
    Wrong(
        "two samples, then rounded",
        lambda effect, spread: math.ceil(2 * (2.8 * spread / effect) ** 2),
        "no factor of 2: one set of queries answers for both systems, and the spread is that of the differences.",
    ),
    Wrong(
        "one-sided",
        lambda effect, spread: math.ceil((2.485 * spread / effect) ** 2),
        "1.64 is for a question with one direction. The test asks for a difference either way: 1.96 + 0.84 = 2.8.",
    ),
    Wrong(
        "two samples",
        lambda effect, spread: 2 * math.ceil((2.8 * spread / effect) ** 2),
        "doubling is for two separate sets of queries. Both systems answer the same ones: differences are paired.",
    ),
    Wrong(
        "spread not squared",
        lambda effect, spread: math.ceil(2.8**2 * spread / effect**2),
        "the spread is squared as well: the whole of 2.8 * spread / effect is.",
    ),
    Wrong("a constant", lambda effect, spread: 46, "that is the answer to the example. Use effect and spread."),
    Wrong(
        "2.8 not squared",
        lambda effect, spread: math.ceil(2.8 * (spread / effect) ** 2),
        "solve effect = 2.8 * spread / sqrt(n) for n: 2.8 is squared as well.",
    ),
)


def cases() -> list[tuple]:
    """Two to look at, then pairs at which rounding and squares show."""
    draw = random.Random(5)
    drawn = [(round(draw.uniform(0.01, 0.3), 3), round(draw.uniform(0.1, 0.4), 3)) for _ in range(40)]
    edgeless = [case for case in drawn if len({math.ceil((z * case[1] / case[0]) ** 2) for z in (2.8, 2.80159)}) == 1]
    return [(0.1, 0.24), (0.04, 0.25), *edgeless]


SETTLE = CodeExercise(
    id="05.settle",
    title="How many queries would settle it?",
    minutes=8,
    difficulty=2,
    importance=3,
    misconception="the smallest effect that shows falls with the square root of n: half the effect needs four times "
    "the queries.",
    see="46 queries for an effect of 0.1 at a spread of 0.24.",
    hints=(
        "An effect shows in 4 of 5 experiments if it is 2.8 standard errors large. The standard error of a mean is "
        "spread / sqrt(n).",
        "Set effect = 2.8 * spread / sqrt(n). Solve for n.",
        "n = (2.8 * spread / effect) squared, rounded up with math.ceil.",
    ),
    reasoning="2.8 is 1.96 + 0.84: the first makes luck rare (5 %), the second makes the effect likely to show (80 %).",
    solution=queries_needed,
    cases=cases,
    wrong_answers=WRONG_ANSWERS,
    preamble="import math",
)

EXERCISES = (SETTLE,)
