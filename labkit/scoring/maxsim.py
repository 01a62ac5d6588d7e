"""MaxSim over packed documents: no padding, no copy of the pack, memory that does not grow with it.

Legend: ``Nq`` queries, ``Nd`` documents, ``Lq`` and ``Ld`` tokens, ``d`` dimensions. The query side is summed, the
document side is maximised; products and sums are float32 or wider, whatever the storage. `labkit.scoring.reference` is
the truth this is tested against; `labkit.scoring.kernel` does the work on a CPU, `labkit.scoring.device` elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from labkit.encoding.tokens import PackedTokens, check_finite, is_torch, pack
from labkit.errors import LabError

if TYPE_CHECKING:
    from labkit.encoding.tokens import Array


def maxsim(
    query: Array | PackedTokens,
    documents: PackedTokens | Sequence[Array],
    candidates: Sequence[int] | np.ndarray | None = None,
    argmax: bool = False,
) -> Array | tuple:
    """Score documents for one query or several.

    Parameters
    ----------
    query : [Lq, d] for one query, or a `PackedTokens` of Nq queries
    documents : `PackedTokens` of Nd documents, or arrays [Ld, d] to pack first
    candidates : numbers of the documents to score, in the order of the answer; None scores all. The pack is read in
        pieces, never copied whole, unless the numbers of a row do not lie side by side.
    argmax : also return which document token won for each query token

    Returns
    -------
    scores : float32 [Nd], or [Nq, Nd] for several queries; torch where the documents are torch, else numpy. A
        document without tokens scores minus infinity; a query without tokens scores 0 with every document.
    winners : only with ``argmax``: int32 numpy [Nd, Lq], the winner's position in its document, -1 where there is
        none; for several queries a list of such arrays

    Raises
    ------
    LabError
        For a query that is not [Lq, d], for two values of d, for candidates out of range, and for NaN or infinity.

    Example
    -------
    >>> import numpy as np
    >>> documents = pack([np.array([[10.0, 0], [1, 100]]), np.array([[1.0, 1]])])
    >>> maxsim(np.eye(2), documents)
    array([110.,   2.], dtype=float32)
    """
    documents = documents if isinstance(documents, PackedTokens) else pack(documents)
    if not documents.finite and len(documents.vectors):
        check_finite(documents.vectors, "document row")
        if documents.scales is not None:
            check_finite(documents.scales[:, None], "the scale of document row")
    chosen = _chosen(candidates, len(documents))
    single = not isinstance(query, PackedTokens)
    queries = [_numpy(query)] if single else [_numpy(part) for part in query]  # type: ignore[union-attr]
    for part in queries:
        _check_query(part, documents)
    bounds = np.array([0, *accumulate(map(len, queries))], np.int64)
    tokens = queries[0] if single else np.concatenate(queries or [np.zeros((0, documents.dim), np.float32)])
    if argmax:
        best, positions = _winners(tokens, documents, chosen)
        scores = _summed(best, bounds)
        winners = [positions[:, a:b] for a, b in pairwise(bounds)]
    else:
        scores = _scores(tokens, bounds, documents, chosen)
    scores[[not len(part) for part in queries]] = 0  # a query without tokens, even beside a document without any
    answer = scores[0] if single else scores
    if is_torch(documents.vectors):
        import torch

        answer = torch.from_numpy(answer).to(documents.vectors.device)
    if not argmax:
        return answer
    return answer, (winners[0] if single else winners)


def load_loops() -> None:
    """Load the compiled loops of a CPU, so that the next call need not: half a second, some more the first time."""
    from labkit.scoring.kernel import compiled

    compiled()


def _scores(tokens: np.ndarray, bounds: np.ndarray, documents: PackedTokens, chosen: np.ndarray) -> np.ndarray:
    """[Nq, n] float32; minus infinity for a document without tokens."""
    if _elsewhere(documents):
        return _summed(_winners(tokens, documents, chosen)[0], bounds)
    from labkit.scoring import kernel

    scores = np.full((len(bounds) - 1, len(chosen)), -np.inf, np.float32)
    for group in _groups(bounds, kernel.COLUMNS):
        part = slice(bounds[group.start], bounds[group.stop])
        if part.start < part.stop and len(chosen):
            begins = bounds[group.start : group.stop + 1] - bounds[group.start]
            kernel.score_packed(tokens[part], begins, documents, chosen, scores[group])
    return scores


def _winners(tokens: np.ndarray, documents: PackedTokens, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each query token's best similarity [n, C] float32 and where it is [n, C] int32."""
    if _elsewhere(documents):
        from labkit.scoring.device import winners_on_device

        return winners_on_device(tokens, documents, chosen)
    from labkit.scoring.kernel import winners_packed

    return winners_packed(tokens, documents, chosen)


def _elsewhere(documents: PackedTokens) -> bool:
    """Whether the pack lies on an accelerator."""
    return is_torch(documents.vectors) and documents.vectors.device.type != "cpu"


def _summed(best: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """[Nq, n] float32 from each query token's best similarity [n, C]."""
    sums = [best[:, a:b].sum(axis=1, dtype=np.float64) for a, b in pairwise(bounds)]
    return np.array(sums, np.float32).reshape(len(bounds) - 1, len(best))


def _groups(bounds: np.ndarray, most: int) -> list[slice]:
    """Consecutive queries with at most ``most`` tokens together; one query at least."""
    if bounds[-1] <= most:
        return [slice(0, len(bounds) - 1)]
    groups, begin = [], 0
    while begin < len(bounds) - 1:
        end = max(begin + 1, int(np.searchsorted(bounds, bounds[begin] + most, side="right")) - 1)
        groups.append(slice(begin, end))
        begin = end
    return groups


def _check_query(query: np.ndarray, documents: PackedTokens) -> None:
    if query.ndim != 2:
        raise LabError(f"query must be [Lq, d]; got shape {query.shape}.")
    if len(documents) and query.shape[1] != documents.dim:
        raise LabError(f"query and documents must share d; the query has {query.shape[1]}, they have {documents.dim}.")
    check_finite(query, "query row")


def _chosen(candidates: Sequence[int] | np.ndarray | None, count: int) -> np.ndarray:
    if candidates is None:
        return np.arange(count, dtype=np.int64)
    chosen = np.asarray(candidates)
    if chosen.size == 0:
        return np.zeros(0, np.int64)
    if chosen.ndim != 1 or chosen.dtype.kind not in "iu":
        raise LabError(f"candidates must be whole numbers [n]; got {chosen.dtype} of shape {chosen.shape}.")
    if chosen.min() < 0 or chosen.max() >= count:
        raise LabError(f"candidates must be from 0 to Nd - 1 = {count - 1}; got {chosen.min()} to {chosen.max()}.")
    return chosen.astype(np.int64)


def _numpy(array: Array) -> np.ndarray:
    return array.detach().cpu().float().numpy() if is_torch(array) else np.asarray(array, np.float32)
