"""Progress bars: where they go, and when there is none."""

import sys

import pytest

from labkit.progress import bar


@pytest.fixture(autouse=True)
def shown(monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE")


def written(capsys, **options):
    list(bar(["a", "b"], what="reading", unit="text", **options))
    return capsys.readouterr()


def test_a_bar_goes_to_stderr_and_stdout_stays_free_for_json(capsys, monkeypatch):
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    out, err = written(capsys, show=True)
    assert out == ""
    assert "reading" in err


def test_in_a_notebook_it_goes_to_stdout(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    out, err = written(capsys, show=True)
    assert "reading" in out
    assert err == ""


def test_there_is_none_where_none_is_asked_for_and_where_there_is_nothing_to_do(capsys):
    assert written(capsys, show=False) == ("", "")
    list(bar([], what="reading", unit="text", show=True))
    bar(total=0, what="reading", unit="text", show=True).close()
    assert capsys.readouterr() == ("", "")
