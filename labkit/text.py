"""Text for a narrow place, and text wherever it stands in plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def shortened(text: str, most: int) -> str:
    """At most ``most`` characters of a text; where some are cut off, the last one shown is an ellipsis.

    >>> shortened("abcdef", 4), shortened("abcd", 4)
    ('abc…', 'abcd')
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """Plain data with each text in it changed, but for the names of a mapping.

    >>> with_texts({"a": ["b", 1, {"c": "d"}]}, str.upper)
    {'a': ['B', 1, {'c': 'D'}]}
    """
    if isinstance(value, dict):
        return {name: with_texts(part, change) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [with_texts(part, change) for part in value]
    return change(value) if isinstance(value, str) else value
