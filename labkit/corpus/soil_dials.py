"""The dials of `lk.soil` that change texts: each answers a text, a strength and a seeded generator with edits."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from labkit.corpus.edits import Edit

# At a dial of 1: this share of the places, or of the documents, is hit. A dial of 0.3 hits 0.3 of it.
WORDS, DOCUMENTS, COPIES = 0.1, 1.0, 0.3
_BROKEN = re.compile(r"[^\x00-\x7f]|ffi|ffl|ff|fi|fl|(?<=\w)'(?=\w)|(?<=\w) (?=\w)")
_LIGATURES = {"ffi": "ﬃ", "ffl": "ﬄ", "ff": "ﬀ", "fi": "ﬁ", "fl": "ﬂ", "'": "’", " ": "\u00a0"}
_LONG = re.compile(r"(?<![\w@/\\$%&=.`-])[A-Za-z][a-z]{3,}(?![\w@/\\=(`-])")
_MISREAD = re.compile(r"(?<=[a-z])(?:rn|cl|[olmwd])|(?:rn|cl|[olmwd])(?=[a-z])")
_READ_AS = {"rn": "m", "cl": "d", "o": "0", "l": "1", "m": "rn", "w": "vv", "d": "cl"}
_HIDDEN = ("\u200b", "\u00ad", "\ufeff", "\u2060", "\u200d", "\u200e")
_HTML_PLACE = re.compile(r"[<>&\"]|(?<=\w)[ \n](?=\w)|(?<![\w<&;`])[A-Za-z]{4,}(?![\w>;`])")
_ESCAPED = {"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;"}
_WRAPS = ("<b>{}</b>", "<em>{}</em>", '<a href="/wiki/{}">{}</a>', '<span class="hl">{}</span>', "<strong>{}</strong>")
_GAPS = ("<br>", "<br/>", "&nbsp;", "</p><p>")
# Three sites: what their pages begin and end with.
_SITES = (
    (
        ("Skip to main content", "Home | Products | Downloads | Support | Contact us"),
        ("Was this page helpful? Yes / Share your feedback", "© 2024 Northwind Publishing. All rights reserved.",
         "Privacy policy · Terms of service · Cookie settings"),
    ),
    (
        ("Sign in   Register   Help centre", "You are here: Home > Library > Articles"),
        ("Share on Facebook | Tweet | Email this article", "Page viewed {} times",
         "We use cookies to improve your browsing experience. Accept all cookies"),
    ),
    (
        ("[Toggle navigation menu]", "Subscribe to our weekly newsletter!"),
        ("Last updated: {} March 2024", "Advertisement", "Powered by OpenPress | Theme by Studio Nord"),
    ),
)  # fmt: skip


def _hits(
    pattern: re.Pattern[str], text: str, dial: float, draw: random.Random
) -> Iterator[tuple[re.Match[str], float]]:
    """The places that are hit, each with a number in [0, 1) to choose by. Places that would touch at 1 are one."""
    last = -1
    for match in pattern.finditer(text):
        hit, choice = draw.random(), draw.random()
        if hit < WORDS and match.start() > last:
            last = match.end()
            if hit < WORDS * dial:
                yield match, choice


def _mojibake(text: str, dial: float, draw: random.Random, ends: Any) -> Iterator[Edit]:
    for match, _ in _hits(_BROKEN, text, dial, draw):
        yield *match.span(), misread(_LIGATURES.get(match[0], match[0]))


def misread(text: str) -> str:
    """UTF-8 read as Windows-1252.

    >>> misread("café")
    'cafÃ©'
    """
    return "".join(
        bytes([byte]).decode("cp1252", "replace").replace("\ufffd", chr(byte)) for byte in text.encode("utf-8")
    )


def _zero_width(text: str, dial: float, draw: random.Random, ends: Any) -> Iterator[Edit]:
    for match, choice in _hits(_LONG, text, dial, draw):
        place = match.start() + 1 + int(choice * (len(match[0]) - 1))
        yield place, place, draw_from(_HIDDEN, choice * 97 % 1)


def _ocr(text: str, dial: float, draw: random.Random, ends: Any) -> Iterator[Edit]:
    for match, choice in _hits(_LONG, text, dial, draw):
        places = list(_MISREAD.finditer(match[0]))
        if places:
            letter = draw_from(places, choice)
            yield match.start() + letter.start(), match.start() + letter.end(), _READ_AS[letter[0]]


def _html(text: str, dial: float, draw: random.Random, ends: Any) -> Iterator[Edit]:
    for match, choice in _hits(_HTML_PLACE, text, dial, draw):
        if match[0] in _ESCAPED:
            yield *match.span(), _ESCAPED[match[0]]
        elif match[0].isspace():
            yield *match.span(), draw_from(_GAPS, choice) if match[0] == " " else "<br>"
        else:
            yield *match.span(), draw_from(_WRAPS, choice).replace("{}", match[0])


def _boilerplate(text: str, dial: float, draw: random.Random, ends: tuple[bool, bool]) -> Iterator[Edit]:
    hit, choice, number = draw.random(), draw.random(), draw.randrange(1, 29)
    if hit >= DOCUMENTS * dial:
        return
    header, footer = ("\n".join(lines).format(number) for lines in draw_from(_SITES, choice))
    if ends[0]:
        yield 0, 0, header + "\n"
    if ends[1]:
        yield len(text), len(text), "\n" + footer


def draw_from(choices, number: float):
    """The choice that a number in [0, 1) stands for."""
    return choices[int(number * len(choices))]


DIALS: dict[str, Callable[[str, float, random.Random, tuple[bool, bool]], Iterator[Edit]]] = {
    "mojibake": _mojibake, "boilerplate": _boilerplate, "zero-width": _zero_width, "ocr": _ocr, "html": _html,
}  # fmt: skip
