"""What every benchmark shares: a banner, timing in turns, medians, and the rule that makes a run void.

Only ratios of medians from one run are worth quoting: the systems take turns, so whatever slows the machine down slows
all of them. A run on an idle machine is void when a fixed piece of work varies too much in it.
"""

from __future__ import annotations

import gc
import os
import platform
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from labkit.errors import LabError
from labkit.records import version_of

ROUNDS = 9  # at least
VOID_ABOVE = 1.3  # p90/p10 of the floor
LEAST_SECONDS = 0.03  # a timing repeats its work until it takes this long
SETTLE_SECONDS = 0.005  # between two systems, until the threads of the first one sleep
PACKAGES = ("late-interaction-lab", "torch", "numpy", "numba", "sentence-transformers", "maxsim-cpu")
# Ends by itself when the process that started it is gone: then nothing holds its stdin open.
LOAD = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
while True: sum(range(10_000))
"""

Timer = Callable[[], float]


class Gone(Exception):
    """A system that cannot be timed any more; the message says why."""


@dataclass(frozen=True)
class Report:
    """What a benchmark found: ``data`` is its JSON, ``text`` what is printed, without the banner."""

    data: dict[str, Any]
    text: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON that ``labkit bench ... --json`` prints."""
        return self.data

    def __str__(self) -> str:
        return f"{banner_text(self.data['machine'])}\n\n{self.text}"


def banner(busy: bool = False) -> dict[str, Any]:
    """Hardware, threads and versions, as JSON."""
    import psutil
    import torch

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch_threads": torch.get_num_threads(),
        "load_before": [round(load, 2) for load in psutil.getloadavg()],
        "busy": busy,
        "versions": {name: version for name in PACKAGES if (version := version_of(name))},
    }


def banner_text(machine: Mapping[str, Any]) -> str:
    """The banner in three lines."""
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    load = "one core kept busy on purpose" if machine["busy"] else "no load of our own"
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}\n"
        f"{machine['torch_threads']} torch threads; load {machine['load_before'][0]} before; {load}\n"
        f"Python {machine['python']}, {versions}"
    )


def timer(work: Callable[[], object], least: float = LEAST_SECONDS, warm: bool = True) -> Timer:
    """A function that does ``work`` so often that it takes ``least`` seconds, and gives the seconds of one time.

    To see how often that is, ``work`` is done twice here, unless it is long and was done before (``warm`` is False).
    """
    timed, repeats = timeit.Timer(work, setup=gc.enable).timeit, 1  # garbage is collected, as it is outside of a timing
    if warm:
        timed(1)
        repeats = max(1, round(least / max(timed(1), 1e-7)))
    return lambda: timed(repeats) / repeats


def take_turns(timers: Mapping[str, Timer], rounds: int = ROUNDS) -> tuple[dict[str, list[float]], dict[str, str]]:
    """Time each system once a round, each round beginning with another one.

    Returns
    -------
    seconds : name to seconds [rounds]
    gone : name to reason, for systems that raised `Gone` on the way; they have no seconds
    """
    seconds: dict[str, list[float]] = {name: [] for name in timers}
    gone: dict[str, str] = {}
    names = list(timers)
    for number in range(rounds):
        first = number % max(1, len(names))
        for name in names[first:] + names[:first]:
            if name in gone:
                continue
            time.sleep(SETTLE_SECONDS)
            try:
                seconds[name].append(timers[name]())
            except Gone as error:
                gone[name] = str(error)
    return {name: values for name, values in seconds.items() if name not in gone}, gone


def spread(seconds: Sequence[float]) -> float:
    """p90 / p10.

    >>> spread([1.0] * 9), round(spread([1.0, 2.0]), 2)
    (1.0, 1.73)
    """
    low, high = np.percentile(np.asarray(seconds), [10, 90])
    return float(high / low)


def floor(seconds: Sequence[float], busy: bool = False) -> dict[str, Any]:
    """The floor's p90/p10 and whether it is too much to tell anything. Beside our own load it may be."""
    found = spread(seconds)
    return {"floor_spread": round(found, 3), "void": not busy and found > VOID_ABOVE}


def probe() -> Timer:
    """A fixed product of some 10 ms, as a floor for benchmarks that have none of their own."""
    import torch

    a, b = torch.ones(1_024, 512), torch.ones(512, 512)
    return timer(lambda: torch.mm(a, b))


def void_line(void: bool, floor_spread: float) -> str:
    """One line that says whether the run counts."""
    told = f"the floor's p90/p10 is {floor_spread:.2f}"
    return f"VOID: {told}, above {VOID_ABOVE}: the machine was too busy to tell." if void else f"valid: {told}."


@contextmanager
def load_on_one_core(wanted: bool = True) -> Iterator[subprocess.Popen | None]:
    """Keep one core busy with a child process while this lasts."""
    if not wanted:
        yield None
        return
    with subprocess.Popen([sys.executable, "-S", "-c", LOAD], stdin=subprocess.PIPE) as child:
        try:
            yield child
        finally:
            child.kill()


def check_rounds(rounds: int) -> int:
    """Return ``rounds`` if a median may rest on so many, else raise a `LabError`."""
    if rounds < ROUNDS:
        raise LabError(f"a median needs at least {ROUNDS} rounds; got {rounds}.")
    return rounds


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "processor unknown"
