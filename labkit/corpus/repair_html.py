"""What is left of HTML, taken out where it is markup. ``a < b``, ``List<int>`` and ``<b>`` in code stay."""

from __future__ import annotations

import html as library
import html.entities
import re
from collections.abc import Iterator

from labkit.corpus.edits import Edit

_INLINE = {"a", "abbr", "b", "bdi", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "label", "mark", "q", "s"}
_INLINE |= {"samp", "small", "span", "strong", "sub", "sup", "tt", "u", "var"}
_BLOCK = {"article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer"}
_BLOCK |= {"form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "html", "li", "main", "nav", "ol", "p", "pre"}
_BLOCK |= {"section", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "title", "button"}
_ALONE = {"br", "hr", "img", "wbr", "input", "link", "meta"}  # elements without an end
_ENDLESS = {"p", "li", "dd", "dt"}  # whose ends may be left out
_TAG = re.compile(
    r"""<(/?)([A-Za-z][A-Za-z0-9]*)((?:\s+[\w:-]+(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=`]+))?)*)\s*(/?)>"""
)
_WHOLE = re.compile(
    r"(?is)<!--.{0,5000}?-->|<(script|style)\b[^<>]{0,500}>.{0,5000}?</\1\s{0,9}>|<!doctype html[^<>]{0,200}>"
)
_ENTITY = re.compile(r"&(?:amp;)*(#(?:[0-9]{1,7}|[xX][0-9a-fA-F]{1,6})|[A-Za-z][A-Za-z0-9]{1,30});")
CODE = re.compile(r"(?s)```.*?```|(`+)(?!`)[^`\n]+?\1(?!`)|(?m:^[ \t]*(?:>>>|\.\.\.)(?: .*)?$)")


def html(text: str) -> Iterator[Edit]:
    """Tags, comments, scripts and entities.

    A tag counts as markup if HTML knows its name and it is part of a pair or of a kind that stands alone; not in
    backticks, in doctests or alone between quotes. A break or a block becomes a space where words would run together.
    Entities become their character, however often they were escaped.
    """
    if "<" not in text and "&" not in text:
        return
    code = [match.span() for match in CODE.finditer(text)] if "`" in text or ">>>" in text else []
    found = [(*match.span(), " ") for match in _WHOLE.finditer(text)] if "<!" in text or "</" in text else []
    whole = {(start, end) for start, end, _ in found}
    found += [(*match.span(), "" if match[2].lower() in _INLINE else " ") for match in _markup(text)]
    found = _outside(found, code, whole)
    for start, end, parts in _joined(found):
        yield start, end, _gap(text, start, end) if " " in parts else ""
    entities = [(*m.span(), said) for m in _ENTITY.finditer(text) if (said := _character(m)) is not None]
    yield from _outside(entities, [*code, *((start, end) for start, end, _ in found)], set())


def _markup(text: str) -> Iterator[re.Match[str]]:
    """Tags that stand alone by kind, and those of a pair."""
    opened: dict[str, list[re.Match[str]]] = {}
    for match in _TAG.finditer(text):
        name = match[2].lower()
        quoted = text[max(0, match.start() - 1) : match.start()] + text[match.end() : match.end() + 1]
        if quoted in ('""', "''", "“”", "‘’"):
            continue
        if name in _ALONE or match[2] in _ENDLESS:
            yield match
        elif name in _INLINE or name in _BLOCK:
            if not match[1]:
                opened.setdefault(name, []).append(match)
            elif opened.get(name):
                yield from (opened[name].pop(), match)


def _joined(edits: list[Edit]) -> Iterator[Edit]:
    """Edits that touch as one."""
    edits = list(edits)
    for place, (start, end, new) in enumerate(edits):
        if place + 1 < len(edits) and edits[place + 1][0] == end:
            edits[place + 1] = (start, edits[place + 1][1], new + edits[place + 1][2])
        else:
            yield start, end, new


def _gap(text: str, start: int, end: int) -> str:
    """A space if the characters around a span would run together without it."""
    before, after = text[max(0, start - 1) : start] or " ", text[end : end + 1] or " "
    return " " if (before.isalnum() or before in "_.,;:!?)") and (after.isalnum() or after in "_(") else ""


def _character(match: re.Match[str]) -> str | None:
    """What an entity stands for, or None where HTML knows none of that name."""
    if not match[1].startswith("#") and f"{match[1]};" not in library.entities.html5:
        return None
    said = library.unescape(f"&{match[1]};")
    return None if said in ("", "\ufffd") or said.startswith("&#") else said


def _outside(found: list[Edit], inside: list[tuple[int, int]], whole: set[tuple[int, int]]) -> list[Edit]:
    """Edits, in order, that no code covers, nor another edit; ``whole`` ones may hold code."""
    kept: list[Edit] = []
    barriers, place = sorted(inside), 0
    for start, end, new in sorted(found, key=lambda edit: (edit[0], -edit[1])):
        while place < len(barriers) and barriers[place][1] <= start:
            place += 1
        covered = place < len(barriers) and barriers[place][0] < end and (start, end) not in whole
        if not covered and (not kept or start >= kept[-1][1]):
            kept.append((start, end, new))
    return kept
