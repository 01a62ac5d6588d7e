"""Systems from knobs, each part built once for all cells that have it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from labkit import paths
from labkit.corpus.chunks import chunked
from labkit.corpus.collection import Collection
from labkit.corpus.pydocs import count_wordpieces
from labkit.encoding.compress import Compression
from labkit.encoding.index_build import VERSION, build_index
from labkit.evaluation.grid import COMPRESSION, PLAIN, Knobs, late_of, own_knobs, settled
from labkit.evaluation.remembered import FIRSTS, PARTS, Remembered, RememberedFirst
from labkit.ranking.cross_encoder import CrossEncoderReranker
from labkit.ranking.dense import DenseRetriever
from labkit.ranking.first_stage import BM25Retriever
from labkit.ranking.fusion import FusionReranker, FusionRetriever
from labkit.ranking.late_interaction import DenseReranker, LateInteractionReranker
from labkit.ranking.rerankers import Reranker
from labkit.ranking.two_stage import Searcher, TwoStage

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder


class Workshop:
    """Builds the systems of cells over a collection.

    Parameters
    ----------
    pipe : the pipeline whose knobs are turned; its own parts serve wherever no knob touches them
    collection : Collection
    depth : the largest k of all cells
    indexed : keep token vectors that are not compressed in an index as well, so that latencies compare
    """

    def __init__(self, pipe: Searcher | TwoStage, collection: Collection, depth: int, indexed: bool = False) -> None:
        self.own, self.squeezed = settled(own_knobs(pipe), {}), squeezed(own_knobs(pipe))
        self.first, self.reranker = (pipe.first, pipe.reranker) if isinstance(pipe, TwoStage) else (pipe, None)
        self.whole, self.depth, self.indexed = collection, depth, indexed
        self._made: dict[tuple, Any] = {}

    def system(self, knobs: Knobs, fast: bool = False) -> Searcher | TwoStage:
        """The system of a cell: plain, or with parts that remember, which rank alike."""
        first, second = self._first(knobs), self._second(knobs)
        if fast and isinstance(first, FIRSTS):
            first = self._once(lambda: RememberedFirst(first, self.depth), "fast", id(first))
        if second is None:
            return first
        return TwoStage(first, self._fast(second, knobs) if fast else second, knobs["k"])

    def collection(self, knobs: Knobs) -> Collection:
        """The collection of a cell: with passages of another length where a knob says so."""
        limit = knobs["passage"]
        make = lambda: chunked(self.whole, count_wordpieces, limit)  # noqa: E731
        return self.whole if limit is None else self._once(make, "passage", limit)

    def plain(self) -> LateInteractionReranker:
        """The pipeline's own part that has token vectors, or the default one."""
        return late_of(self.reranker) or self._once(LateInteractionReranker, "late")

    def late(self, knobs: Knobs) -> LateInteractionReranker | None:
        """The part of a cell that has token vectors, or None."""
        return late_of(self._second(knobs))

    def _once(self, make: Callable[[], Any], *key: Any) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _first(self, knobs: Knobs) -> Any:
        names = ("retriever", "k1", "b", "retriever_weights", "passage")
        if all(knobs[name] == self.own[name] for name in names):
            return self.first
        c, key = self.collection(knobs), tuple(knobs[name] for name in names)
        build = {"bm25": self._bm25, "dense": self._dense, "fusion": self._fusion}[knobs["retriever"]]
        return self._once(lambda: build(c, knobs), "first", key)

    def _bm25(self, c: Collection, knobs: Knobs) -> BM25Retriever:
        k1, b = knobs["k1"], knobs["b"]
        return self._once(lambda: BM25Retriever(c, k1, b), "bm25", knobs["passage"], k1, b)

    def _dense(self, c: Collection, knobs: Knobs) -> DenseRetriever:
        return self._once(lambda: DenseRetriever(c, self._twin()), "dense", knobs["passage"])

    def _fusion(self, c: Collection, knobs: Knobs) -> FusionRetriever:
        weights = knobs["retriever_weights"]
        if not isinstance(self.first, FusionRetriever):
            return FusionRetriever([self._bm25(c, knobs), self._dense(c, knobs)], weights=weights)
        sides = [
            self._bm25(c, knobs) if isinstance(side, BM25Retriever) else self._over(side, knobs)
            for side in self.first.retrievers
        ]
        return FusionRetriever(sides, self.first.method, weights)

    def _second(self, knobs: Knobs) -> Reranker | None:
        names = ("reranker", "weights", "passage", *COMPRESSION)
        if all(knobs[name] == self.own[name] for name in names) and not self.indexed:
            return self.reranker
        return self._once(lambda: self._built(knobs), "second", *(knobs[name] for name in names))

    def _built(self, knobs: Knobs) -> Reranker | None:
        name, own = knobs["reranker"], self.reranker
        fused = isinstance(own, FusionReranker) and own.name == name
        if own is not None and name == own.name and not fused and not isinstance(own, LateInteractionReranker):
            return own
        if name == "none":
            return None
        if name == "cross":
            return self._once(CrossEncoderReranker, "cross")
        late = self._compressed(knobs)
        if name == "late":
            return late
        parts = own.parts if fused else [late, self._once(lambda: DenseReranker(self._twin()), "twin"), self._words()]
        over = [late if isinstance(part, LateInteractionReranker) else self._over(part, knobs) for part in parts]
        return FusionReranker(over, knobs["weights"], name)

    def _compressed(self, knobs: Knobs) -> LateInteractionReranker:
        late, chosen = self.plain(), squeezed(knobs)
        if chosen == self.squeezed and not (self.indexed and not chosen):
            return late
        make = lambda: indexed(late.encoder, chosen, self.collection(knobs).passages)  # noqa: E731
        return self._once(make, "index", knobs["passage"], *chosen.items())

    def _words(self) -> BM25Retriever:
        return self._once(lambda: BM25Retriever(self.whole), "words")

    def _twin(self) -> Encoder | None:
        """The pipeline's encoder where it has a dense twin; None stands for the default one."""
        encoder = getattr(late_of(self.reranker), "encoder", None) or getattr(self.first, "encoder", None)
        return encoder if getattr(encoder, "twin", False) else None

    def _over(self, part: Any, knobs: Knobs) -> Any:
        """A part as it is over the passages of a cell."""
        c, made = self.collection(knobs), (id(part), knobs["passage"])
        if knobs["passage"] is None or not isinstance(part, BM25Retriever | DenseRetriever):
            return part
        if isinstance(part, BM25Retriever):
            told = part.configuration
            return self._once(lambda: BM25Retriever(c, told["k1"], told["b"]), "over", *made)
        return self._once(lambda: DenseRetriever(c, part.encoder), "over", *made)

    def _fast(self, second: Reranker, knobs: Knobs) -> Reranker:
        def remembering(part: Any) -> Any:
            key = ("remembered", id(part), knobs["passage"])
            return self._once(lambda: Remembered(part), *key) if isinstance(part, PARTS) else part

        if isinstance(second, FusionReranker):
            return FusionReranker([remembering(part) for part in second.parts], second.weights, second.name)
        return remembering(second)


def squeezed(knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The knobs of compression that are not as they are without any."""
    chosen = {name: knobs[name] for name in COMPRESSION if knobs[name] not in (None, PLAIN[name])}
    return chosen if "dim" in chosen else {name: value for name, value in chosen.items() if name != "projection"}


def indexed(encoder: Encoder, chosen: Mapping[str, Any], passages: Sequence[str]) -> LateInteractionReranker:
    """The reranker over an index of passages, compressed by these knobs; built once, under `labkit.paths.cache`.

    Raises
    ------
    LabError
        For values that `labkit.encoding.compress.Compression` refuses.
    """
    compression = Compression(**chosen)
    decides = [VERSION, encoder.key, asdict(compression), hashlib.sha256("\0".join(passages).encode()).hexdigest()]
    name = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]
    index = build_index(paths.cache() / "sweep" / name, passages, encoder, compression)
    return LateInteractionReranker(encoder, index=index)
