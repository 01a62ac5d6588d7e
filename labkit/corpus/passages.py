"""Sections become passages: strings short enough to be encoded whole, each carrying the name of its document."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from labkit.corpus.docstrings import Sections

PASSAGE_LIMIT = 200  # wordpieces, the name included, without [CLS] and [SEP]
Count = Callable[[Sequence[str]], list[int]]
_SENTENCE = re.compile(r"(?<=[.!?;])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)\s+(?=\S)")
_LABEL = re.compile(r"(\*{0,2}\w[\w*, ]*?)(?: \([^:]*\))?:")


def split_passages(name: str, sections: Sections, count: Count) -> list[str]:
    """Passages of at most `PASSAGE_LIMIT` wordpieces, each starting with ``name``; ``count`` measures strings.

    Cuts fall between parameters and paragraphs, inside of one only between sentences, at worst between words; a
    parameter that goes on carries its own name again. Description and parameters share a passage only if all fits.
    """
    head = f"{name}."
    room = PASSAGE_LIMIT - count([head])[0]
    description = [part for part in (sections.signature and sections.signature + ".", *sections.description) if part]
    whole = [*description, *sections.parameters]
    if sum(count(whole)) <= room:
        return [" ".join([head, *whole])]
    groups = _packed(_fitting(description, room, count), room, count)
    groups += _packed(_fitting(sections.parameters, room, count, keep_label=True), room, count)
    return [" ".join([head, *group]) for group in groups]


def _fitting(
    units: Sequence[str], room: int, count: Count, keep_label: bool = False
) -> list[str]:
    pieces: list[str] = []
    for unit, size in zip(units, count(units), strict=True):
        if size <= room:
            pieces.append(unit)
            continue
        named = _LABEL.match(unit) if keep_label else None
        label = f"{named[1]}:" if named else ""
        left = room - count([label])[0] if label else room
        sentences = _SENTENCE.split(unit)
        parts = [p for s, n in zip(sentences, count(sentences), strict=True) for p in ([s] if n <= left else s.split())]
        first, *rest = (" ".join(group) for group in _packed(parts, left, count))
        pieces += [first, *(f"{label} {part}" if label else part for part in rest)]
    return pieces


def _packed(pieces: Sequence[str], room: int, count: Count) -> list[list[str]]:
    """Consecutive groups of at most ``room``: as few as can be, and then as even as can be."""
    sizes = count(pieces) if pieces else []

    def groups(limit: int) -> list[list[str]]:
        made: list[list[str]] = []
        used = limit + 1
        for piece, size in zip(pieces, sizes, strict=True):
            if used + size > limit:
                made.append([])
                used = 0
            made[-1].append(piece)
            used += size
        return made

    low, high, fewest = max(sizes, default=0), room, len(groups(room))
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if len(groups(middle)) <= fewest else (middle + 1, high)
    return groups(high)
