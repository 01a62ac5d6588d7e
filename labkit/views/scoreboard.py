"""The scoreboard: twelve tickets by systems, the rank of the first right answer."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from labkit.bars import bar
from labkit.corpus.collection import Collection
from labkit.corpus.load import load_collection
from labkit.errors import LabError
from labkit.ranking.systems import system
from labkit.ranking.two_stage import Searcher, TwoStage
from labkit.text import shortened
from labkit.views import scoreboard_pictures
from labkit.views.live import Live
from labkit.views.stages import Stage, Walk, walk
from labkit.views.words import one_line, visible

DEFAULT_SYSTEMS = ("bm25", "dense", "fusion", "bm25+late", "bm25+late+fusion", "bm25+cross")
RIGHT = 3  # the grade of a document that does the whole job
NO_ANSWER = "no answer"
HANDED_OVER = 5  # what a reader or a language model gets to see


@dataclass(frozen=True, repr=False)
class Scoreboard(Live):
    """Ticket to system to the rank of the first right answer; None where the system's list has none.

    ``walks`` has the same after each stage of a system. In a notebook a ``ticket`` can be chosen, and its walk is
    shown; "" is none. A `LabError` for a ticket that is not on the board.
    """

    view = "scoreboard"
    tree, _figure = scoreboard_pictures.tree, scoreboard_pictures.figure

    systems: tuple[str, ...]
    tickets: dict[str, str]
    ranks: dict[str, dict[str, int | None]]
    unanswerable: tuple[str, ...]
    k: int
    walks: dict[str, dict[str, Walk]]
    ticket: str = ""

    def __post_init__(self) -> None:
        if self.ticket and self.ticket not in self.tickets:
            raise LabError(f"the board has no ticket {self.ticket!r}; it has {', '.join(self.tickets)}.")

    def inputs(self) -> dict[str, Any]:
        """The ticket whose walk is shown; "" for none."""
        return {"ticket": self.ticket}

    def at(self, ticket: str) -> Scoreboard:  # type: ignore[override]
        """The board with a ticket's walk through the stages of each system; with "" without one."""
        return replace(self, ticket=ticket)

    @property
    def title(self) -> str:  # type: ignore[override]
        """The ticket that is chosen."""
        return f"{visible(self.ticket)}: {one_line(self.tickets[self.ticket], 200)}" if self.ticket else "scoreboard"

    def wins(self, name: str, over: str = "bm25") -> int:
        """On how many tickets ``name`` has its first right answer higher than ``over`` has."""
        return sum(_place(ranks[name]) < _place(ranks[over]) for ranks in self.ranks.values())

    def losses(self, name: str, over: str = "bm25") -> int:
        """On how many tickets ``name`` has its first right answer lower than ``over`` has."""
        return sum(_place(ranks[name]) > _place(ranks[over]) for ranks in self.ranks.values())

    def in_top(self, name: str, n: int = HANDED_OVER) -> int:
        """On how many tickets the system hands over a right answer among its first ``n``."""
        return sum(_place(ranks[name]) <= n for ranks in self.ranks.values())

    def to_frame(self):
        """Tickets by systems as a pandas table."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.ranks, orient="index", columns=list(self.systems)).astype("Int64")

    def to_text(self) -> str:
        """The table, right answers among the first five marked with *; then a line a system with its stages."""
        walked = ["", self.title, *self._lines(), self.told()] if self.ticket else []
        return "\n".join([self._table(), *walked])

    def _lines(self) -> list[str]:
        walks = self.walks[self.ticket]
        width = max(map(len, walks), default=0)
        return [
            f"{name:<{width}}  " + " → ".join(" & ".join(map(self.shown, step)) for step in steps)
            for name, steps in walks.items()
        ]

    def _table(self) -> str:
        head = " " * 5 + "  ".join(f"{name:>{max(6, len(name))}}" for name in self.systems) + "  ticket"
        lines = [head]
        for key, text in self.tickets.items():
            cells = [f"{self.cell(key, name):>{max(6, len(name))}}" for name in self.systems]
            lines.append(f"{visible(key):<5}" + "  ".join(cells) + f"  {_short(text)}")
        tops = [f"{self.in_top(name):>{max(6, len(name))}}" for name in self.systems]
        lines.append(f"{'top 5':<5}" + "  ".join(tops) + "  tickets answered within the first five (*)")
        return "\n".join(lines)

    def to_html(self) -> str:
        """The table as escaped HTML; with a ticket what the widget shows."""
        if self.ticket:
            return super().to_html()
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.systems)
        head = f"<tr><th></th>{head}<th style='text-align:left'>ticket</th></tr>"
        body = "".join(
            f"<tr><th>{html.escape(visible(key))}</th>"
            + "".join(_html_cell(self.cell(key, name)) for name in self.systems)
            + f"<td style='text-align:left'>{html.escape(_short(text))}</td></tr>"
            for key, text in self.tickets.items()
        )
        tops = "".join(f"<td>{self.in_top(name)}</td>" for name in self.systems)
        note = f"rank of the first right answer; reranked systems see {self.k} candidates; bold: among the first five"
        return (
            f"<table><caption>{note}</caption><thead>{head}</thead>"
            f"<tbody>{body}<tr><th>top 5</th>{tops}<td></td></tr></tbody></table>"
        )

    def told(self) -> str:
        """What the ranks of a walk mean."""
        if self.ticket in self.unanswerable:
            return "No document answers this ticket: whatever stands first is wrong."
        return (
            f"Rank of the first right answer after each stage; rerankers see {self.k} candidates. "
            f"* among the first {HANDED_OVER}; &: what a fusion sums."
        )

    def shown(self, stage: Stage) -> str:
        """A stage of a walk and its rank."""
        return f"{one_line(stage.name)} {self.rank_text(self.ticket, stage.rank)}"

    def cell(self, key: str, name: str) -> str:
        """A rank as it is shown: * among the first five."""
        return self.rank_text(key, self.ranks[key][name])

    def rank_text(self, key: str, rank: int | None) -> str:
        """A ticket's rank in some list as it is shown."""
        if key in self.unanswerable:
            return NO_ANSWER
        return "none" if rank is None else f"{rank}*" if rank <= HANDED_OVER else str(rank)


