"""The slope chart: who moved, from the first stage's ranks to the reranked ones."""

from __future__ import annotations

from collections.abc import Collection as Ids
from dataclasses import dataclass
from textwrap import fill
from typing import TYPE_CHECKING, Any

from labkit.ranking.ranking import Ranking
from labkit.views import slope_tree
from labkit.views.figure import BLUE, GREEN, GREY, ORANGE, new_figure
from labkit.views.live import Live
from labkit.views.words import visible

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LABEL_WIDTH = 44
LONGEST = 400  # characters of a query or a name


@dataclass(frozen=True)
class Move:
    """One document's rank before and after; None where it is not in the list."""

    doc_id: str
    before: int | None
    after: int | None
    right: bool

    @property
    def climbed(self) -> int | None:
        """Ranks won, below 0 if lost; None where one of the two is not known."""
        return None if self.before is None or self.after is None else self.before - self.after


class SlopeChart(Live):
    """Ranks before and after, a line a document. Right answers are drawn bold and marked with a star.

    In a notebook a document that is pointed at lights up its line and tells its ranks; ``chosen``, its number in
    ``moves``, stays lit, and is -1 for none.
    """

    view, png = "slope-chart", True
    tree = slope_tree.tree

    def __init__(
        self, query: str, moves: list[Move], names: tuple[str, str], candidates: int, chosen: int = -1
    ) -> None:
        self.query = query
        self.moves = moves
        self.names = names
        self.candidates = candidates
        self.chosen = chosen if 0 <= chosen < len(moves) else -1
        self.title = f"{visible(names[0])} to {visible(names[1])}: {visible(query, LONGEST)}"

    def to_text(self) -> str:
        """A line a document: rank before, rank after, id; right answers starred."""
        old, new = map(visible, self.names)
        head = f"{old:>8} → {new}  ({self.candidates} candidates; * right answer)"
        lines = [
            f"{_rank(m.before):>8} → {_rank(m.after):<5} {'*' if m.right else ' '} {visible(m.doc_id, LONGEST)}"
            for m in self.moves
        ]
        told = [self.told(self.moves[self.chosen])] if self.chosen >= 0 else []
        return "\n".join([visible(self.query, LONGEST), head, *lines, *told])

    @property
    def occurring(self) -> list[int]:
        """The ranks that occur on either side, each once: each has a row."""
        return sorted({rank for move in self.moves for rank in (move.before, move.after) if rank is not None})

    def told(self, move: Move) -> str:
        """A document's ranks in a sentence."""
        before, after = map(visible, self.names)
        where = [f"rank {rank} in {name}" if rank else f"not in the list of {name}"
                 for rank, name in ((move.before, before), (move.after, after))]  # fmt: skip
        return f"{visible(move.doc_id, LONGEST)}: {where[0]}, {where[1]}{_moved(move)}."

    def inputs(self) -> dict[str, Any]:
        """The number of the document that stays lit, from 0; -1 for none."""
        return {"chosen": self.chosen}

    def at(self, chosen: int) -> SlopeChart:  # type: ignore[override]
        """The chart with another document lit."""
        return SlopeChart(self.query, self.moves, self.names, self.candidates, chosen)

    def _figure(self) -> Figure:
        """Two columns joined by lines. Only ranks that occur have a row, so a gap in the numbers is a jump."""
        occurring = self.occurring
        row = {rank: place for place, rank in enumerate(occurring)}
        absent = any(None in (move.before, move.after) for move in self.moves)
        row[None] = len(occurring)  # not among the candidates: at the foot
        rows = len(occurring) + absent
        figure = new_figure(9.5, 1.1 + 0.3 * (rows + 1))
        axes = figure.subplots()
        for move in self.moves:
            _draw(axes, move, row[move.before], row[move.after])
        axes.set_title(fill(f"“{visible(self.query, LONGEST)}”", 100), fontsize=11, loc="left", wrap=True)
        axes.set_xlim(-1.55, 2.55)
        axes.set_ylim(rows - 0.5, -1.3)
        for x, name in enumerate(map(_label, self.names)):
            axes.text(x, -0.9, name, ha="center", va="center", weight="bold")
        axes.axis("off")
        return figure


def _label(name: str) -> str:
    """A name that fits beside the lines: its end."""
    shown = visible(name, LONGEST)
    return shown if len(shown) <= LABEL_WIDTH else "…" + shown[1 - LABEL_WIDTH :]


def _moved(move: Move) -> str:
    """By how much a document rose or fell, in words."""
    told = "" if move.climbed is None else ": stays" if not move.climbed else f": up {move.climbed}"
    if move.climbed is not None and move.climbed < 0:
        told = f": down {-move.climbed}"
    return f"{told}; a right answer" if move.right else told


def _draw(axes: Axes, move: Move, start: float, end: float) -> None:
    """One document's line, with its rank and name at both ends."""
    line, weight = (3.0, "bold") if move.right else (1.4, "normal")
    axes.plot([0, 1], [start, end], color=GREEN if move.right else _colour(move), lw=line, marker="o", ms=5)
    label = _label(move.doc_id)
    label = f"★ {label}" if move.right else label
    axes.text(-0.04, start, f"{label}  {_rank(move.before)} ", va="center", ha="right", fontsize=9, weight=weight)
    axes.text(1.04, end, f" {_rank(move.after)}  {label}", va="center", ha="left", fontsize=9, weight=weight)


def slope_chart(before: Ranking, after: Ranking, right: Ids[str] = (), n: int = 5) -> SlopeChart:
    """Draw how the top ``n`` moved.

    Parameters
    ----------
    before, after : rankings of the same query; ``before`` holds all candidates, so that every mover has its old rank
    right : ids of right answers; they are shown wherever they stand in ``after``
    n : how many of each side's best to show
    """
    old = {hit.doc_id: hit.rank for hit in before}
    new = {hit.doc_id: hit.rank for hit in after}
    shown = dict.fromkeys([*after.ids[:n], *before.ids[:n]])
    moves = [Move(doc_id, old.get(doc_id), new.get(doc_id), doc_id in set(right)) for doc_id in shown]
    names = (before.system or "before", after.system or "after")
    return SlopeChart(before.query, moves, names, len(before))


def _rank(rank: int | None) -> str:
    return "-" if rank is None else str(rank)


def _colour(move: Move) -> str:
    if move.before is None or move.after is None or move.before == move.after:
        return GREY
    return BLUE if move.after < move.before else ORANGE
