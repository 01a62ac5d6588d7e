"""MKL's matrix product as torch carries it, called from compiled loops.

On its way through Python and torch's dispatcher, ``torch.mm`` on some thousand tokens waits for the GIL as long as it
multiplies where two threads do so. torch's Linux wheels for x86-64 export the product itself (``sgemm_``, BLAS
level 3: https://www.netlib.org/blas/) and MKL's own switch of threads. Where either is missing, as on macOS, on Windows
and on ARM, `functions` is None and `labkit.scoring.kernel` multiplies by ``torch.mm``.
"""

from __future__ import annotations

import ctypes
import platform
from functools import cache
from pathlib import Path

import numpy as np
import torch
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from labkit.scoring.reductions import reduce_chunk, widen

_BYTES = ir.IntType(8).as_pointer()
_INT32, _INT64 = ir.IntType(32), ir.IntType(64)
NAMES = ("sgemm_", "MKL_Set_Num_Threads_Local")


@cache
def functions() -> np.ndarray | None:
    """Addresses [2] int64 of ``sgemm_`` and ``MKL_Set_Num_Threads_Local``, or None where torch does not export them."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return None
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        found = [ctypes.cast(getattr(library, name), ctypes.c_void_p).value for name in NAMES]
    except (OSError, AttributeError):
        return None
    return np.array(found, np.int64)


@intrinsic
def _sgemm(context, address, columns, rows, dim, right, left, product):  # type: ignore[no-untyped-def]
    """``product = left @ right``; all but the first are row-major, and BLAS takes them as transposed."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        def put(value):  # type: ignore[no-untyped-def]
            place = cgutils.alloca_once(builder, value.type)
            builder.store(value, place)
            return builder.bitcast(place, _BYTES)

        address, *sizes = arguments[:4]
        columns, rows, dim = map(put, sizes)  # 64 bits, of which a library with 32 reads the lower half
        right, left, product = (builder.inttoptr(each, _BYTES) for each in arguments[4:])
        one, zero = (put(ir.Constant(ir.FloatType(), value)) for value in (1.0, 0.0))
        plain = put(ir.Constant(ir.IntType(8), ord("N")))
        function = builder.inttoptr(address, ir.FunctionType(ir.VoidType(), [_BYTES] * 13).as_pointer())
        rest = [one, right, columns, left, dim, zero, product, columns]
        builder.call(function, [plain, plain, columns, rows, dim, *rest])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 7), generate


@intrinsic
def _set_threads(context, address, count):  # type: ignore[no-untyped-def]
    """Set the calling thread's number of MKL threads (0: as all have it) and return what it was."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        function = builder.inttoptr(arguments[0], ir.FunctionType(_INT32, [_INT32]).as_pointer())
        return builder.call(function, [arguments[1]])

    return types.int32(types.int64, types.int32), generate


@intrinsic
def _take(context, counter):  # type: ignore[no-untyped-def]
    """The number at this address, which is one higher afterwards: no two threads get the same."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = builder.inttoptr(arguments[0], _INT64.as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(_INT64, 1), "monotonic")

    return types.int64(types.uintp), generate


@njit(nogil=True, cache=True)
def multiply(functions, vectors, right, starts, stops, ends, low, high, products):  # type: ignore[no-untyped-def]
    """Fill ``products`` [tokens, C] for documents ``low:high``: rows ``starts[i]:stops[i]`` of ``vectors`` @ ``right``.

    ``vectors`` are float32 and stand row by row. The rows asked for need not stand together: those that do are one
    product. One thread, the caller's.
    """
    columns, dim = right.shape[1], right.shape[0]
    before = _set_threads(functions[1], np.int32(1))
    i = low
    while i < high:
        begin = i
        i += 1
        while i < high and starts[i] == stops[i - 1]:
            i += 1
        rows = vectors.ctypes.data + 4 * dim * starts[begin]
        product = products.ctypes.data + 4 * columns * (ends[begin] - ends[low])
        count = stops[i - 1] - starts[begin]
        _sgemm(functions[0], columns, count, dim, np.int64(right.ctypes.data), np.int64(rows), np.int64(product))
    _set_threads(functions[1], before)


@njit(nogil=True, cache=True)
def drain(functions, stored, right, docs, chunks, taken, bounds, scores, rows, products):  # type: ignore[no-untyped-def]
    """As `reduce_chunk` for one chunk after the other, multiplied here, until all are taken.

    Parameters
    ----------
    stored : vectors, kind and scales, as `widen` takes them, or vectors [T, d] float32 that stand row by row
    docs : starts, stops, ends and places, as `labkit.scoring.kernel.Chosen` has them
    chunks : [n + 1] int64, at which document each chunk begins
    taken : [1] int64, how many chunks are taken; threads share it
    rows : [tokens of the largest chunk, d] float32, this thread's own, to widen to; None for float32 vectors
    products : [tokens of the largest chunk, C] float32, this thread's own
    """
    vectors, kind, scales = stored
    starts, stops, ends, places = docs
    chunk = _take(taken.ctypes.data)
    while chunk < len(chunks) - 1:
        low, high = chunks[chunk], chunks[chunk + 1]
        if rows is None:
            multiply(functions, vectors, right, starts, stops, ends, low, high, products)
        else:
            widen(vectors, kind, scales, starts, stops, low, high, rows)
            firsts = ends[low : high + 1] - ends[low]
            multiply(functions, rows, right, firsts[:-1], firsts[1:], firsts, 0, high - low, products)
        reduce_chunk(products, ends, low, high, places, bounds, scores)
        chunk = _take(taken.ctypes.data)
