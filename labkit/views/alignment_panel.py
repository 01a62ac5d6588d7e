"""A document as running text, with the numbers of the query's words behind the tokens that they chose."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from labkit.views.aligner import Match
from labkit.views.page import isolated
from labkit.views.pieces import Fold, Read, Run, folded, runs, unread

if TYPE_CHECKING:
    from labkit.views.alignment import Alignment


def numbers(view: Alignment, match: Match) -> dict[int, list[int]]:
    """Document position to the numbers of the query's words that chose it, of those that count."""
    chosen: dict[int, list[int]] = {}
    for line in view.lines:
        for token in line.word.positions if line.counted and len(match.document) else ():
            own = chosen.setdefault(int(match.winners[token]), [])
            if line.number not in own:
                own.append(line.number)
    return chosen


def strength(view: Alignment, match: Match) -> dict[int, float]:
    """Document position to the best similarity that it wins with, from 0 to 1."""
    best: dict[int, float] = {}
    for token in range(len(view.query)) if len(match.document) else ():
        position = int(match.winners[token])
        best[position] = max(best.get(position, 0.0), min(1.0, float(match.best[token])))
    return best


def panel(view: Alignment, match: Match) -> str:
    """One document's title and running text as HTML."""
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
    marks = sorted({number for p in run.positions for number in chosen.get(p, ())})
    if not marks:
        return escape(run.text)
    light = " lk-minor" if set(marks) <= minor else ""
    s = max(strong.get(p, 0.0) for p in run.positions)
    numbered = f"<sup>{','.join(map(str, marks))}</sup>"
    return f"<mark class='lk-m{light}' style='--s:{s:.2f}'>{escape(run.text)}</mark>{numbered}"


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
