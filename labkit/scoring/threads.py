"""Threads in each of which torch uses one, and memory that stays with its thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import torch

_THREAD = threading.local()


def together(work: Callable[[], None], count: int, here: bool = False) -> None:
    """Have ``work`` done by ``count`` threads, each of which takes a share until nothing is left.

    With ``here`` one of them is the caller's, where torch keeps its number of threads, and none is waited for that has
    not begun when the caller's is done: other callers may have all of them.
    """
    pool = _pool(torch.get_num_threads(), os.getpid()) if count > here else None
    futures = [pool.submit(work) for _ in range(count - here)] if pool else []
    try:
        if here:
            work()
    finally:
        for future in futures:
            if not (here and future.cancel()):
                future.result()


def scratch(name: str, rows: int, columns: int) -> np.ndarray:
    """This thread's own memory under that name, [rows, columns] float32, with whatever it held before.

    Fresh memory would be handed back to the system after each call and faulted in again page by page: between other
    work that took a third of the time of 1,000 documents.
    """
    held = getattr(_THREAD, name, None)
    if held is None or held.size < rows * columns:
        held = np.empty(rows * columns, np.float32)
        setattr(_THREAD, name, held)
    return held[: rows * columns].reshape(rows, columns)


@cache
def _pool(count: int, process: int) -> ThreadPoolExecutor:
    """So many threads, in each of which torch uses one. A forked process needs its own, so its number is asked for.

    torch's setting is the calling thread's own, but it is also remembered for threads that come later: it is put back.
    """
    pool = ThreadPoolExecutor(count, thread_name_prefix="maxsim")
    ready = threading.Barrier(count + 1)

    def prepare() -> None:
        torch.set_num_threads(1)
        ready.wait()

    prepared = [pool.submit(prepare) for _ in range(count)]
    ready.wait()
    for future in prepared:
        future.result()
    torch.set_num_threads(count)
    return pool
