"""First stages: they rank a whole collection, fast. BM25 counts words; others are in `dense` and `token_retriever`.

They score passages and keep each document's best one. Ties are broken by document id.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from labkit.corpus.collection import Collection
from labkit.errors import LabError, check_count, check_text
from labkit.ranking.ranking import Hit, Ranking


class Retriever(ABC):
    """A first stage over one collection."""

    name: str
    scale: str
    configuration: dict[str, Any]  # what decides its rankings, for the ledger

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    @abstractmethod
    def passage_scores(self, query: str) -> np.ndarray:
        """[number of passages] float32, in the order of ``collection.passages``."""

    def scores(self, query: str) -> np.ndarray:
        """[Nd] float32: each document's best passage, in the order of ``collection.doc_ids``."""
        return self._of_documents(self.passage_scores(query))

    def best(self, query: str, k: int) -> tuple[np.ndarray, np.ndarray]:
        """What `search` finds, in numbers: the rows of the ``k`` best in ``collection.doc_ids``, and passage scores."""
        passage_scores = self.passage_scores(query)
        return self._order(self._of_documents(passage_scores), k), passage_scores

    def search(self, query: str, k: int = 50) -> Ranking:
        """The ``k`` best documents; fewer if fewer match.

        Raises `LabError` for a k below 1 or a query that is no valid string.
        """
        check_count(k, "k")
        check_text(query, "query")
        began = time.perf_counter()
        rows, passage_scores = self.best(query, k)
        hits = tuple(self.hit(row, rank, passage_scores) for rank, row in enumerate(rows.tolist(), start=1))
        return Ranking(query, hits, self.name, self.scale, {"first_stage": time.perf_counter() - began})

    def hit(self, row: int, rank: int, passage_scores: np.ndarray) -> Hit:
        """The document of this row with its best passage."""
        doc_id, starts = self.collection.doc_ids[row], self._starts
        document, own = self.collection.docs[doc_id], passage_scores[starts[row] : starts[row + 1]]
        best = int(own.argmax())
        return Hit(doc_id, rank, float(own[best]), document.title, document.passages[best], passages=document.passages)

    def score_hits(self, query: str, hits: Sequence[Hit]) -> np.ndarray:
        """[n] float32: this system's scores of given hits, by document id."""
        try:
            rows = [self._row[hit.doc_id] for hit in hits]
        except KeyError as error:
            raise LabError(
                f"{self.name} can only score documents of {self.collection.name}; got id {error.args[0]!r}."
            ) from None
        return self.score_rows(query, np.array(rows, np.int64))

    def score_rows(self, query: str, rows: np.ndarray) -> np.ndarray:
        """[n] float32: this system's scores of documents by their rows in ``collection.doc_ids``."""
        if not len(rows):
            return np.zeros(0, np.float32)
        starts = self._starts[rows]
        sizes = self._starts[rows + 1] - starts
        begins = np.cumsum(sizes) - sizes
        passages = np.arange(sizes.sum()) + np.repeat(starts - begins, sizes)
        return np.maximum.reduceat(self._exact_scores(query, passages), begins)

    def _exact_scores(self, query: str, passages: np.ndarray) -> np.ndarray:
        """[n] float32: the scores of passages by number. An index that finds only some overrides this."""
        return self.passage_scores(query)[passages]

    def _order(self, scores: np.ndarray, k: int) -> np.ndarray:
        """Rows of the k best scores that match at all, ties by document id."""
        rows = np.flatnonzero(self._matches(scores))
        if len(rows) > k:  # keep every score that ties with the k-th
            limit = np.partition(scores[rows], len(rows) - k)[len(rows) - k]
            rows = rows[scores[rows] >= limit]
        return rows[np.lexsort((self.id_order[rows], -scores[rows]))][:k]

    def _matches(self, scores: np.ndarray) -> np.ndarray:
        return np.isfinite(scores)

    def _of_documents(self, passage_scores: np.ndarray) -> np.ndarray:
        if not self.collection.docs:
            return np.zeros(0, np.float32)
        return np.maximum.reduceat(passage_scores, self._starts[:-1])

    @cached_property
    def _starts(self) -> np.ndarray:
        return np.array(self.collection.offsets)

    @cached_property
    def _row(self) -> dict[str, int]:
        return {doc_id: row for row, doc_id in enumerate(self.collection.doc_ids)}

    @cached_property
    def id_order(self) -> np.ndarray:
        """[Nd] the place of each document's id among all ids sorted."""
        order = np.empty(len(self.collection.docs), np.int64)
        order[sorted(range(len(order)), key=self.collection.doc_ids.__getitem__)] = np.arange(len(order))
        return order


class BM25Retriever(Retriever):
    """BM25 by the bm25s library: Lucene's variant, English stop words, no stemmer.

    Parameters
    ----------
    collection : Collection
    k1, b : saturation of word counts, and how much long texts pay; 1.2 and 0.75 as Lucene has them
    """

    name = "bm25"
    scale = "BM25"

    def __init__(self, collection: Collection, k1: float = 1.2, b: float = 0.75) -> None:
        super().__init__(collection)
        import bm25s

        self._bm25 = bm25s.BM25(k1=k1, b=b, method="lucene")
        self._tokenize = lambda texts, **more: bm25s.tokenize(texts, stopwords="en", show_progress=False, **more)
        tokens = self._tokenize(list(collection.passages))
        self._empty = not tokens.vocab
        if not self._empty:
            self._bm25.index(tokens, show_progress=False)

    @property
    def configuration(self) -> dict[str, Any]:
        return {"name": self.name, "k1": self._bm25.k1, "b": self._bm25.b, "stop words": "en"}

    def passage_scores(self, query: str) -> np.ndarray:
        words = self._tokenize([query], return_ids=False)[0]
        known = [word for word in words if word in self._bm25.vocab_dict] if not self._empty else []
        if not known:
            return np.zeros(len(self.collection.passages), np.float32)
        return self._bm25.get_scores(known).astype(np.float32)

    def _matches(self, scores: np.ndarray) -> np.ndarray:
        return scores > 0  # a document that shares no word with the query is not a hit
