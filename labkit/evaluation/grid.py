"""The knobs of a pipeline: which there are, what each may be, and which exclude each other; and grids over them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import product
from typing import Any

from labkit.encoding.compress import Compression
from labkit.errors import LabError, is_number
from labkit.ranking.fusion import FusionReranker
from labkit.ranking.late_interaction import LateInteractionReranker
from labkit.ranking.rerankers import Reranker, configuration_of
from labkit.ranking.systems import FUSION_WEIGHTS, RERANKERS, RETRIEVERS
from labkit.ranking.two_stage import Searcher, TwoStage

Knobs = dict[str, Any]
Grid = Mapping[str, Sequence[Any]]

COMPRESSION = tuple(field.name for field in fields(Compression))
PLAIN = {field.name: field.default for field in fields(Compression)} | {"projection": None, "passage": None}
USUAL = ("projection", "pca")  # goes without saying where there is a dim
ABSENT = ("dim", "cap", "passage")  # for which None is a value; the others have it only where they turn nothing
DEFAULTS = {"k1": 1.2, "b": 0.75, "retriever_weights": (1.0, 1.0), "weights": FUSION_WEIGHTS}
LATE = ("late", "late+fusion")
NAMES = tuple(name for name in RERANKERS if name != "cohere")
MOST_CELLS = 10_000

_WHOLE = (lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= 1, "a whole number of at least 1")
_MAYBE_WHOLE = (lambda v: v is None or _WHOLE[0](v), f"{_WHOLE[1]}, or None")
_NAMES = (lambda v: isinstance(v, list | tuple), "a tuple of names, which may be empty")
_NAME = (lambda v: v is None or isinstance(v, str), "a name, or None")
_WEIGHTS = (
    lambda v: isinstance(v, list | tuple) and all(is_number(w) and w >= 0 for w in v) and any(v),
    "numbers of at least 0, one a part, not all 0",
)

KNOBS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "k": _WHOLE,
    "retriever": (lambda v: v in RETRIEVERS, f"one of {', '.join(RETRIEVERS)}"),
    "k1": (lambda v: is_number(v) and v >= 0, "a number of at least 0"),
    "b": (lambda v: is_number(v) and 0 <= v <= 1, "a number from 0 to 1"),
    "retriever_weights": _WEIGHTS,
    "reranker": (lambda v: v in NAMES, f"one of {', '.join(NAMES)}; cohere is not swept: each query costs money"),
    "weights": _WEIGHTS,
    "dim": _MAYBE_WHOLE, "projection": _NAME, "storage": _NAME, "pool": _WHOLE, "prune": _NAMES, "cap": _MAYBE_WHOLE,
    "passage": (lambda v: v is None or (_WHOLE[0](v) and v >= 16), "a whole number of wordpieces from 16, or None"),
}  # fmt: skip


def own_knobs(pipe: Searcher | TwoStage) -> Knobs:
    """The values that a pipeline has now."""
    two = isinstance(pipe, TwoStage)
    first = configuration_of(pipe.first if two else pipe)
    own: Knobs = {"k": pipe.k or 50 if two else 50, "retriever": (pipe.first if two else pipe).name}
    for side in (first, *first.get("sides", ())):
        if side["name"] == "bm25":
            own |= {"k1": side["k1"], "b": side["b"]}
    if "sides" in first:
        own["retriever_weights"] = tuple(first["weights"])
    own["reranker"] = pipe.reranker.name if two else "none"
    if two and "weights" in (told := configuration_of(pipe.reranker)):
        own["weights"] = tuple(told["weights"])
    kept = getattr(getattr(late_of(pipe.reranker), "compression", None), "compression", None) if two else None
    return own | {name: getattr(kept, name, plain) for name, plain in PLAIN.items()}


def late_of(reranker: Reranker | None) -> LateInteractionReranker | None:
    """The part of a reranker that has token vectors, or None."""
    parts = reranker.parts if isinstance(reranker, FusionReranker) else [reranker]
    return next((part for part in parts if isinstance(part, LateInteractionReranker)), None)


def settled(own: Knobs, chosen: Mapping[str, Any]) -> Knobs:
    """All values that decide one cell: those chosen, else the pipeline's own, else the defaults.

    Raises a LabError for a knob that turns nothing in this cell, since another one excludes it.
    """
    told = {**own, **{name: tuple(v) if isinstance(v, list) else v for name, v in chosen.items()}}
    for name, why in _idle(own, told).items():
        if chosen.get(name) not in (None, PLAIN.get(name)):
            raise LabError(
                f"{name} = {chosen[name]!r} does nothing where {why}. Give a list of grids, each with knobs that go "
                "together: grid=[{...}, {...}]."
            )
        told[name] = None
    needed = {**DEFAULTS, "projection": "pca"}
    idle = _idle(own, told)
    told |= {name: value for name, value in needed.items() if name not in idle and told.get(name) is None}
    parts = len(own["weights"]) if own.get("weights") and told["reranker"] == own["reranker"] else len(FUSION_WEIGHTS)
    for name, count in (("weights", parts), ("retriever_weights", len(own.get("retriever_weights") or (1, 1)))):
        if told.get(name) is not None and len(told[name]) != count:
            raise LabError(f"{name} must be {count} numbers, one a part; got {told[name]!r}.")
    return {name: told.get(name) for name in KNOBS}


def _idle(own: Knobs, told: Mapping[str, Any]) -> dict[str, str]:
    """Knobs that turn nothing beside the others, and why."""
    first, second = told["retriever"], told["reranker"]
    idle = {}
    if not ("k1" in own if first == own["retriever"] else first in ("bm25", "fusion")):
        idle |= dict.fromkeys(("k1", "b"), f"the retriever is {first}")
    if first != "fusion":
        idle["retriever_weights"] = f"the retriever is {first}"
    if not ("weights" in own if second == own["reranker"] else second == "late+fusion"):
        idle["weights"] = f"the reranker is {second}"
    if second not in LATE:
        idle |= dict.fromkeys(COMPRESSION, f"the reranker is {second}, which keeps no token vectors")
    elif told.get("dim") is None:
        idle["projection"] = "dim is None, so nothing is projected"
    if first not in RETRIEVERS:
        idle["passage"] = (
            f"the retriever is {first}: only {', '.join(RETRIEVERS)} can be built anew over other passages"
        )
    return idle


def cells_of(pipe: Searcher | TwoStage, grid: Grid | Iterable[Grid]) -> list[Knobs]:
    """The cells of a grid, or of several together, each once; the pipeline as it is comes first.

    Raises a LabError for a grid of another shape, for a knob that there is not, for a value out of range, and for knobs
    that exclude each other.
    """
    own = own_knobs(pipe)
    found = [settled(own, {})]
    for one in [grid] if isinstance(grid, Mapping) else list(grid):
        _check(one)
        if (count := math.prod(map(len, one.values()))) > MOST_CELLS:
            raise LabError(f"a grid must have at most {MOST_CELLS:,} cells; this one has {count:,}. Take fewer values.")
        for values in product(*one.values()):
            cell = settled(own, dict(zip(one, values, strict=True)))
            if cell not in found:
                found.append(cell)
    if len(found) == 1:
        raise LabError("a grid must turn something; this one holds nothing but the pipeline as it is.")
    return found


def told(knobs: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """What a cell changes, in words.

    >>> told({"k": 100, "weights": (1.0, 0.5)}, {"k": 50, "weights": (1.0, 1.0)}), told({"k": 50}, {"k": 50})
    ('k 100, weights 1:0.5', 'as it is')
    """
    changed = [
        f"{name} {value_told(value)}"
        for name, value in knobs.items()
        if value != base.get(name) and (value is not None or name in ABSENT) and (name, value) != USUAL
    ]
    return ", ".join(changed) or "as it is"


def value_told(value: Any) -> str:
    """A knob's value in words."""
    if isinstance(value, list | tuple):
        return ":".join(map(value_told, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _check(one: Any) -> None:
    if not isinstance(one, Mapping) or not one:
        raise LabError(f"a grid must be a dict of knob to a list of values, such as {{'k': [20, 50]}}; got {one!r}.")
    for name, values in one.items():
        if name not in KNOBS:
            raise LabError(f"no knob {name!r}; there is {', '.join(KNOBS)}.")
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise LabError(f"{name} needs a list of values to try, such as {{{name!r}: [...]}}; got {values!r}.")
        fits, must = KNOBS[name]
        for value in values:
            if not fits(value):
                raise LabError(f"{name} must be {must}; got {value!r}.")
            if name in COMPRESSION and value is not None:  # which judges its knobs itself
                Compression(**{"dim": 1, name: value})
