"""Systems from knobs, each part built once for all cells that have it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
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
        self.plain = late_of(self.reranker) or LateInteractionReranker()
        self.whole, self.depth, self.indexed = collection, depth, indexed
        self._made: dict[tuple, Any] = {}

    def system(self, knobs: Knobs, fast: bool = False) -> Searcher | TwoStage:
        """The system of a cell: plain, or with parts that remember, which rank alike."""
        first, second = self._first(knobs), self.second(knobs)
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

    def second(self, knobs: Knobs) -> Reranker | None:
        """The reranker of a cell, or None."""
        names = ("reranker", "weights", "passage", *COMPRESSION)
        if all(knobs[name] == self.own[name] for name in names) and not self.indexed:
            return self.reranker
        return self._once(lambda: self._reranker(knobs), "second", *(knobs[name] for name in names))

    def _once(self, make: Callable[[], Any], *key: Any) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _first(self, knobs: Knobs) -> Any:
        names = ("retriever", "k1", "b", "retriever_weights", "passage")
        if all(knobs[name] == self.own[name] for name in names):
            return self.first
        if knobs["retriever"] != "fusion":
            return self._side(knobs["retriever"], knobs)
        return self._once(lambda: self._fusion(knobs), "first", *(knobs[name] for name in names))

    def _side(self, name: str, knobs: Knobs) -> BM25Retriever | DenseRetriever:
        c, k1, b = self.collection(knobs), knobs["k1"], knobs["b"]
        if name == "bm25":
            return self._once(lambda: BM25Retriever(c, k1, b), name, knobs["passage"], k1, b)
        return self._once(lambda: DenseRetriever(c, self._twin()), name, knobs["passage"])

    def _fusion(self, knobs: Knobs) -> FusionRetriever:
        weights = knobs["retriever_weights"]
        if not isinstance(self.first, FusionRetriever):
            return FusionRetriever([self._side("bm25", knobs), self._side("dense", knobs)], weights=weights)
        sides = [
            self._side("bm25", knobs) if isinstance(side, BM25Retriever) else self._over(side, knobs)
            for side in self.first.retrievers
        ]
        return FusionRetriever(sides, self.first.method, weights)

    def _reranker(self, knobs: Knobs) -> Reranker | None:
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
        parts = own.parts if fused else self._once(self._usual_parts, "parts")
        over = [late if isinstance(part, LateInteractionReranker) else self._over(part, knobs) for part in parts]
        return FusionReranker(over, knobs["weights"], name)

    def _usual_parts(self) -> list[Any]:
        """What late+fusion sums where the pipeline does not say it."""
        return [self.plain, DenseReranker(self._twin()), BM25Retriever(self.whole)]

    def _compressed(self, knobs: Knobs) -> LateInteractionReranker:
        """The part that has token vectors; compressed ones are read from an index, under `labkit.paths.cache`."""
        chosen, late = squeezed(knobs), self.plain
        if chosen == self.squeezed and (chosen or not self.indexed):
            return late

        def build() -> LateInteractionReranker:
            passages, compression = self.collection(knobs).passages, Compression(**chosen)
            texts = hashlib.sha256("\0".join(passages).encode()).hexdigest()
            decides = json.dumps([VERSION, late.encoder.key, asdict(compression), texts], sort_keys=True)
            folder = paths.cache() / "sweep" / hashlib.sha256(decides.encode()).hexdigest()[:16]
            index = build_index(folder, passages, late.encoder, compression)
            return LateInteractionReranker(late.encoder, index=index)

        return self._once(build, "index", knobs["passage"], *chosen.items())

    def _twin(self) -> Encoder | None:
        """The pipeline's encoder where it has a dense twin; None stands for the default one."""
        encoder = getattr(late_of(self.reranker), "encoder", None) or getattr(self.first, "encoder", None)
        return encoder if getattr(encoder, "twin", False) else None

    def _over(self, part: Any, knobs: Knobs) -> Any:
        """A part as it is over the passages of a cell."""
        c, made = self.collection(knobs), (id(part), knobs["passage"])
        if c is self.whole or not isinstance(part, BM25Retriever | DenseRetriever):
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
