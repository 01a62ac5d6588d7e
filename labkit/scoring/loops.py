"""The compiled loops of the fast path: products of a few document tokens at a time, and their maxima at once.

``ROWS`` document tokens meet one or two vectors of query tokens in a tile: every sum stays in a register until it is
complete, as in the kernels of BLIS (Van Zee and van de Geijn 2015, https://doi.org/10.1145/2764454), and the finished
products go no further than the first cache, where their maxima are taken. LLVM makes the tile for the machine it is on.
Compiled once and kept beside this file, or in numba's own cache where that folder is read-only; where both are, each
process compiles. Nothing here holds the GIL. All stands in one file because numba compiles anew when a function's own
file has changed, not one that it calls.
"""

from __future__ import annotations

import platform
from functools import reduce

import numpy as np
from llvmlite import binding, ir
from numba import carray, from_dtype, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

FLOAT32, FLOAT16, BFLOAT16, INT8 = 0, 1, 2, 3
_CPU = binding.get_host_cpu_features()
LANES = 16 if _CPU.get("avx512f") else 8 if _CPU.get("avx2") else 4  # float32 numbers in a vector register
_FEW = platform.machine().lower() in ("x86_64", "amd64") and LANES < 16  # 16 vector registers where others have 32
ROWS = 6 if _FEW else 12  # document tokens in a tile; with two vectors each and what they meet, all registers but few
HALF = ROWS // 2  # enough for what many a document has left
WIDE = 2 * LANES  # query tokens in a full panel
STEP = 8  # dimensions at a time
AHEAD = 4 * ROWS  # document tokens between the one in use and the one asked of memory
NEAR = 4 * ROWS  # document tokens that meet all panels before the next; they stay in the first cache
PIECE = 10 * ROWS  # document tokens widened at a time; they stay in the second cache
FIELDS = (
    *("vectors", "kind", "stride", "dim", "scales", "offsets", "documents", "chosen", "count", "share"),
    *("taken", "panels", "columns", "bounds", "queries", "scores", "best", "winners"),
)
JOB = np.dtype([(name, np.int64) for name in FIELDS])
_INT32, _INT64, _FLOAT, _BYTE = ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.IntType(8).as_pointer()
_VECTOR = ir.VectorType(_FLOAT, LANES)


def _tile(height: int, vectors: int, whole: bool):  # type: ignore[no-untyped-def]
    """``tile(rows, stride, dim, panel, answer, ahead)``: addresses, bytes from row to row, dimensions.

    Multiplies ``height`` rows with a panel [dim, vectors * LANES]. The answer is the products [height, vectors * LANES]
    with ``whole``, else it is raised by their maxima [vectors * LANES]. Each product is summed in the order of the
    dimensions, wherever its row and its column stand in the tile.
    """

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        rows, stride, dim, panel, answer, ahead = arguments
        multiply_add = _llvm(builder, f"llvm.fmuladd.v{LANES}f32", _VECTOR, [_VECTOR] * 3)
        prefetch = _llvm(builder, "llvm.prefetch.p0", ir.VoidType(), [_BYTE, *[_INT32] * 3])
        number, plus = lambda value: ir.Constant(_INT64, value), builder.add
        row = [plus(rows, builder.mul(stride, number(i))) for i in range(height)]
        sums = [cgutils.alloca_once(builder, _VECTOR) for _ in range(height * vectors)]
        for each in sums:
            builder.store(ir.Constant(_VECTOR, None), each)

        def load(address, kind):  # type: ignore[no-untyped-def]
            return builder.load(builder.inttoptr(address, kind.as_pointer()), align=4)

        def add(k, steps):  # type: ignore[no-untyped-def]
            begins = [plus(each, builder.mul(k, number(4))) for each in row]
            column = plus(panel, builder.mul(k, number(4 * LANES * vectors)))
            for each in begins if steps > 1 else ():
                read, keep, data = (ir.Constant(_INT32, value) for value in (0, 3, 1))
                builder.call(prefetch, [builder.inttoptr(plus(each, ahead), _BYTE), read, keep, data])
            for step in range(steps):
                places = [number(4 * LANES * (vectors * step + v)) for v in range(vectors)]
                right = [load(plus(column, place), _VECTOR) for place in places]
                for i, each in enumerate(begins):
                    left = _everywhere(builder, load(plus(each, number(4 * step)), _FLOAT))
                    for total, vector in zip(sums[i * vectors : (i + 1) * vectors], right, strict=True):
                        builder.store(builder.call(multiply_add, [left, vector, builder.load(total)]), total)

        even = builder.sub(dim, builder.srem(dim, number(STEP)))
        for begin, end, steps in ((number(0), even, STEP), (even, dim, 1)):
            with cgutils.for_range_slice(builder, begin, end, number(steps), _INT64) as (k, _):
                add(k, steps)
        done = [builder.load(total) for total in sums]
        if not whole:
            befores = [load(plus(answer, number(4 * LANES * v)), _VECTOR) for v in range(vectors)]
            done = [_largest(builder, done[v::vectors], before) for v, before in enumerate(befores)]
        for i, vector in enumerate(done):
            place = builder.inttoptr(plus(answer, number(4 * LANES * i)), _VECTOR.as_pointer())
            builder.store(vector, place, align=4)
        return context.get_dummy_value()

    return intrinsic(
        lambda context, rows, stride, dim, panel, answer, ahead: (types.void(*[types.int64] * 6), generate)
    )


