"""``lk.soil``: dirt on purpose, six kinds of it, each by a dial, seeded, and every change remembered.

Since it is known what was planted where, a cleaner has a precision and a recall (`labkit.corpus.soil_score`).
Titles, queries and judgments stay clean.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from labkit.corpus.collection import Collection, Document
from labkit.corpus.edits import Edit, Record
from labkit.corpus.repair import parts, rebuilt
from labkit.errors import LabError, is_number

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


@dataclass(frozen=True, repr=False)
class Soiled(Collection):
    """A soiled collection.

    Attributes
    ----------
    clean : the collection that it was
    records : (document id, part) to `Record`; a change's rule is the dial that planted it
    copies : id of a planted copy to the id of its original
    """

    clean: Collection = field(default_factory=lambda: Collection("", {}))
    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)


def soil(
    collection: Collection,
    *,
    mojibake: float = 0.0,
    boilerplate: float = 0.0,
    duplicates: float = 0.0,
    zero_width: float = 0.0,
    ocr: float = 0.0,
    html: float = 0.0,
    seed: int = 0,
) -> Soiled:
    """Soil a collection. Each dial goes from 0 to 1; what a lower one hits, a higher one with the same seed hits too.

    Parameters
    ----------
    mojibake : a character that is not ASCII, a ligature (fi, fl, ff), an apostrophe or a space set as one that breaks
        nowhere, read in the wrong encoding; 1 is a tenth of these
    boilerplate : headers and footers of three invented sites; 1 is every document
    duplicates : copies under another id, which no judgment knows; 1 is 3 in 10 documents
    zero_width : invisible characters inside words; 1 is a tenth of the words of four letters
    ocr : misread letters, one a word; 1 is a tenth of these words
    html : tags and entities; 1 is a tenth of the words and signs
    seed : another one plants elsewhere

    Raises
    ------
    LabError
        For a dial outside of 0 to 1 and a seed that is no whole number.
    """
    dials = {"mojibake": mojibake, "boilerplate": boilerplate, "duplicates": duplicates}
    dials |= {"zero-width": zero_width, "ocr": ocr, "html": html}
    for name, value in dials.items():
        if not is_number(value) or not 0 <= value <= 1:
            raise LabError(f"the dial {name.replace('-', '_')} goes from 0 to 1; got {value!r}.")
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise LabError(f"seed must be a whole number; got {seed!r}.")
    docs: dict[str, Document] = {}
    records: dict[tuple[str, str], Record] = {}
    copies: dict[str, str] = {}
    for doc_id, document in collection.docs.items():
        told = _soiled_parts(document, doc_id, dials, seed)
        docs[doc_id] = rebuilt(document, {name: record.text for name, record in told.items()})
        records |= {(doc_id, name): record for name, record in told.items() if record.changes}
        if random.Random(f"{seed} duplicates {doc_id}").random() < COPIES * duplicates:
            copies[_unused(f"{doc_id}~copy", collection.docs)] = doc_id
    docs |= {copy: docs[doc_id] for copy, doc_id in copies.items()}
    told = {name: getattr(collection, name) for name in Collection.__dataclass_fields__}
    told |= {"docs": docs, "prepared": (*collection.prepared, {"name": "soil", "seed": seed, **dials})}
    return Soiled(**told, clean=collection, records=records, copies=copies)


def _soiled_parts(document: Document, doc_id: str, dials: dict[str, float], seed: int) -> dict[str, Record]:
    """Each part of a document soiled; all dials plant in the clean text, and none where another one did."""
    names = [name for name, _ in parts(document) if name != "title"]
    told: dict[str, Record] = {"title": Record.of(document.title)}
    for name, text in parts(document)[1:]:
        ends = (name in ("text", "passage 0"), name in ("text", names[-1]))
        planted: list[tuple[int, int, str, str]] = []
        for dial, plant in _DIALS.items():
            if dials[dial]:
                draw = random.Random(f"{seed} {dial} {doc_id} {name if dial != 'boilerplate' else ''}")
                planted += [(*edit, dial) for edit in plant(text, dials[dial], draw, ends)]
        told[name] = _planted(text, planted)
    return told


def _planted(text: str, planted: list[tuple[int, int, str, str]]) -> Record:
    """A record of those changes that touch no other one."""
    from labkit.corpus.edits import Change

    changes, shift, place = [], 0, -1
    parts_of, done = [], 0
    for start, end, new, dial in sorted(planted):
        if start <= place:
            continue
        changes.append(Change(dial, text[start:end], new, start, start + shift))
        parts_of += [text[done:start], new]
        shift += len(new) - (end - start)
        place = done = end
    return Record(text, "".join([*parts_of, text[done:]]), tuple(changes))


def _hits(
    pattern: re.Pattern[str], text: str, dial: float, draw: random.Random
) -> Iterator[tuple[re.Match[str], float]]:
    """The places that are hit, each with a number in [0, 1) to choose by; two draws a place, hit or not."""
    for match in pattern.finditer(text):
        hit, choice = draw.random(), draw.random()
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
    header, footer = (" \n".join(lines).replace(" \n", "\n").format(number) for lines in draw_from(_SITES, choice))
    if ends[0]:
        yield 0, 0, header + "\n"
    if ends[1]:
        yield len(text), len(text), "\n" + footer


def draw_from(choices, number: float):
    """The choice that a number in [0, 1) stands for."""
    return choices[int(number * len(choices))]


def _unused(name: str, taken) -> str:
    while name in taken:
        name += "~"
    return name


_DIALS: dict[str, Callable[[str, float, random.Random, tuple[bool, bool]], Iterator[Edit]]] = {
    "mojibake": _mojibake, "boilerplate": _boilerplate, "zero-width": _zero_width, "ocr": _ocr, "html": _html,
}  # fmt: skip
