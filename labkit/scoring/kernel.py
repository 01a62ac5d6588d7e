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
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from numba import njit

if TYPE_CHECKING:
    from labkit.encoding.tokens import PackedTokens

CHUNK_TOKENS = 1_024
PRODUCT_FLOATS = 2**18  # 1 MiB of products in a chunk
COLUMNS = 1_024  # query tokens at a time, so that a chunk of products stays small


@dataclass(frozen=True)
class Chunk:
    """Some documents, or a piece of one: their places in the answer, where each begins and ends, and their rows."""

    places: np.ndarray  # [n] int64
    ends: np.ndarray  # [n + 1] int64, ascending from 0
    runs: list[tuple[int, int]]  # row ranges of the pack


@njit(nogil=True, cache=True)
def reduce_chunk(products, ends, places, bounds, scores):  # type: ignore[no-untyped-def]
    """Write each document's maxima, summed over each query's columns in float64, to ``scores`` [Nq, Nd]."""
    columns = products.shape[1]
    best = np.empty(columns, np.float32)
    for i in range(len(places)):
        best[:] = products[ends[i]]
        for token in range(ends[i] + 1, ends[i + 1]):
            for column in range(columns):
                best[column] = max(best[column], products[token, column])
        for query in range(len(bounds) - 1):
            total = 0.0
            for column in range(bounds[query], bounds[query + 1]):
                total += best[column]
            scores[query, places[i]] = total


@njit(nogil=True, cache=True)
def improve(products, ends, places, offset, best, winners):  # type: ignore[no-untyped-def]
    """Raise ``best`` [Nd, C] and move ``winners`` [Nd, C] where a product is larger; the first of equals wins.

    ``offset`` is the position in its document of the first row, for a document that comes in pieces.
    """
    for i in range(len(places)):
        for token in range(ends[i], ends[i + 1]):
            for column in range(products.shape[1]):
                if products[token, column] > best[places[i], column]:
                    best[places[i], column] = products[token, column]
                    winners[places[i], column] = offset + token - ends[i]


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
    reader = Reader(documents)
    limit = chunk_tokens(len(tokens))
    lengths = documents.lengths[chosen]
    right = tokens.T.contiguous()
    short = chunks(documents.offsets, chosen, np.flatnonzero((lengths > 0) & (lengths <= limit)), limit)

    def work(chunk: Chunk, products: torch.Tensor) -> None:
        reduce_chunk(products.numpy(), chunk.ends, chunk.places, bounds, scores)

    run(reader, right, short, work, limit)
    for place in np.flatnonzero(lengths > limit):
        best, _ = _in_pieces(reader, right, documents.offsets, int(chosen[place]), limit)
        scores[:, place] = [best[a:b].sum(dtype=np.float64) for a, b in pairwise(bounds)]


def winners_packed(tokens: torch.Tensor, documents: PackedTokens, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best similarity [n, C] float32 and the position in its document that has it [n, C] int32, -1 without tokens."""
    reader = Reader(documents)
    limit = chunk_tokens(len(tokens))
    lengths = documents.lengths[chosen]
    right = tokens.T.contiguous()
    best = np.full((len(chosen), len(tokens)), -np.inf, np.float32)
    winners = np.full((len(chosen), len(tokens)), -1, np.int32)
    short = chunks(documents.offsets, chosen, np.flatnonzero((lengths > 0) & (lengths <= limit)), limit)

    def work(chunk: Chunk, products: torch.Tensor) -> None:
        improve(products.numpy(), chunk.ends, chunk.places, 0, best, winners)

    run(reader, right, short, work, limit)
    for place in np.flatnonzero(lengths > limit):
        best[place], winners[place] = _in_pieces(reader, right, documents.offsets, int(chosen[place]), limit)
    return best, winners


def chunk_tokens(columns: int) -> int:
    """How many document tokens to take at a time beside so many query tokens."""
    return max(1, min(CHUNK_TOKENS, PRODUCT_FLOATS // max(1, columns)))


def chunks(offsets: np.ndarray, chosen: np.ndarray, places: np.ndarray, limit: int) -> list[Chunk]:
    """The documents at these places of ``chosen``, in groups of at most ``limit`` tokens."""
    numbers = chosen[places]
    ends = np.cumsum(offsets[numbers + 1] - offsets[numbers])
    answer, begin = [], 0
    while begin < len(places):
        before = ends[begin - 1] if begin else 0
        end = int(np.searchsorted(ends, before + limit, side="right"))
        inside = np.concatenate([[0], ends[begin:end] - before])
        answer.append(Chunk(places[begin:end], inside, _runs(offsets, numbers[begin:end])))
        begin = end
    return answer


def _runs(offsets: np.ndarray, numbers: np.ndarray) -> list[tuple[int, int]]:
    """Row ranges of these documents; neighbours in the pack are one range."""
    breaks = np.flatnonzero(np.diff(numbers) != 1)
    firsts, lasts = numbers[np.append(0, breaks + 1)], numbers[np.append(breaks, -1)]
    return list(zip(offsets[firsts].tolist(), offsets[lasts + 1].tolist(), strict=True))


def _in_pieces(reader: Reader, right: torch.Tensor, offsets: np.ndarray, number: int, limit: int):  # type: ignore[no-untyped-def]
    """One long document, some rows at a time: its maxima [C] and who has them [C]."""
    best, winners = np.full((1, right.shape[1]), -np.inf, np.float32), np.full((1, right.shape[1]), -1, np.int32)
    first, last = int(offsets[number]), int(offsets[number + 1])
    for begin in range(first, last, limit):
        rows = reader.read([(begin, min(begin + limit, last))], None)
        ends = np.array([0, len(rows)])
        improve((rows @ right).numpy(), ends, np.zeros(1, np.int64), begin - first, best, winners)
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


def run(reader: Reader, right: torch.Tensor, todo: list[Chunk], work, limit: int) -> None:  # type: ignore[no-untyped-def]
    """Multiply each chunk with ``right`` [d, C] and hand the products to ``work``, on torch's number of threads."""
    waiting = todo[::-1]

    def drain() -> None:
        buffer = None if reader.as_stored and all(len(c.runs) == 1 for c in todo) else torch.empty(limit, len(right))
        products = torch.empty(limit, right.shape[1])
        while waiting:
            try:
                chunk = waiting.pop()  # atomic, so no chunk is taken twice
            except IndexError:
                return
            out = products[: chunk.ends[-1]]
            torch.mm(reader.read(chunk.runs, buffer), right, out=out)
            work(chunk, out)

    count = min(torch.get_num_threads(), len(todo))
    if count < 2:
        drain()
        return
    for future in [_pool(torch.get_num_threads(), os.getpid()).submit(drain) for _ in range(count)]:
        future.result()


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
