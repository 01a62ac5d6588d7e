"""Text for a narrow place."""

from __future__ import annotations


def shortened(text: str, most: int) -> str:
    """At most ``most`` characters of a text; where some are cut off, the last one shown is an ellipsis.

    >>> shortened("abcdef", 4), shortened("abcd", 4)
    ('abc…', 'abcd')
    """
    return text if len(text) <= most else text[: most - 1] + "…"
