"""The slope chart as a tree of elements: names at both sides, a line a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labkit.views.tree import Node, button, iso, node, status
from labkit.views.words import one_line

if TYPE_CHECKING:
    from labkit.views.slope_chart import Move, SlopeChart

HINT = "Point at a document for its ranks, or move over them with Tab and the arrow keys. Press one to keep it lit."
PIXELS = 28  # the height of a row
END = 4  # units out of 100 from the edge to where a line begins


def tree(view: SlopeChart) -> Node:
    """The whole view. Only ranks that occur have a row; documents that a list lacks have theirs at the foot."""
    rows, height = _rows(view)
    made: list[Node] = []
    lines = [line for at in range(len(view.moves)) for line in _lines(view, at, rows)]
    tall = f"0 0 100 {height * PIXELS}"
    picture = node("svg", lines, viewBox=tall, preserveAspectRatio="none", aria_hidden="true")
    made.append(node("div", picture, style=f"grid-row:1 / span {height};grid-column:2;height:100%"))
    for at in sorted(range(len(view.moves)), key=lambda at: rows[at][1]):
        made += _ends(view, at, rows[at])
    names = [
        node("b", iso(one_line(name)), class_=f"lk-end{side}", style=f"grid-column:{column}")
        for name, side, column in zip(view.names, (" lk-from", ""), (1, 3), strict=True)
    ]
    chart = node("div", made, class_="lk-slopes", role="toolbar", aria_label="documents by their rank after")
    told = view.told(view.moves[view.chosen]) if view.chosen >= 0 else HINT
    note = f"{view.candidates} candidates; ★ right answer; dashed: lost ranks"
    top = node("div", names, class_="lk-slopes lk-names")
    return node("div", node("h3", iso(one_line(view.query, 200))), top, chart,
                node("p", note, class_="lk-soft"), status(told))  # fmt: skip


def _rows(view: SlopeChart) -> tuple[list[tuple[int, int]], int]:
    """Each document's rows on both sides, from 0, and how many rows there are."""
    place = {rank: row for row, rank in enumerate(view.occurring)}
    foot = [len(place), len(place)]
    found = []
    for move in view.moves:
        own = []
        for side, rank in enumerate((move.before, move.after)):
            own.append(foot[side] if rank is None else place[rank])
            foot[side] += rank is None
        found.append((own[0], own[1]))
    return found, max(foot)


def _lines(view: SlopeChart, at: int, rows: list[tuple[int, int]]) -> list[Node]:
    """A document's line, its two ends, and a wide one that cannot be seen and is easy to point at."""
    move = view.moves[at]
    one, two = ((row + 0.5) * PIXELS for row in rows[at])
    lit, on = f"m{at}", " lk-on" if at == view.chosen else ""
    kind = _kind(move)
    wide = {"vector_effect": "non-scaling-stroke", "lit": lit}

    def line(name: str, x: tuple[float, float], y: tuple[float, float], width: int, **more: object) -> Node:
        return node("line", class_=name, x1=x[0], x2=x[1], y1=y[0], y2=y[1], stroke_width=width, **wide, **more)

    far = 100 - END
    return [
        line(f"{kind} lk-run{on}", (END, far), (one, two), 4 if move.right else 2),
        line(kind, (END, END), (one, one), 9), line(kind, (far, far), (two, two), 9),
        line("lk-hit", (END, far), (one, two), 18, say=view.told(move), set={"chosen": _press(view, at)}),
    ]  # fmt: skip


def _ends(view: SlopeChart, at: int, rows: tuple[int, int]) -> list[Node]:
    """What stands at the line's two ends: on the left its name and rank, on the right a button."""
    move, name = view.moves[at], iso(one_line(view.moves[at].doc_id, 60))
    star, right = ("★ ", " lk-right") if move.right else ("", "")
    old, new = (node("span", "–" if rank is None else str(rank)) for rank in (move.before, move.after))
    left = node("span", star, name, old, class_=f"lk-end lk-from{right}", lit=f"m{at}",
                style=f"grid-column:1;grid-row:{rows[0] + 1}")  # fmt: skip
    label = [node("span", new, " ", _arrow(move), class_="lk-move"), star, name]
    pressed, place = str(at == view.chosen).lower(), f"grid-column:3;grid-row:{rows[1] + 1}"
    return [left, button(label, f"m{at}", set={"chosen": _press(view, at)}, class_=f"lk-end{right}", lit=f"m{at}",
                         say=view.told(move), aria_pressed=pressed, style=place)]  # fmt: skip


def _press(view: SlopeChart, at: int) -> int:
    return -1 if at == view.chosen else at


def _arrow(move: Move) -> str:
    climbed = move.climbed
    return "" if climbed is None else f"↑{climbed}" if climbed > 0 else f"↓{-climbed}" if climbed < 0 else "="


def _kind(move: Move) -> str:
    if move.right:
        return "lk-right lk-up"
    return "lk-same" if not move.climbed else "lk-up" if move.climbed > 0 else "lk-down"
