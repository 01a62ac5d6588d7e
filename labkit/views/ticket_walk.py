"""The scoreboard with one ticket's walk: the rank of its first right answer after each stage of each system."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from labkit.errors import LabError
from labkit.views.figure import BLUE, GREY, Picture, new_figure
from labkit.views.scoreboard import HANDED_OVER, Scoreboard
from labkit.views.stages import Stage, Step
from labkit.views.tree import Node, Treed, button, iso, node, scroller, status
from labkit.views.words import one_line, visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HINT = "Press a ticket to see its walk: the rank of its first right answer after each stage."

WIDEST = 30  # characters of a name in the figure


class TicketWalk(Treed, Picture):
    """A state of the scoreboard: the table, and the walk of the ticket that is chosen; "" for none."""

    view = "scoreboard"

    def __init__(self, board: Scoreboard, ticket: str = "") -> None:
        if ticket and ticket not in board.tickets:
            raise LabError(f"the board has no ticket {ticket!r}; it has {', '.join(board.tickets)}.")
        self.board, self.ticket = board, ticket
        self.title = f"{visible(ticket)}: {one_line(board.tickets[ticket], 200)}" if ticket else "scoreboard"

    @property
    def walks(self) -> dict[str, tuple[Step, ...]]:
        """System to steps."""
        return self.board.walks[self.ticket]

    def told(self) -> str:
        """What the ranks mean."""
        if self.ticket in self.board.unanswerable:
            return "No document answers this ticket: whatever stands first is wrong."
        return (
            f"Rank of the first right answer after each stage; rerankers see {self.board.k} candidates. "
            f"* among the first {HANDED_OVER}; &: what a fusion sums."
        )

    def shown(self, stage: Stage) -> str:
        """A stage and its rank."""
        return f"{one_line(stage.name)} {self.board.rank_text(self.ticket, stage.rank)}"

    def to_text(self) -> str:
        """The table, then a line a system with its stages."""
        if not self.ticket:
            return self.board.to_text()
        width = max(map(len, self.walks), default=0)
        lines = [
            f"{name:<{width}}  " + " → ".join(" & ".join(map(self.shown, step)) for step in steps)
            for name, steps in self.walks.items()
        ]
        return "\n".join([self.board.to_text(), "", self.title, *lines, self.told()])

    def _figure(self) -> Figure:
        """The table; with a ticket a line a system, whose boxes are its stages."""
        return self._steps() if self.ticket else self._table()

    def tree(self) -> Node:
        """The table, and the walk below it."""
        board = self.board
        heads = [node("th", iso(name), class_="lk-num") for name in board.systems]
        rows = [self._row(key, text) for key, text in board.tickets.items()]
        tops = [node("td", str(board.in_top(name)), class_="lk-num") for name in board.systems]
        foot = node("tr", node("td", "top 5"), tops, node("td", "tickets answered within the first five"),
                    class_="lk-total")  # fmt: skip
        body = node("tbody", rows, foot, role="toolbar", aria_label="tickets")
        head = node("thead", node("tr", node("th"), heads, node("th", "ticket")))
        table = scroller("ranks", node("table", head, body, class_="lk-board"))
        walk = (
            [node("h3", iso(self.title)), self._walk(), node("p", self.told(), class_="lk-soft")] if self.ticket else []
        )
        return node("div", table, walk, status(HINT))

    def _row(self, key: str, text: str) -> Node:
        chosen = key == self.ticket
        ranks = self.board.ranks[key]
        texts = {name: self.board.cell(key, name) for name in self.board.systems}
        cells = [node("td", cell.rstrip("*"), class_=f"lk-num{' lk-top' if cell.endswith('*') else ''}")
                 for cell in texts.values()]  # fmt: skip
        said = ", ".join(f"{name} {'none' if ranks[name] is None else ranks[name]}" for name in self.board.systems)
        press = button(visible(key), f"ticket {key}", set={"ticket": "" if chosen else key},
                       say=f"{visible(key)}: {said}", aria_pressed=str(chosen).lower())  # fmt: skip
        return node("tr", node("td", press), cells, node("td", iso(one_line(text, 100))), lit=f"t{key}",
                    class_="lk-on" if chosen else "")  # fmt: skip

    def _walk(self) -> Node:
        lines = []
        for name, steps in self.walks.items():
            parts: list[Node | str] = []
            for step in steps:
                parts += ["→"] if parts else []
                beside = [part for stage in step for part in ("&", self._stage(stage))][1:]
                parts.append(node("span", beside, class_="lk-step"))
            lines.append(node("p", node("b", iso(one_line(name)), class_="lk-name"), parts))
        return node("div", lines, class_="lk-walk")

    def _stage(self, stage: Stage) -> Node:
        return node("span", self.shown(stage), class_=f"lk-stage{' lk-top' if _is_top(stage) else ''}")

    def _table(self) -> Figure:
        """The board's text as a picture."""
        lines = self.board.to_text().splitlines()
        made = new_figure(0.3 + 0.082 * max(map(len, lines)), 0.5 + 0.2 * len(lines))
        made.text(0.02, 0.98, "\n".join(lines), family="monospace", fontsize=9, va="top", linespacing=1.4)
        return made

    def _steps(self) -> Figure:
        """A line a system: boxes of its stages, filled where a right answer is among the first five."""
        made = new_figure(9.5, 1.1 + 0.42 * len(self.walks))
        made.suptitle(fill(self.title, 90), fontsize=11, weight="bold")
        axes = made.subplots()
        axes.set_axis_off()
        axes.set_xlim(0, 100)
        axes.set_ylim(len(self.walks) - 0.2, -0.8)
        for y, (name, steps) in enumerate(self.walks.items()):
            axes.text(0, y, one_line(name)[:WIDEST], fontsize=9, weight="bold", va="center")
            x = 20.0
            for step in steps:
                for stage in step:
                    x = self._box(axes, x, y, stage)
                    sign = "&" if stage is not step[-1] else "" if step is steps[-1] else "→"
                    axes.text(x, y, sign, va="center", ha="center")
                    x += 2.2
        axes.text(0, len(self.walks) - 0.3, fill(self.told(), 130), fontsize=8, color=GREY, va="top")
        return made

    def _box(self, axes: Axes, x: float, y: int, stage: Stage) -> float:
        """Draw a stage; where the next may begin."""
        frame = {"boxstyle": "round", "fc": "#cfe3f1" if _is_top(stage) else "white",
                 "ec": BLUE if _is_top(stage) else GREY}  # fmt: skip
        shown = self.shown(stage)[-WIDEST:]
        axes.text(x, y, shown, fontsize=8.5, va="center", bbox=frame)
        return x + 0.92 * len(shown) + 1.5


def _is_top(stage: Stage) -> bool:
    return stage.rank is not None and stage.rank <= HANDED_OVER
