"""Text that nobody vouches for, made safe to look at: what cannot be seen is named, what is too long is cut."""

from __future__ import annotations

import unicodedata

# Format characters (Cf) that make up emoji and words of some scripts; alone they are harmless and often meant.
SEEN = "\n\t"
LONGEST = 60


def visible(text: str, longest: int | None = None) -> str:
    """The text with control, format and private characters named, so that none can reorder or hide what is around it.

    >>> visible("abc\\u202edef"), visible("x" * 70, longest=10)
    ('abc⟦U+202E⟧def', 'xxxxxxxxxx⟦60 more⟧')
    """
    more = "" if longest is None or len(text) <= longest else f"⟦{len(text) - longest:,} more⟧"
    kept = text[:longest] if more else text
    return "".join(map(_seen, kept)) + more


def one_line(text: str, longest: int = LONGEST) -> str:
    """`visible`, with white space as single blanks: for labels and tables."""
    return visible(
        " ".join(text[: 4 * longest].split()) if len(text) > 4 * longest else " ".join(text.split()), longest
    )


def _seen(character: str) -> str:
    if character in SEEN or unicodedata.category(character) not in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp"):
        return character
    return f"⟦U+{ord(character):04X}⟧"
