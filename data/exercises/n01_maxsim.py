"""01.loop and 01.einsum: MaxSim, once to understand it and once to run it."""

from __future__ import annotations

import dis
import random
from collections.abc import Callable
from types import CodeType

import numpy as np

from labkit.course.exercises import CodeExercise, Outcome, Wrong


def maxsim_loop(query, document):
    """Sum over the query's tokens of the best dot product with a token of the document; both are lists of vectors.
    A document without tokens scores minus infinity."""
    total = 0.0
    for q in query:
        best = float("-inf")
        for d in document:
            best = max(best, sum(a * b for a, b in zip(q, d, strict=True)))
        total += best
    return total


def maxsim_einsum(query, document):
    """MaxSim of arrays [Lq, d] and [Ld, d], without a loop; a document without tokens scores minus infinity."""
    similarities = np.einsum("qd,td->qt", query, document)
    return similarities.max(axis=1, initial=-np.inf).sum()


def _grid(query, document) -> np.ndarray:
    """[Lq, Ld], also for a side without tokens."""
    dim = np.shape(query if len(query) else document)[1] if len(query) + len(document) else 1
    return np.reshape(query, (-1, dim)) @ np.reshape(document, (-1, dim)).T


def _of_grid(reduce: Callable[[np.ndarray], object]) -> Callable[..., object]:
    """A wrong answer that makes something else of the grid; a side without tokens is as in the solution."""

    def wrong(query, document):
        full = len(query) and len(document)
        return reduce(_grid(list(query), list(document))) if full else maxsim_loop(query, document)

    return wrong


def _starts_at_zero(query, document) -> float:
    return float(np.maximum(_grid(query, document), 0).max(axis=1, initial=0).sum())


def _max_of_nothing(query, document) -> float:
    return sum(max(sum(a * b for a, b in zip(q, d, strict=True)) for d in document) for q in query)


def _no_initial(query, document) -> float:
    return np.einsum("qd,td->qt", query, document).max(axis=1).sum()


def _unit(vectors) -> np.ndarray:
    vectors = np.asarray(vectors, float)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _cosine(query, document) -> float:
    full = len(query) and len(document)
    return (_unit(query) @ _unit(document).T).max(axis=1).sum() if full else maxsim_loop(query, document)


# What both may do wrong: the name, the answer, the hint.
COLUMNS = ("columns", lambda grid: grid.max(axis=0).sum(), "that is the best of each column: the sides are swapped.")
ALL = ("all added", lambda grid: grid.sum(), "you add every pair. Each token of the query keeps its best one only.")
ONE = ("the best of all", lambda grid: grid.max(), "one maximum for the whole grid. It takes one for each query token.")
MEAN = ("mean", lambda grid: grid.max(axis=1).mean(), "sum, do not average: MaxSim grows with the query.")
SUMMED_FIRST = ("summed first", lambda grid: grid.sum(axis=0).max(), "first the best, then the sum; yours adds first.")
POOLED = (
    "mean of the query",
    lambda grid: grid.mean(axis=0).max(),
    "you average the query first. One vector for all its tokens is not late interaction.",
)
LIST = ("not summed", lambda grid: grid.max(axis=1).tolist(), "those are the parts. Their sum is the score.")
ABSOLUTE = ("absolute", lambda grid: abs(grid).max(axis=1).sum(), "an opposite vector is no match: leave the sign.")
COSINE = Wrong("cosine", _cosine, "take the vectors as they come; dividing by their length is the encoder's business.")


def _both(*kinds: tuple) -> tuple[Wrong, ...]:
    return tuple(Wrong(name, _of_grid(reduce), hint) for name, reduce, hint in kinds)


