"""Candidates for late interaction from centroids of token vectors, as in PLAID.

Source: Santhanam, Khattab, Potts and Zaharia, PLAID, CIKM 2022 (https://arxiv.org/abs/2205.09707). Left out: residual
codes (the vectors themselves are kept, so the last step is exact MaxSim) and the second, unpruned interaction.

Legend: ``K`` centroids, ``Np`` passages, ``T`` tokens of all passages, ``Lq`` tokens of the query, ``d`` dimensions.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from labkit.bars import bar
from labkit.encoding.residual import kmeans
from labkit.encoding.tokens import PackedTokens, as_float32

TRAINED_ON = 40  # token vectors a centroid that k-means sees at most
CHUNK = 16_384  # token vectors widened at a time


def train(packed: PackedTokens, count: int, seed: int) -> np.ndarray:
    """Centroids [K, d] float32 of unit length by k-means on a sample of the tokens; the same for a seed."""
    rows = np.random.default_rng(seed).permutation(len(packed.vectors))[: TRAINED_ON * count]
    rows.sort()
    sample = packed.vectors[rows].astype(np.float32)
    return kmeans(sample if packed.scales is None else sample * packed.scales[rows, None], count, seed)


def flat_index(centroids: np.ndarray):  # type: ignore[no-untyped-def]
    """A FAISS index that compares with every centroid."""
    import faiss

    index = faiss.IndexFlatIP(centroids.shape[1])
    index.add(centroids)
    return index


def chunks(packed: PackedTokens, progress: bool):  # type: ignore[no-untyped-def]
    """All token vectors as float32, some at a time."""
    starts = range(0, len(packed.vectors), CHUNK)
    for start in bar(starts, what="indexing", unit="chunk", show=progress):
        yield np.ascontiguousarray(as_float32(packed, start, min(start + CHUNK, len(packed.vectors))))


class Centroids:
    """Which centroids each passage's tokens lie at, and which passages lie at each centroid.

    Attributes
    ----------
    vectors : [K, d] float32
    codes, code_starts : the different centroids of each passage, passage after passage
    passages, passage_starts : the passages at each centroid, centroid after centroid
    """

    def __init__(self, packed: PackedTokens, vectors: np.ndarray, progress: bool = False) -> None:
        self.vectors = vectors
        index = flat_index(vectors)
        nearest = np.concatenate([index.assign(chunk, 1).ravel() for chunk in chunks(packed, progress)])
        owner = np.repeat(np.arange(len(packed)), packed.lengths)
        pairs = np.unique(owner * len(vectors) + nearest)
        owner, self.codes = pairs // len(vectors), (pairs % len(vectors)).astype(np.int32)
        self.code_starts = np.searchsorted(owner, np.arange(len(packed) + 1))
        order = np.argsort(self.codes, kind="stable")
        self.passages = owner[order].astype(np.int32)
        self.passage_starts = np.searchsorted(self.codes[order], np.arange(len(vectors) + 1))

    def candidates(self, query: np.ndarray, nprobe: int, threshold: float, most: int) -> np.ndarray:
        """At most ``most`` passages [n] int64, ascending.

        Candidates are the passages at each query token's ``nprobe`` nearest centroids. Of more than ``most``, those
        stay whose MaxSim is best with each token replaced by its centroid; centroids whose similarity to every query
        token is below ``threshold`` are left out of it, and passages that have no other are dropped. Ties by number.
        """
        similar = self.vectors @ query.T  # [K, Lq]
        probed = np.unique(np.argsort(-similar, axis=0, kind="stable")[:nprobe])
        here = np.zeros(len(self.code_starts) - 1, bool)
        for centroid in probed:
            here[self.passages[self.passage_starts[centroid] : self.passage_starts[centroid + 1]]] = True
        found = np.flatnonzero(here)
        kept = similar.max(axis=1) >= threshold if threshold > -1 else np.ones(len(similar), bool)
        scores = interaction(similar, kept, self.codes, self.code_starts, found)
        found, scores = found[np.isfinite(scores)], scores[np.isfinite(scores)]
        return np.sort(found[np.lexsort((found, -scores))[:most]])


@njit(nogil=True, cache=True)
def interaction(similar, kept, codes, code_starts, found):  # type: ignore[no-untyped-def]
    """[n] float32: for each passage found, the sum over the query's tokens of the best kept centroid's similarity.

    Minus infinity for a passage all of whose centroids are left out.
    """
    scores = np.empty(len(found), np.float32)
    best = np.empty(similar.shape[1], np.float32)
    for i in range(len(found)):
        best[:] = -np.inf
        for code in codes[code_starts[found[i]] : code_starts[found[i] + 1]]:
            if kept[code]:
                for column in range(len(best)):
                    best[column] = max(best[column], similar[code, column])
        scores[i] = best.sum()
    return scores
