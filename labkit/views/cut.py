"""``lk.show_cut``: a document as a bar, a cut to drag along it, and which system would put it first if it ended there.

BM25 reads the document up to the cut, as one text. MaxSim reads it up to the cut in windows as long as its encoder
reads at once, and the best window counts. The other documents stay as they are.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.corpus.collection import Collection, Document, join_title
from labkit.encoding.checkpoints import load_encoder
from labkit.errors import LabError, check_text
from labkit.ranking.first_stage import BM25Retriever
from labkit.scoring.maxsim import maxsim
from labkit.scoring.table import text_table
from labkit.views import cut_pictures
from labkit.views.live import Live
from labkit.views.words import one_line

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

MOST = 200  # windows that a bar can show
WIDE = 64  # columns of the bar in plain text


class Strip:
    """A document in windows, scored once, and the candidates that it is held against."""

    def __init__(
        self, query: str, doc_id: str, c: Collection, mark: str, encoder: Encoder, k: int, progress: bool
    ) -> None:
        self.query, self.doc_id, self.c, self.mark = query, doc_id, c, mark
        self.text = join_title(c.docs[doc_id].title, c.docs[doc_id].text)
        self.ends = _ends(self.text, encoder)
        groups = [[self.text[a:b]] for a, b in zip([0, *self.ends], self.ends, strict=False)]
        groups += [list(hit.passages) for hit in BM25Retriever(c).search(query, k) if hit.doc_id != doc_id]
        packed = encoder.encode_documents([text for group in groups for text in group], progress)
        starts = np.cumsum([0, *map(len, groups[:-1])])
        scores = np.maximum.reduceat(np.asarray(maxsim(encoder.encode_queries([query])[0], packed)), starts)
        self.scores, self.rivals = scores[: len(self.ends)], scores[len(self.ends) :]
        self.place = self.text.find(mark) if mark else -1
        self.bm25_rank = cache(self._bm25_rank)

    def _bm25_rank(self, end: int) -> int | None:
        """The document's rank in the whole collection, if it ended there; None where no word matches."""
        docs = {**self.c.docs, self.doc_id: Document("", self.text[:end])}
        ranking = BM25Retriever(replace(self.c, docs=docs)).search(self.query, len(docs))
        return ranking.rank_of([self.doc_id])

    def words(self, end: int) -> dict[str, int]:
        """How often each word that BM25 looks for stands before a place."""
        import bm25s

        asked, read = bm25s.tokenize(
            [self.query, self.text[:end]], stopwords="en", return_ids=False, show_progress=False
        )
        counts = Counter(read)
        return {word: counts[word] for word in dict.fromkeys(asked)}


