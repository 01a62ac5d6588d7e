"""Dirt that shows in one text: bounded patterns, each linear in the text, each giving character spans.

Nothing here repairs; `labkit.corpus.repair` does, under the same rule ids.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator

Spans = Iterator[tuple[int, int]]

_WORD = re.compile(r"[^ \n\t\r\f\v]{1,200}")
_LOST = re.compile("[\ufffd\ud800-\udfff]+")
_HIDDEN = re.compile(
    "[\u200b\u2060-\u2064\ufeff\u00ad\u202a-\u202e\u2066-\u2069\ufff9-\ufffb]+"
    # joiners and direction marks belong into many scripts and emoji: dirt only between Latin letters, digits, spaces
    "|(?<![\u0250-\U0010ffff])[\u200c-\u200f]+(?![\u0250-\U0010ffff])"
    "|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]+"  # tags spell text that nobody sees
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_COMPATIBLE = re.compile("[\ufb00-\ufb06\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]")  # ligatures, full-width letters
_TAGS = (
    "a abbr b blockquote body br button caption center cite code dd del details div dl dt em embed figure font footer "
    "form h[1-6] head header hr html i iframe img input li link main meta nav ol p pre q script section select small "
    "span strong style sub sup table tbody td textarea tfoot th thead tr u ul video"
)
_TAG = "|".join(_TAGS.split())
_HTML = re.compile(
    rf"</(?:{_TAG})>|<(?:{_TAG})\s{{1,9}}[a-z-]{{1,30}}\s?=[^<>]{{1,500}}>|<(?P<bare>{_TAG})\s?/?>|<!--|<!doctype\b|<!\[CDATA\["
    r"|&(?:#\d{2,7}|#x[0-9a-f]{2,6}|[a-z]{2,8}\d{0,2});",
    re.IGNORECASE,
)
_CLOSING = re.compile(r"</([a-z][a-z0-9]{0,9})>")
_NEVER_CLOSED = {"br", "hr", "li"}
_MARKUP = re.compile(
    r"(?<![\w`]):[a-z][a-z0-9:+-]{1,20}:`[^`\n]{1,200}`"  # a reST role
    r"|^[ \t]{0,40}\.\. [a-z][\w:+-]{1,30}::"  # a reST directive
    r"|!?\[[^\[\]\n]{0,200}\]\(https?:[^()\s]{1,300}\)|^#{2,6} (?=\S)|^```"  # Markdown
    r"|\\(?:frac|begin|end|mathbf|mathrm|mathcal|operatorname|textbf|textit|cite|ref)\{",  # LaTeX
    re.MULTILINE,
)
_SPECIAL = re.compile(
    r"\[(?:CLS|SEP|PAD|MASK|UNK|unused\d{1,3})\]|</?s>|<(?:pad|unk|mask|eos|bos)>"
    r"|<\|[a-z_]{1,30}\|>|\[/?INST\]|<</?SYS>>"
)
_MODEL = r"(?:AI|A\.I\.|LLMs?|(?:large )?language models?|(?:AI )?assistants?|AI models?|chat ?bots?|re-?rankers?)"
_EARLIER = r"(?:previous|prior|above|earlier|preceding|foregoing|system|developer)"
_ORDERS = r"(?:instructions?|prompts?|rules?|directions?|guidelines|commands?)"
_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\s{1,3}(?:(?:all|any|and|the|of|these|every|each|my|your)\s{1,3}){0,3}"
    rf"(?:{_EARLIER}\s{{1,3}}(?:\w{{1,20}}\s{{1,3}}){{0,2}}?{_ORDERS}|{_ORDERS}\s{{1,3}}(?:above|before|given))\b"
    r"|\b(?:ignore|disregard|forget) (?:everything|all|anything) (?:above|before|you (?:were|have been|know))\b"
    rf"|\b(?:if )?you are (?:now )?(?:an? |the )?(?:\w{{1,20}} ){{0,2}}?{_MODEL}\b"
    rf"|\b(?:as an?|dear) (?:AI|large language|language) model\b|\bdear {_MODEL}\b"
    rf"|\b(?:note|attention|instructions?|message) (?:to|for) (?:the |any |all )?{_MODEL}\b"
    r"|\b(?:rank|rate|score|place|select|choose|return) (?:this|the present) "
    r"(?:document|passage|page|text|result|answer)\b[^.\n]{0,40}?\b(?:first|highest|top|relevant|best)\b"
    r"|\b(?:do not|don't|never) (?:tell|inform|mention (?:this )?to|reveal (?:this )?to) the user\b"
    r"|\b(?:reveal|print|repeat|output) (?:your|the) system prompt\b|\bnew instructions?:"
    r"|\byour new (?:task|role|goal|instructions?) (?:is|are)\b"
    r"|\bfrom now on,? you (?:are|will|must|should|answer|act)\b"
    r"|\b(?:respond|reply) only with\b",
    re.IGNORECASE,
)


def mojibake(text: str) -> Spans:
    """What ftfy would decode again, and what is beyond decoding: U+FFFD and lone surrogates."""
    if text.isascii():
        return
    from ftfy import fix_encoding

    for word in _WORD.finditer(text):
        if not word[0].isascii():
            if lost := _LOST.search(word[0]):
                yield word.start() + lost.start(), word.start() + lost.end()
            elif fix_encoding(word[0]) != word[0]:
                yield word.span()


def normal_form(text: str) -> Spans:
    """Words that are not in Unicode's form NFC, ligatures, and full-width letters and digits."""
    if text.isascii():
        return
    composed = unicodedata.is_normalized("NFC", text)
    for word in _WORD.finditer(text):
        if not word[0].isascii() and (
            _COMPATIBLE.search(word[0]) or not (composed or unicodedata.is_normalized("NFC", word[0]))
        ):
            yield word.span()


