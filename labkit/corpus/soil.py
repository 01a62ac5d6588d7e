"""``lk.soil``: dirt on purpose, six kinds of it, each by a dial, seeded, and every change remembered.

Since it is known what was planted where, a cleaner has a precision and a recall (`labkit.corpus.soil_score`).
Titles, queries and judgments stay clean.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from labkit.bars import bar
from labkit.corpus.collection import Collection, Document
from labkit.corpus.edits import Change, Record, patched
from labkit.corpus.repair import fields_of, parts, rebuilt
from labkit.corpus.soil_dials import COPIES, DIALS
from labkit.errors import LabError, is_number


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
    progress: bool = False,
) -> Soiled:
    """Soil a collection. Each dial goes from 0 to 1, and a higher one with the same seed hits what a lower one hits.

    All plant in the clean text; where the places of two dials touch, the first one counts.

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
    progress : show a bar

    Raises a `LabError` for a dial outside of 0 to 1 and a seed that is no whole number.
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
    for doc_id, document in bar(collection.docs.items(), what="soil", unit="doc", show=progress):
        told = _soiled_parts(document, doc_id, dials, seed)
        docs[doc_id] = rebuilt(document, {name: record.text for name, record in told.items()})
        records |= {(doc_id, name): record for name, record in told.items() if record.changes}
        if random.Random(f"{seed} duplicates {doc_id}").random() < COPIES * duplicates:
            copies[_unused(f"{doc_id}~copy", collection.docs)] = doc_id
    docs |= {copy: docs[doc_id] for copy, doc_id in copies.items()}
    told = {"docs": docs, "prepared": (*collection.prepared, {"name": "soil", "seed": seed, **dials})}
    return Soiled(**fields_of(collection) | told, clean=collection, records=records, copies=copies)


def _soiled_parts(document: Document, doc_id: str, dials: dict[str, float], seed: int) -> dict[str, Record]:
    """Each part of a document soiled; all dials plant in the clean text, and none where another one did."""
    names = [name for name, _ in parts(document) if name != "title"]
    told: dict[str, Record] = {"title": Record.of(document.title)}
    for name, text in parts(document)[1:]:
        ends = (name in ("text", "passage 0"), name in ("text", names[-1]))
        planted: list[tuple[int, int, str, str]] = []
        for dial, plant in DIALS.items():
            if dials[dial]:
                draw = random.Random(f"{seed} {dial} {doc_id} {name if dial != 'boilerplate' else ''}")
                planted += [(*edit, dial) for edit in plant(text, dials[dial], draw, ends)]
        told[name] = _planted(text, planted)
    return told


def _planted(text: str, planted: list[tuple[int, int, str, str]]) -> Record:
    """A record of those changes that touch no other one."""
    changes: list[Change] = []
    shift, place = 0, -1
    for start, end, new, dial in sorted(planted):
        if start > place:
            changes.append(Change(dial, text[start:end], new, start, start + shift))
            shift += len(new) - (end - start)
            place = end
    return Record(text, patched(text, 0, len(text), [(c.start, c.end, c.after) for c in changes]), tuple(changes))


def _unused(name: str, taken) -> str:
    while name in taken:
        name += "~"
    return name
