"""The environment of every test, doctest and notebook: offline, without keys, with a fresh home and a shared cache."""

import os
import runpy
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
OFFLINE = ROOT / "tools" / "offline"
HOME = Path(tempfile.mkdtemp(prefix="labkit-tests-"))

# Set at import, before any test imports a library, and inherited by notebook kernels and other child processes.
os.environ.update(
    LABKIT_HOME=str(HOME),
    IPYTHONDIR=str(HOME / "ipython"),
    PYTHONPATH=os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")])),
    PYTHONHASHSEED="0",
    HF_HUB_OFFLINE="1",
    HF_HUB_DISABLE_PROGRESS_BARS="1",
    TOKENIZERS_PARALLELISM="false",
    TQDM_DISABLE="1",
)
# What a machine can rebuild is keyed by content, so one cache serves all runs.
os.environ.setdefault("LABKIT_CACHE", str(ROOT / "data" / "cache"))
for key in ("CO_API_KEY", "COHERE_API_KEY"):
    os.environ.pop(key, None)
runpy.run_path(str(OFFLINE / "sitecustomize.py"))  # this process too

settings.register_profile("lab", derandomize=True, deadline=None)
settings.load_profile("lab")


def pytest_unconfigure():
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Solutions and side notebooks are slow tests; whatever uses the Cranfield fixture carries its marker."""
    for item in items:
        if {"solutions", "side"} & set(item.path.parts[-3:-1]):
            item.add_marker("slow")
        if "cranfield" in getattr(item, "fixturenames", ()):
            item.add_marker("cranfield")


class Homes:
    """Each notebook has a home of its own, as when it was built: another one's runs, looks and bets are not its own."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        notebook = item.path.suffix == ".ipynb"
        os.environ["LABKIT_HOME"] = str(HOME / "-".join(item.path.parts[-2:]) if notebook else HOME)


def pytest_configure(config):
    config.pluginmanager.register(Homes())  # hooks of this file alone are not asked about notebooks


@pytest.fixture(scope="session")
def cranfield() -> Path:
    """The folder of the Cranfield collection."""
    folder = Path(os.environ.get("LABKIT_CRANFIELD") or "not set")
    if not (folder / "corpus.jsonl").is_file():
        pytest.skip(f"LABKIT_CRANFIELD ({folder}) is no folder with a corpus.jsonl")
    return folder
