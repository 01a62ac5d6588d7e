"""What a stand-in can get wrong on demand: a small vocabulary, how it is given, and what it does to a reply."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from labkit.errors import LabError

Faults = str | Sequence[str] | Mapping[int, str] | Callable[[int], str] | None

LONGEST = 60.0  # seconds that a fault may ask for

# word -> what happens, and the seconds it takes where none are given
VOCABULARY = {
    "ok": ("a correct reply", None),
    "slow": ("a correct reply, after this many seconds", 1.0),
    "drip": ("a correct reply in 20 pieces, this many seconds apart", 0.1),
    "429": ("too many requests; Retry-After asks for this many seconds", 1.0),
    "500": ("internal server error", None),
    "503": ("service unavailable", None),
    "reset": ("the connection is reset before the reply", None),
    "truncated": ("the connection ends after half of the reply", None),
    "malformed": ("the reply is no JSON", None),
    "wrong_index": ("the first index is the number of documents", None),
    "negative_index": ("the first index is -1", None),
    "duplicate_index": ("the last index repeats the first", None),
    "float_index": ("the first index has a half added, which the SDK cuts off without a word", None),
    "null_score": ("the first score is null", None),
    "nan_score": ("the first score is NaN", None),
    "too_few": ("the last result is missing", None),
}


class Fault(NamedTuple):
    """One word of the vocabulary, with its seconds."""

    word: str
    seconds: float = 0.0


def parse(text: object) -> Fault:
    """The fault that a word such as ``"429"`` or ``"slow:0.5"`` names, or a `LabError` that lists what there is.

    >>> parse("slow:0.5"), parse("ok")
    (Fault(word='slow', seconds=0.5), Fault(word='ok', seconds=0.0))
    """
    word, colon, given = str(text).partition(":")
    default = VOCABULARY.get(word, (None, None))[1]
    try:
        seconds = float(given) if colon else default or 0.0
    except ValueError:
        seconds = math.nan
    if word not in VOCABULARY or (colon and default is None) or not 0 <= seconds <= LONGEST:
        timed = [name for name, (_, usual) in VOCABULARY.items() if usual is not None]
        raise LabError(
            f"a fault must be one of {', '.join(VOCABULARY)}; {', '.join(timed)} take seconds up to {LONGEST:g}, such "
            f"as slow:0.5; got {text!r}."
        )
    return Fault(word, seconds)


def plan(faults: Faults) -> Iterator[Fault]:
    """One fault a request, without end. What is not named is ``"ok"``.

    A word stands for every request, a sequence for the first ones, a mapping goes by the request's number from 0, and
    a function is called with that number.
    """
    if callable(faults):
        return map(parse, map(faults, itertools.count()))  # a map outlives an error, a generator does not
    if faults is None or isinstance(faults, str):
        return itertools.repeat(parse(faults or "ok"))
    if isinstance(faults, Mapping):
        named = {number: parse(fault) for number, fault in faults.items()}
        return (named.get(number, Fault("ok")) for number in itertools.count())
    return itertools.chain([parse(fault) for fault in faults], itertools.repeat(Fault("ok")))


def spoil(results: list[dict[str, Any]], word: str, documents: int) -> list[dict[str, Any]]:
    """The results with one thing wrong, if the word is about results."""
    first, last, between = dict(results[0]), dict(results[-1]), results[1:]
    if word == "too_few":
        return results[:-1]
    if word == "duplicate_index":
        return [*results[:-1], {**last, "index": first["index"]}] if len(results) > 1 else results * 2
    wrong = {
        "wrong_index": {"index": documents},
        "negative_index": {"index": -1},
        "float_index": {"index": first["index"] + 0.5},
        "null_score": {"relevance_score": None},
        "nan_score": {"relevance_score": math.nan},
    }
    return [{**first, **wrong.get(word, {})}, *between]
