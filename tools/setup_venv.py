"""Make .venv hold the lock and labkit, or do nothing when it already does. `make` calls this.

    python tools/setup_venv.py [--torch-index URL] [--wheelhouse FOLDER]

A stamp in .venv holds a hash of what was installed: the lock, pyproject.toml, this file, the Python and the options.
With --torch-index, torch alone comes from that index. With --wheelhouse, everything comes from that folder.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "labkit-stamp"
VENV_PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
FIRST_USE = """
import matplotlib.font_manager, numpy, labkit
one = numpy.ones((1, 1), numpy.float32)
labkit.maxsim(one, [one]), labkit.maxsim(one, [one], argmax=True)
"""
SUPPORTED = [(3, 11), (3, 12), (3, 13)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--torch-index", default="")
    parser.add_argument("--wheelhouse", default="")
    options = parser.parse_args()
    refuse_other_pythons()
    wanted = digest(options)
    if STAMP.is_file() and STAMP.read_text() == wanted and runs(VENV_PYTHON) == version():
        print("set-up: .venv is up to date")
        return
    STAMP.unlink(missing_ok=True)
    if runs(VENV_PYTHON) != version():
        print("set-up: making .venv with Python {}.{}".format(*version()), flush=True)
        call(sys.executable, "-m", "venv", "--clear", VENV)
    install(options)
    STAMP.write_text(wanted)


def install(options):
    sources = []
    if options.wheelhouse:
        sources = ["--no-index", "--find-links", Path(options.wheelhouse).resolve()]
    pip(*sources, "--quiet", f"pip=={pinned('pip')}")
    if options.torch_index and not options.wheelhouse:
        pip("--no-deps", "--index-url", options.torch_index, "--upgrade", f"torch=={pinned('torch')}")
    print("set-up: installing the lock, about 600 MB (more with a CUDA build of torch)", flush=True)
    pip(*sources, "--no-compile", "--progress-bar=on", "--requirement", ROOT / "constraints.txt")
    pip(*sources, "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT)
    call(VENV_PYTHON, "-m", "pip", "check", quiet=True)
    quiet_jupyterlab()
    print("set-up: compiling, so that imports are fast", flush=True)
    library = "Lib" if os.name == "nt" else "lib/python{}.{}".format(*version())
    # Tests of other packages are left out. Some files are templates and do not compile; nobody imports those.
    compileall = [VENV_PYTHON, "-m", "compileall", "-qq", "-j", "0", "-x", r"[\\/]tests?[\\/]"]
    folders = [VENV / library / "site-packages", ROOT / "labkit"]
    subprocess.run([str(part) for part in [*compileall, *folders]], check=False)
    # matplotlib builds its font cache once, with a message that must not land in a notebook.
    # labkit's kernel is compiled on its first call.
    subprocess.run([str(VENV_PYTHON), "-c", FIRST_USE], check=False)


def quiet_jupyterlab():
    """JupyterLab then asks no server for news or updates, and does not ask whether it may."""
    settings = VENV / "share" / "jupyter" / "lab" / "settings"
    settings.mkdir(parents=True, exist_ok=True)
    silence = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
    (settings / "overrides.json").write_text(json.dumps(silence, indent=2) + "\n", encoding="utf-8")


def pip(*arguments):
    """Install wheels with the venv's pip; the user's own settings for --user must not matter."""
    command = [VENV_PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--only-binary=:all:"]
    call(*command, *arguments)


def call(*command, quiet=False):
    environment = {**os.environ, "PIP_USER": "0"}
    run = subprocess.run(
        [str(part) for part in command],
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE if quiet else None,
    )
    if run.returncode:
        print(run.stdout or "", end="")
        sys.exit("set-up: this command failed: " + " ".join(map(str, command)))


def pinned(name):
    lock = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return re.search(rf"^{re.escape(name)}==(\S+)", lock, re.MULTILINE).group(1)


def digest(options):
    state = hashlib.sha256(repr((version(), options.torch_index)).encode())
    for path in (ROOT / "constraints.txt", ROOT / "pyproject.toml", Path(__file__)):
        state.update(path.read_bytes())
    return state.hexdigest()


def version():
    return sys.version_info[:2]


def runs(python):
    """The version of an interpreter, None when it is not there or does not start."""
    try:
        run = subprocess.run(
            [str(python), "-c", "import sys; print(*sys.version_info[:2])"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return tuple(map(int, run.stdout.split()))


def refuse_other_pythons():
    if version() in SUPPORTED:
        return
    names = {f"python{major}.{minor}": (major, minor) for major, minor in SUPPORTED}
    found = [name for name, wanted in names.items() if runs(name) == wanted]
    advice = f"Say, for example: make lab PYTHON={found[-1]}" if found else "Install one and name it with PYTHON="
    here = "{} is Python {}.{}".format(sys.executable, *version())
    sys.exit(f"set-up: labkit needs Python 3.11, 3.12 or 3.13, and {here}. {advice}")


if __name__ == "__main__":
    main()
