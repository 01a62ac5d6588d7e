"""Sections become passages: strings short enough to be encoded whole, each carrying the name of its document."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from labkit.corpus.docstrings import Sections

PASSAGE_LIMIT = 200  # wordpieces, the name included, without [CLS] and [SEP]
Count = Callable[[Sequence[str]], list[int]]
Pieces = list[tuple[str, int]]  # texts and their wordpieces
_SENTENCE = re.compile(r"(?<=[.!?;])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)\s+(?=\S)")
_LABEL = re.compile(r"(\*{0,2}\w[\w*, ]*?)(?: \([^:]*\))?:")


def split_passages(name: str, sections: Sections, count: Count) -> list[str]:
    """Passages of at most `PASSAGE_LIMIT` wordpieces, each starting with ``name``; ``count`` measures strings.

    Cuts fall between parameters and paragraphs, inside of one only between sentences, at worst between words; a
    parameter that goes on carries its own name again. Description and parameters share a passage only if all fits.
    """
    head = f"{name}."
    description = [part for part in (sections.signature and sections.signature + ".", *sections.description) if part]
    room, *sizes = count([head, *description, *sections.parameters])
    room = PASSAGE_LIMIT - room
    units = list(zip([*description, *sections.parameters], sizes, strict=True))
    if sum(sizes) <= room:
        return [" ".join([head, *(text for text, _ in units)])]
    told, listed = units[: len(description)], units[len(description) :]
    groups = _packed(_fitting(told, room, count), room)
    groups += _packed(_fitting(listed, room, count, keep_label=True), room)
    return [" ".join([head, *group]) for group in groups]


def _fitting(units: Pieces, room: int, count: Count, keep_label: bool = False) -> Pieces:
    """The same texts in the same order, those above ``room`` cut."""
    pieces: Pieces = []
    for text, size in units:
        pieces += [(text, size)] if size <= room else _cut(text, room, count, keep_label)
    return pieces


def _cut(text: str, room: int, count: Count, keep_label: bool) -> Pieces:
    named = _LABEL.match(text) if keep_label else None
    label = f"{named[1]}: " if named else ""
    left = room - count([label])[0]
    sentences = _SENTENCE.split(text)
    parts: list[str] = []
    for sentence, size in zip(sentences, count(sentences), strict=True):
        parts += [sentence] if size <= left else sentence.split()
    first, *rest = [" ".join(group) for group in _packed(list(zip(parts, count(parts), strict=True)), left)]
    texts = [first, *(label + part for part in rest)]
    return list(zip(texts, count(texts), strict=True))


def _packed(pieces: Pieces, room: int) -> list[list[str]]:
    """Consecutive groups of at most ``room``: as few as can be, and then as even as can be."""

    def groups(limit: int) -> list[list[str]]:
        made: list[list[str]] = []
        used = limit + 1
        for text, size in pieces:
            if used + size > limit:
                made.append([])
                used = 0
            made[-1].append(text)
            used += size
        return made

    low, high, fewest = max((size for _, size in pieces), default=0), room, len(groups(room))
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if len(groups(middle)) <= fewest else (middle + 1, high)
    return groups(high)
