"""One table as plain text and as escaped HTML, with the same cells: receipt, duel and eraser print themselves by it."""

from __future__ import annotations

import html
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, ClassVar

Cells = Sequence[Sequence[str]]


def text_table(head: Sequence[str], rows: Cells, left: int = 2) -> str:
    """Columns padded to their widest cell; the first ``left`` and the last one to the left, numbers to the right.

    >>> print(text_table(["token", "won by", "sim", "kind"], [["read", "reads", "0.901", "word"]]))
    token  won by    sim  kind
    read   reads   0.901  word
    """
    lines = [list(map(str, row)) for row in (head, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]

    def shown(line: Sequence[str]) -> str:
        cells = [
            f"{cell:<{width}}" if column < left or column == len(head) - 1 else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join(map(shown, lines))


def html_table(head: Sequence[str], rows: Cells, caption: str = "") -> str:
    """The same cells as HTML, escaped."""
    told = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    top = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{told}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


class Explanation(ABC):
    """A dataclass that shows itself as one table and a sentence, with the same numbers as text, HTML and plain data."""

    HEAD: ClassVar[tuple[str, ...]]
    LEFT: ClassVar[int] = 2

    @abstractmethod
    def cells(self) -> list[tuple[str, ...]]:
        """The rows as they are shown."""

    def verdict(self) -> str:
        """What the table says, in a sentence; empty if nothing is to be said."""
        return ""

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain data, ready for JSON."""
        return asdict(self)  # type: ignore[call-overload]

    def to_text(self) -> str:
        """A plain table, then the sentence."""
        return "\n".join(filter(None, [text_table(self.HEAD, self.cells(), self.LEFT), self.verdict()]))

    def to_html(self) -> str:
        """The same as an escaped HTML table."""
        return html_table(self.HEAD, self.cells(), self.verdict())

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()
