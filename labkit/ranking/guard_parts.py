"""The parts of a guard that know nothing of ranking: a breaker, workers, a cache.

Own code, since tenacity and pybreaker cannot leave a call that hangs, and neither bounds what is left behind.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


class Busy(Exception):
    """No worker became free in time."""


class Workers:
    """At most ``most`` daemon threads, one a job. A job that nobody waits for any more counts until it ends."""

    def __init__(self, most: int) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._left: set[Future] = set()

    @property
    def left(self) -> int:
        """How many jobs still run although nobody waits for them."""
        return len(self._left)

    def run(self, job: Callable[[], Any], wait: float, seconds: Callable[[], float]) -> Any:
        """What ``job`` returns or raises.

        Parameters
        ----------
        job : runs in a thread of its own
        wait : seconds to wait for a free worker
        seconds : how long to wait for the job, asked when it begins

        Raises `Busy` if no worker is free in time. Raises `TimeoutError` if the job takes longer. It goes on, and keeps
        its place, until it ends.
        """
        if not self._free.acquire(timeout=max(0.0, wait)):
            raise Busy
        done: Future = Future()
        try:
            threading.Thread(target=self._do, args=(job, done), name="labkit-guard", daemon=True).start()
        except BaseException:
            self._free.release()
            raise
        try:
            worked, value = done.result(max(0.0, seconds()))
        except BaseException:  # too late, or the user interrupts
            self._left.add(done)
            done.add_done_callback(self._left.discard)
            raise
        if not worked:
            raise value
        return value

    def _do(self, job: Callable[[], Any], done: Future) -> None:
        try:
            outcome = (True, job())
        except BaseException as error:
            outcome = (False, error)
        self._free.release()
        done.set_result(outcome)


class Breaker:
    """Closed while all is well; open, after so many failures in a row, for a while; then half open: one may try.

    Source: Nygard, Release It!, Pragmatic Bookshelf 2007.
    """

    def __init__(self, failures: int, cooldown: float, clock: Callable[[], float]) -> None:
        self._most, self._cooldown, self._clock = failures, cooldown, clock
        self._lock = threading.Lock()
        self._failed, self._probing = 0, False
        self._opened: float | None = None

    @property
    def state(self) -> str:
        """``"closed"``, ``"open"`` or ``"half-open"``."""
        if self._opened is None:
            return "closed"
        return "open" if self._clock() - self._opened < self._cooldown else "half-open"

    def enter(self) -> str:
        """``"pass"``, ``"probe"`` for the one that tries, or ``""`` for no. Who may pass calls `leave`."""
        with self._lock:
            if self.state == "closed":
                return "pass"
            if self.state == "open" or self._probing:
                return ""
            self._probing = True
            return "probe"

    def leave(self, entered: str, well: bool | None) -> None:
        """How a request went; None if it says nothing about the service."""
        with self._lock:
            if entered == "probe":
                self._probing = False
            if well is None or (self._opened is not None and entered != "probe"):
                return  # a straggler from before the breaker opened decides nothing
            self._failed = 0 if well else self._failed + 1
            self._opened = self._clock() if self._failed >= self._most else None


class Cache:
    """The ``most`` answers that were used last."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Any:
        """The answer, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, answer: Any) -> None:
        """Keep an answer; the one that was used longest ago goes."""
        with self._lock:
            self._kept[key] = answer
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
