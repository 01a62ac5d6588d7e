"""The dense twin as a first stage: one vector a passage, in a FAISS index."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.corpus.collection import Collection
from labkit.errors import LabError, check_count
from labkit.ranking.first_stage import Retriever

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

HNSW = {"M": 32, "efConstruction": 200, "efSearch": 200}


class DenseRetriever(Retriever):
    """The dense twin: one vector a passage, cosine, in a FAISS index.

    Parameters
    ----------
    collection : Collection
    encoder : an encoder with a twin; the default model if None
    progress : show a bar while passages are encoded for the first time
    index : ``"flat"`` compares with every vector (exact); ``"hnsw"`` walks a graph of neighbours (Malkov and Yashunin,
        https://arxiv.org/abs/1603.09320) and may miss some
    M, efConstruction, efSearch : only with ``"hnsw"``; 32, 200 and 200 if None. Links a vector has; how many
        candidates are held while the graph is built; and how many while it is searched, which is also the most
        passages that a search can find

    Raises `LabError` for another index, for knobs below 1, for an M below 2, and for knobs of a graph with a flat
    index.
    """

    name = "dense"
    scale = "cosine"

    def __init__(
        self,
        collection: Collection,
        encoder: Encoder | None = None,
        progress: bool = False,
        index: str = "flat",
        M: int | None = None,
        efConstruction: int | None = None,
        efSearch: int | None = None,
    ) -> None:
        self.knobs = _checked(index, {"M": M, "efConstruction": efConstruction, "efSearch": efSearch})
        super().__init__(collection)
        import faiss

        from labkit.encoding.checkpoints import load_encoder
        from labkit.encoding.shipped import embed_with_shipped

        self.encoder = encoder or load_encoder()
        faiss.omp_set_num_threads(1)  # small products; and two OpenMP runtimes in one process have crashed macOS
        vectors = embed_with_shipped(self.encoder, collection.passages, progress)
        if self.knobs:
            self._index = faiss.IndexHNSWFlat(self.encoder.twin_dim, self.knobs["M"], faiss.METRIC_INNER_PRODUCT)
            self._index.hnsw.efConstruction = self.knobs["efConstruction"]
            self._index.hnsw.efSearch = self.knobs["efSearch"]
        else:
            self._index = faiss.IndexFlatIP(self.encoder.twin_dim)
        self._index.add(np.ascontiguousarray(vectors))

    @property
    def configuration(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "encoder": self.encoder.identity,
            **({"index": "hnsw"} | self.knobs if self.knobs else {}),
        }

    def passage_scores(self, query: str) -> np.ndarray:
        count = self._index.ntotal
        scores = np.full(count, -np.inf, np.float32)
        if count:
            most = min(count, self.knobs.get("efSearch", count))
            found, rows = self._index.search(self.encoder.embed_queries([query]), most)
            scores[rows[rows >= 0]] = found[rows >= 0]  # a walk that ends early fills up with -1
        return scores

    def _exact_scores(self, query: str, passages: np.ndarray) -> np.ndarray:
        if not self.knobs:
            return super()._exact_scores(query, passages)
        return self._index.reconstruct_batch(passages) @ self.encoder.embed_queries([query])[0]


def _checked(index: str, given: dict[str, int | None]) -> dict[str, int]:
    """The knobs of a graph, all of them; none for a flat index."""
    if index not in ("flat", "hnsw"):
        raise LabError(f"index must be 'flat' or 'hnsw'; got {index!r}.")
    chosen = {name: check_count(value, name) for name, value in given.items() if value is not None}
    if index == "flat" and chosen:
        raise LabError(f"{', '.join(chosen)} only with index='hnsw'; a flat index compares with everything.")
    if chosen.get("M") == 1:
        raise LabError("M must be at least 2, or the graph falls apart; got 1.")
    return HNSW | chosen if index == "hnsw" else {}
