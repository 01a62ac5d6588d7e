"""What can be shown of a reranker that names no tokens: its scores, its order, and the spans that it calls relevant."""

from __future__ import annotations

import math
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from labkit.ranking.ranking import Hit, Ranking, score_text
from labkit.scoring.table import text_table
from labkit.views.aligner import short_names
from labkit.views.compared import NONE
from labkit.views.figure import Bar, Page, bars, new_figure
from labkit.views.page import Cell, block, isolated, table
from labkit.views.words import one_line, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEAD = ("rank", "document", "score")
SHOWN_TEXT = 4_000  # characters of a text


class ScoresOnly(Page):
    """A ranking without token scores.

    Parameters
    ----------
    ranking : every document, best first
    numbers : document id to its place among those given
    shown : the number of the document whose text is shown; -1 for the best one
    """

    def __init__(self, ranking: Ranking, numbers: dict[str, int], shown: int = -1) -> None:
        self.ranking, self.numbers = ranking, numbers
        self.names = short_names(ranking.ids)
        self.hit = next((hit for hit in ranking if numbers[hit.doc_id] == shown), ranking[0])
        self.title = f"Scores for “{one_line(ranking.query, 200)}”"

    def headline(self) -> str:
        """What this reranker does not tell."""
        who = self.ranking.system + (f" ({self.ranking.model})" if self.ranking.model else "")
        return f"{one_line(who)} gives one number for a query and a document, and no scores of tokens."

    def notes(self) -> list[str]:
        """What it has, and what went wrong."""
        count = len(self.hit.spans)
        has = (
            f"it names {count} relevant span{'s' * (count != 1)}, most relevant first" if count else "scores and order"
        )
        told = [f"What it has for {self.name(self.hit)}: {has}."]
        told += [f"{self.name(hit)}: {hit.reason}." for hit in self.ranking if hit.reason]
        told += [f"{self.name(self.hit)} was cut: the reranker read only a part."] if self.hit.truncated else []
        return told + ([one_line(self.ranking.note, 200) + "."] if self.ranking.note else [])

    def name(self, hit: Hit) -> str:
        """A document's short name."""
        return self.names[self.ranking.ids.index(hit.doc_id)]

    def cells(self) -> list[tuple[str, str, str]]:
        """A row a document."""
        return [(str(hit.rank), self.name(hit), score_text(hit.score)) for hit in self.ranking]

    def pieces(self) -> list[tuple[str, int]]:
        """The text of the document shown, in order: characters, and the place of the span that they are in, from 1.

        0 is no span; where spans overlap, the more relevant one has the characters.
        """
        text = self.hit.text[:SHOWN_TEXT]
        owner = [0] * len(text)
        for place, (start, stop) in reversed(list(enumerate(self.hit.spans, start=1))):
            owner[start:stop] = [place] * len(owner[start:stop])
        edges = [0, *(i for i in range(1, len(text)) if owner[i] != owner[i - 1]), len(text)]
        return [(visible(text[a:b]), owner[a]) for a, b in pairwise(edges) if a < b]

    def to_text(self) -> str:
        """The sentence, the ranking, the spans."""
        spans = [f"  {place}. {' '.join(text.split())}" for text, place in self.pieces() if place]
        ranking = text_table(HEAD, self.cells())
        return "\n".join([self.title, self.headline(), *self.notes(), *sorted(spans), "", ranking])

    def to_html(self) -> str:
        """The same as HTML, with the spans marked in the text."""
        marked = "".join(
            f"<mark class='lk-m' style='--s:1'>{escape(text)}</mark><sup>{place}</sup>" if place else escape(text)
            for text, place in self.pieces()
        )
        rows = [
            ("lk-on" if hit is self.hit else "", [Cell(c, "lk-num" if i != 1 else "") for i, c in enumerate(cells)])
            for hit, cells in zip(self.ranking, self.cells(), strict=True)
        ]
        notes = "".join(f"<p class='lk-soft'>{isolated(note)}</p>" for note in self.notes())
        text = f"<h4>{isolated(self.name(self.hit))}</h4><p class='lk-text' dir='auto'>{marked}</p>"
        return block(
            "alignment",
            f"<p>{isolated(self.title)}</p><h3>{isolated(self.headline())}</h3>{notes}"
            f"{table(list(map(Cell, HEAD)), rows, 'lk-docs')}{text}",
            "alignment.css",
        )

    def _figure(self) -> Figure:
        """A bar a document."""
        figure = new_figure(8, 1.2 + 0.32 * len(self.ranking))
        axes = figure.subplots()
        scores = [hit.score if hit.score is not None and math.isfinite(hit.score) else 0.0 for hit in self.ranking]
        rows = [
            Bar(f"{rank} {name}", value, score, "" if hit is self.hit else "soft")
            for hit, value, (rank, name, score) in zip(self.ranking, scores, self.cells(), strict=True)
        ]
        bars(axes, rows)
        axes.set_xlabel(self.ranking.scale)
        axes.set_title(self.headline(), fontsize=10, loc="left", wrap=True)
        return figure

    def scene(self) -> dict[str, Any]:
        """What the widget paints; token data are empty."""
        docs = [
            {"number": self.numbers[hit.doc_id], "name": cells[1], "rank": hit.rank, "score": cells[2],
             "shown": hit is self.hit}
            for hit, cells in zip(self.ranking, self.cells(), strict=True)
        ]  # fmt: skip
        runs = [
            [text, [i], str(place), 1, 0, f"relevant span {place}"] if place else text
            for i, (text, place) in enumerate(self.pieces())
        ]
        panel = {"title": f"{self.hit.rank}. {self.name(self.hit)}", "runs": runs, "unread": "", "empty": ""}
        nothing: dict[str, Any] = {
            name: [] for name in ("reasons", "kinds", "words", "said", "winners", "head", "rows")
        }
        return {
            **nothing, "query": "", "caption": "",
            "headline": self.headline(), "told": "", "share": 0, "notes": self.notes(), "receipt": "",
            "balanced": True, "docs": docs, "against": NONE, "panels": [panel], "live": False,
            "matrix": {"rows": 0, "columns": 0, "unit": 1, "data": ""},
        }  # fmt: skip
