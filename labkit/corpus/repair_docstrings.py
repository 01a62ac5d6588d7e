"""Rules for docstrings, so that pydocs-raw can be repaired step by step until it says what pydocs says.

They reuse what builds pydocs (`labkit.corpus.docstrings`, `labkit.corpus.markup`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from labkit.corpus.docstrings import parse
from labkit.corpus.edits import Edit, difference
from labkit.corpus.markup import clean
from labkit.corpus.repair_rules import substituted

_CALL = re.compile(r"\s*(?:[\w.]+\.)?([A-Za-z_]\w*)\([^()\n]*\)")
_SIGNATURE = re.compile(r"\A(?:[ \t]*(?:[\w.]+\.)?[A-Za-z_]\w*\([^\n]*\)(?:[ \t]*-+>?[ \t]*[\w.\[\], ]{1,40})?\n)+\n*")
_DOCTEST = re.compile(r"(?m)^[ \t]*>>>.*(?:\n[ \t]*\S.*)*\n?")
_VERSION = re.compile(
    r"(?m)^([ \t]*)\.\. (?:versionadded|versionchanged|versionremoved|deprecated)::.*\n?"
    r"(?:\1[ \t]+\S.*\n?|[ \t]*\n(?=\1[ \t]+\S))*"
)
_MARKED = re.compile(r"[^\n]*[`*\\][^\n]*")


def by_difference(function: Callable[[str], str]) -> Callable[[str], Iterator[Edit]]:
    """A rule from any function from a text to a text: its edits are the difference."""
    return lambda text: iter(difference(text, function(text)))


def signature(text: str) -> Iterator[Edit]:
    """The signatures that a C function's docstring starts with."""
    return substituted(_SIGNATURE, lambda match: "" if match.end() < len(text) else None, text)


def doctest(text: str) -> Iterator[Edit]:
    """Prompts and their output, up to the next blank line."""
    return substituted(_DOCTEST, lambda match: "", text)


def deprecation(text: str) -> Iterator[Edit]:
    """Which version added, changed or deprecated what."""
    return substituted(_VERSION, lambda match: "", text)


def sections(text: str) -> str:
    """Signature, description and parameters of a numpydoc or Google docstring; one without headings stays."""
    called = _CALL.match(text)
    if not re.search(r"(?m)^[-=~^]{3,}\s*$|^(?!Parameters:)[A-Z][\w ]{2,30}::?\s*$", text):
        return text
    return parse(text, called[1] if called else "").text or text


def rest(text: str) -> Iterator[Edit]:
    """Roles, literals, emphasis, citations and LaTeX, line by line."""
    for match in _MARKED.finditer(text):
        line = match[0]
        body = line.strip()
        for start, end, new in difference(body, clean(body)):
            shift = match.start() + line.index(body)
            yield start + shift, end + shift, new
