"""What the alignment widget paints: the numbers of the `Alignment`, small enough to send at each click."""

from __future__ import annotations

import base64
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.scoring.receipt import second_best
from labkit.views import alignment_words as words
from labkit.views.aligner import Match
from labkit.views.alignment_panel import numbers, strength
from labkit.views.compared import KINDS, NONE, Line, bar_scale
from labkit.views.pieces import Fold, Run, folded, runs, unread
from labkit.views.words import one_line

if TYPE_CHECKING:
    from labkit.views.alignment import Alignment

STEPS = 100  # a similarity travels as a whole number of hundredths


def scene(view: Alignment) -> dict[str, Any]:
    """What the widget paints: plain data, ready for JSON."""
    panels = [match for match in (view.shown, view.against) if match]
    return {
        "query": one_line(view.query.text, 200),
        "caption": words.caption(view),
        "headline": words.headline(view),
        "reasons": [list(reason) for reason in words.reasons(view)],
        "told": words.function_words(view),
        "share": round(view.function_share(), 4),
        "notes": words.notes(view),
        "receipt": words.receipt(view),
        "balanced": view.balanced,
        "kinds": [_kind(view, kind) for kind in view.kinds],
        "docs": [_document(view, match) for match in view.matches],
        "live": True,
        "against": view.against.number if view.against else NONE,
        "words": [_word(view, line) for line in view.lines],
        "said": [_said(view, token) for token in range(len(view.query))],
        "winners": [_winners(view, match) for match in panels],
        "head": list(view.head()),
        "rows": _rows(view),
        "panels": [_panel(view, match) for match in panels],
        "matrix": matrix(view.shown),
    }


def matrix(match: Match) -> dict[str, Any]:
    """Similarities as int8 in base64, row by row, in steps of ``unit``: off by at most half of it.

    ``unit`` is 0.01 for unit vectors, and larger where similarities go beyond 1.
    """
    most = float(np.abs(match.similarities).max(initial=1.0))
    unit = max(1.0, most) / STEPS
    data = np.rint(match.similarities / unit).astype(np.int8)
    return {"rows": data.shape[0], "columns": data.shape[1], "unit": unit,
            "data": base64.b64encode(data.tobytes()).decode("ascii")}  # fmt: skip


def _kind(view: Alignment, kind: str) -> dict[str, Any]:
    earned = view.earned(view.shown, kind)
    return {"kind": kind, "on": kind not in view.without, "label": f"{KINDS[kind]} {earned:+.2f}"}


def _document(view: Alignment, match: Match) -> dict[str, Any]:
    finite = math.isfinite(match.score)
    whole = f"{match.score:.2f}" if finite else "no tokens"
    rank = view.matches.index(match) + 1
    now = f" → {view.score(match):.2f}, rank {view.rank(match)}" if view.without and finite else ""
    return {
        "number": match.number,
        "name": match.name,
        "rank": rank,
        "score": whole + now,
        "shown": match is view.shown,
    }


def _word(view: Alignment, line: Line) -> dict[str, Any]:
    values = [f"{line.earned:.2f}", f"{line.share:.1%}" if line.counted else "left out", f"{line.difference:+.2f}"]
    return {
        "number": line.number, "minor": line.word.kind != "word", "off": not line.counted, "partner": line.partner,
        "values": values if view.against else values[:2],
        "tokens": [[token, view.query.labels[token]] for token in line.word.positions],
    }  # fmt: skip


def _winners(view: Alignment, match: Match) -> list[int]:
    if not len(match.document):
        return [-1] * len(view.query)
    return [int(w) if counted else -1 for w, counted in zip(match.winners, view.counted, strict=True)]


def _said(view: Alignment, token: int) -> str:
    """A query token's match in words."""
    told = f"{view.query.named(token)}: "
    if not view.counted[token]:
        told += "left out of the score; "
    return told + "; ".join(_matched(view, match, token) for match in (view.shown, view.against) if match) + "."


def _matched(view: Alignment, match: Match, token: int) -> str:
    if not len(match.document):
        return f"{match.name} has no tokens"
    best = float(match.best[token])
    share = f", {best / match.score:.1%} of its score" if match.score > 0 else ""
    told = f"best match in {match.name} is {match.document.named(int(match.winners[token]))} {best:.3f}{share}"
    second = second_best(match.similarities[token], int(match.winners[token]))
    if match is not view.shown or second is None:
        return told
    return f"{told}, next best {match.document.named(second)} {match.similarities[token, second]:.3f}"


def _rows(view: Alignment) -> list[dict[str, Any]]:
    most, widest = bar_scale(view.lines)
    rows = []
    for row in view.rows():
        line = row.line
        bars = [line.earned / most, line.rival_earned / most, line.difference / widest] if line else []
        minor, off = bool(line and line.word.kind != "word"), bool(line and not line.counted)
        rows.append({"mark": row.mark, "cells": list(row.cells), "bars": [round(bar, 3) for bar in bars],
                     "minor": minor, "off": off, "tokens": list(line.word.positions) if line else []})  # fmt: skip
    return rows


def _panel(view: Alignment, match: Match) -> dict[str, Any]:
    title = f"{view.matches.index(match) + 1}. {match.name}"
    if not len(match.document):
        return {"title": title, "runs": [], "unread": "", "empty": "This document has no tokens."}
    paint = _Painter(view, match)
    parts = [
        {"fold": part.count, "runs": [paint(run) for run in part.runs]} if isinstance(part, Fold) else paint(part)
        for part in folded(runs(match.document), paint.chosen)
    ]
    for one, two in pairwise(parts):  # tokens of a word that the same words chose: the number stands behind the last
        if isinstance(one, list) and isinstance(two, list) and one[2] == two[2] and _one_word(match, one, two):
            one[2] = ""
    return {"title": title, "runs": parts, "unread": unread(match.document), "empty": ""}


def _one_word(match: Match, one: list[Any], two: list[Any]) -> bool:
    return match.document.word_of[one[1][-1]] == match.document.word_of[two[1][0]]


class _Painter:
    """Turns the runs of one document into what JavaScript paints: text alone; or text, token positions, numbers of the
    query's words, strength, look (0 not chosen, 1 by a word of content, 2 by lighter ones), and what is said of it."""

    def __init__(self, view: Alignment, match: Match) -> None:
        self.view, self.match = view, match
        self.chosen, self.strong = numbers(view, match), strength(view, match)
        self.minor = {line.number for line in view.lines if line.word.kind != "word"}
        self.closest = match.similarities.argmax(axis=0)
        self.choosers: dict[int, list[int]] = {}
        for token, position in enumerate(_winners(view, match)):
            self.choosers.setdefault(position, []).append(token)

    def __call__(self, run: Run) -> str | list[Any]:
        if not run.positions:
            return run.text
        marks = sorted({number for p in run.positions for number in self.chosen.get(p, ())})
        strong = max(self.strong.get(p, 0.0) for p in run.positions) if marks else 0.0
        look = (2 if set(marks) <= self.minor else 1) if marks else 0
        said = self._said(next((p for p in run.positions if p in self.choosers), run.positions[0]))
        return [run.text, list(run.positions), ",".join(map(str, marks)), round(strong, 2), look, said]

    def _said(self, position: int) -> str:
        named, match = self.view.query.named, self.match
        if position in self.choosers:
            return f"chosen by {', '.join(f'{named(t)} {match.best[t]:.3f}' for t in self.choosers[position])}"
        token = int(self.closest[position])
        return f"chosen by none; closest to {named(token)} {match.similarities[token, position]:.2f}"
