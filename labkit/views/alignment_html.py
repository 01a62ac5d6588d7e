"""The alignment as self-contained HTML: no script, nothing loaded, foreign text escaped and never in an attribute."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from labkit.views.alignment import CAVEAT, Alignment, Line, Row
from labkit.views.aligner import Match
from labkit.views.pieces import Fold, Read, Run, folded, runs, unread
from labkit.views.page import Cell, block, isolated, table

WIDEST = 24  # columns of the matrix


def page(view: Alignment) -> str:
    """The whole view."""
    notes = "".join(f"<p class='lk-soft'>{isolated(note)}</p>" for note in view.notes())
    bad = "" if view.balanced else " lk-bad"
    panels = "".join(_panel(view, match) for match in (view.shown, view.against) if match)
    two = " lk-two" if view.against else ""
    body = (
        f"<p class='lk-query'>{''.join(map(_chip, view.lines))}</p><h3>{isolated(view.headline())}</h3>"
        f"<div class='lk-why'>{_reasons(view)}{_told(view)}</div>{notes}<div class='lk-panels{two}'>{panels}</div>"
        f"{_rows(view)}<p class='lk-receipt{bad}'>{escape(view.receipt())} <span class='lk-soft'>{CAVEAT}</span></p>"
        f"{_standings(view)}{_matrix(view)}"
    )
    return block("alignment", body, "alignment.css")


def numbers(view: Alignment, match: Match) -> dict[int, list[int]]:
    """Document position to the numbers of the query's words that chose it, of those that count."""
    chosen: dict[int, list[int]] = {}
    for line in view.lines:
        for token in line.word.positions if line.counted and len(match.document) else ():
            words = chosen.setdefault(int(match.winners[token]), [])
            if line.number not in words:
                words.append(line.number)
    return chosen


def strength(view: Alignment, match: Match) -> dict[int, float]:
    """Document position to the best similarity that it wins with, from 0 to 1."""
    best: dict[int, float] = {}
    for token in range(len(view.query)) if len(match.document) else ():
        position = int(match.winners[token])
        best[position] = max(best.get(position, 0.0), min(1.0, float(match.best[token])))
    return best


def classes(line: Line) -> str:
    """How a word of the query is painted: words of content in full, the others lighter, what is left out struck."""
    return ("" if line.word.kind == "word" else " lk-minor") + ("" if line.counted else " lk-off")


def _chip(line: Line) -> str:
    match = f"<small>{isolated(line.partner)}</small><small>{line.earned:.2f}</small>"
    return (
        f"<span class='lk-q{classes(line)}'><b>{isolated(line.word.label)}<sup>{line.number}</sup></b>{match}</span> "
    )


def _reasons(view: Alignment) -> str:
    rows = [("", [Cell(r.difference, "lk-num"), Cell(r.words), Cell(r.why)]) for r in view.reasons()]
    return table([], rows, "lk-reasons") if rows else ""


def _told(view: Alignment) -> str:
    told = view.function_words()
    if not told:
        return ""
    share = view.function_share()
    width = max(0.0, min(1.0, share))
    inside = f"<b>function words {share:.0%}</b>"
    meter = f"<div class='lk-meter' role='img'><span style='width:{width:.1%}'></span>{inside}</div>"
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
    return table(names, rows)


def _rows(view: Alignment) -> str:
    most = max((max(abs(line.earned), abs(line.rival_earned)) for line in view.lines), default=1.0) or 1.0
    widest = max((abs(line.difference) for line in view.lines), default=1.0) or 1.0
    rows = [
        (classes(row.line).strip() if row.line else f"lk-{row.mark}", _row(view, row, most, widest))
        for row in view.rows()
    ]
    names = list(map(Cell, view.head()))
    head = [*names[:3], Cell("earns", "lk-num"), Cell(""), Cell("share", "lk-num lk-wide")]
    if view.against:
        head += [names[5], Cell("earns", "lk-num"), Cell("", "lk-wide"), Cell("difference", "lk-num"), Cell("")]
    return f"<div class='lk-scroll'>{table(head, rows)}</div>"


def _row(view: Alignment, row: Row, most: float, widest: float) -> list[Cell]:
    line, cells = row.line, row.cells
    first = [Cell(cells[0], "lk-num"), Cell(cells[1]), Cell(cells[2]), Cell(cells[3], "lk-num")]
    shown = [*first, _bar(line.earned / most if line else None), Cell(cells[4], "lk-num lk-wide")]
    if view.against:
        minus = "lk-minus" if line and line.difference < 0 else ""
        width = abs(line.difference) / widest if line else 0.0
        diverging = f"<div class='lk-diff'><i class='{minus}' style='width:{width:.1%}'></i></div>" if line else ""
        rival = _bar(line.rival_earned / most if line else None, "lk-rivals")
        shown += [Cell(cells[5]), Cell(cells[6], "lk-num"), rival, Cell(cells[7], "lk-num")]
        shown.append(Cell(diverging, "lk-bar", raw=True))
    return shown


def _bar(width: float | None, name: str = "") -> Cell:
    wide = " lk-wide" if name else ""
    bar = "" if width is None else f"<i class='{name}' style='width:{max(0.0, width):.1%}'></i>"
    return Cell(bar, f"lk-bar{wide}", raw=True)


def _panel(view: Alignment, match: Match) -> str:
    rank = view.matches.index(match) + 1
    title = f"<h4>{rank}. {isolated(match.name)}</h4>"
    if not len(match.document):
        return f"<article>{title}<p class='lk-soft'>This document has no tokens.</p></article>"
    chosen, strong = numbers(view, match), strength(view, match)
    minor = {line.number for line in view.lines if line.word.kind != "word"}
    parts = []
    for part in folded(merged(runs(match.document), match.document, chosen), chosen):
        if isinstance(part, Fold):
            parts.append(f" <span class='lk-fold'>… {part.count} tokens …</span> ")
        else:
            parts.append(_run(part, chosen, strong, minor))
    rest = unread(match.document)
    if rest:
        parts.append(f"<span class='lk-cut'><b>✂ cut here: not read</b> {escape(rest)}</span>")
    return f"<article>{title}<p class='lk-text' dir='auto'>{''.join(parts)}</p></article>"


def _run(run: Run, chosen: dict[int, list[int]], strong: dict[int, float], minor: set[int]) -> str:
    words = sorted({number for p in run.positions for number in chosen.get(p, ())})
    if not words:
        return escape(run.text)
    light = " lk-minor" if set(words) <= minor else ""
    s = max(strong.get(p, 0.0) for p in run.positions)
    marks = ",".join(map(str, words))
    return f"<mark class='lk-m{light}' style='--s:{s:.2f}'>{escape(run.text)}</mark><sup>{marks}</sup>"


def merged(found: Sequence[Run], document: Read, chosen: dict[int, list[int]]) -> list[Run]:
    """Runs of one word that the same words chose, as one run, so that a number stands behind it once."""
    answer: list[Run] = []
    for run in found:
        last = answer[-1] if answer else Run("")
        same = run.positions and last.positions and chosen.get(run.positions[0]) == chosen.get(last.positions[-1])
        if same and document.word_of[run.positions[0]] == document.word_of[last.positions[-1]]:
            answer[-1] = Run(last.text + run.text, (*last.positions, *run.positions))
        else:
            answer.append(run)
    return answer


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
    return f"<details><summary>{told}</summary><div class='lk-scroll'>{inner}</div></details>"
