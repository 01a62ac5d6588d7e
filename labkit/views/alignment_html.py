"""The alignment as self-contained HTML: no script, nothing loaded, foreign text escaped and never in an attribute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from labkit.views import alignment_words as words
from labkit.views.alignment_panel import panel
from labkit.views.compared import Line, bar_scale
from labkit.views.page import Cell, block, isolated, table

if TYPE_CHECKING:
    from labkit.views.alignment import Alignment, Row

CAVEAT = "The rows sum to the score exactly. They do not say why the encoder made two tokens similar."
WIDEST = 24  # columns of the matrix


def page(view: Alignment) -> str:
    """Self-contained HTML without a script: the same rows, and the documents as running text."""
    notes = "".join(f"<p class='lk-soft'>{isolated(note)}</p>" for note in words.notes(view))
    bad = "" if view.balanced else " lk-bad"
    panels = "".join(panel(view, match) for match in (view.shown, view.against) if match)
    two = " lk-two" if view.against else ""
    body = (
        f"<p class='lk-soft'>{isolated(words.caption(view))}</p>"
        f"<p class='lk-query'>{''.join(map(_chip, view.lines))}</p><h3>{isolated(words.headline(view))}</h3>"
        f"<div class='lk-why'>{_reasons(view)}{_told(view)}</div>{notes}"
        f"<div class='lk-panels{two}'>{panels}</div>"
        f"{_rows(view)}<p class='lk-receipt{bad}'>{isolated(words.receipt(view))}</p><p class='lk-soft'>{CAVEAT}</p>"
        f"{_standings(view)}{_matrix(view)}"
    )
    return block("alignment", body, "alignment.css")


def classes(line: Line) -> str:
    """How a word of the query is painted: words of content in full, the others lighter, what is left out struck."""
    return ("" if line.word.kind == "word" else " lk-minor") + ("" if line.counted else " lk-off")


def _chip(line: Line) -> str:
    match = f"<small>{isolated(line.partner)}</small><small>{line.earned:.2f}</small>"
    return (
        f"<span class='lk-q{classes(line)}'><b>{isolated(line.word.label)}<sup>{line.number}</sup></b>{match}</span> "
    )


def _reasons(view: Alignment) -> str:
    rows = [("", [Cell(r.difference, "lk-num"), Cell(r.words), Cell(r.why)]) for r in words.reasons(view)]
    return table([], rows, "lk-reasons") if rows else ""


def _told(view: Alignment) -> str:
    told = words.function_words(view)
    if not told:
        return ""
    share = view.function_share()
    width = max(0.0, min(1.0, share))
    inside = f"<b>{share:.0%} from function words</b>"
    meter = f"<div class='lk-meter'><span style='width:{width:.1%}'></span>{inside}</div>"
    return f"<div class='lk-told'>{meter}<p>{isolated(told)}</p></div>"


def _standings(view: Alignment) -> str:
    if len(view.matches) < 2:
        return ""
    most = max((m.score for m in view.matches if math.isfinite(m.score)), default=0.0)
    rows = []
    for match, cells in zip(view.matches, view.standings(), strict=True):
        width = max(0.0, match.score / most) if most > 0 and math.isfinite(match.score) else 0.0
        own = " lk-rivals" if match is view.against else ""
        mark = "lk-on" if match is view.shown else ""
        bar = f"<i class='{own.strip()}' style='width:{width:.1%}'></i>"
        rows.append((mark, [Cell(cells[0], "lk-num"), Cell(cells[1]), Cell(bar, "lk-bar", raw=True)]
                     + [Cell(cell, "lk-num") for cell in cells[2:]]))  # fmt: skip
    head = view.standings_head()
    names = [Cell(head[0], "lk-num"), Cell(head[1]), Cell(""), *(Cell(name, "lk-num") for name in head[2:])]
    return table(names, rows, "lk-docs")


def _rows(view: Alignment) -> str:
    most, widest = bar_scale(view.lines)
    rows = [
        (classes(row.line).strip() if row.line else f"lk-{row.mark}", _row(view, row, most, widest))
        for row in view.rows()
    ]
    names = list(map(Cell, view.head()))
    head = [*names[:3], Cell("earns", "lk-num"), Cell(""), Cell("share", "lk-num lk-wide")]
    if view.against:
        head += [
            Cell(names[5].text, "lk-wide"),
            Cell("earns", "lk-num lk-wide"),
            Cell("", "lk-wide"),
            Cell("difference", "lk-num"),
            Cell(""),
        ]
    return f"<div class='lk-scroll' tabindex='0'>{table(head, rows)}</div>"


def _row(view: Alignment, row: Row, most: float, widest: float) -> list[Cell]:
    line, cells = row.line, row.cells
    first = [Cell(cells[0], "lk-num"), Cell(cells[1]), Cell(cells[2]), Cell(cells[3], "lk-num")]
    shown = [*first, _bar(line.earned / most if line else None), Cell(cells[4], "lk-num lk-wide")]
    if view.against:
        minus = "lk-minus" if line and line.difference < 0 else ""
        width = abs(line.difference) / widest if line else 0.0
        diverging = f"<div class='lk-diff'><i class='{minus}' style='width:{width:.1%}'></i></div>" if line else ""
        rival = _bar(line.rival_earned / most if line else None, "lk-rivals")
        shown += [Cell(cells[5], "lk-wide"), Cell(cells[6], "lk-num lk-wide"), rival, Cell(cells[7], "lk-num")]
        shown.append(Cell(diverging, "lk-bar", raw=True))
    return shown


def _bar(width: float | None, name: str = "") -> Cell:
    wide = " lk-wide" if name else ""
    bar = "" if width is None else f"<i class='{name}' style='width:{max(0.0, width):.1%}'></i>"
    return Cell(bar, f"lk-bar{wide}", raw=True)


def _matrix(view: Alignment) -> str:
    match = view.shown
    if not len(match.document):
        return ""
    columns = sorted({int(match.winners[t]) for line in view.lines if line.counted for t in line.word.positions})
    kept = columns[:WIDEST]
    head = [Cell(""), *(Cell(match.document.labels[p]) for p in kept)]
    rows = []
    for token, label in enumerate(view.query.labels):
        cells = []
        for p in kept:
            value = match.similarities[token, p]
            best = "lk-max" if p == match.winners[token] else ""
            cells.append(Cell(f"{value:.2f}", best, style=f"--s:{max(0.0, min(1.0, value)):.2f}"))
        rows.append(("", [Cell(label), *cells]))
    more = f", the first {WIDEST} of {len(columns)}" if len(columns) > WIDEST else ""
    told = f"Similarities of every query token with the document tokens that were chosen{more}; framed: the row's best"
    inner = table(head, rows, "lk-matrix")
    return f"<details><summary>{told}</summary><div class='lk-scroll' tabindex='0'>{inner}</div></details>"
