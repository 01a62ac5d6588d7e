"""``lk.show_alignment``: a query, documents and a reranker in; a view that answers out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from labkit.encoding.checkpoints import load_encoder
from labkit.errors import LabError, check_text
from labkit.ranking.late_interaction import LateInteractionReranker
from labkit.ranking.ranking import Ranking
from labkit.ranking.rerankers import Reranker
from labkit.views.aligner import Aligner, Documents, named_hits
from labkit.views.alignment import Alignment
from labkit.views.compared import BEST
from labkit.views.figure import Picture
from labkit.views.scores_only import ScoresOnly

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder
    from labkit.views.alignment_widget import AlignmentWidget


def show_alignment(
    query: str, docs: Documents, reranker: Reranker | Encoder | None = None
) -> AlignmentWidget | Alignment | ScoresOnly:
    """Show which words of a query matched which words of each document, for how much, and why one is above another.

    A `LabError` for a query without tokens, no documents, and texts that are no valid Unicode.

    Parameters
    ----------
    query : text
    docs : a Ranking, a list of texts, or a mapping from name to text. Of a document with several passages the one that
        scores best is shown.
    reranker : a `LateInteractionReranker` or an encoder; the default encoder if None. Any other reranker has no scores
        of tokens: its scores are shown, and the relevant spans that it may name. So are those of one with compressed
        vectors; give its encoder to see the tokens of whole ones.

    Returns
    -------
    A widget in which the query can be edited; without anywidget its static picture. Both have ``to_html``, ``to_text``,
    ``figure``, ``to_svg``, ``to_png`` and ``save``, with the same numbers.
    """
    source = _source(docs, reranker)
    check_text(query, "query")
    if find_spec("anywidget") is None:
        return source.draw(query)
    from labkit.views.alignment_widget import AlignmentWidget

    return AlignmentWidget(source, query)


class Tokens:
    """Draws alignments: documents are encoded once, and only the query changes."""

    def __init__(self, docs: Documents, encoder: Encoder) -> None:
        self.aligner = Aligner(docs, encoder)

    def draw(self, query: str, shown: int = BEST, against: int = BEST, without: Sequence[str] = ()) -> Alignment:
        """The alignment in one state."""
        asked, matches = self.aligner.align(check_text(query, "query"))
        return Alignment(asked, matches, shown, against, without)


class Scores:
    """Draws what a reranker without token scores has; the query that was asked last is not asked again."""

    def __init__(self, docs: Documents, reranker: Reranker) -> None:
        hits = named_hits(docs)
        self.reranker = reranker
        self.candidates = Ranking("", hits)
        self.numbers = {hit.doc_id: number for number, hit in enumerate(hits)}
        self._last: Ranking | None = None

    def draw(self, query: str, shown: int = BEST, *_: Any, **__: Any) -> Picture:
        """The ranking in one state."""
        if not check_text(query, "query").strip():
            raise LabError("the query is blank. Type a word.")
        if self._last is None or self._last.query != query:
            ranking = self.reranker.rerank(query, self.candidates, top_n=len(self.candidates))
            self._last = replace(ranking, system=self.reranker.name)
        return ScoresOnly(self._last, self.numbers, shown)


def _source(docs: Documents, reranker: Reranker | Encoder | None) -> Tokens | Scores:
    late = isinstance(reranker, LateInteractionReranker)
    if isinstance(reranker, Reranker) and (not late or reranker.compression is not None):
        return Scores(docs, reranker)  # token scores of the encoder would not be those of compressed vectors
    encoder: Any = getattr(reranker, "encoder", reranker) or load_encoder()
    if not hasattr(encoder, "encode_queries"):
        raise LabError(f"reranker must be a reranker or an encoder; got {type(reranker).__name__}.")
    if isinstance(docs, Ranking) and docs.scale == "MaxSim" and docs.model not in ("", encoder.identity):
        raise LabError(
            f"this ranking's scores are of {docs.model}, and {encoder.identity} would explain others. Give the "
            "reranker that made it: show_alignment(query, ranking, reranker)."
        )
    return Tokens(docs, encoder)
