"""reST markup off: what a docstring says, without how a documentation builder would set it."""

from __future__ import annotations

import re

_DROPPED = re.compile(
    r"^\.\. (?:(?:math|versionadded|versionchanged|versionremoved|deprecated|code-block|code|plot|ipython|image|figure|"
    r"seealso|testcode|testsetup|testoutput|autosummary|rubric|index|highlight|include|autofunction|only|minigallery|"
    r"doctest|function|method|raw|toctree|currentmodule|contents|legacy|grid|table|list-table|csv-table)::|_|\[|\|)"
)
_RULER = re.compile(r"[=+|~^ -]{3,}")
_FIELD = re.compile(r":[\w-]+:(?: \w+)?")
_ITEM = re.compile(r"(?:[-*+•]|\d{1,2}[.)])\s+(?=\S)")
_DIRECTIVE = re.compile(r"^\.\. [\w:-]+::\s*")
_LATEX = [
    (re.compile(r"\\(?:text|math[a-z]+|operatorname\*?|textrm|texttt|bm|rm|boldsymbol)\b\s*(?:\{([^{}]*)\})?"), r"\1"),
    (re.compile(r"\\sqrt\{([^{}]*)\}"), r"sqrt(\1)"),
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"\1 / \2"),
    (re.compile(r"\\(?:times|cdot)\b"), "*"),
    (re.compile(r"\\(?:leq|le)\b"), "<="),
    (re.compile(r"\\(?:geq|ge)\b"), ">="),
    (re.compile(r"\\(?:left|right|big|Big|quad|,|;|!)(?![a-z])"), ""),
    (re.compile(r"\\([A-Za-z]+)"), r"\1"),
    (re.compile(r"[\\{}]"), ""),
]
_INLINE: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\*(\w+)\*\\(?=\w)"), r"\1"),
    (re.compile(r"\.\. (?:versionadded|versionchanged|deprecated):: ?\S*"), ""),
    (re.compile(r" ?\[[\w*]+\]_"), ""),
    (re.compile(r"(?::[\w+-]+)+:`~(?:[\w.]+\.)?(\w+)(?:\(\))?`"), r"\1"),
    (re.compile(r":[\w:+-]+:`[!~]?([^`<]+?)\s*<[^`>]*>`"), r"\1"),
    (re.compile(r":[\w:+-]+:`[!~.]?([^`]+)`"), r"\1"),
    (re.compile(r"``(.+?)``"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<[^`>]+>`_{0,2}"), r"\1"),
    (re.compile(r"`~(?:[\w.]+\.)?(\w+)`"), r"\1"),
    (re.compile(r"`\.?([^`]+)`_{0,2}"), r"\1"),
    (re.compile(r"(?<![\w*])\*\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])"), r"\1"),
    (re.compile(r"\\([*_|`' ])"), r"\1"),
    (re.compile(r"<(?:[\w.]+ )+(?:object )?at 0x[0-9a-fA-F]+>"), "..."),
]
_BOILERPLATE = re.compile(r"Read more in the User Guide\.?|(?:(?<=^)|(?<=[.:] ))[^.]*\bsphx_glr_\w+(?:\.py)?[^.]*\.?")


def clean(text: str) -> str:
    """One paragraph without reST markup and with single spaces; the words stay.

    >>> clean("Like :class:`~torch.nn.Conv1d`,  but ``stride=2`` and :math:`N \\\\times 3` [1]_.")
    'Like Conv1d, but stride=2 and N * 3.'
    """
    text = re.sub(r":math:`([^`]*)`", lambda match: _plain_math(match[1]), " ".join(text.split()))
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    text = re.sub(r"\$([^$]+)\$", lambda match: _plain_math(match[1]), text)
    return re.sub(r"::(?=\s|$)", ":", re.sub(r"\s+", " ", _BOILERPLATE.sub("", text))).strip()


def _readable(lines: list[str]) -> list[str]:
    """The lines without directives, literal blocks, doctests and rulers; a list item starts a paragraph of its own."""
    kept: list[str] = []
    deeper_than: int | None = None  # inside a dropped block: its indentation
    doctest = False
    for line in lines:
        text, indent = line.strip(), len(line) - len(line.lstrip())
        doctest = text.startswith(">>>") or (doctest and bool(text))
        if deeper_than is not None and (not text or indent > deeper_than):
            continue
        deeper_than = None
        if doctest or _RULER.fullmatch(text) or _FIELD.fullmatch(text):
            kept.append("")
        elif _DROPPED.match(text) or (text.startswith(".. ") and not _DIRECTIVE.match(text)):  # or a comment
            deeper_than = indent
        elif text.endswith("::"):
            deeper_than = None if text.startswith("..") else indent
            kept += [] if text.startswith("..") or len(text.split()) <= 3 else [text[:-1]]
        elif item := _ITEM.match(text):
            kept += ["", text[item.end() :]]
        else:
            kept.append(_DIRECTIVE.sub("", text))
    return kept


def paragraphs(lines: list[str]) -> list[str]:
    """The paragraphs and list items of a block of lines, each cleaned and ended with a stop."""
    blocks = "\n".join(_readable(lines)).split("\n\n")
    return [ended(text) for text in map(clean, blocks) if re.search(r"\w", text)]


def ended(text: str) -> str:
    """``text`` with a full stop, unless it ends in punctuation already."""
    return text if text.endswith((".", ":", ";", ",", "!", "?")) else f"{text}."


def _plain_math(formula: str) -> str:
    for pattern, replacement in _LATEX:
        formula = pattern.sub(replacement, formula)
    return " ".join(formula.split())