COMMON = (*_both(COLUMNS, ALL, ONE, MEAN, SUMMED_FIRST, POOLED, LIST, ABSOLUTE), COSINE)
LOOP_WRONG = (
    *COMMON,
    *_both(
        ("first token only", lambda grid: grid[0].max(), "you return after the first token: see the indent."),
        ("last token only", lambda grid: grid[-1].max(), "the total is overwritten for each token; add to it."),
        ("best never reset", lambda grid: np.maximum.accumulate(grid.max(axis=1)).sum(), "reset best for each token."),
        ("last, not best", lambda grid: grid[:, -1].sum(), "keep the best so far, not the last one seen."),
        (
            "added too early",
            lambda grid: np.maximum.accumulate(grid, axis=1).sum(),
            "best goes into the total once, after the loop over the document: see the indent.",
        ),
        (
            "starts at -1",
            lambda grid: np.maximum(grid, -1).max(axis=1).sum(),
            "products can be below -1: begin with minus infinity, not with -1.",
        ),
    ),
    Wrong("starts at zero", _starts_at_zero, "all can be negative: begin with minus infinity, not with 0."),
    Wrong("max of nothing", _max_of_nothing, "max() of nothing raises: a document without tokens is minus infinity."),
)
A_LOOP = "right on every input, but with a loop in it. Let `np.einsum` make the whole grid at once."
EINSUM_WRONG = (
    *COMMON,
    *_both(("below 0 is cut", lambda grid: np.maximum(grid, 0).max(axis=1).sum(), "a best match may be negative.")),
    Wrong("starts at zero", _starts_at_zero, "initial=0 is a padded row of zeros: it beats every negative match."),
    Wrong("a loop", maxsim_loop, A_LOOP),
    Wrong("no initial", _no_initial, "an empty maximum raises. max(..., initial=-np.inf) answers for no tokens."),
)


def _drawn() -> list[tuple[list, list]]:
    """Small by hand, a negative one, a document and a query without tokens, then twenty that are drawn."""
    draw = random.Random(1)
    shown = [
        ([[1.0, 0.0], [0.0, 1.0]], [[10.0, 0.0], [1.0, 100.0]]),
        ([[1.0, 0.0]], [[-3.0, 1.0], [-2.0, 0.0]]),
        ([[1.0, 2.0]], []),
        ([], [[1.0, 2.0]]),
    ]
    for _ in range(20):
        dim = draw.randint(2, 4)
        sides = [[[draw.randint(-4, 4) / 2 for _ in range(dim)] for _ in range(draw.randint(2, 6))] for _ in range(2)]
        shown.append((sides[0], sides[1]))
    return shown


def _arrays() -> list[tuple[np.ndarray, np.ndarray]]:
    dims = [len((query or document)[0]) for query, document in _drawn()]
    pairs = zip(_drawn(), dims, strict=True)
    return [(np.reshape(query, (-1, dim)), np.reshape(document, (-1, dim))) for (query, document), dim in pairs]


LOOP = CodeExercise(
    id="01.loop",
    title="MaxSim in three loops",
    minutes=8,
    difficulty=1,
    importance=3,
    misconception="every token of the query takes its best partner in the document, and what they get is added.",
    see="110 for [[1, 0], [0, 1]] and [[10, 0], [1, 100]]: 10 from one token, 100 from the other.",
    hints=(
        "One loop over the query's tokens, one over the document's, one over the numbers of two vectors.",
        'For each token of the query: best = float("-inf"), then best = max(best, dot) for each token of the document.',
        "Add best to the total after the loop over the document, and return the total after the loop over the query.",
    ),
    reasoning="Slow, and so plain that it is hard to get wrong: the truth that faster forms are tested against.",
    solution=maxsim_loop,
    cases=_drawn,
    wrong_answers=LOOP_WRONG,
)


def _loops(code: CodeType | None) -> bool:
    """Whether a function's code, or what stands inside it, goes over something step by step."""
    if code is None:
        return False
    inside = [const for const in code.co_consts if isinstance(const, CodeType)]
    return any(step.opname == "FOR_ITER" for step in dis.get_instructions(code)) or any(map(_loops, inside))


class WithoutALoop(CodeExercise):
    """A function that must be right, and must not say `for`."""

    def judge(self, attempt: object) -> Outcome:
        found = super().judge(attempt)
        looped = found.state == "correct" and _loops(getattr(attempt, "__code__", None))
        return Outcome("wrong", f"Hint: {A_LOOP}") if looped else found


EINSUM = WithoutALoop(
    id="01.einsum",
    title="The same in two lines",
    minutes=6,
    difficulty=2,
    importance=2,
    misconception="the grid is [Lq, Ld]; the maximum runs along the document's axis, the sum along the query's.",
    see="what your loop gives, without a loop.",
    hints=(
        '`np.einsum("qd,td->qt", query, document)` is the grid: letters that vanish are summed, here `d`.',
        "`.max(axis=1)` takes the best of each row, and `.sum()` adds them.",
        "`.max(axis=1, initial=-np.inf)` also answers where there is no column.",
    ),
    reasoning="Two reductions of one grid. Kernels differ from this in where the grid is kept, not in what it holds.",
    solution=maxsim_einsum,
    cases=_arrays,
    wrong_answers=EINSUM_WRONG,
    preamble="import numpy as np",
)

EXERCISES = (LOOP, EINSUM)
