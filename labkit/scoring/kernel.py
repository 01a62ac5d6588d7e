"""The fast path of MaxSim on a CPU, tested against `labkit.scoring.reference`.

As many threads as torch may use take documents from a common heap. Products of a few of a document's tokens with the
query tokens are complete before anything is written, and their maxima are taken at once (`labkit.scoring.loops`), so
nothing grows with the pack, and a busy core delays only the documents that it has.

Legend: ``Nq`` queries with ``C`` tokens together, ``Nd`` documents, ``T`` tokens of them all, ``d`` dimensions.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from numba import cfunc

from labkit.encoding.tokens import dtype_name
from labkit.scoring.loops import BFLOAT16, DRAIN, FLOAT16, FLOAT32, INT8, JOB, LANES, WIDE, drain
from labkit.scoring.threads import together

if TYPE_CHECKING:
    from numba.core.ccallback import CFunc

    from labkit.encoding.tokens import PackedTokens

COLUMNS = 1_024  # tokens of several queries at a time
ALONE = 2**22  # multiplications that are done sooner than another thread wakes up
SHARE = 16  # documents that a thread takes at a time, at most
KINDS = {"float32": FLOAT32, "float16": FLOAT16, "bfloat16": BFLOAT16, "int8": INT8}


def score_packed(
    tokens: np.ndarray, bounds: np.ndarray, documents: PackedTokens, chosen: np.ndarray, scores: np.ndarray
) -> None:
    """Fill ``scores`` [Nq, n] float32 for the chosen documents that have tokens.

    Parameters
    ----------
    tokens : [C, d] float32, the tokens of all queries
    bounds : [Nq + 1] int64, where each query's tokens begin in ``tokens``
    chosen : [n] int64, numbers of documents
    """
    _run(tokens, bounds, documents, chosen, scores=scores)


def winners_packed(tokens: np.ndarray, documents: PackedTokens, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best similarity [n, C] float32 and the position in its document that has it [n, C] int32, -1 without tokens."""
    best = np.full((len(chosen), len(tokens)), -np.inf, np.float32)
    winners = np.full(best.shape, -1, np.int32)
    _run(tokens, np.array([0, len(tokens)], np.int64), documents, chosen, best=best, winners=winners)
    return best, winners


def _run(
    tokens: np.ndarray, bounds: np.ndarray, documents: PackedTokens, chosen: np.ndarray, **written: np.ndarray
) -> None:
    """Have the documents scored into the arrays named as in `labkit.scoring.loops.drain`."""
    if not len(chosen):
        return
    vectors, scales = _rows(documents.vectors), _rows(documents.scales)
    panels, columns = _panels(tokens)
    arrays = {"offsets": documents.offsets, "chosen": chosen, "bounds": bounds, "panels": panels, **written}
    arrays |= {"vectors": vectors, "taken": np.zeros(1, np.int64)} | ({} if scales is None else {"scales": scales})
    multiplications = len(vectors) / len(documents) * len(chosen) * panels.size
    count = 1 if multiplications < ALONE else min(torch.get_num_threads(), len(chosen))
    numbers = {name: _address(array) for name, array in arrays.items()}
    numbers |= {"kind": KINDS[dtype_name(vectors)], "stride": _stride(vectors), "dim": documents.dim}
    numbers |= {"count": len(chosen), "share": min(SHARE, max(1, len(chosen) // (4 * count)))}
    numbers |= {"columns": columns, "queries": len(bounds) - 1, "documents": len(documents)}
    job = np.array([numbers.get(name, 0) for name in JOB.names], np.int64)
    together(compiled().address, _address(job), count, (job, arrays))
    if arrays["taken"][0] * numbers["share"] < len(chosen):
        raise MemoryError("MaxSim had no room for a few rows of vectors; close something and ask again.")


@cache
def compiled() -> CFunc:
    """The compiled loop, made at the first call and kept on disk, where one can write, for the next process."""
    try:
        return cfunc(DRAIN, nopython=True, cache=True)(drain)
    except RuntimeError:  # no folder for a cache
        return cfunc(DRAIN, nopython=True)(drain)


def _panels(tokens: np.ndarray) -> tuple[np.ndarray, int]:
    """The query tokens as the loops read them, and how many with padding: panels [d, WIDE], the last perhaps half."""
    dim, columns = tokens.shape[1], -(-len(tokens) // LANES) * LANES
    padded = np.zeros((columns, dim), np.float32)
    padded[: len(tokens)] = tokens
    full = columns // WIDE
    panels = padded[: full * WIDE].reshape(full, WIDE, dim).transpose(0, 2, 1)
    room = np.empty(padded.size + LANES, np.float32)
    begin = -room.ctypes.data % (4 * LANES) // 4  # a vector that crosses a cache line is read in two halves
    room = room[begin : begin + padded.size]
    return np.concatenate([panels.ravel(), padded[full * WIDE :].T.ravel()], out=room), columns


def _rows(array):  # type: ignore[no-untyped-def]
    """The array, or a copy of one whose rows are not numbers side by side."""
    if array is None:
        return None
    if isinstance(array, np.ndarray):
        return array if array.strides[-1] == array.itemsize else np.ascontiguousarray(array)
    array = array.resolve_neg()
    return array if array.stride(-1) == 1 else array.contiguous()


def _address(array) -> int:  # type: ignore[no-untyped-def]
    return array.__array_interface__["data"][0] if isinstance(array, np.ndarray) else array.data_ptr()


def _stride(array) -> int:  # type: ignore[no-untyped-def]
    """Bytes from row to row."""
    return array.strides[0] if isinstance(array, np.ndarray) else array.stride(0) * array.itemsize