def scoreboard(
    systems: Sequence[str | Searcher | TwoStage] = DEFAULT_SYSTEMS, collection: Collection | None = None, k: int = 50
) -> Scoreboard:
    """Rank the tickets with each system; a `LabError` if the collection has none.

    Parameters
    ----------
    systems : names as the command line has them, or systems
    collection : a collection with tickets; pydocs if None
    k : candidates for rerankers; first stages rank everything
    """
    c = collection or load_collection("pydocs")
    tickets = {info["ticket"]: query_id for query_id, info in c.query_info.items() if info.get("ticket")}
    tickets = dict(sorted(tickets.items(), key=lambda item: int(item[0][1:])))
    if not tickets:
        raise LabError(f"{c.name} has no tickets; use pydocs, or evaluate() on your own queries.")
    built = [system(s, c) if isinstance(s, str) else s for s in systems]
    right = {key: {d for d, grade in c.qrels.get(q, {}).items() if grade >= RIGHT} for key, q in tickets.items()}
    walks = {
        key: {s.name: walk(s, c.queries[q], right[key], k) for s in built}
        for key, q in bar(tickets.items(), what="scoreboard", unit="ticket", show=True)
    }
    ranks = {key: {name: found[-1][-1].rank for name, found in own.items()} for key, own in walks.items()}
    texts = {key: c.queries[q] for key, q in tickets.items()}
    unanswerable = tuple(key for key in tickets if not right[key])
    return Scoreboard(tuple(s.name for s in built), texts, ranks, unanswerable, k, walks)


def _place(rank: int | None) -> float:
    return float("inf") if rank is None else rank


def _html_cell(cell: str) -> str:
    text = f"<b>{cell.rstrip('*')}</b>" if cell.endswith("*") else cell
    return f"<td style='white-space:nowrap'>{text}</td>"


def _short(text: str, width: int = 60) -> str:
    return shortened(visible(" ".join(text.split())), width)
