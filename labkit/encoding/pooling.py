"""Token pooling: one vector for several like tokens of a document.

Source: Clavié, Chaffin and Adams, Reducing the Footprint of Multi-Vector Retrieval with Minimal Performance Impact via
Token Pooling, 2024 (https://arxiv.org/abs/2409.14683): hierarchical clustering (Ward) within each document.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from labkit.encoding.tokens import PackedTokens, as_float32


def pooled(packed: PackedTokens, factor: int) -> PackedTokens:
    """Each document with one vector for ``factor`` tokens, rounded up: the mean of a cluster, of unit length again.

    Vectors become float32. A cluster keeps the id and the span of its first token, and clusters stand in the order of
    their first tokens.
    """
    from scipy.cluster.hierarchy import fcluster, linkage

    vectors, rows, lengths = [np.zeros((0, packed.dim), np.float32)], [], []
    for begin, end in zip(packed.offsets[:-1].tolist(), packed.offsets[1:].tolist(), strict=True):
        tokens = np.asarray(as_float32(packed, begin, end))
        count = -(-len(tokens) // factor)
        labels = np.arange(len(tokens))
        if 0 < count < len(tokens):
            labels = fcluster(linkage(tokens, "ward"), count, "maxclust")
        _, first, which = np.unique(labels, return_index=True, return_inverse=True)
        order = np.argsort(first)
        sums = np.zeros((len(first), packed.dim), np.float32)
        np.add.at(sums, which, tokens)
        vectors.append((sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12))[order])
        rows.extend((begin + first[order]).tolist())
        lengths.append(len(first))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return replace(packed.take(rows, offsets), vectors=np.concatenate(vectors), scales=None)
