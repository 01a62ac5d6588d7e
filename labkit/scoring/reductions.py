"""The compiled loops of the fast path: maxima over a document's tokens, sums over a query's, and what is read together.

Compiled once and kept beside this file, or in numba's own cache where that folder is read-only. None holds the GIL.
They stand in one file because numba compiles a function anew when its own file has changed, not when what it calls has.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from labkit.scoring.mkl import set_threads, sgemm, take

FLOAT16, BFLOAT16, INT8, FLOAT32 = 0, 1, 2, 3


@njit(nogil=True, cache=True)
def reduce_chunk(products, ends, low, high, places, bounds, scores):  # type: ignore[no-untyped-def]
    """Write the maxima of documents ``low:high``, summed over each query's columns in float64, to ``scores`` [Nq, n].

    Row 0 of ``products`` is row ``ends[low]`` of all chosen documents together.
    """
    columns = products.shape[1]
    best = np.empty(columns, np.float32)
    for i in range(low, high):
        token, end = ends[i] - ends[low], ends[i + 1] - ends[low]
        best[:] = products[token]
        while token + 4 <= end:  # four rows at a time: twice as fast, and seeing the first row again does no harm
            a, b, c, d = products[token], products[token + 1], products[token + 2], products[token + 3]
            for column in range(columns):
                left = a[column] if a[column] > b[column] else b[column]
                right = c[column] if c[column] > d[column] else d[column]
                highest = left if left > right else right
                best[column] = highest if highest > best[column] else best[column]
            token += 4
        while token < end:
            for column in range(columns):
                best[column] = max(best[column], products[token, column])
            token += 1
        for query in range(len(bounds) - 1):
            total = 0.0
            for column in range(bounds[query], bounds[query + 1]):
                total += best[column]
            scores[query, places[i]] = total


@njit(nogil=True, cache=True)
def improve(products, ends, low, high, places, offset, best, winners):  # type: ignore[no-untyped-def]
    """Raise ``best`` [n, C] and move ``winners`` [n, C] where a product is larger; the first of equals wins.

    ``offset`` is the position in its document of the first row, for a document that comes in pieces.
    """
    for i in range(low, high):
        begin = ends[i] - ends[low]
        for token in range(begin, ends[i + 1] - ends[low]):
            for column in range(products.shape[1]):
                if products[token, column] > best[places[i], column]:
                    best[places[i], column] = products[token, column]
                    winners[places[i], column] = offset + token - begin


@njit(nogil=True, cache=True)
def plan(offsets, chosen, limit):  # type: ignore[no-untyped-def]
    """Which documents are scored where: the arrays of `labkit.scoring.kernel.Chosen`, in its order."""
    places, long = np.empty_like(chosen), np.empty_like(chosen)
    starts, stops = np.empty_like(chosen), np.empty_like(chosen)
    ends, chunks = np.zeros(len(chosen) + 1, np.int64), np.zeros(len(chosen) + 1, np.int64)
    count = too_long = cuts = 0
    for place in range(len(chosen)):
        start, stop = offsets[chosen[place]], offsets[chosen[place] + 1]
        if stop - start > limit:
            long[too_long] = place
            too_long += 1
        elif stop > start:
            ends[count + 1] = ends[count] + stop - start
            if ends[count + 1] - ends[chunks[cuts]] > limit:
                cuts += 1
                chunks[cuts] = count
            places[count], starts[count], stops[count] = place, start, stop
            count += 1
    if count:
        cuts += 1
        chunks[cuts] = count
    return places[:count], starts[:count], stops[:count], ends[: count + 1], chunks[: cuts + 1], long[:too_long]


@njit(nogil=True, cache=True)
def widen(vectors, kind, scales, starts, stops, low, high, rows):  # type: ignore[no-untyped-def]
    """Write the rows ``starts[i]:stops[i]`` of documents ``low:high`` to ``rows`` as float32, one after the other.

    Parameters
    ----------
    vectors : [T, d] integers: int8 for the kind INT8, else the int16 that hold the bits of FLOAT16 or BFLOAT16
    scales : [T] float32 for INT8, else unused
    rows : [at least as many tokens, d] float32
    """
    filled = 0
    for i in range(low, high):
        for token in range(starts[i], stops[i]):
            for k in range(vectors.shape[1]):
                value = vectors[token, k]
                if kind == INT8:
                    rows[filled, k] = value * scales[token]
                elif kind == BFLOAT16:
                    rows[filled, k] = np.uint32(np.uint32(np.uint16(value)) << 16).view(np.float32)
                else:  # the exponent of float16 is biased by 15, that of float32 by 127: 112 apart, so is a subnormal
                    bits = np.uint32(np.uint32(value & 0x7FFF) << 13)
                    size = bits.view(np.float32) * np.float32(2.0**112)
                    if value & 0x7C00 == 0x7C00:  # infinity and NaN keep what they are
                        size = np.uint32(bits | 0x7F800000).view(np.float32)
                    rows[filled, k] = -size if value < 0 else size
            filled += 1


@njit(nogil=True, cache=True)
def multiply(functions, vectors, right, starts, stops, ends, low, high, products):  # type: ignore[no-untyped-def]
    """Fill ``products`` [tokens, C] for documents ``low:high``: rows ``starts[i]:stops[i]`` of ``vectors`` @ ``right``.

    ``vectors`` are float32 and stand row by row. The rows asked for need not stand together: those that do are one
    product. MKL uses as many threads as it may.
    """
    columns, dim = right.shape[1], right.shape[0]
    i = low
    while i < high:
        begin = i
        i += 1
        while i < high and starts[i] == stops[i - 1]:
            i += 1
        rows = vectors.ctypes.data + 4 * dim * starts[begin]
        product = products.ctypes.data + 4 * columns * (ends[begin] - ends[low])
        count = stops[i - 1] - starts[begin]
        sgemm(functions[0], columns, count, dim, np.int64(right.ctypes.data), np.int64(rows), np.int64(product))


@njit(nogil=True, cache=True)
def drain(functions, stored, right, docs, chunks, taken, bounds, scores, rows, products):  # type: ignore[no-untyped-def]
    """As `reduce_chunk` for one chunk after the other, multiplied here, until all are taken. MKL uses one thread.

    Parameters
    ----------
    functions : addresses, from `labkit.scoring.mkl.functions`
    stored : vectors, kind and scales, as `widen` takes them, or vectors [T, d] float32 that stand row by row
    docs : starts, stops, ends and places, as `labkit.scoring.kernel.Chosen` has them
    chunks : [n + 1] int64, at which document each chunk begins
    taken : [1] int64, how many chunks are taken; threads share it
    rows : [tokens of the largest chunk, d] float32, this thread's own, to widen to; None for float32 vectors
    products : [tokens of the largest chunk, C] float32, this thread's own
    """
    vectors, kind, scales = stored
    starts, stops, ends, places = docs
    threads = set_threads(functions[1], np.int32(1))
    chunk = take(taken.ctypes.data)
    while chunk < len(chunks) - 1:
        low, high = chunks[chunk], chunks[chunk + 1]
        if rows is None:
            multiply(functions, vectors, right, starts, stops, ends, low, high, products)
        else:
            widen(vectors, kind, scales, starts, stops, low, high, rows)
            addresses = right.ctypes.data, rows.ctypes.data, products.ctypes.data
            count = ends[high] - ends[low]
            sgemm(functions[0], right.shape[1], count, right.shape[0], *addresses)
        reduce_chunk(products, ends, low, high, places, bounds, scores)
        chunk = take(taken.ctypes.data)
    set_threads(functions[1], threads)
