"""Run an attempt on a copy of an input, and compare and show what came."""

from __future__ import annotations

import copy
import math
import re
import traceback
from collections.abc import Callable, Iterator, MappingView
from dataclasses import dataclass
from numbers import Real
from typing import Any

_WIDEST = 300


@dataclass(frozen=True)
class Run:
    """What one call gave: a value in plain lists, dicts and numbers, or the exception's name; and how to show it."""

    value: Any
    error: str
    shown: str

    @property
    def blank(self) -> bool:
        """True if the body is not written yet: it gave None or ``...``, or raised NotImplementedError."""
        return self.error == "NotImplementedError" or (not self.error and (self.value is None or self.value is ...))

    def like(self, other: Run) -> bool:
        """True if both raised the same type of exception, or gave the same value but for rounding."""
        return self.error == other.error and same(self.value, other.value)


def run(function: Callable[..., Any], case: tuple) -> Run:
    """Call ``function`` on a deep copy of ``case``, so that nobody changes anybody's input."""
    try:
        value = function(*copy.deepcopy(case))
        return Run(plain(value), "", show(value))
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if f.name == getattr(function, "__name__", "")]
        where = f", at: {frames[-1].line}" if frames and frames[-1].line else ""
        name = type(error).__name__
        return Run(None, name, _tidy(f"{name}: {error}{where}" if str(error) else f"{name}{where}"))


def difference(theirs: Run, ours: Run) -> str:
    """In one sentence, how a result differs in form from the one expected; empty where only the values differ.

    >>> difference(Run(["a", "c"], "", ""), Run(["c", "a"], "", ""))
    'These are the right items in another order.'
    >>> difference(Run("Cannot tell", "", ""), Run("cannot tell", "", ""))
    "The right word, written otherwise: return 'cannot tell'."
    """
    came, wanted = theirs.value, ours.value
    if theirs.error:
        return ""
    if isinstance(came, Iterator):
        return "This is a generator; return a list."
    if isinstance(wanted, str) and isinstance(came, str) and came.strip().lower() == wanted.lower():
        return f"The right word, written otherwise: return {wanted!r}."
    if isinstance(wanted, str) and not isinstance(came, str):
        return f"Return a text; this is a {type(came).__name__}."
    if isinstance(wanted, list) and not isinstance(came, list):
        return f"Return a list; this is a {type(came).__name__}."
    if not isinstance(wanted, list):
        return ""
    if len(came) != len(wanted):
        return f"{len(came)} items came, {len(wanted)} were expected."
    return "These are the right items in another order." if sorted(map(repr, came)) == sorted(map(repr, wanted)) else ""


def plain(value: Any) -> Any:
    """Tuples, dictionary views, numpy arrays and tensors as lists, numpy numbers as numbers.

    >>> plain(({"a": (1, 2)}, {"b": 1}.keys()))
    [{'a': [1, 2]}, ['b']]
    """
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, (list, tuple, MappingView)):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def same(one: Any, other: Any) -> bool:
    """Equal, with a tolerance for numbers and element by element for lists.

    >>> same([0.1 + 0.2, "a"], [0.3, "a"]), same([1, 2], [2, 1]), same("1", 1)
    (True, False, False)
    """
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Real) and isinstance(other, Real):
        return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
    return type(one) is type(other) and bool(one == other)


def show(value: Any) -> str:
    """A value in one line: floats rounded, memory addresses left out, long ones cut.

    >>> show(("a", 1 / 3, object()))
    "('a', 0.3333, <object object>)"
    """
    text = _tidy(repr(_rounded(value)))
    return text if len(text) <= _WIDEST else f"{text[:_WIDEST]}…"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(float(value), 4)
    if isinstance(value, (list, tuple)):
        return (tuple if isinstance(value, tuple) else list)(map(_rounded, value))
    return value


def _tidy(text: str) -> str:
    """One line, without what differs from run to run."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(text.split()))
