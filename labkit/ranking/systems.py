"""Systems by name, in the words of the command line: ``bm25``, ``dense+late``, ``bm25+late+fusion``, ..."""

from __future__ import annotations

from functools import lru_cache

from labkit.corpus.collection import Collection
from labkit.errors import LabError
from labkit.ranking.cohere import CohereReranker
from labkit.ranking.cross_encoder import CrossEncoderReranker
from labkit.ranking.dense import DenseRetriever
from labkit.ranking.first_stage import BM25Retriever
from labkit.ranking.fusion import FusionReranker, FusionRetriever
from labkit.ranking.late_interaction import DenseReranker, LateInteractionReranker
from labkit.ranking.rerankers import Reranker
from labkit.ranking.two_stage import Searcher, TwoStage

RETRIEVERS = ("bm25", "dense", "fusion")
RERANKERS = ("late", "late+fusion", "cross", "cohere", "none")
FUSION_WEIGHTS = (1.0, 1.0, 0.5)  # MaxSim, the twin's cosine, BM25


def system(name: str, collection: Collection, encoder: str | None = None, live: bool = False) -> Searcher | TwoStage:
    """The system of that name over a collection.

    Parameters
    ----------
    name : a first stage, ``"bm25"``, ``"dense"`` or ``"fusion"``; reranked with ``"+late"``, ``"+late+fusion"``,
        ``"+cross"`` or ``"+cohere"``
    collection : Collection
    encoder : checkpoint for the reranker; the default model if None
    live : let ``cohere`` ask Cohere, which costs money; else it asks a stand-in, whose scores are not Cohere's

    Raises `LabError` for a name that is none of these; the message lists them.
    """
    first, second = require_system(name)
    retriever = first_stage(first, collection)
    return retriever if second == "none" else TwoStage(retriever, reranker(second, collection, encoder, live))


def require_system(name: object) -> tuple[str, str]:
    """The retriever and the reranker (or ``"none"``) of a system's name, or a `LabError` that lists what there is."""
    if not isinstance(name, str):
        raise LabError(f"a system is named by a string such as 'bm25+late'; got {name!r}.")
    first, _, second = name.partition("+")
    second = second or "none"
    require_names(first, second)
    return first, second


def require_names(retriever: str, reranker: str) -> None:
    """Raise a `LabError` that lists what there is, unless both names are known."""
    if retriever not in RETRIEVERS:
        raise LabError(f"no retriever {retriever!r}; there is {', '.join(RETRIEVERS)}.")
    if reranker not in RERANKERS:
        raise LabError(f"no reranker {reranker!r}; there is {', '.join(RERANKERS)}.")


def first_stage(name: str, collection: Collection) -> Searcher:
    """A first stage by name; the same collection gives the same object, since building one takes time."""
    if name == "bm25":
        return _built(BM25Retriever, collection)
    if name == "dense":
        return _built(DenseRetriever, collection)
    return FusionRetriever([_built(BM25Retriever, collection), _built(DenseRetriever, collection)])


def reranker(name: str, collection: Collection, encoder: str | None = None, live: bool = False) -> Reranker:
    """A reranker by name. ``encoder`` is its checkpoint; Cohere takes none here."""
    if name == "cross":
        return CrossEncoderReranker(encoder)
    if name == "cohere":
        return CohereReranker(live=live)
    late = LateInteractionReranker(encoder)
    if name == "late":
        return late
    return FusionReranker([late, DenseReranker(), _built(BM25Retriever, collection)], FUSION_WEIGHTS, "late+fusion")


class _Same:
    """A collection as a cache key: the same documents, whatever the queries."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    def __hash__(self) -> int:
        return id(self.collection.docs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.collection.docs is other.collection.docs


def _built(kind: type, collection: Collection) -> BM25Retriever | DenseRetriever:
    return _kept(kind, _Same(collection))


@lru_cache(8)
def _kept(kind: type, key: _Same) -> BM25Retriever | DenseRetriever:
    return kind(key.collection)