def _llvm(builder, name, answer, arguments):  # type: ignore[no-untyped-def]
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(answer, arguments), name)


def _largest(builder, products, before):  # type: ignore[no-untyped-def]
    """In chains side by side, each of which ignores what is not a number since it begins with one."""
    least = ir.Constant(_VECTOR, [-np.inf] * LANES)
    begins = [before, least, least]

    def larger(a, b):  # type: ignore[no-untyped-def]
        return builder.select(builder.fcmp_ordered(">", b, a), b, a)

    return reduce(larger, [reduce(larger, products[i :: len(begins)], begin) for i, begin in enumerate(begins)])


def _everywhere(builder, number):  # type: ignore[no-untyped-def]
    """A vector with this number in all its lanes."""
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(_INT32, 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_INT32, LANES), [0] * LANES))


@intrinsic
def at(context, address, kind):  # type: ignore[no-untyped-def]
    """A pointer to numbers of this kind at this address."""
    answer = types.CPointer(kind.instance_type)

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.inttoptr(arguments[0], context.get_value_type(answer))

    return answer(types.int64, kind), generate


@intrinsic
def take(context, address):  # type: ignore[no-untyped-def]
    """The number at this address, which is one higher afterwards: no two threads get the same."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = builder.inttoptr(arguments[0], _INT64.as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(_INT64, 1), "monotonic")

    return types.int64(types.int64), generate


def _maxima(vectors: int):  # type: ignore[no-untyped-def]
    """``maxima(rows, stride, count, dim, panel, ahead, best, winners, begin, tiles)`` for one panel.

    Raises ``best`` [vectors * LANES] by ``count`` rows and notes in ``winners``, unless that is empty, which row did,
    counted from ``begin``. The first of equals wins. The last tile, of half the height where that is enough, goes back
    to rows seen before, which changes nothing; to ROWS of them at most, so the document needs as many.
    """
    maxima_of, half_of = _tile(ROWS, vectors, False), _tile(HALF, vectors, False)
    products_of, width = _tile(ROWS, vectors, True), vectors * LANES

    @njit(nogil=True, inline="always")
    def maxima(rows, stride, count, dim, panel, ahead, best, winners, begin, tiles):  # type: ignore[no-untyped-def]
        for low in range(0, count, ROWS):
            if not len(winners):
                top = np.int64(best.ctypes.data)
                if low + HALF < count:
                    maxima_of(rows + min(low, count - ROWS) * stride, stride, dim, panel, top, ahead)
                else:
                    half_of(rows + (count - HALF) * stride, stride, dim, panel, top, ahead)
                continue
            low = min(low, count - ROWS)
            products_of(rows + low * stride, stride, dim, panel, np.int64(tiles.ctypes.data), ahead)
            for i in range(ROWS):
                for column in range(width):
                    if tiles[i * width + column] > best[column]:
                        best[column] = tiles[i * width + column]
                        winners[column] = begin + low + i

    return maxima


_full, _half = _maxima(2), _maxima(1)


@njit(nogil=True, inline="always")
def widen(vectors, kind, stride, dim, scales, start, count, rows):  # type: ignore[no-untyped-def]
    """Write ``count`` rows from row ``start`` on to ``rows`` [PIECE, dim] as float32; ROWS at least, the last again."""
    for i in range(max(count, ROWS)):
        token = start + min(i, count - 1)
        place = vectors + token * stride
        if kind == FLOAT32:
            rows[i] = carray(at(place, np.float32), dim)
        elif kind == INT8:
            scale = carray(at(scales, np.float32), token + 1)[token]
            small = carray(at(place, np.int8), dim)
            for k in range(dim):
                rows[i, k] = small[k] * scale
        else:
            bits = carray(at(place, np.int16), dim)
            for k in range(dim):
                value = bits[k]
                if kind == BFLOAT16:
                    rows[i, k] = np.uint32(np.uint32(np.uint16(value)) << 16).view(np.float32)
                else:  # the exponent of float16 is biased by 15, that of float32 by 127: 112 apart, so is a subnormal
                    size = np.uint32(np.uint32(value & 0x7FFF) << 13)
                    wide = size.view(np.float32) * np.float32(2.0**112)
                    if value & 0x7C00 == 0:  # the same without a subnormal float32, which a thread may take for 0
                        wide = np.uint32(size + np.uint32(0x38800000)).view(np.float32) - np.float32(2.0**-14)
                    if value & 0x7C00 == 0x7C00:  # infinity and NaN keep what they are
                        wide = np.uint32(size | 0x7F800000).view(np.float32)
                    rows[i, k] = -wide if value < 0 else wide


@njit(nogil=True, inline="always")
def best_of(job, start, stop, rows, tiles, best, winners):  # type: ignore[no-untyped-def]
    """Raise ``best`` and ``winners`` [columns] by the document in rows ``start:stop``, with ``rows`` to widen to."""
    stored = job.kind == FLOAT32 and stop - start >= ROWS
    piece = PIECE if not stored else stop - start if job.columns <= WIDE else NEAR
    for begin in range(0, stop - start, piece):
        count = min(stop - start - begin, piece)
        address, stride = job.vectors + (start + begin) * job.stride, job.stride
        if not stored:
            widen(job.vectors, job.kind, job.stride, job.dim, job.scales, start + begin, count, rows)
            address, stride, count = np.int64(rows.ctypes.data), 4 * job.dim, max(count, ROWS)
        for first in range(0, job.columns, WIDE):
            panel = job.panels + 4 * job.dim * first
            ahead = 0 if first else AHEAD * stride  # later panels find the rows near
            if first + WIDE <= job.columns:
                _full(address, stride, count, job.dim, panel, ahead, best[first:], winners[first:], begin, tiles)
            else:
                _half(address, stride, count, job.dim, panel, ahead, best[first:], winners[first:], begin, tiles)


def drain(address):  # type: ignore[no-untyped-def]
    """Score documents of the job at this address, some at a time, until threads have together taken all.

    A job's numbers: where ``vectors`` [T, dim] of that ``kind`` and their ``scales`` lie, and the bytes from row to
    row; ``offsets`` of all ``documents``, and the numbers of the ``count`` ``chosen`` ones; how many of these a thread
    takes at a time and how often one has; ``panels`` of query tokens and their ``columns``, with padding; ``bounds``
    [queries + 1], where each query's begin. Written are ``scores`` [queries, count] or, where ``winners`` is not 0,
    ``best`` [count, C] and ``winners`` [count, C] int32, C being ``bounds[-1]``. A document without tokens is left as
    it is.
    """
    job = carray(address, 1)[0]
    offsets, chosen = carray(at(job.offsets, np.int64), job.documents + 1), carray(at(job.chosen, np.int64), job.count)
    bounds = carray(at(job.bounds, np.int64), job.queries + 1)
    width = bounds[job.queries]
    room = np.empty(job.columns + (ROWS + 1) * WIDE, np.float32)
    begin = -room.ctypes.data % (4 * LANES) // 4
    tiles, best = room[begin : begin + ROWS * WIDE], room[begin + ROWS * WIDE : begin + ROWS * WIDE + job.columns]
    winners = np.empty(job.columns if job.winners else 0, np.int32)
    rows = np.empty((PIECE, job.dim), np.float32)
    low = take(job.taken) * job.share
    while low < job.count:
        for place in range(low, min(low + job.share, job.count)):
            start, stop = offsets[chosen[place]], offsets[chosen[place] + 1]
            if start == stop:
                continue
            best[:], winners[:] = -np.inf, 0
            best_of(job, start, stop, rows, tiles, best, winners)
            if job.winners:
                carray(at(job.best, np.float32), (job.count, width))[place] = best[:width]
                carray(at(job.winners, np.int32), (job.count, width))[place] = winners[:width]
            else:
                scores = carray(at(job.scores, np.float32), (job.queries, job.count))
                for query in range(job.queries):
                    total = 0.0
                    for column in range(bounds[query], bounds[query + 1]):
                        total += best[column]
                    scores[query, place] = total
        low = take(job.taken) * job.share


DRAIN = types.void(types.CPointer(from_dtype(JOB)))
