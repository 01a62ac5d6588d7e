"""The fast path of MaxSim on a CPU, tested against `labkit.scoring.reference`.

Document tokens are read in chunks that fit a core's cache. Each of as many Python threads as torch may use, one for a
small pack, takes a chunk, widens it to float32, multiplies it with the query tokens on one thread, and reduces the
products while they are still in cache: the maximum over each document's tokens, then the sum over each query's. No
product of the whole pack ever exists, so memory does not grow with the pack, and a busy core delays only the chunks
that it has. Where torch lets us call its product from compiled code (`labkit.scoring.mkl`), no thread comes back to
Python between chunks.

Legend: ``Nq`` queries with ``C`` tokens together, ``Nd`` documents, ``d`` dimensions. A chunk is [tokens, d], its
products are [tokens, C].
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from labkit.scoring import mkl
from labkit.scoring.reductions import BFLOAT16, FLOAT16, FLOAT32, INT8, drain, improve, plan, reduce_chunk
from labkit.scoring.threads import scratch, together

if TYPE_CHECKING:
    from labkit.encoding.tokens import PackedTokens

CHUNK_FLOATS = 2**20  # 4 MiB of widened document tokens in a chunk
PRODUCT_FLOATS = 2**17  # 512 KiB of products: they are read again at once, so they should still be in cache
LEAST_TOKENS = 1_024  # so that ordinary documents fit in a chunk beside any query
ALONE = 2**25  # multiplications that are done sooner than another thread wakes up
COLUMNS = 1_024  # tokens of several queries at a time
KINDS = {torch.float16: FLOAT16, torch.bfloat16: BFLOAT16}
NONE = np.zeros(0, np.float32)


class Chosen:
    """The chosen documents that have tokens and fit in a chunk, and the places in the answer of those that do not.

    Attributes
    ----------
    places : [n] int64, where each stands in the answer
    starts, stops : [n] int64, its rows in the pack
    ends : [n + 1] int64, where each ends when their rows stand together
    chunks : [m + 1] int64, at which of them each chunk begins
    long : places of longer documents
    """

    def __init__(self, offsets: np.ndarray, chosen: np.ndarray, limit: int) -> None:
        self.places, self.starts, self.stops, self.ends, self.chunks, self.long = plan(offsets, chosen, limit)

    def runs(self, low: int, high: int) -> list[tuple[int, int]]:
        """Row ranges of documents ``low:high``; neighbours in the pack are one range."""
        breaks = (self.starts[low + 1 : high] != self.stops[low : high - 1]).nonzero()[0] + low + 1
        edges = [low, *breaks.tolist(), high]
        return [(int(self.starts[a]), int(self.stops[b - 1])) for a, b in pairwise(edges)]


def score_packed(
    tokens: torch.Tensor, bounds: np.ndarray, documents: PackedTokens, chosen: np.ndarray, scores: np.ndarray
) -> None:
    """Fill ``scores`` [Nq, n] float32 for the chosen documents that have tokens.

    Parameters
    ----------
    tokens : [C, d] float32, the tokens of all queries
    bounds : [Nq + 1] int64, where each query's tokens begin in ``tokens``
    chosen : [n] int64, numbers of documents
    """
    limit = chunk_tokens(*tokens.shape)
    reader, right = Reader(documents), tokens.T.contiguous()
    docs = Chosen(documents.offsets, chosen, limit)

    def work(low: int, high: int) -> None:
        reduce_chunk(multiplied(reader, right, docs, low, high), docs.ends, low, high, docs.places, bounds, scores)

    stored = reader.bits() if right.numel() and mkl.functions() is not None else None
    if stored is not None:
        _score_compiled(stored, right.numpy(), docs, bounds, scores)
    else:
        run(docs, work)
    for place in docs.long:
        best, _ = _in_pieces(reader, right, documents.offsets, int(chosen[place]), limit)
        scores[:, place] = [best[a:b].sum(dtype=np.float64) for a, b in pairwise(bounds)]


def _score_compiled(
    stored: tuple[np.ndarray, int, np.ndarray],
    right: np.ndarray,
    docs: Chosen,
    bounds: np.ndarray,
    scores: np.ndarray,
) -> None:
    """The same where MKL can be called: each thread, the caller's too, stays in compiled code to the end."""
    arrays, taken = (docs.starts, docs.stops, docs.ends, docs.places), np.zeros(1, np.int64)
    largest = int(np.diff(docs.ends[docs.chunks]).max(initial=0))

    def work() -> None:
        rows = None if stored[1] == FLOAT32 else scratch("rows", largest, len(right))
        products = scratch("products", largest, right.shape[1])
        drain(mkl.functions(), stored, right, arrays, docs.chunks, taken, bounds, scores, rows, products)

    alone = docs.ends[-1] * right.size < ALONE
    together(work, 1 if alone else min(torch.get_num_threads(), len(docs.chunks) - 1), here=True)


