"""Threads in each of which torch uses one, and memory that stays with its thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch

_THREAD = threading.local()


def together(work: Callable[[], None], count: int, here: bool = False) -> None:
    """Call ``work`` ``count`` times at once, each in another thread; with ``here`` one of them in the caller's.

    In the caller's thread torch keeps its number of threads.
    """
    pool = _pool(torch.get_num_threads(), os.getpid()) if count > here else None
    futures = [pool.submit(work) for _ in range(count - here)] if pool else []
    if here:
        work()
    for future in futures:
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
