"""Late interaction as a first stage: candidates come from an index over all token vectors, not from words."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.bars import bar
from labkit.corpus.collection import Collection
from labkit.encoding.tokens import PackedTokens, dtype_name
from labkit.errors import LabError, check_count, is_number
from labkit.ranking.centroids import Centroids, chunks, flat_index, train
from labkit.ranking.first_stage import Retriever
from labkit.scoring.maxsim import maxsim

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

METHODS: dict[str, dict[str, Any]] = {  # and the knobs of each, None where it depends on the collection
    "centroids": {"ncentroids": None, "seed": 0, "nprobe": 4, "threshold": 0.3, "ncandidates": 512},
    "tokens": {"ncentroids": None, "seed": 0, "nprobe": 4, "ntokens": 256},
    "exhaustive": {},
}
AT_A_TIME = 512  # passages


class TokenRetriever(Retriever):
    """A first stage by MaxSim over token vectors, which are all held in memory. What is found is scored exactly.

    Parameters
    ----------
    collection : Collection
    encoder : the default model if None
    method : where candidates come from.
        ``"centroids"``, as PLAID (https://arxiv.org/abs/2205.09707): passages at the centroids nearest to the query's
        tokens, the best ones by centroids alone. ``"tokens"``, as the first ColBERT (https://arxiv.org/abs/2004.12832):
        the passages of the tokens nearest to each of the query's, from a FAISS index of inverted lists.
        ``"exhaustive"``: all passages, the slow truth.
    ncentroids : of k-means over the token vectors; by default the power of two up to 4·√T for T tokens. Four iterations
        on at most 40 tokens a centroid
    nprobe : how many centroids each query token looks at
    threshold : ``"centroids"`` only: a centroid counts if its cosine with any query token is at least this; -1 for all
    ncandidates : ``"centroids"`` only: the most passages that are scored exactly
    ntokens : ``"tokens"`` only: how many nearest tokens each query token brings
    seed : of k-means
    packed : the token vectors of ``collection.passages`` where they are at hand, such as another retriever's
        ``packed`` or a compressed form of it; encoded if None
    progress : show bars while passages are encoded and indexed

    Raises `LabError` for another method, for a knob that the method does not have or that is out of range, for more
    centroids than tokens and more probes than centroids.
    """

    scale = "MaxSim"

    def __init__(
        self,
        collection: Collection,
        encoder: Encoder | None = None,
        method: str = "centroids",
        *,
        ncentroids: int | None = None,
        nprobe: int | None = None,
        threshold: float | None = None,
        ncandidates: int | None = None,
        ntokens: int | None = None,
        seed: int | None = None,
        packed: PackedTokens | None = None,
        progress: bool = False,
    ) -> None:
        given = {"ncentroids": ncentroids, "nprobe": nprobe, "threshold": threshold, "ncandidates": ncandidates}
        knobs = METHODS.get(method, {}) | _given(method, given | {"ntokens": ntokens, "seed": seed})
        super().__init__(collection)
        from labkit.encoding.checkpoints import load_encoder

        self.method, self.name = method, f"late-{method}"
        self.encoder = encoder or load_encoder()
        self.packed = pack_passages(self.encoder, collection.passages, progress) if packed is None else packed
        if (len(self.packed), self.packed.dim) != (len(collection.passages), self.encoder.dim):
            wanted = f"{len(collection.passages):,} passages in {self.encoder.dim} dimensions"
            raise LabError(f"packed must hold {wanted}; got {self.packed!r}.")
        self.knobs = _fitted(knobs, len(self.packed.vectors), nprobe is not None)
        self._index = self._built(progress) if len(self.packed.vectors) and method != "exhaustive" else None

    @property
    def configuration(self) -> dict[str, Any]:
        told = {"name": self.name, "encoder": self.encoder.identity, "method": self.method, **self.knobs}
        storage = dtype_name(self.packed.vectors)
        return told if storage == "float16" else told | {"storage": storage}

    def tuned(self, **knobs: Any) -> TokenRetriever:
        """The same index searched with other knobs; ``ncentroids`` and ``seed`` are built in and stay."""
        if built_in := knobs.keys() & {"ncentroids", "seed"}:
            raise LabError(f"{', '.join(sorted(built_in))} is built into the index; make a new TokenRetriever.")
        other = copy.copy(self)
        other.knobs = _fitted(self.knobs | _given(self.method, knobs), len(self.packed.vectors), True)
        return other

    def candidates(self, query: str) -> np.ndarray:
        """[n] int64, ascending: the passages that are scored exactly, by their number in ``collection.passages``."""
        return self._candidates(self.encoder.encode_queries([query])[0])

    def passage_scores(self, query: str) -> np.ndarray:
        tokens = self.encoder.encode_queries([query])[0]
        found = self._candidates(tokens)
        scores = np.full(len(self.packed), -np.inf, np.float32)
        scores[found] = maxsim(tokens, self.packed, found)
        return scores

    def _candidates(self, tokens: np.ndarray) -> np.ndarray:
        if not len(tokens) or not len(self.packed.vectors):
            return np.zeros(0, np.int64)  # a query without tokens finds nothing
        if self.method == "exhaustive":
            return np.arange(len(self.packed))
        if self.method == "centroids":
            return self._index.candidates(tokens, *(self.knobs[k] for k in ("nprobe", "threshold", "ncandidates")))
        import faiss

        probes = faiss.SearchParametersIVF(nprobe=self.knobs["nprobe"])
        _, rows = self._index.search(tokens, min(self.knobs["ntokens"], self._index.ntotal), params=probes)
        return np.unique(np.searchsorted(self.packed.offsets, rows[rows >= 0], side="right") - 1)

    def _exact_scores(self, query: str, passages: np.ndarray) -> np.ndarray:
        return maxsim(self.encoder.encode_queries([query])[0], self.packed, passages)

    def _built(self, progress: bool):  # type: ignore[no-untyped-def]
        import faiss

        centroids = train(self.packed, self.knobs["ncentroids"], self.knobs["seed"])
        if self.method == "centroids":
            return Centroids(self.packed, centroids, progress)
        self._coarse = flat_index(centroids)  # kept here: the index below does not own it
        half = faiss.ScalarQuantizer.QT_fp16  # what the store has, so nothing is lost
        index = faiss.IndexIVFScalarQuantizer(
            self._coarse, self.packed.dim, len(centroids), half, faiss.METRIC_INNER_PRODUCT, False
        )
        index.train(centroids)
        for chunk in chunks(self.packed, progress):
            index.add(chunk)
        return index


def pack_passages(encoder: Encoder, passages: Sequence[str], progress: bool = False) -> PackedTokens:
    """Token vectors of many passages, float16: 768 bytes a token at 384 dimensions. None is held twice."""
    held, lengths = bytearray(), [np.zeros(0, np.int64)]
    starts = range(0, len(passages), AT_A_TIME)
    for start in bar(starts, what="passages", unit="batch", show=progress):
        part = encoder.encode_documents(passages[start : start + AT_A_TIME])
        held += part.vectors.tobytes()
        lengths.append(part.lengths)
    vectors = np.frombuffer(held, np.float16).reshape(-1, encoder.dim)
    return PackedTokens(vectors, np.cumsum([0, *np.concatenate(lengths)]), finite=True)


def _given(method: str, given: dict[str, Any]) -> dict[str, Any]:
    """The knobs that were given, checked; not None."""
    if method not in METHODS:
        raise LabError(f"method must be one of {', '.join(map(repr, METHODS))}; got {method!r}.")
    given = {name: value for name, value in given.items() if value is not None}
    if foreign := [name for name in given if name not in METHODS[method]]:
        has = ", ".join(METHODS[method]) or "none"
        raise LabError(f"method {method!r} has no knob {', '.join(foreign)}; its knobs: {has}.")
    for name in given.keys() - {"threshold", "seed"}:
        check_count(given[name], name)
    threshold, seed = given.get("threshold", 0), given.get("seed", 0)
    if not is_number(threshold) or not -1 <= threshold <= 1:
        raise LabError(f"threshold must be a cosine from -1 (prune nothing) to 1; got {threshold!r}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise LabError(f"seed must be a whole number from 0 to 2**31 - 1; got {seed!r}.")
    return given


def _fitted(knobs: dict[str, Any], tokens: int, probes_given: bool) -> dict[str, Any]:
    """Knobs that the number of tokens bounds."""
    if "ncentroids" not in knobs or not tokens:
        return knobs
    count = knobs["ncentroids"] or min(tokens, 2 ** int(math.log2(4 * math.sqrt(tokens))))
    if count > tokens:
        raise LabError(f"ncentroids must be at most the number of tokens, {tokens:,}; got {count:,}.")
    nprobe = knobs["nprobe"] if probes_given else min(knobs["nprobe"], count)
    if nprobe > count:
        raise LabError(f"nprobe must be at most ncentroids, {count:,}; got {nprobe:,}.")
    return knobs | {"ncentroids": count, "nprobe": nprobe}