def winners_packed(tokens: torch.Tensor, documents: PackedTokens, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best similarity [n, C] float32 and the position in its document that has it [n, C] int32, -1 without tokens."""
    limit = chunk_tokens(*tokens.shape)
    reader, right = Reader(documents), tokens.T.contiguous()
    docs = Chosen(documents.offsets, chosen, limit)
    best = np.full((len(chosen), len(tokens)), -np.inf, np.float32)
    winners = np.full((len(chosen), len(tokens)), -1, np.int32)

    def work(low: int, high: int) -> None:
        improve(multiplied(reader, right, docs, low, high), docs.ends, low, high, docs.places, 0, best, winners)

    run(docs, work)
    for place in docs.long:
        best[place], winners[place] = _in_pieces(reader, right, documents.offsets, int(chosen[place]), limit)
    return best, winners


def chunk_tokens(columns: int, dim: int) -> int:
    """How many document tokens of ``dim`` numbers to take at a time beside so many query tokens."""
    return max(LEAST_TOKENS, min(CHUNK_FLOATS // max(1, dim), PRODUCT_FLOATS // max(1, columns)))


def _in_pieces(reader: Reader, right: torch.Tensor, offsets: np.ndarray, number: int, limit: int):  # type: ignore[no-untyped-def]
    """One long document, some rows at a time: its maxima [C] and who has them [C]."""
    best, winners = np.full((1, right.shape[1]), -np.inf, np.float32), np.full((1, right.shape[1]), -1, np.int32)
    first, last = int(offsets[number]), int(offsets[number + 1])
    for begin in range(first, last, limit):
        rows = reader.read([(begin, min(begin + limit, last))], None)
        products = (rows @ right).numpy()
        improve(products, np.array([0, len(rows)]), 0, 1, np.zeros(1, np.int64), begin - first, best, winners)
    return best[0], winners[0]


class Reader:
    """Rows of a pack as float32 torch tensors: a view where they are stored so, else widened into a buffer."""

    def __init__(self, documents: PackedTokens) -> None:
        self.vectors, self.scales = _tensor(documents.vectors), _tensor(documents.scales)
        self.as_stored = self.vectors.dtype == torch.float32 and self.scales is None and self.vectors.is_contiguous()

    def read(self, runs: list[tuple[int, int]], buffer: torch.Tensor | None) -> torch.Tensor:
        """The rows of all runs, [tokens, d] float32."""
        if self.as_stored and len(runs) == 1:
            return self.vectors[slice(*runs[0])]
        tokens = sum(last - first for first, last in runs)
        if buffer is None:
            buffer = torch.empty(tokens, self.vectors.shape[1], device=self.vectors.device)
        rows = buffer[:tokens]
        filled = 0
        for first, last in runs:
            part = rows[filled : filled + last - first]
            part.copy_(self.vectors[first:last])
            if self.scales is not None:
                part.mul_(self.scales[first:last, None])
            filled += last - first
        return rows

    def bits(self) -> tuple[np.ndarray, int, np.ndarray] | None:
        """What `labkit.scoring.reductions.drain` takes as ``stored``; None for float32 not stored row by row."""
        if self.scales is not None:
            return self.vectors.numpy(), INT8, self.scales.numpy()
        if self.vectors.dtype in KINDS:
            return self.vectors.view(torch.int16).numpy(), KINDS[self.vectors.dtype], NONE
        return (self.vectors.numpy(), FLOAT32, NONE) if self.as_stored else None


def _tensor(array) -> torch.Tensor | None:  # type: ignore[no-untyped-def]
    if array is None or isinstance(array, torch.Tensor):
        return array if array is None else array.detach()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of read-only memory; nothing here writes to it
        return torch.from_numpy(np.asarray(array))


def multiplied(reader: Reader, right: torch.Tensor, docs: Chosen, low: int, high: int) -> np.ndarray:
    """Products [tokens, C] of documents ``low:high`` with ``right`` [d, C], in this thread's own memory."""
    tokens = int(docs.ends[high] - docs.ends[low])
    products = scratch("products", tokens, right.shape[1])
    runs = docs.runs(low, high)
    buffer = None if reader.as_stored and len(runs) == 1 else torch.from_numpy(scratch("rows", tokens, len(right)))
    torch.mm(reader.read(runs, buffer), right, out=torch.from_numpy(products))
    return products


def run(docs: Chosen, work: Callable[[int, int], None]) -> None:
    """Call ``work`` for each chunk of documents ``low, high``, on torch's number of threads."""
    waiting = list(pairwise(docs.chunks.tolist()))[::-1]

    def drain() -> None:
        while waiting:
            try:
                low, high = waiting.pop()  # atomic, so no chunk is taken twice
            except IndexError:
                return
            work(low, high)

    count = min(torch.get_num_threads(), len(waiting))
    together(drain, count, here=count == 1)
