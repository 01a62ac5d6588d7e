"""Text that nobody vouches for, made safe to look at: what cannot be seen is named, what is too long is cut."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"  # meant inside emoji and in scripts beyond Latin
LONGEST = 60
MARKS = 3  # combining marks that one letter may carry; more would grow over the lines around it


def visible(text: str, longest: int | None = None) -> str:
    """The text with control, format and private characters named, so that none can reorder or hide what is around it.

    >>> visible("abc\\u202edef"), visible("x" * 70, longest=10)
    ('abc⟦U+202E⟧def', 'xxxxxxxxxx⟦60 more⟧')
    """
    kept = text if longest is None or len(text) <= longest else text[:longest]
    shown, marks = [], 0
    for i, character in enumerate(kept):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= MARKS:
            named = category in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") and character not in "\n\t"
            shown.append(f"⟦U+{ord(character):04X}⟧" if named and not _joins(kept, i) else character)
    return "".join(shown) + (f"⟦{len(text) - longest:,} more⟧" if len(kept) < len(text) else "")  # type: ignore[operator]


def one_line(text: str, longest: int = LONGEST) -> str:
    """`visible`, with white space as single blanks: for labels and tables.

    >>> one_line("two\\n  lines")
    'two lines'
    """
    return visible(" ".join(text.split()), longest)


def _joins(text: str, i: int) -> bool:
    """Whether the character is a joiner between two that can be joined."""
    around = text[i - 1 : i] + text[i + 1 : i + 2]
    return text[i] in JOINERS and len(around) == 2 and all(ord(c) > 0x2FF and c not in JOINERS for c in around)
