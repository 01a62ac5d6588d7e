"""Check that constraints.txt resolves, wheels only, on every platform and Python that the project names.

For each of nine targets the markers of the lock are evaluated for that target, pip finds a wheel of each pin for it
(nothing is installed), and the requirements in those wheels' own metadata are followed from pyproject.toml. Every
package reached must be pinned, inside the range that asks for it. A pin that no target needs is an error too.

    python tools/check_lock.py              # all nine, needs a package index, about four minutes
    python tools/check_lock.py linux-3.12   # one of them
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "late-interaction-lab"
LOCKED_EXTRAS = frozenset({"cohere", "notebooks", "test"})
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
    "macos": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
    "windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
}
WHEEL_TAGS = {
    "linux": ["manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64"]
    + [f"manylinux_2_{minor}_x86_64" for minor in range(5, 29)],
    "macos": ["macosx_14_0_arm64", "macosx_14_0_universal2"],
    "windows": ["win_amd64"],
}
# On Linux, torch from the usual index asks for CUDA libraries; the CPU build does not. Neither are they in the lock.
CUDA = ("nvidia-", "cuda-", "triton")


def pins(text: str) -> list[Requirement]:
    """The requirements of a lock file, without comments and options."""
    lines = (line.split(" #")[0].strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def version(pin: Requirement) -> str:
    """The one version that a pin allows."""
    [clause] = pin.specifier
    if clause.operator != "==":
        raise ValueError(f"constraints.txt must pin with ==, found {pin}")
    return clause.version


def active(lock: Iterable[Requirement], environment: dict[str, str]) -> dict[str, str]:
    """Name to version of the pins whose marker holds in ``environment``."""
    held = (pin for pin in lock if pin.marker is None or pin.marker.evaluate(environment))
    return {canonicalize_name(pin.name): version(pin) for pin in held}


def own_requirements(pyproject: dict) -> list[str]:
    """What pyproject.toml asks for, in the form of a wheel's metadata."""
    project = pyproject["project"]
    optional = project["optional-dependencies"]
    extra = [f'{line}; extra == "{name}"' for name, lines in optional.items() for line in lines]
    return [*project["dependencies"], *extra]


def environment(platform: str, python: str) -> dict[str, str]:
    """The marker environment of a target, as pip would see it there."""
    interpreter = {"implementation_name": "cpython", "platform_python_implementation": "CPython"}
    versions = {"python_version": python, "python_full_version": f"{python}.0", "implementation_version": f"{python}.0"}
    return {**PLATFORMS[platform], **interpreter, **versions, "platform_release": "", "platform_version": ""}


def closure(
    pinned: dict[str, str], env: dict[str, str], requires: Callable[[str], Iterable[str]]
) -> tuple[set[str], list[str]]:
    """The packages that the project needs in ``env``, and what is wrong with the pins for them."""
    reached: dict[str, frozenset[str]] = {}
    problems: set[str] = set()
    todo = [("pyproject.toml", PROJECT, LOCKED_EXTRAS)]
    while todo:
        asker, name, extras = todo.pop()
        if name != PROJECT and name not in pinned:
            problems.add(f"{name} is needed by {asker} but not pinned")
            continue
        if name in reached and extras <= reached[name]:
            continue
        extras |= reached.get(name, frozenset())
        reached[name] = extras
        for requirement in map(Requirement, requires(name)):
            if not _wanted(requirement, env, extras):
                continue
            target = canonicalize_name(requirement.name)
            if name == "torch" and target.startswith(CUDA):
                continue
            found = pinned.get(target)
            if found and not requirement.specifier.contains(found, prereleases=True):
                problems.add(f"{name} asks for {requirement.name}{requirement.specifier}, the lock has {found}")
            todo.append((name, target, frozenset(requirement.extras)))
    return set(reached) - {PROJECT}, sorted(problems)


def _wanted(requirement: Requirement, env: dict[str, str], extras: frozenset[str]) -> bool:
    if requirement.marker is None:
        return True
    return any(requirement.marker.evaluate({**env, "extra": extra}) for extra in extras or {""})


def wheels(pinned: dict[str, str], platform: str, python: str) -> dict[str, list[str]]:
    """Let pip find a wheel of every pin for a target; name to that wheel's requirements."""
    with tempfile.TemporaryDirectory() as folder:
        listing, report = Path(folder, "pins.txt"), Path(folder, "report.json")
        listing.write_text("".join(f"{name}=={version}\n" for name, version in sorted(pinned.items())))
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
        command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={python}", f"--target={folder}"]
        command += [f"--platform={tag}" for tag in WHEEL_TAGS[platform]]
        run = subprocess.run([*command, f"--report={report}", "-r", listing], capture_output=True, text=True)
        if run.returncode:
            errors = [line for line in run.stderr.splitlines() if line.startswith("ERROR: No matching")]
            raise LookupError("; ".join(errors) or run.stderr)
        found = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    return {canonicalize_name(meta["name"]): meta.get("requires_dist", []) for meta in found}


def check(platform: str, python: str, lock: list[Requirement], own: list[str]) -> tuple[set[str], list[str]]:
    """The packages that one target needs, and what is wrong there."""
    env = environment(platform, python)
    pinned = active(lock, env)
    try:
        metadata = {**wheels(pinned, platform, python), PROJECT: own}
    except LookupError as error:
        return set(), [str(error)]
    needed, problems = closure(pinned, env, metadata.__getitem__)
    extra = sorted(set(pinned) - needed - {"pip"})
    return needed, problems + [f"{name} is pinned but not needed: give it a marker or remove it" for name in extra]


def main(chosen: list[str]) -> int:
    lock = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    own = own_requirements(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    targets = [(platform, python) for platform in PLATFORMS for python in PYTHONS]
    failed = False
    for platform, python in targets:
        if chosen and f"{platform}-{python}" not in chosen:
            continue
        needed, problems = check(platform, python, lock, own)
        failed |= bool(problems)
        print(f"{platform:8} {python}  {len(needed):4} packages  {'FAILED' if problems else 'ok'}", flush=True)
        for problem in problems:
            print(f"    {problem}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
