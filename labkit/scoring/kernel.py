"""The fast path of MaxSim on a CPU, tested against `labkit.scoring.reference`.

Document tokens are read in chunks that fit a core's cache. Each of as many Python threads as torch may use takes a
chunk, widens it to float32, multiplies it with the query tokens on one thread, and reduces the products while they are
still in cache: the maximum over each document's tokens, then the sum over each query's. No product of the whole pack
ever exists, so memory does not grow with the pack, and a busy core delays only the chunks that it has.

Legend: ``Nq`` queries with ``C`` tokens together, ``Nd`` documents, ``d`` dimensions. A chunk is [tokens, d], its
products are [tokens, C].
"""

from __future__ import annotations

import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch

from labkit.scoring.reductions import cut, improve, reduce_chunk

if TYPE_CHECKING:
    from labkit.encoding.tokens import PackedTokens

CHUNK_FLOATS = 2**20  # 4 MiB of widened document tokens in a chunk
PRODUCT_FLOATS = 2**18  # 1 MiB of products: they are read again at once, so they should still be in cache
LEAST_TOKENS = 1_024  # so that ordinary documents fit in a chunk beside any query
COLUMNS = 1_024  # tokens of several queries at a time
_THREAD = threading.local()


class Chosen:
    """The chosen documents that have tokens and fit in a chunk, and the places in the answer of those that do not.

    Attributes
    ----------
    places : [n] int64, where each stands in the answer
    starts, stops : [n] int64, its rows in the pack
    ends : [n + 1] int64, where each ends when their rows stand together
    long : places of longer documents
    """

    def __init__(self, offsets: np.ndarray, chosen: np.ndarray, limit: int) -> None:
        starts, stops = offsets[chosen], offsets[chosen + 1]
        lengths = stops - starts
        if len(lengths) and lengths.min() > 0 and lengths.max() <= limit:  # as nearly always
            self.places, self.long = np.arange(len(chosen)), ()
        else:
            self.places, self.long = np.flatnonzero((lengths > 0) & (lengths <= limit)), np.flatnonzero(lengths > limit)
            starts, stops = starts[self.places], stops[self.places]
        self.starts, self.stops = starts, stops
        self.ends = np.zeros(len(starts) + 1, np.int64)
        np.cumsum(stops - starts, out=self.ends[1:])
        self.breaks = (starts[1:] != stops[:-1]).nonzero()[0] + 1
        fits = self.ends[-1] <= limit
        self.chunks = list(pairwise([0, len(starts)] if fits else cut(self.ends, limit))) if len(starts) else []

    def runs(self, low: int, high: int) -> list[tuple[int, int]]:
        """Row ranges of documents ``low:high``; neighbours in the pack are one range."""
        inner = self.breaks[np.searchsorted(self.breaks, low + 1) : np.searchsorted(self.breaks, high)]
        edges = [low, *inner.tolist(), high]
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

    def work(low: int, high: int, products: np.ndarray) -> None:
        reduce_chunk(products, docs.ends, low, high, docs.places, bounds, scores)

    run(reader, right, docs, work, limit)
    for place in docs.long:
        best, _ = _in_pieces(reader, right, documents.offsets, int(chosen[place]), limit)
        scores[:, place] = [best[a:b].sum(dtype=np.float64) for a, b in pairwise(bounds)]


def winners_packed(tokens: torch.Tensor, documents: PackedTokens, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best similarity [n, C] float32 and the position in its document that has it [n, C] int32, -1 without tokens."""
    limit = chunk_tokens(*tokens.shape)
    reader, right = Reader(documents), tokens.T.contiguous()
    docs = Chosen(documents.offsets, chosen, limit)
    best = np.full((len(chosen), len(tokens)), -np.inf, np.float32)
    winners = np.full((len(chosen), len(tokens)), -1, np.int32)

    def work(low: int, high: int, products: np.ndarray) -> None:
        improve(products, docs.ends, low, high, docs.places, 0, best, winners)

    run(reader, right, docs, work, limit)
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
        self.as_stored = self.vectors.dtype == torch.float32 and self.scales is None

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


def _tensor(array) -> torch.Tensor | None:  # type: ignore[no-untyped-def]
    if array is None or isinstance(array, torch.Tensor):
        return array if array is None else array.detach()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of read-only memory; nothing here writes to it
        return torch.from_numpy(np.asarray(array))


def run(reader: Reader, right: torch.Tensor, docs: Chosen, work, limit: int) -> None:  # type: ignore[no-untyped-def]
    """Multiply each chunk with ``right`` [d, C] and hand the products to ``work``, on torch's number of threads."""
    waiting = docs.chunks[::-1]

    def drain() -> None:
        whole = reader.as_stored and not len(docs.breaks)
        buffer = None if whole else scratch("rows", limit, len(right))
        products = scratch("products", limit, right.shape[1])
        view = products.numpy()
        while waiting:
            try:
                low, high = waiting.pop()  # atomic, so no chunk is taken twice
            except IndexError:
                return
            rows = reader.read(docs.runs(low, high), buffer)
            torch.mm(rows, right, out=products[: len(rows)])
            work(low, high, view)

    count = min(torch.get_num_threads(), len(waiting))
    if count < 2:
        drain()
        return
    for future in [_pool(torch.get_num_threads(), os.getpid()).submit(drain) for _ in range(count)]:
        future.result()


def scratch(name: str, rows: int, columns: int) -> torch.Tensor:
    """This thread's own memory under that name, [rows, columns] float32, with whatever it held before.

    Fresh memory would be handed back to the system after each call and faulted in again page by page: between other
    work that took a third of the time of 1,000 documents.
    """
    held = getattr(_THREAD, name, None)
    if held is None or held.numel() < rows * columns:
        held = torch.empty(rows * columns)
        setattr(_THREAD, name, held)
    return held[: rows * columns].view(rows, columns)


@cache
def _pool(count: int, process: int) -> ThreadPoolExecutor:
    """So many threads, in each of which torch uses one. A forked process needs its own, so its number is asked for.

    torch's setting is the calling thread's own, but it is also remembered for threads that come later: it is put back.
    """
    pool = ThreadPoolExecutor(count, thread_name_prefix="maxsim")
    together = threading.Barrier(count + 1)

    def prepare() -> None:
        torch.set_num_threads(1)
        together.wait()

    ready = [pool.submit(prepare) for _ in range(count)]
    together.wait()
    for future in ready:
        future.result()
    torch.set_num_threads(count)
    return pool
