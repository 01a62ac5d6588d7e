"""One table as plain text and as escaped HTML, with the same cells: receipt, duel and eraser print themselves by it."""

from __future__ import annotations

import html
from collections.abc import Sequence

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
