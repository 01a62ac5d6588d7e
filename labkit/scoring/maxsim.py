"""MaxSim over packed documents: one matrix product a chunk, then a maximum over each document's rows.

Legend: ``Nq`` queries, ``Nd`` documents, ``Lq``, ``Ld`` tokens, ``d`` dimensions, ``T`` tokens in a pack. The query
side is summed, the document side is maximised. There is no padding, so nothing has to be masked. Products and sums
are float32 whatever the storage. `labkit.scoring.reference` is the truth this is tested against.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from labkit.encoding.tokens import PackedTokens, check_finite, is_torch, pack
from labkit.errors import LabError

if TYPE_CHECKING:
    import torch

    from labkit.encoding.tokens import Array

CHUNK_TOKENS = 2_048  # rows widened to float32 at a time: 3 MiB at d = 384, which stays in cache for the product


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
        chunks, never copied whole.
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
    chosen = _chosen(candidates, len(documents))
    if isinstance(query, PackedTokens):
        results = [_one(np.asarray(_numpy(query[i])), documents, chosen, argmax) for i in range(len(query))]
        scores = np.stack([r[0] for r in results]) if results else np.zeros((0, len(chosen)), np.float32)
        winners = [r[1] for r in results]
    else:
        scores, winners = _one(_numpy(query), documents, chosen, argmax)
    if is_torch(documents.vectors):
        import torch

        scores = torch.from_numpy(scores).to(documents.vectors.device)
    return (scores, winners) if argmax else scores


def _one(query: np.ndarray, documents: PackedTokens, chosen: np.ndarray, argmax: bool) -> tuple:
    """One query: float32 [Nd] scores and, if asked, int32 [Nd, Lq] winners."""
    if query.ndim != 2:
        raise LabError(f"query must be [Lq, d]; got shape {query.shape}.")
    if len(documents) and query.shape[1] != documents.dim:
        raise LabError(f"query and documents must share d; the query has {query.shape[1]}, they have {documents.dim}.")
    check_finite(query, "query row")
    scores = np.full(len(chosen), 0 if len(query) == 0 else -np.inf, np.float32)
    winners = np.full((len(chosen), len(query)), -1, np.int32) if argmax else None
    if len(query) == 0:
        return scores, winners
    for places, similarities, starts in _similarities(query, documents, chosen):
        scores[places] = np.maximum.reduceat(similarities, starts, axis=0).sum(axis=1, dtype=np.float32)
        if winners is not None:
            parts = np.split(similarities, starts[1:])
            winners[places] = [part.argmax(axis=0) for part in parts]
    return scores, winners


def _similarities(
    query: np.ndarray, documents: PackedTokens, chosen: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Dot products of the chosen documents' tokens with the query's, some thousand tokens at a time.

    Yields the documents' places in ``chosen``, their products [tokens, Lq] and where each document begins. Widening
    and product are both torch's: its threads and numpy's, taking turns, wait for each other (measured six times
    slower).
    """
    import torch

    device = documents.vectors.device if is_torch(documents.vectors) else "cpu"
    right = torch.from_numpy(np.ascontiguousarray(query)).to(device).T
    for places, starts, tokens in _chunks(documents.lengths[chosen]):
        wide = torch.empty((tokens, documents.dim), device=device)
        filled = 0
        for first, last in _runs(documents.offsets, chosen[places]):
            _widen(wide[filled : filled + last - first], documents, first, last)
            filled += last - first
        yield places, (wide @ right).cpu().numpy(), starts


def _chunks(lengths: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Documents that have tokens, in groups of some thousand tokens (one document at least).

    Yields their places in ``lengths``, where each begins within the group, and the group's tokens.
    """
    filled = np.flatnonzero(lengths)
    ends = np.cumsum(lengths[filled])
    begin = 0
    while begin < len(filled):
        before = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + CHUNK_TOKENS, side="right")))
        starts = np.concatenate([[before], ends[begin : end - 1]]) - before
        yield filled[begin:end], starts, int(ends[end - 1] - before)
        begin = end


def _runs(offsets: np.ndarray, numbers: np.ndarray) -> Iterator[tuple[int, int]]:
    """Row ranges of these documents; neighbours in the pack are one range."""
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    for run in np.split(numbers, breaks):
        yield int(offsets[run[0]]), int(offsets[run[-1] + 1])


def _widen(target: torch.Tensor, documents: PackedTokens, first: int, last: int) -> None:
    """Write rows ``first:last`` into ``target`` as float32, int8 multiplied by its scales."""
    import torch

    rows = documents.vectors[first:last]
    if not is_torch(rows):
        rows = torch.from_numpy(rows if rows.flags.writeable else rows.copy())  # torch warns of read-only arrays
    target.copy_(rows)
    if documents.scales is not None:
        target *= torch.as_tensor(documents.scales[first:last], device=target.device)[:, None]


def _chosen(candidates: Sequence[int] | np.ndarray | None, count: int) -> np.ndarray:
    if candidates is None:
        return np.arange(count)
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
