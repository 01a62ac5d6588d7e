"""04.spend: the best cell within two limits, found with at most twenty evaluations of a stored sweep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from typing import Any

from labkit import paths
from labkit.course.attempts import show
from labkit.course.exercises import Exercise, Outcome, Wrong
from labkit.evaluation.sweep import load_sweep
from labkit.evaluation.sweep_cell import Cell
from labkit.evaluation.sweep_result import Sweep

SWEEP = "sweep_dev.json"
MOST, BYTES, MS = 20, 40.0, 25.0
NEAR = 0.005  # nDCG@10 below the best cell of the whole sweep that still counts

MANY = f"a budget of {MOST} evaluations is spent. Plan: which knobs need each other, which can be settled alone?"
SIZE = f"none of your cells fits into {BYTES:g} bytes a token. Turn dim and storage together."
SLOW = f"your small cells are too slow: more than {MS:g} ms at the median. What takes time: k, or another first stage?"
FIRST = "within the limits you kept BM25 as the first stage everywhere. It costs no byte to try another one."
ALONE = "within the limits you kept MaxSim alone everywhere. Adding scores that you have costs no byte a token."
KNOBS_LEFT = (
    "one of your cells has both. What is left to vary is k, and the form of the vectors: they go together as well."
)
BOTH = "you tried another first stage, and you tried the sum, but never both in one cell. They gain together."


@cache
def stored() -> Sweep:
    """The shipped sweep."""
    return load_sweep(paths.data() / SWEEP)


@dataclass(frozen=True, kw_only=True)
class SpendExercise(Exercise):
    """A list of cells to look at, each a dict of the knobs that it changes; judged by the best one within the "
    "limits."""

    right: tuple[Mapping[str, Any], ...] = field(repr=False)
    wrong_answers: tuple[Wrong, ...]
    given: Mapping[str, Any] = field(default_factory=lambda: {"sweep": paths.data() / SWEEP}, repr=False)

    @property
    def source(self) -> str:
        """The solution as a notebook cell."""
        return "\n".join(["cells = [", *(f"    {dict(cell)!r}," for cell in self.right), "]"]).replace("'", '"')

    @property
    def stub(self) -> str:
        """The untouched attempt."""
        return 'cells = [\n    {"k": 20},\n    {"dim": 128, "storage": "int8"},\n]'

    def judge(self, attempt: object) -> Outcome:
        """Look the cells up, and say what the best one within the limits reaches, and what keeps it from more."""
        if attempt is None or attempt is ... or (isinstance(attempt, list) and not attempt):
            return Outcome("not attempted", "Write a list of cells, then hand it over: .check(cells).")
        if not isinstance(attempt, list | tuple) or not all(isinstance(cell, Mapping) for cell in attempt):
            return Outcome("error", f"check needs a list of dicts, knob to value; got {show(attempt)}.")
        found = [_find(cell) for cell in attempt]
        if None in found:
            return Outcome("error", _missing(dict(attempt[found.index(None)])))
        if list(attempt) == [{"k": 20}, {"dim": 128, "storage": "int8"}]:
            return Outcome("not attempted", "These two are only there to show the form. Spend your twenty.")
        cells = list({id(cell): cell for cell in found}.values())  # one asked twice costs nothing
        if len(cells) > MOST:
            return Outcome("wrong", f"{len(cells)} cells. Hint: {MANY}")
        return _told(cells)  # type: ignore[arg-type]


def _told(cells: list[Cell]) -> Outcome:
    goal = stored().best(latency=MS, bytes=BYTES)
    small = [cell for cell in cells if cell.bytes_per_token is not None and cell.bytes_per_token <= BYTES]
    fits = [cell for cell in small if (cell.cost("latency") or 0) <= MS]
    if not fits:
        return Outcome("wrong", f"Hint: {SLOW if small else SIZE}")
    best = max(fits, key=lambda cell: cell.quality)
    came = (
        f"{len(cells)} evaluations, the best within the limits {best.quality:.3f} ({stored().told(best)}); "
        f"the whole sweep has {goal.quality:.3f}."
    )
    if best.quality >= goal.quality - NEAR:
        return Outcome("correct", came)
    if not any(cell.knobs["retriever"] != "bm25" for cell in fits):
        return Outcome("wrong", f"{came}\nHint: {FIRST}")
    if not any(cell.knobs["reranker"] != "late" for cell in fits):
        return Outcome("wrong", f"{came}\nHint: {ALONE}")
    both = any(cell.knobs["retriever"] != "bm25" and cell.knobs["reranker"] != "late" for cell in fits)
    return Outcome("wrong", f"{came}\nHint: {KNOBS_LEFT if both else BOTH}")


