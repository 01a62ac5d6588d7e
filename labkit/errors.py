"""The one error that labkit raises on bad input: what must be, what came, what to do."""

from __future__ import annotations

import math


class LabError(ValueError):
    """Bad input, told in one message. The command line prints it without a traceback.

    >>> raise LabError("k must be at least 1; got 0. Ask for one document or more.")
    Traceback (most recent call last):
    labkit.errors.LabError: k must be at least 1; got 0. Ask for one document or more.
    """


def check_count(value: object, name: str) -> int:
    """Return ``value`` if it is a whole number of at least 1, else raise a `LabError` that names it."""
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < 1:  # type: ignore[call-overload]
        raise LabError(f"{name} must be a whole number of at least 1; got {value!r}.")
    return int(value)  # type: ignore[call-overload]


def check_text(text: object, what: str, advice: str = "") -> str:
    """Return ``text`` if it is a string that UTF-8 can carry, else raise a `LabError` that says where it cannot.

    For what is no string the message ends in ``advice``.
    """
    if not isinstance(text, str):
        raise LabError(f"{what} must be a string; got {type(text).__name__}. {advice}".rstrip())
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise LabError(
            f"{what} must be valid Unicode; got a lone surrogate ({text[error.start]!r}) at character {error.start}. "
            "It usually comes from decoding bytes with the wrong codec: decode again, or replace it."
        ) from None
    return text


def is_number(value: object) -> bool:
    """Whether it is a finite number, and no bool; an int too large for a float is none.

    >>> is_number(1.5), is_number(True), is_number(float("nan")), is_number(10**400)
    (True, False, False, False)
    """
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False
