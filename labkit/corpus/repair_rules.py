"""The rules that need nothing but the text: broken encoding, normal form, invisible characters, white space.

Each is a function from a text to edits. Letters, digits and punctuation that can be read are not theirs to change.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from labkit.corpus.edits import Edit, trimmed

# Invisible in scripts that neither join letters nor leave out spaces. Elsewhere, and in emoji, they carry meaning.
INVISIBLE = "\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff"
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\ufff9-\ufffb]+|\f|\x85")
_SPACES = re.compile("\r\n?|[\u2028\u2029]|[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+ ?")
_COMPOSABLE = re.compile(r"(?s).?[^\x00-\x7f]+")
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}


def substituted(pattern: re.Pattern[str], put: Callable[[re.Match[str]], str | None], text: str) -> Iterator[Edit]:
    """An edit for each match that ``put`` answers with other characters; None leaves it."""
    for match in pattern.finditer(text):
        new = put(match)
        if new is not None and new != match[0]:
            yield match.start(), match.end(), new


def mojibake(text: str) -> Iterator[Edit]:
    """UTF-8 that was read as Latin-1 or Windows-1252, run by run of characters that are not ASCII.

    ftfy decides; where it is not sure that a run is broken, the run stays. Other encodings are mended only in part.
    Source: https://ftfy.readthedocs.io
    """
    import ftfy
    from ftfy.badness import is_bad

    def put(match: re.Match[str]) -> str | None:
        return ftfy.fix_encoding(match[0]) if is_bad(match[0]) or match[0] == "Â " else None  # was a no-break space

    return substituted(_NOT_ASCII, put, text)


def control(text: str) -> Iterator[Edit]:
    """Control characters other than tab and line ends; a form feed and NEL become line ends."""
    return substituted(_CONTROL, lambda match: "\n" if match[0] in "\f\x85" else "", text)


def zero_width(text: str) -> Iterator[Edit]:
    """Zero-width characters, soft hyphens and direction marks between letters that do not need them.

    They stay beside Arabic, Indic and South-East Asian letters and in emoji, where they say how to join or break.
    """

    def put(match: re.Match[str]) -> str | None:
        beside = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
        return "" if all(ord(letter) < 0x590 or 0x2000 <= ord(letter) < 0x2190 for letter in beside) else None

    return substituted(_INVISIBLE, put, text)


def normal_form(text: str) -> Iterator[Edit]:
    """NFC, and Latin ligatures (``ﬁ``) as letters. Not NFKC: ``m²``, ``½`` and full-width letters stay.

    Source: Unicode Standard Annex 15.
    """

    def put(match: re.Match[str]) -> str:
        return unicodedata.normalize("NFC", "".join(_LIGATURES.get(letter, letter) for letter in match[0]))

    return _minimal(substituted(_COMPOSABLE, put, text), text)


def whitespace(text: str) -> Iterator[Edit]:
    """Line ends as ``\\n``, typographic spaces as plain ones. How many there are is not touched: indentation stays."""
    return substituted(_SPACES, lambda match: "\n" if match[0][0] in "\r\u2028\u2029" else " ", text)


def _minimal(edits: Iterator[Edit], text: str) -> Iterator[Edit]:
    """The same edits without what stays at their ends."""
    return (trimmed(text[start:end], new, start) for start, end, new in edits)
