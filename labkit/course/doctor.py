"""What this machine has and lacks for the course, each line with its fix: ``lk.doctor()``, ``labkit doctor``.

Importing this module loads neither torch nor numpy: they are imported in a subprocess, whose crash is a finding.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from html import escape
from pathlib import Path

from labkit.course import flight as flights
from labkit.course import probes
from labkit.course.exercises import BADGE
from labkit.course.probes import Check, run_child

_COLOUR = {"ok": "#1a7f37", "warn": "#9a6700", "fail": "#cf222e"}
_OPENMP_FIX = (
    "take torch, faiss-cpu and scikit-learn from one source (conda env create -f environment.yml), or set "
    "OMP_NUM_THREADS=1 before Python starts. KMP_DUPLICATE_LIB_OK hides the message, not the clash"
)

RUNTIMES = """
import json, torch, faiss, sklearn.utils, numba, numpy, threadpoolctl
torch.ones(64, 64) @ torch.ones(64, 64)
rows = numpy.eye(8, dtype="float32"); index = faiss.IndexFlatIP(8); index.add(rows); index.search(rows, 2)
pools = [(pool["user_api"], pool["prefix"], pool["filepath"]) for pool in threadpoolctl.threadpool_info()]
print(json.dumps({"torch": torch.get_num_threads(), "numba": numba.get_num_threads(), "pools": pools}))
"""


@dataclass(frozen=True)
class Report:
    """The findings, in a fixed order. ``print(report)`` shows one line for each, with the fix where there is one.

    >>> print(Report((Check("ok", "Python", "3.12.1"), Check("warn", "disk", "1.0 GiB free", "make room"))))
    [ok]   Python — 3.12.1
    [warn] disk   — 1.0 GiB free; fix: make room
    2 checks: 1 ok, 1 warn, 0 fail
    """

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """True while nothing failed; warnings do not count."""
        return all(check.state != "fail" for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 while nothing failed, else 1: for ``sys.exit``."""
        return 0 if self.ok else 1

    def __str__(self) -> str:
        width = max((len(check.what) for check in self.checks), default=0)
        lines = [f"{f'[{c.state}]':<6} {c.what:<{width}} — {c.finding}" for c in self.checks]
        return "\n".join([*lines, self._summary()])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        cell = '<td style="text-align:left">'
        rows = "".join(
            f'<tr><td><span style="background:{_COLOUR[c.state]};{BADGE}">[{c.state}]</span></td>'
            f"{cell}{escape(c.what)}</td>"
            f"{cell}{escape(c.finding)}</td></tr>"
            for c in self.checks
        )
        return f"<table><tbody>{rows}</tbody></table><p>{self._summary()}</p>"

    def _summary(self) -> str:
        states = [check.state for check in self.checks]
        return f"{len(states)} checks: {', '.join(f'{states.count(state)} {state}' for state in _COLOUR)}"


def doctor(flight: bool = False) -> Report:
    """Check this machine for the course.

    Parameters
    ----------
    flight : also what a room needs the day before: a process that refuses every connection and look-up loads all
        collections and models; packages, port and browser of JupyterLab; is the store warm, or how long does it take?
    """
    wanted: list[Callable[[], Iterable[Check]]] = [probes.python_version, probes.packages, probes.default_model]
    wanted += [probes.memory, probes.disk, threads, probes.widgets, probes.sdks, *(flights.CHECKS if flight else ())]
    with ThreadPoolExecutor(len(wanted)) as pool:
        return Report(tuple(check for found in pool.map(_guarded, wanted) for check in found))


def _guarded(probe: Callable[[], Iterable[Check]]) -> list[Check]:
    """The probe's findings; a probe that breaks is itself a finding, and the others still report."""
    try:
        return list(probe())
    except Exception as error:
        found = f"this check broke: {type(error).__name__}: {error}"
        return [Check("fail", probe.__name__.replace("_", " "), found, "make lab; if it stays, report this line")]


def threads(code: str = RUNTIMES, timeout: float = 60) -> Iterator[Check]:
    """Do torch, faiss, scikit-learn and numba live together in one process, and on how many threads?"""
    try:
        found = run_child(code, timeout)
    except RuntimeError as error:
        fix = "make lab" if "ModuleNotFoundError" in str(error) else _OPENMP_FIX
        yield Check("fail", "threads", str(error), fix)
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    many = max(found["torch"], found["numba"]) > cores
    line = f"torch {found['torch']}, numba {found['numba']}, on {cores} cores"
    yield Check("warn" if many else "ok", "threads", line, f"set OMP_NUM_THREADS={cores}" if many else "")
    yield openmp(found["pools"])


def openmp(pools: Iterable[tuple[str, str, str]]) -> Check:
    """Judge the loaded runtimes: two of LLVM's or Intel's in one process can crash, or compute wrongly."""
    loaded = [(kind, prefix, path) for kind, prefix, path in pools if kind in ("openmp", "blas")]
    rivals = sorted({path for kind, prefix, path in loaded if kind == "openmp" and prefix in ("libomp", "libiomp")})
    if len(rivals) > 1:
        where = ", ".join("/".join(Path(path).parts[-3:]) for path in rivals)
        return Check("warn", "OpenMP", f"{len(rivals)} LLVM or Intel runtimes in one process: {where}", _OPENMP_FIX)
    found = ", ".join(sorted({prefix for _, prefix, _ in loaded})) or "none"
    if os.environ.get("KMP_DUPLICATE_LIB_OK", "True") != "True":  # scikit-learn itself sets it to "True"
        found = f"{found}; KMP_DUPLICATE_LIB_OK is set and would hide a clash"
        return Check("warn", "OpenMP", found, "unset KMP_DUPLICATE_LIB_OK")
    return Check("ok", "OpenMP", found)
