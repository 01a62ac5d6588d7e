"""Texts become chunks that an encoder reads whole, each of which knows where in the text it stood.

Cuts fall between paragraphs, else between sentences, else between words, else inside of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from labkit.corpus.collection import Collection, Document, join_title
from labkit.corpus.passages import Count
from labkit.errors import LabError, check_count, check_text

Span = tuple[int, int]
# Possessive, so that a text of 50 MB in one line needs no memory to go back.
_PARAGRAPH = re.compile(r"\S(?:[^\n]++|\n(?![ \t]*+(?:\n|[-*•] |\d{1,2}[.)] )))*+")
_SENTENCE = re.compile(r"\S(?:\b(?:e\.g|i\.e|vs|cf|etc)\.|[^.!?]|[.!?](?!\s))*+[.!?]*+")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """``source[start:end]``, and ``text``, which carries the title in front of it."""

    text: str
    start: int
    end: int

    @property
    def id(self) -> str:
        """Where it stands, as ``"start-end"`` in characters."""
        return f"{self.start}-{self.end}"


def chunk(text: str, count: Count, limit: int = 200, overlap: int = 0, title: str = "") -> list[Chunk]:
    """Cut a text into chunks of at most ``limit`` tokens, the title included.

    Parameters
    ----------
    text : str
    count : texts to their numbers of tokens, such as `labkit.corpus.pydocs.count_wordpieces`
    limit : tokens of a chunk, without the encoder's special ones
    overlap : at most so many tokens of a chunk are repeated at the start of the next, in whole sentences, else words
    title : put in front of every chunk

    Raises a `LabError` if the title leaves no room, if the overlap is not less than half of the room, for what is no
    text.

    >>> [c.text for c in chunk("One two. Three four.", lambda texts: [len(t.split()) for t in texts], 3, title="T")]
    ['T. One two.', 'T. Three four.']
    """
    check_text(text, "text")
    check_count(limit, "limit")
    room = limit - count([join_title(check_text(title, "title"), "x")])[0] + count(["x"])[0]
    if room < 1:
        raise LabError(f"the title must leave room for text; it takes all of the {limit} tokens of a chunk.")
    if not isinstance(overlap, int) or isinstance(overlap, bool) or not 0 <= overlap <= room // 2:
        raise LabError(f"overlap must be a whole number from 0 to {room // 2}, half of the room; got {overlap!r}.")
    spans = list(_spans(text, count, room, overlap))
    return [Chunk(join_title(title, text[start:end]), start, end) for start, end in spans]


def chunked(collection: Collection, count: Count, limit: int = 200, overlap: int = 0) -> Collection:
    """The same documents, their texts cut by `chunk` into passages. Ids, queries and judgments stay."""
    docs = {}
    for doc_id, document in collection.docs.items():
        made = chunk(document.text, count, limit, overlap, document.title)
        docs[doc_id] = Document(document.title, document.text, tuple(piece.text for piece in made))
    step = {"name": "chunk", "limit": limit, "overlap": overlap}
    return replace(collection, docs=docs, prepared=(*collection.prepared, step))


def _spans(text: str, count: Count, room: int, overlap: int) -> Iterator[Span]:
    units = list(_units(text, count, room, overlap))
    first = 0
    while first < len(units):
        last = first + 1  # the first unit that is not in the chunk
        size = units[first][1]
        while last < len(units) and size + units[last][1] <= room:
            size += units[last][1]
            last += 1
        last = _at_paragraph(units, first, last)
        while last > first + 1 and count([text[units[first][0][0] : units[last - 1][0][1]]])[0] > room:
            last -= 1  # tokens of a whole may be more than those of its parts
        yield units[first][0][0], units[last - 1][0][1]
        first = last if last == len(units) else _back(units, first, last, overlap)


def _at_paragraph(units: list[tuple[Span, int, bool]], first: int, last: int) -> int:
    """Where to end a chunk: at the last start of a paragraph in its second half, if there is one."""
    if last == len(units):
        return last
    starts = [i for i in range((first + last + 1) // 2, last + 1) if units[i][2] and i > first]
    return starts[-1] if starts else last


def _back(units: list[tuple[Span, int, bool]], first: int, last: int, overlap: int) -> int:
    """Where the next chunk starts: as far back as the overlap reaches, but after where this one started."""
    start, size = last, 0
    while start - 1 > first and size + units[start - 1][1] <= overlap:
        start -= 1
        size += units[start][1]
    return start


def _units(text: str, count: Count, room: int, overlap: int) -> Iterator[tuple[Span, int, bool]]:
    """(span, tokens, whether a paragraph starts there), none larger than the room."""
    for paragraph in _PARAGRAPH.finditer(text):
        fresh = True
        spans = [(m.start() + paragraph.start(), m.end() + paragraph.start()) for m in _SENTENCE.finditer(paragraph[0])]
        for span, size in zip(spans, count([text[a:b] for a, b in spans]), strict=True):
            pieces = [(span, size)] if size <= room else _smaller(text, span, count, room, overlap)
            for piece, tokens in pieces:
                yield piece, tokens, fresh
                fresh = False


def _smaller(text: str, span: Span, count: Count, room: int, overlap: int) -> Iterator[tuple[Span, int]]:
    """A sentence that is too long, in runs of words of a quarter of the overlap or of the room; long words halved."""
    most = max(1, (overlap or room) // 4)
    words = ((m.start(), m.end()) for m in _WORD.finditer(text, *span))
    start, end, run = span[0], span[0], 0
    while block := list(islice(words, 4096)):
        for (a, b), size in zip(block, count([text[a:b] for a, b in block]), strict=True):
            if run and run + size > most:
                yield (start, end), run
                run = 0
            start, end, run = (start if run else a), b, run + size
            if run > room:
                yield from _halves(text, (start, end), count, room)
                run = 0
    if run:
        yield (start, end), run


def _halves(text: str, span: Span, count: Count, room: int) -> Iterator[tuple[Span, int]]:
    (size,) = count([text[slice(*span)]])
    if size <= room or span[1] - span[0] < 2:
        yield span, size
        return
    middle = sum(span) // 2
    for half in ((span[0], middle), (middle, span[1])):
        yield from _halves(text, half, count, room)
