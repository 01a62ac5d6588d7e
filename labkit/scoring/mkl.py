"""MKL's matrix product as torch carries it, for compiled loops to call, and a counter that threads share.

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
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

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
def sgemm(context, address, columns, rows, dim, right, left, product):  # type: ignore[no-untyped-def]
    """``product = left @ right``: addresses of three row-major matrices, which BLAS takes as transposed."""

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
def set_threads(context, address, count):  # type: ignore[no-untyped-def]
    """Set the calling thread's number of MKL threads (0: as all have it) and return what it was."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        function = builder.inttoptr(arguments[0], ir.FunctionType(_INT32, [_INT32]).as_pointer())
        return builder.call(function, [arguments[1]])

    return types.int32(types.int64, types.int32), generate


@intrinsic
def take(context, counter):  # type: ignore[no-untyped-def]
    """The number at this address, which is one higher afterwards: no two threads get the same."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        place = builder.inttoptr(arguments[0], _INT64.as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(_INT64, 1), "monotonic")

    return types.int64(types.uintp), generate
