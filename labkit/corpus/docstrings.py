"""A docstring becomes sections.

Understood: numpydoc (underlined headings), Google style (``Args:``), and the plain docstrings of C functions, whose
first line is a signature. Kept: summary, description and parameters. Left out: examples, returns, references, notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import cleandoc
from itertools import pairwise
from textwrap import dedent

from labkit.corpus.markup import clean, ended, paragraphs

_PARAMETERS = {"parameters", "parameter", "other parameters", "args", "arguments", "input", "inputs"}
_PARAMETERS |= {"keyword args", "keyword arguments"}
_SKIPPED = {"returns", "return", "yields", "yield", "raises", "warns", "see also", "notes", "references", "reference"}
_SKIPPED |= {"examples", "example", "attributes", "methods", "shape", "outputs", "output", "warnings", "type", "usage"}
_UNDERLINE = re.compile(r"^[-=~^\"]{3,}\s*$")
_GOOGLE = re.compile(
    r"^(Args|Arguments|Keyword [Aa]rg(?:uments|s)|Parameters|Inputs?|Returns?|Yields|Raises|Attributes|Examples?|Shape|"
    r"Outputs?|References?|See [Aa]lso|Type|Usage)(?: \S+)?::?\s*$|^(Inputs|Outputs): "
)
_ENTRY = re.compile(r"^(\*{0,2}[A-Za-z_]\w*(?:, ?\*{0,2}\w+)*)\s*(\(.*\))?\s*:(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Sections:
    """What of a docstring is searched.

    ``signature`` may be empty; the first paragraph of ``description`` is the summary; ``parameters`` has one string
    for each, such as ``"axis: int, optional. The axis to sort along."``.
    """

    signature: str
    description: tuple[str, ...]
    parameters: tuple[str, ...]

    @property
    def body(self) -> str:
        """Description and parameters, without the signature."""
        listed = ["Parameters:\n" + "\n".join(self.parameters)] if self.parameters else []
        return "\n\n".join([*self.description, *listed])

    @property
    def text(self) -> str:
        """The whole text of the document: signature, description, parameters."""
        return "\n".join(part for part in (self.signature, self.body) if part)


def parse(docstring: str, name: str, signature: str = "") -> Sections:
    """Read a docstring of the object called ``name`` (its last part, as in ``"cat"``) into `Sections`.

    ``signature`` is what introspection knows; where it is empty, the first line of a C docstring stands in.

    >>> parse("cat(tensors, dim=0) -> Tensor\\n\\nJoin them.\\n\\nArgs:\\n    dim (int): the axis", "cat")
    Sections(signature='cat(tensors, dim=0)', description=('Join them.',), parameters=('dim (int): the axis.',))
    """
    found, lines = _cut_signatures(cleandoc(docstring).split("\n"), name)
    description: list[str] = []
    parameters: list[str] = []
    for kind, style, block in _sections(lines):
        if kind == "description":
            description += paragraphs(block)
        elif kind == "parameters":
            parameters += _entries(block, numpydoc=style == "numpydoc")
    return Sections(signature or found, tuple(description), tuple(parameters))


def _cut_signatures(lines: list[str], name: str) -> tuple[str, list[str]]:
    """The first signature, and the lines without any; what one says after its arrow stays, if it is a phrase."""
    called = rf"(?:[\w.]+\.)?((?:{re.escape(name)}|__init__)"
    if not re.match(rf"{called})\(", lines[0]):
        return "", lines
    end = lines.index("") if "" in lines else len(lines)
    balanced = r"\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)"
    found: list[str] = []

    def said(match: re.Match[str]) -> str:
        found.append(" ".join(match[1].split()))
        phrase = " ".join((match[2] or "").split())
        return f"{phrase}\n" if len(phrase.split()) > 3 else ""

    pattern = rf"(?m)^{called}{balanced})(?:\s*-+>?\s*([^\n]*(?:\n[ \t].*)*))?\n?"
    rest = re.sub(pattern, said, "\n".join(lines[:end]))
    shown = next((one for one in found if not one.endswith("()")), found[0] if found else "")
    return shown.replace("__init__(", f"{name}("), [*rest.split("\n"), *lines[end:]]


def _sections(lines: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (kind, style, lines); kind is description, parameters or skipped; style plain, numpydoc or google."""
    kind, style, block = "description", "plain", []
    skip = False
    for line, after in pairwise([*lines, ""]):
        indented = not line or line[0].isspace()
        google = None if style == "numpydoc" else _GOOGLE.match(line)
        if skip:
            skip = False
        elif not indented and _UNDERLINE.match(after):
            yield kind, style, block
            kind, style, block, skip = _kind(line), "numpydoc", [], True
        elif google:
            yield kind, style, block
            kind, style, block = _kind(google[1] or google[2]), "google", []
        elif style == "google" and not indented:
            yield kind, style, block
            kind, style, block = "description", "plain", [line]
        else:
            block.append(line)
    yield kind, style, block


def _kind(heading: str) -> str:
    heading = heading.strip().rstrip(":").lower()
    return "parameters" if heading in _PARAMETERS else "skipped" if heading in _SKIPPED else "description"


def _entries(lines: list[str], numpydoc: bool) -> list[str]:
    """One string per parameter: name, type and what is said of it."""
    entries: list[list[str]] = []
    for line in dedent("\n".join(lines)).split("\n"):
        starts = bool(line) and not line[0].isspace() and (numpydoc or _ENTRY.match(line) is not None)
        if starts or not entries:
            entries.append([line])
        else:
            entries[-1].append(line)
    return [text for entry in entries if entry[0] != "Properties:" and (text := _entry(entry, numpydoc))]


def _entry(lines: list[str], numpydoc: bool) -> str:
    if not numpydoc:
        return " ".join(paragraphs(lines))
    head = clean(re.sub(r"\s+:\s*", ": ", lines[0], count=1))
    said = " ".join(paragraphs(_without_artist_table(lines[1:])))
    return f"{ended(head)} {said}".strip() if re.search(r"\w", head) else said


def _without_artist_table(lines: list[str]) -> list[str]:
    """matplotlib repeats the same list of artist properties in some fifty docstrings: cut it off."""
    ends = [i for i, line in enumerate(lines) if line.strip() == "Properties:"]
    return lines[: ends[0]] if ends else lines
