"""What `labkit.course.doctor` can see from inside this interpreter, one function for each topic."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from labkit import paths

GIB = 2**30
KEYS = {
    "cohere": ("CO_API_KEY", "COHERE_API_KEY"),
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "Hugging Face": ("HF_TOKEN",),
}
_WIDGET_PACKAGES = ("ipywidgets", "anywidget", "jupyterlab_widgets")
_WIDGET_FRONT_ENDS = ("@jupyter-widgets/jupyterlab-manager", "anywidget")


@dataclass(frozen=True)
class Check:
    """One finding: its state, what was checked, what was found, and the fix if something is to be done."""

    state: Literal["ok", "warn", "fail"]
    what: str
    found: str
    fix: str = ""

    @property
    def finding(self) -> str:
        """What was found, and the fix if there is one."""
        return f"{self.found}; fix: {self.fix}" if self.fix else self.found


def run_child(code: str, timeout: float, **extra: str) -> dict:
    """What ``code`` prints as JSON in a fresh interpreter, which gets no keys; RuntimeError tells how it ended."""
    secret = {name for names in KEYS.values() for name in names}
    env = {name: value for name, value in os.environ.items() if name not in secret} | extra
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [env.get("PYTHONPATH"), str(Path(paths.__file__).parents[1])]))
    try:
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no answer from the test process within {timeout:.0f} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"the test process ended with exit code {done.returncode}: {last}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def python_version(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Iterator[Check]:
    """Is this a Python that the lock was resolved for?"""
    state, fix = ("ok", "") if (3, 11) <= version[:2] <= (3, 13) else ("fail", "use Python 3.11, 3.12 or 3.13")
    other = state == "ok" and version[:2] != (3, 11)
    told = "; the course's figures come from 3.11, some of yours will differ" if other else ""
    yield Check(state, "Python", ".".join(map(str, version)) + told, fix)


def find_lock() -> Path | None:
    """The checkout's ``constraints.txt``, or None where labkit was installed from a wheel."""
    root = Path(paths.__file__).parent.parent
    lock = root / "constraints.txt"
    return lock if lock.is_file() and (root / "pyproject.toml").is_file() else None


def read_lock(lock: Path) -> list[Requirement]:
    """The pins of a pip constraints file whose markers hold here; comments and options are skipped."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in lock.read_text(encoding="utf-8").splitlines())
    return _here(line for line in lines if line and not line.startswith("-"))


def declared(lock: Path | None = None, extras: Sequence[str] = ()) -> list[Requirement]:
    """What labkit requires, or its extras add: by the checkout's ``pyproject.toml``, else by the wheel's metadata."""
    if lock and (project := lock.with_name("pyproject.toml")).is_file():
        told = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
        optional = [line for extra in extras for line in told["optional-dependencies"][extra]]
        return [need for need in _here(optional if extras else told["dependencies"]) if need.name != told.get("name")]
    names = metadata.packages_distributions().get("labkit", [])
    lines = [line for name in names for line in metadata.requires(name) or ()]
    base = _here(lines)
    added = [need for extra in extras for need in _here(lines, extra) if need not in base and need.name not in names]
    return added if extras else base


def packages(lock: Path | None = None) -> Iterator[Check]:
    """Is all that labkit requires installed, at the locked version, or, without a lock, inside the declared range?

    The lock also pins what only other platforms or other tasks install: what is absent counts only if labkit needs it.
    """
    lock = lock or find_lock()
    needs = declared(lock)
    pins = read_lock(lock) if lock else needs
    present = [need for need in pins if need.name != "pip" and _version(need.name)]
    if wrong := problems([need for need in needs if not _version(need.name)] + present):
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        fix = "make lab" if lock else "pip install --upgrade late-interaction-lab"
        yield Check("fail", "packages", "; ".join(wrong[:5]) + more, fix)
    elif present:
        yield Check("ok", "packages", f"{len(present)} as {'locked' if lock else 'declared'}")
    else:
        yield Check("warn", "packages", "no lock and no metadata to compare with", "pip install -e . in the checkout")


def _here(lines: Iterable[str], extra: str = "") -> list[Requirement]:
    needs = map(Requirement, lines)
    return [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def problems(needs: Iterable[Requirement]) -> list[str]:
    """What is missing or of a wrong version. A local suffix such as torch's ``+cpu`` does not count."""
    wrong = []
    for need in needs:
        installed, wanted = _version(need.name), re.sub(r"\+[\w.]+", "", str(need.specifier))
        if installed is None:
            wrong.append(f"{need.name} is missing")
        elif not SpecifierSet(wanted).contains(Version(installed).public, prereleases=True):
            wrong.append(f"{need.name} is {installed}, not {wanted.removeprefix('==')}")
    return wrong


