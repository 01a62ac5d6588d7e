"""Edits of a text, and the record that they leave: what stood there, what stands there now, and where, in both texts.

A record can be undone, and it maps every span of the new text to the span of the old one that it came from.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

Edit = tuple[int, int, str]  # start and end in a text, and what to put there
_LARGEST = 20_000_000  # products of lengths above it are not aligned: quadratic time


@dataclass(frozen=True, slots=True)
class Change:
    """One changed place. ``rule`` names what did it, joined by ``+`` where several rules met in one place.

    Attributes
    ----------
    before, after : the characters there, in the old and in the new text; either may be empty
    start, at : where they start, in the old and in the new text
    """

    rule: str
    before: str
    after: str
    start: int
    at: int

    @property
    def end(self) -> int:
        return self.start + len(self.before)

    @property
    def at_end(self) -> int:
        return self.at + len(self.after)

    @property
    def size(self) -> int:
        """Changed characters: the longer side."""
        return max(len(self.before), len(self.after))


@dataclass(frozen=True)
class Record:
    """A text, what became of it, and every change between the two, in order and without overlap.

    >>> record = Record.of("a &amp; b").then([(2, 7, "&")], "html")
    >>> record.text, record.changes
    ('a & b', (Change(rule='html', before='&amp;', after='&', start=2, at=2),))
    >>> record.source_span(4, 5), record.undo()
    ((8, 9), 'a &amp; b')
    """

    source: str
    text: str
    changes: tuple[Change, ...] = ()

    @classmethod
    def of(cls, text: str) -> Record:
        """A record without changes."""
        return cls(text, text)

    def then(self, edits: Iterable[Edit], rule: str) -> Record:
        """The record after one more round of edits to ``text``; they must not overlap."""
        ordered = sorted(edits)
        if not ordered:
            return self
        text = patched(self.text, 0, len(self.text), ordered)
        return Record(self.source, text, tuple(_composed(self.changes, ordered, self.text, rule)))

    def undo(self) -> str:
        """The old text, rebuilt from the new one and the changes."""
        return patched(self.text, 0, len(self.text), [(c.at, c.at_end, c.before) for c in self.changes])

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """The span of ``source`` that a span of ``text`` came from; one that cuts a change takes in all of it."""
        return self._source(start, last=False), self._source(end, last=True)

    def _source(self, place: int, last: bool) -> int:
        found = bisect_right(self._starts, place) - 1
        if found < 0:
            return place
        change = self.changes[found]
        if last and place == change.at:  # the span ends where the change starts
            return change.start
        if place >= change.at_end:
            return place - change.at_end + change.end
        return change.end if last else change.start

    @cached_property
    def _starts(self) -> list[int]:
        return [change.at for change in self.changes]


def patched(text: str, start: int, end: int, edits: Iterable[Edit]) -> str:
    """``text[start:end]`` with edits, which are sorted and do not overlap, put in."""
    parts, place = [], start
    for at, stop, new in edits:
        parts += [text[place:at], new]
        place = stop
    return "".join([*parts, text[place:end]])


def _composed(changes: Sequence[Change], edits: Sequence[Edit], middle: str, rule: str) -> Iterator[Change]:
    """Changes old -> middle, then edits middle -> new, as changes old -> new. Those that touch become one."""
    items: list[tuple[int, int, Any]] = [(c.at, c.at_end, c) for c in changes] + list(edits)
    items.sort(key=lambda item: item[:2])
    to_old = to_new = first = 0
    while first < len(items):
        low, high = items[first][:2]
        last = first + 1
        while last < len(items) and items[last][0] <= high:
            high = max(high, items[last][1])
            last += 1
        group, first = items[first:last], last
        old = [c for _, _, c in group if isinstance(c, Change)]
        new = [item for item in group if not isinstance(item[2], Change)]
        before = patched(middle, low, high, [(c.at, c.at_end, c.before) for c in old])
        after = patched(middle, low, high, new)
        if before != after:
            names = dict.fromkeys([*(name for c in old for name in c.rule.split("+")), *([rule] if new else [])])
            yield Change("+".join(names), before, after, low + to_old, low + to_new)
        to_old += len(before) - (high - low)
        to_new += len(after) - (high - low)


def difference(old: str, new: str) -> list[Edit]:
    """Edits that turn ``old`` into ``new``: aligned by words, then by characters inside the words that differ."""
    if old == new:
        return []
    return list(_aligned(_words(old), _words(new), 0))


def _aligned(old: Sequence[str], new: Sequence[str], offset: int) -> Iterator[Edit]:
    places = [offset]
    for part in old:
        places.append(places[-1] + len(part))
    if len(old) * len(new) > _LARGEST:
        yield trimmed("".join(old), "".join(new), offset)
        return
    for tag, i, i_end, j, j_end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        left, right = old[i:i_end], new[j:j_end]
        if isinstance(old, str) or tag != "replace":
            yield places[i], places[i_end], "".join(right)
        elif len(left) == len(right) > 1:  # word by word
            for number, (a, b) in enumerate(zip(left, right, strict=True)):
                yield from _aligned(a, b, places[i + number])
        elif (a := "".join(left)) and len(a) * len(b := "".join(right)) <= 1_000_000:
            yield from _aligned(a, b, places[i])
        else:
            yield trimmed(a, "".join(right), places[i])


def trimmed(old: str, new: str, offset: int) -> Edit:
    """One edit, without what both have in common at either end."""
    short = min(len(old), len(new))
    head = next((i for i in range(short) if old[i] != new[i]), short)
    tail = next((i for i in range(short - head) if old[-1 - i] != new[-1 - i]), short - head)
    return offset + head, offset + len(old) - tail, new[head : len(new) - tail]


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)