class CutView(Live):
    """A document cut after some windows.

    Attributes
    ----------
    read : windows before the cut, from 1; the first is what the encoder reads of the document as it is
    end : characters before the cut
    best : number of the window before the cut that scores best, from 0
    ranks : ``"BM25"`` to the rank in the collection, ``"MaxSim"`` to the rank among the candidates
    """

    view = "show-cut"
    tree, _figure = cut_pictures.tree, cut_pictures.figure
    HEAD = ("system", "rank", "because")

    def __init__(self, strip: Strip, read: int = 1) -> None:
        self.strip, self.read = strip, min(max(1, read), len(strip.ends))
        self.end = strip.ends[self.read - 1]
        self.best = int(strip.scores[: self.read].argmax())
        self.score = float(strip.scores[self.best])
        self.ranks = {"BM25": strip.bm25_rank(self.end), "MaxSim": 1 + int((strip.rivals > self.score).sum())}
        self.size, self.name, self.marked = len(strip.text), one_line(strip.doc_id), f"“{one_line(strip.mark)}”"
        self.title = f"A cut through {self.name}"

    def headline(self) -> str:
        """Where the cut is, and who puts the document first."""
        first = [system for system, rank in self.ranks.items() if rank == 1]
        who = {0: "neither BM25 nor MaxSim puts", 1: f"{''.join(first)} alone puts", 2: "BM25 and MaxSim both put"}
        where = f"{self.end:,} of {self.size:,} characters ({self.end / self.size:.0%})"
        return f"Cut after {where}: {who[len(first)]} {self.name} first."

    def span(self, number: int) -> tuple[int, int]:
        """The characters of a window."""
        return (self.strip.ends[number - 1] if number else 0), self.strip.ends[number]

    def cells(self) -> list[tuple[str, ...]]:
        """A row a system: rank, and what it has read of the question."""
        words = self.strip.words(self.end)
        met = ", ".join(f"{one_line(word)} {count}×" for word, count in words.items() if count) or "no word"
        lacks = ", ".join(one_line(word) for word, count in words.items() if not count)
        start, end = self.span(self.best)
        why = f"best window {self.score:.3f}, characters {start:,} to {end:,}; best rival {self._rival()}"
        return [
            ("BM25", f"{self.ranks['BM25'] or 'none'} of {len(self.strip.c.docs):,}",
             met + (f"; not {lacks}" if lacks else "")),
            ("MaxSim", f"{self.ranks['MaxSim']} of {len(self.strip.rivals) + 1}", why),
        ]  # fmt: skip

    def _rival(self) -> str:
        return f"{self.strip.rivals.max():.3f}" if len(self.strip.rivals) else "none"

    def answer(self) -> str:
        """Where the marked words stand; "" without any."""
        if not self.strip.mark:
            return ""
        place = self.strip.place
        if place < 0:
            return f"{self.marked} is nowhere in {self.name}."
        own = next(number for number, end in enumerate(self.strip.ends) if place < end)
        seen = (
            f"before the cut: its window scores {self.strip.scores[own]:.3f}" if own < self.read else "behind the cut"
        )
        return f"{self.marked} begins at character {place:,}, {seen}."

    def excerpt(self) -> str:
        """The start of the best window, or of what is marked in it."""
        start, end = self.span(self.best)
        return one_line(self.strip.text[max(start, self.strip.place) if self.strip.place < end else start : end], 200)

    def to_text(self) -> str:
        """The bar, both systems, and the best window."""
        cut, mark = max(1, round(WIDE * self.end / self.size)), WIDE * self.strip.place // self.size
        line = "".join("!" if i == mark else "#" if i < cut else "." for i in range(WIDE))
        told = [self.headline(), f"[{line}]", text_table(self.HEAD, self.cells(), 3), self.answer()]
        return "\n".join([*filter(None, told), f"MaxSim's best window: {self.excerpt()}"])

    def inputs(self) -> dict[str, Any]:
        """Windows before the cut, from 1."""
        return {"read": self.read}

    def at(self, read: int) -> CutView:  # type: ignore[override]
        """The document cut elsewhere."""
        return CutView(self.strip, read)


def _ends(text: str, encoder: Encoder) -> list[int]:
    """Where the windows end: the first where the encoder stops reading today, later ones at the last end of a line."""
    ends = [0]
    while ends[-1] < len(text) and len(ends) <= MOST + 1:
        start = ends[-1]
        stop = start + max(1, encoder.characters_read([text[start:]])[0])
        line = text.rfind("\n", start, stop) + 1 if start and stop < len(text) else 0
        ends.append(line or stop)
    if not 2 <= len(ends) <= MOST + 1:
        raise LabError(f"a bar shows documents of 1 to {MOST} windows; this one has {'none' if not text else 'more'}.")
    return ends[1:]


def show_cut(
    query: str,
    doc_id: str,
    collection: Collection,
    mark: str = "",
    encoder: Encoder | None = None,
    k: int = 20,
    progress: bool = False,
) -> CutView:
    """Draw a document as a bar and cut it; in a notebook the cut can be dragged, or moved with the arrow keys.

    A `LabError` for an id that the collection lacks, and for a document without text or of more than 200 windows.

    Parameters
    ----------
    query : text
    doc_id : the document
    collection : where it is ranked
    mark : words to mark in it, such as those that answer the query
    encoder : from ``load_encoder()``; the default one if None
    k : candidates of BM25 that MaxSim holds the document against
    progress : show a bar while texts are encoded for the first time
    """
    if doc_id not in collection.docs:
        raise LabError(f"{collection.name} has no document {doc_id!r}; give an id of its docs.")
    texts = check_text(query, "query"), doc_id, collection, check_text(mark, "mark")
    return CutView(Strip(*texts, encoder or load_encoder(), k, progress))
