"""JupyterLab, Debian's Chromium and the rule for every test here: no error is said and no request leaves the machine.

Where Chromium or Playwright is missing these tests skip and say what to install. With CI set they fail instead: in
continuous integration nothing may be left out in silence.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.browser.lab import Lab
from tests.browser.notebook import Notebook
from tests.browser.watch import Watch

ARTEFACTS = Path(__file__).parent / "artefacts"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# No name is looked up, so nothing that the browser itself may want to say gets out.
SHUT = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


def missing(what, how):
    """Skip, or fail where CI is set."""
    stop = pytest.fail if os.environ.get("CI") else pytest.skip
    stop(f"the browser tests need {what}; {how}")


@pytest.fixture(scope="session")
def chromium():
    """The path of a Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        missing("Chromium", "on Debian: apt-get install chromium (looked for on PATH: " + ", ".join(BROWSERS) + ")")
    return found


@pytest.fixture(scope="session")
def artefacts():
    """Where screenshots and the server's log are kept: those of the last run."""
    shutil.rmtree(ARTEFACTS, ignore_errors=True)
    ARTEFACTS.mkdir()
    return ARTEFACTS


@pytest.fixture(scope="package")  # not session: a running Playwright holds the event loop that notebooks need later
def browser(chromium):
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("Playwright", 'python -m pip install "late-interaction-lab[test]" -c constraints.txt')
    root = hasattr(os, "getuid") and os.getuid() == 0
    with sync_playwright() as playwright:
        arguments = [SHUT, *(["--no-sandbox"] if root else [])]  # Chromium refuses its sandbox to root
        with playwright.chromium.launch(executable_path=chromium, args=arguments) as launched:
            yield launched


@pytest.fixture(scope="package")
def lab(chromium, artefacts, tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("lab"), artefacts / "jupyterlab.log") as running:
        yield running


@pytest.fixture(scope="package")
def watch():
    return Watch()


@pytest.fixture(scope="module")
def open_notebook(browser, lab, watch):
    """Open a notebook of ``lab.work`` by name; all are closed after the module."""
    opened = []

    def open_one(name, **options):
        context = browser.new_context(viewport={"width": 1280, "height": 1000}, **options)
        watch.listen(context)
        opened.append(Notebook(context, lab, name))
        return opened[-1]

    yield open_one
    for notebook in opened:
        notebook.close()
        notebook.page.context.close()


@pytest.fixture(autouse=True)
def nothing_said_and_nothing_asked_outside(watch):
    """After each test: no console error, exception or dialog, and no request that left 127.0.0.1."""
    yield
    faults = watch.faults()
    watch.forget()
    assert faults == []
