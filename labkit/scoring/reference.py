"""MaxSim as three loops. Slow by design, and the truth: every faster form is tested against this one.

Legend: ``Lq`` and ``Ld`` tokens, ``d`` dimensions. The query side is summed, the document side is maximised.
Source: Khattab and Zaharia, ColBERT, SIGIR 2020, equation 3 (https://arxiv.org/abs/2004.12832).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def maxsim_reference(query: Sequence[Sequence[float]], document: Sequence[Sequence[float]]) -> float:
    """Sum over query tokens of the largest dot product with any document token.

    Parameters
    ----------
    query : [Lq, d]
    document : [Ld, d]

    Returns
    -------
    float
        0 for a query without tokens, whatever the document; else minus infinity for a document without tokens.

    Example
    -------
    The first query token scores 10 and 1 and keeps 10; the second scores 0 and 100 and keeps 100.

    >>> maxsim_reference([[1, 0], [0, 1]], [[10, 0], [1, 100]])
    110.0
    """
    total = 0.0
    for query_token in query:
        best = float("-inf")
        for document_token in document:
            dot = 0.0
            for a, b in zip(query_token, document_token, strict=True):
                dot += float(a) * float(b)
            best = max(best, dot)
        total += best
    return total


def maxsim_reference_all(queries: Iterable, documents: Iterable) -> np.ndarray:
    """`maxsim_reference` of each query with each document: [Nq, Nd] float64."""
    documents = list(documents)
    return np.array([[maxsim_reference(query, document) for document in documents] for query in queries])
