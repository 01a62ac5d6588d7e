"""The scoreboard with one ticket's walk, as a tree of elements and as a figure."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from labkit.views.figure import BLUE, GREY, new_figure
from labkit.views.stages import Stage
from labkit.views.tree import Node, button, iso, node, scroller, status
from labkit.views.words import one_line, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from labkit.views.scoreboard import Scoreboard

HINT = "Press a ticket to see its walk: the rank of its first right answer after each stage."
WIDEST = 30  # characters of a name in the figure


def tree(board: Scoreboard) -> Node:
    """The table, and the walk below it."""
    heads = [node("th", iso(name), class_="lk-num") for name in board.systems]
    rows = [_row(board, key, text) for key, text in board.tickets.items()]
    tops = [node("td", str(board.in_top(name)), class_="lk-num") for name in board.systems]
    foot = node("tr", node("td", "top 5"), tops, node("td", "tickets answered within the first five"),
                class_="lk-total")  # fmt: skip
    body = node("tbody", rows, foot, role="toolbar", aria_label="tickets")
    head = node("thead", node("tr", node("th"), heads, node("th", "ticket")))
    table = scroller("ranks", node("table", head, body, class_="lk-board"))
    title = node("h3", iso(board.title))
    walk = [title, _walk(board), node("p", board.told(), class_="lk-soft")] if board.ticket else []
    return node("div", table, walk, status(HINT))


def _row(board: Scoreboard, key: str, text: str) -> Node:
    chosen = key == board.ticket
    ranks = board.ranks[key]
    texts = {name: board.cell(key, name) for name in board.systems}
    cells = [node("td", cell.rstrip("*"), class_=f"lk-num{' lk-top' if cell.endswith('*') else ''}")
             for cell in texts.values()]  # fmt: skip
    said = ", ".join(f"{name} {'none' if ranks[name] is None else ranks[name]}" for name in board.systems)
    press = button(visible(key), f"ticket {key}", set={"ticket": "" if chosen else key},
                   say=f"{visible(key)}: {said}", aria_pressed=str(chosen).lower())  # fmt: skip
    return node("tr", node("td", press), cells, node("td", iso(one_line(text, 100))), lit=f"t{key}",
                class_="lk-on" if chosen else "")  # fmt: skip


def _walk(board: Scoreboard) -> Node:
    lines = []
    for name, steps in board.walks[board.ticket].items():
        parts: list[Node | str] = []
        for step in steps:
            parts += ["→"] if parts else []
            beside = [part for stage in step for part in ("&", _stage(board, stage))][1:]
            parts.append(node("span", beside, class_="lk-step"))
        lines.append(node("p", node("b", iso(one_line(name)), class_="lk-name"), parts))
    return node("div", lines, class_="lk-walk")


def _stage(board: Scoreboard, stage: Stage) -> Node:
    shown = board.shown(stage)
    return node("span", shown, class_=f"lk-stage{' lk-top' if shown.endswith('*') else ''}")


def figure(board: Scoreboard) -> Figure:
    """The table; with a ticket a line a system, whose boxes are its stages."""
    return _steps(board) if board.ticket else _table(board)


def _table(board: Scoreboard) -> Figure:
    """The board's text as a picture."""
    lines = board.to_text().splitlines()
    made = new_figure(0.3 + 0.082 * max(map(len, lines)), 0.5 + 0.2 * len(lines))
    made.text(0.02, 0.98, "\n".join(lines), family="monospace", fontsize=9, va="top", linespacing=1.4)
    return made


def _steps(board: Scoreboard) -> Figure:
    """A line a system: boxes of its stages, filled where a right answer is among the first five."""
    walks = board.walks[board.ticket]
    made = new_figure(9.5, 1.1 + 0.42 * len(walks))
    made.suptitle(fill(board.title, 90), fontsize=11, weight="bold")
    axes = made.subplots()
    axes.set_axis_off()
    axes.set_xlim(0, 100)
    axes.set_ylim(len(walks) - 0.2, -0.8)
    for y, (name, steps) in enumerate(walks.items()):
        axes.text(0, y, one_line(name)[:WIDEST], fontsize=9, weight="bold", va="center")
        x = 20.0
        for step in steps:
            for stage in step:
                x = _box(board, axes, x, y, stage)
                sign = "&" if stage is not step[-1] else "" if step is steps[-1] else "→"
                axes.text(x, y, sign, va="center", ha="center")
                x += 2.2
    axes.text(0, len(walks) - 0.3, fill(board.told(), 130), fontsize=8, color=GREY, va="top")
    return made


def _box(board: Scoreboard, axes: Axes, x: float, y: int, stage: Stage) -> float:
    """Draw a stage; where the next may begin."""
    shown = board.shown(stage)[-WIDEST:]
    first = shown.endswith("*")  # among the first five
    frame = {"boxstyle": "round", "fc": "#cfe3f1" if first else "white", "ec": BLUE if first else GREY}
    axes.text(x, y, shown, fontsize=8.5, va="center", bbox=frame)
    return x + 0.92 * len(shown) + 1.5
