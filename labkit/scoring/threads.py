"""Threads for compiled code: torch's own where it shares them, else some of ours."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import torch

_HERE = os.getpid() if multiprocessing.parent_process() is None else None


def together(function: int, argument: int, count: int, held: object) -> None:
    """Call the compiled ``function(argument)``, both addresses, in ``count`` threads at once; the caller's is one.

    torch's threads (OpenMP's team, https://gcc.gnu.org/onlinedocs/libgomp/) stay awake for some milliseconds after
    each product, on cores that threads of ours would have to share with them. So the team does this work too, where
    torch's library brings one and the process began as itself: a fork has no team, and would wait for it for ever.
    Elsewhere threads of a pool do; none is waited for that has not begun when the caller is done, and ``held``, which
    owns the memory behind the argument, lives until the last has ended, even where an interrupt ends the wait.
    """
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function)
    parallel = team() if count > 1 and os.getpid() == _HERE else None
    if parallel is not None:
        parallel(function, argument, count, 0)
        return
    futures = [_pool(os.getpid()).submit(_holding, held, call, argument) for _ in range(count - 1)]
    call(argument)
    for future in futures:
        if not future.cancel():
            future.result()


def _holding(held: object, call: Callable[[int], None], argument: int) -> None:
    call(argument)


@cache
def team() -> Callable[[int, int, int, int], None] | None:
    """OpenMP's ``GOMP_parallel(function, argument, threads, flags)``, if torch's library or one it needs has it."""
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"))
        parallel = library.GOMP_parallel
    except (OSError, AttributeError):
        return None
    parallel.argtypes, parallel.restype = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint], None
    return parallel


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Threads of this process; a fork has to start its own."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="maxsim")