def default_model() -> Iterator[Check]:
    """Is the default model here, with the known hashes?"""
    try:
        from labkit.encoding import default_model as model

        model.find_default_model()
        found = f"weights {model.MODEL_SHA256[:8]}…, tokenizer {model.TOKENIZER_SHA256[:8]}…, as expected"
        yield Check("ok", "default model", found)
    except Exception as error:
        yield Check("fail", "default model", str(error) or type(error).__name__, "make lab")


def memory(available: int | None = None) -> Iterator[Check]:
    """Is there room in memory? A container's own limit counts where the kernel tells it."""
    if available is None:
        import psutil

        available = min(psutil.virtual_memory().available, _container_room(Path("/sys/fs/cgroup")))
    yield _room("memory", available, "available", 4, "close other programs, or expect the full encode to be slow")


def _container_room(group: Path) -> int:
    """Bytes that this container may still take; no limit where the kernel names none."""
    try:
        return int((group / "memory.max").read_text()) - int((group / "memory.current").read_text())
    except (OSError, ValueError):
        return sys.maxsize


def disk(free: int | None = None) -> Iterator[Check]:
    """Is there room for bets, vectors and collections?"""
    try:
        free = shutil.disk_usage(paths.home()).free if free is None else free
    except OSError as error:
        yield Check("fail", "disk", f"no folder for state: {error}", "set LABKIT_HOME to a folder you may write to")
        return
    yield _room("disk", free, "free", 2, "make room, or set LABKIT_HOME to a folder on a larger disk")


def _room(what: str, size: int, word: str, least: int, fix: str) -> Check:
    low = size < least * GIB
    found = f"{size / GIB:.1f} GiB {word}" + (f", less than {least}" if low else "")
    return Check("warn" if low else "ok", what, found, fix if low else "")


def widgets(folders: Iterable[Path] | None = None) -> Iterator[Check]:
    """Do the widgets' Python side and their JupyterLab side fit each other, and is the JavaScript in place?"""
    versions = {name: _version(name) for name in _WIDGET_PACKAGES}
    if absent := [name for name, version in versions.items() if version is None]:
        fix = "make lab, or pip install 'late-interaction-lab[notebooks]'"
        yield Check("warn", "widgets", f"not installed: {', '.join(absent)}; figures stay static", fix)
        return
    from jupyter_core.paths import jupyter_path

    places = [Path(folder) for folder in (jupyter_path("labextensions") if folders is None else folders)]
    # What ipywidgets and anywidget require of one another's packages, by their own metadata.
    needs = _here(line for name in ("ipywidgets", "anywidget") for line in metadata.requires(name) or ())
    wrong = problems(need for need in needs if need.name in (*_WIDGET_PACKAGES, "widgetsnbextension"))
    for name in _WIDGET_FRONT_ENDS:
        if not any((place / name / "package.json").is_file() for place in places):
            wrong.append(f"JupyterLab has no extension {name}")
    if wrong:
        yield Check("fail", "widgets", "; ".join(wrong), "make lab, then reload the browser tab")
    else:
        yield Check("ok", "widgets", ", ".join(f"{name} {version}" for name, version in versions.items()))


def sdks(environment: Mapping[str, str] = os.environ) -> Iterator[Check]:
    """Which hosted services could be called? None is needed. Of a key, only whether it is set."""
    for name, keys in KEYS.items():
        told = [f"{key} {'set' if environment.get(key, '').strip() else 'not set'}" for key in keys]
        if name != "Hugging Face":
            told.insert(0, f"SDK {_version(name) or 'not installed'}")
        yield Check("ok", f"{name} (optional)", ", ".join(told))
