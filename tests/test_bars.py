"""Progress bars: where they go, and when there is none. A process for each: tqdm reads its switch on import."""

import os
import subprocess
import sys

BAR = 'from labkit.bars import bar; list(bar({items}, what="reading", unit="text", show={show}))'


def written(items="['a', 'b']", show=True, before="", **environment):
    """What a bar writes to stdout and to stderr."""
    settings = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"} | environment
    code = before + BAR.format(items=items, show=show)
    done = subprocess.run([sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_a_bar_goes_to_stderr_so_that_stdout_stays_free_for_json():
    out, err = written()
    assert out == ""
    assert "reading" in err


def test_in_a_notebook_it_goes_to_stdout():
    out, err = written(before="import ipykernel; ")
    assert "reading" in out
    assert err == ""


def test_there_is_none_where_none_is_wanted_and_where_there_is_nothing_to_do():
    assert written(show=False) == written(items="[]") == written(TQDM_DISABLE="1") == ("", "")


WAIT = 'import time; from labkit.bars import waiting\nwith waiting("loading", after=0.1): time.sleep({seconds})'


def waited(seconds, before="import ipykernel; "):
    """What `waiting` writes to stdout and to stderr."""
    settings = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    code = before + WAIT.format(seconds=seconds)
    done = subprocess.run([sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_work_that_cannot_say_how_far_it_is_counts_seconds():
    assert "loading" in waited(1)[0]
    assert waited(1.5)[0].count("loading") > 2


def test_short_work_says_nothing_and_neither_does_work_that_nobody_watches():
    assert waited(0) == waited(1, before="") == ("", "")
