"""The rules of `lk.repair` by name, with their versions and parameters."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from labkit.corpus import repair_docstrings, repair_html, repair_learned, repair_rules
from labkit.corpus.edits import Edit
from labkit.errors import LabError, check_text


@dataclass(frozen=True)
class Rule:
    """A rule: ``find`` answers a text with edits, or ``learn`` answers the texts of a collection with a ``find``.

    ``version`` rises when the answers change; with the parameters it is the rule's part of a run's configuration.
    """

    name: str
    find: Callable[[str], Iterable[Edit]] | None = None
    learn: Callable[[Sequence[str]], Callable[[str], Iterable[Edit]]] | None = None
    version: int | str = 1
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def configuration(self) -> dict[str, Any]:
        return {"name": self.name, "version": self.version, **self.parameters}


DUPLICATE = "duplicate"
RULES = {
    rule.name: rule
    for rule in (
        Rule("mojibake", repair_rules.mojibake),
        Rule("control", repair_rules.control),
        Rule("zero-width", repair_rules.zero_width),
        Rule("html", repair_html.html),
        Rule("normal-form", repair_rules.normal_form, parameters={"form": "NFC"}),
        Rule("whitespace", repair_rules.whitespace),
        Rule(
            "boilerplate",
            learn=repair_learned.learn_boilerplate,
            parameters={"share": repair_learned.SHARE, "fewest": repair_learned.FEWEST, "edge": repair_learned.EDGE},
        ),
        Rule(
            "ocr",
            learn=repair_learned.learn_ocr,
            parameters={"count": repair_learned.COUNT, "slack": repair_learned.SLACK},
        ),
        Rule(DUPLICATE),
        Rule("signature", repair_docstrings.signature),
        Rule("doctest", repair_docstrings.doctest),
        Rule("deprecation", repair_docstrings.deprecation),
        Rule("sections", repair_docstrings.by_difference(repair_docstrings.sections)),
        Rule("rest", repair_docstrings.rest),
    )
}
DEFAULT = tuple(RULES)[:9]
DOCSTRINGS = tuple(RULES)[9:]


def rule_of(one: Any) -> Rule:
    """The rule that a name or a function stands for."""
    if isinstance(one, Rule):
        return one
    if isinstance(one, str):
        if one not in RULES:
            raise LabError(f"there is no rule {one!r}; there is {', '.join(RULES)}.")
        return RULES[one]
    if not callable(one):
        raise LabError(f"a rule is a name or a function from a text to a text; got {type(one).__name__}.")
    name = getattr(one, "__name__", type(one).__name__)

    def checked(text: str) -> str:
        return check_text(one(text), f"what {name} returns")

    return Rule(name, repair_docstrings.by_difference(checked), version=_code_hash(one))


def _code_hash(function: Callable) -> str:
    """Eight digits that change when the function's code does."""
    try:
        code = inspect.getsource(function).encode()
    except (OSError, TypeError):  # typed at a prompt, or written in C
        code = getattr(getattr(function, "__code__", None), "co_code", b"")
    return hashlib.sha256(code).hexdigest()[:8]
