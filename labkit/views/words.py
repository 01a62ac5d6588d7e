"""Text that nobody vouches for, made safe to look at: what cannot be seen is named, what is too long is cut."""

from __future__ import annotations

import re
import unicodedata

JOINERS = "\u200c\u200d"  # meant inside emoji and in scripts beyond Latin
LONGEST = 60
# Beyond the third combining mark on a letter: they would grow over the lines around it.
MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
EXCESS = re.compile(f"(?<={MARK}{{3}}){MARK}+")


def visible(text: str, longest: int | None = None) -> str:
    """The text with control, format and private characters named, so that none can reorder or hide what is around it.

    >>> visible("abc\\u202edef"), visible("x" * 70, longest=10)
    ('abc⟦U+202E⟧def', 'xxxxxxxxxx⟦60 more⟧')
    """
    whole = EXCESS.sub("", text)
    kept = whole if longest is None else whole[:longest]
    shown = kept if kept.isprintable() else "".join(_named(kept, i) for i in range(len(kept)))
    return shown + (f"⟦{len(whole) - len(kept):,} more⟧" if len(kept) < len(whole) else "")


def one_line(text: str, longest: int = LONGEST) -> str:
    """`visible`, with white space as single blanks: for labels and tables.

    >>> one_line("two\\n  lines")
    'two lines'
    """
    return visible(" ".join(text.split()), longest)


def _named(text: str, i: int) -> str:
    return f"⟦U+{ord(text[i]):04X}⟧" if _unseen(text[i]) and not _joins(text, i) else text[i]


def _unseen(character: str) -> bool:
    """Whether it is a control, format or private character, a separator of lines, or no character at all."""
    never = ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    category = unicodedata.category(character)
    return never or (category in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") and character not in "\n\t")


def _joins(text: str, i: int) -> bool:
    """Whether the character is a joiner between two that can be joined."""
    around = text[i - 1 : i] + text[i + 1 : i + 2]
    return text[i] in JOINERS and len(around) == 2 and all(ord(c) > 0x2FF and c not in JOINERS for c in around)