def _find(changed: Mapping[str, Any]) -> Cell | None:
    wanted = {**stored().base.knobs, **changed}
    if wanted.get("dim") is not None:
        wanted["projection"] = "pca"
    if wanted.get("reranker") == "late+fusion":
        wanted["weights"] = wanted.get("weights") or (1.0, 1.0, 0.5)
    ignore = ("k1", "b", "retriever_weights") if changed.get("retriever", "bm25") != "bm25" else ()
    same = lambda knobs: all(knobs.get(n) == v for n, v in wanted.items() if n not in ignore)  # noqa: E731
    return next((cell for cell in stored().cells if same(cell.knobs)), None)


def _missing(changed: Mapping[str, Any]) -> str:
    """Why there is no such cell: a value that the sweep lacks, or values that it has, though not together."""
    there = stored().values()
    if all(name in there and value in (*there[name], stored().base.knobs[name]) for name, value in changed.items()):
        return (
            f"the sweep has {len(stored())} of all combinations, and {changed!r} is none of them. Change one of these."
        )
    return f"the sweep has no cell {changed!r}. Its values: {_values()}."


def _values() -> str:
    return "; ".join(f"{name}: {', '.join(map(str, values))}" for name, values in stored().values().items())


def _cells(**knobs: list) -> tuple[dict[str, Any], ...]:
    return tuple(dict(zip(knobs, values, strict=True)) for values in product(*knobs.values()))


SMALL = {"dim": [128, 64], "storage": ["residual2"]}
RIGHT = _cells(k=[20, 50], retriever=["dense", "fusion"], reranker=["late+fusion"], **SMALL)
NARROW = _cells(k=[20, 50], retriever=["dense"], reranker=["late+fusion"], dim=[64], storage=["residual2"])
ONE_BY_ONE = _cells(k=[20], retriever=["dense"], **SMALL) + _cells(k=[20], reranker=["late+fusion"], **SMALL)
EVERYTHING = _cells(k=[20, 50, 100], retriever=["bm25", "dense", "fusion"], reranker=["late", "late+fusion"], **SMALL)

SPEND = SpendExercise(
    id="04.spend",
    title="Twenty evaluations, two limits",
    minutes=10,
    difficulty=3,
    importance=3,
    misconception="A grid is searched knob by knob. Some knobs are worth something only together.",
    see=f"a cell of at most {BYTES:g} bytes a token and {MS:g} ms that is within {NEAR:g} of the best that keeps both.",
    hints=(
        f"Which forms of the vectors fit into {BYTES:g} bytes at all? Look at the table of sizes: only these matter.",
        "The figures above say which knobs gain most, and that they gain together. Keep those fixed at their best.",
        "What is left is small: k, and two or three forms of the vectors.",
    ),
    reasoning="With another first stage, only two bits a dimension fit. Another first stage and the sum gain most, and "
    "together. "
    "Then k decides between quality and time. That is eight cells; the other twelve are for your doubts.",
    right=RIGHT,
    wrong_answers=(
        Wrong("one knob at a time", [{"dim": 48}, {"dim": 32}, {"storage": "residual2"}, {"pool": 4}], SIZE),
        Wrong("BM25 everywhere", _cells(k=[20], reranker=["late", "late+fusion"], **SMALL), FIRST),
        Wrong("MaxSim alone", _cells(k=[20], retriever=["dense", "fusion"], **SMALL), ALONE),
        Wrong("good and slow", _cells(k=[100], retriever=["dense"], reranker=["late+fusion"], **SMALL), SLOW),
        Wrong("each alone", ONE_BY_ONE, BOTH),
        Wrong("everything", EVERYTHING, MANY),
        Wrong("64 dimensions throughout", NARROW, KNOBS_LEFT),
    ),
)  # fmt: skip

EXERCISES = (SPEND,)
