"""Progress bars: on stderr in a terminal, in plain text in a notebook, and gone when the work is done.

No widget is used: a notebook that was saved with one carries state that GitHub refuses to show.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm.std import tqdm


def bar(items: Iterable[Any] | None = None, total: int | None = None, *, what: str, unit: str, show: bool) -> tqdm:
    """A tqdm bar over ``items``, or one of ``total`` steps to be told. ``TQDM_DISABLE=1`` in the environment hides all.

    In a notebook it goes to stdout, since JupyterLab paints stderr red.
    """
    from tqdm.std import tqdm

    count = total if total is not None else len(items) if hasattr(items, "__len__") else None  # type: ignore[arg-type]
    silent = {} if show and count != 0 else {"disable": True}  # left out, TQDM_DISABLE decides
    stream = sys.stdout if "ipykernel" in sys.modules else sys.stderr
    return tqdm(items, desc=what, unit=unit, total=count, leave=False, file=stream, **silent)


@contextmanager
def waiting(what: str, after: float = 1.0, show: bool = True) -> Iterator[None]:
    """Count the seconds of work that cannot say how far it is, from ``after`` seconds on, where somebody watches."""
    done = threading.Event()
    watched = show and ("ipykernel" in sys.modules or sys.stderr.isatty())

    def count() -> None:
        if done.wait(after):
            return
        with bar(total=1, what=what, unit="step", show=watched) as told:
            while not done.wait(0.5):
                told.refresh()

    thread = threading.Thread(target=count, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
