"""Parts of a static HTML view: one block with its style, tables, and foreign text that stays text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Cell:
    """A table cell: text, or with ``raw`` markup that this package made itself."""

    text: str
    name: str = ""
    raw: bool = False
    style: str = ""

    def html(self, tag: str) -> str:
        """The cell as ``td`` or ``th``."""
        name = f" class='{self.name}'" if self.name else ""
        style = f" style='{self.style}'" if self.style else ""
        return f"<{tag}{name}{style}>{self.text if self.raw else isolated(self.text)}</{tag}>"


def source(*names: str) -> str:
    """The text of files in ``static/``, joined."""
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


def isolated(text: str) -> str:
    """Escaped text whose direction does not leak into what is around it."""
    return f"<bdi>{escape(text)}</bdi>" if text else ""


def block(name: str, body: str, *sheets: str) -> str:
    """A view with its style sheets. Its classes keep MathJax from reading dollar signs as formulas."""
    style = source("lab.css", *sheets)
    return f"<section class='lk lk-{name} mathjax_ignore tex2jax_ignore'><style>{style}</style>{body}</section>"


def table(head: Sequence[Cell], rows: Sequence[tuple[str, Sequence[Cell]]], name: str = "") -> str:
    """A table; each row has a class and cells."""
    names = "".join(cell.html("th" if cell.text else "td") for cell in head)  # an empty corner heads nothing
    top = f"<thead><tr>{names}</tr></thead>" if names else ""
    body = "".join(
        f"<tr{f' class={mark!r}' if mark else ''}>{''.join(cell.html('td') for cell in cells)}</tr>"
        for mark, cells in rows
    )
    given = f" class='{name}'" if name else ""
    return f"<table{given}>{top}<tbody>{body}</tbody></table>"