def hypertext(text: str) -> Spans:
    """HTML tags by their names, comments and entities; ``<class 'int'>``, ``a & b;`` and a lone ``<body>`` are none."""
    closed: set[str] | None = None
    for found in _HTML.finditer(text):
        bare = (found["bare"] or "").lower()
        if bare and bare not in _NEVER_CLOSED:
            closed = set(_CLOSING.findall(text.lower())) if closed is None else closed
            if bare not in closed:
                continue
        if found[0][0] != "&" or html.unescape(found[0]) != found[0]:
            yield found.span()


def _spans(pattern: re.Pattern[str]) -> Callable[[str], Spans]:
    return lambda text: (found.span() for found in pattern.finditer(text))


def _unless_ascii(pattern: re.Pattern[str]) -> Callable[[str], Spans]:
    return lambda text: iter(()) if text.isascii() else (found.span() for found in pattern.finditer(text))


TEXT_RULES: dict[str, Callable[[str], Spans]] = {
    "mojibake": mojibake,
    "zero-width": _unless_ascii(_HIDDEN),
    "normal-form": normal_form,
    "control": _spans(_CONTROL),
    "html": hypertext,
    "markup": _spans(_MARKUP),
    "special-token": _spans(_SPECIAL),
    "prompt-injection": _spans(_INJECTION),
}


def visible(text: str, start: int = 0, end: int | None = None, room: int = 24, most: int = 90) -> str:
    """The span with some text around, cut, with every character that does not show spelled out.

    >>> visible("naive\\u200bly cafe\\u0301", 5, 6)
    'naive\\\\u200bly cafe\\\\u0301'
    """
    end = len(text) if end is None else end
    first, last = max(0, start - room), min(len(text), max(end + room, start + 1))
    shown = "".join(map(_shown, text[first : min(last, first + most)]))
    return ("…" if first else "") + shown + ("…" if last < len(text) or last > first + most else "")


def _shown(character: str) -> str:
    if character in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[character]
    if character.isprintable() and not unicodedata.combining(character):
        return character
    return character.encode("unicode_escape").decode("ascii")
