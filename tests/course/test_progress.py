"""The learner's map: from records alone, whatever state they are in."""

import json
import os
import subprocess
import sys

import pytest

import labkit as lk


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


def row(notebook):
    return next(cells for cells in lk.progress().cells() if cells[0] == notebook)


def test_at_first_all_is_open_and_the_course_begins_at_00():
    found = lk.progress()
    assert set(found.states.values()) == {"open"}
    assert [cells[0] for cells in found.cells()] == [f"{n:02}" for n in range(9)]
    assert found.verdict() == "Resume in notebook 00: direction."


def test_a_check_is_recorded_as_solved_or_tried_and_solved_stays():
    lk.exercise("01.grid").check("b")
    lk.exercise("01.question").check("nonsense")
    lk.exercise("01.loop").check(...)
    assert row("01")[1:4] == ("grid", "question", "gauntlet, loop, einsum")
    lk.exercise("01.grid").check("a")
    assert row("01")[1] == "grid"


def test_bets_are_counted():
    lk.bet("01.removed", 3)
    lk.bet("01.removed", 4)
    assert row("01")[4] == "1 of 3"
    assert row("02")[4] == "-"


def test_it_resumes_where_the_learner_was_then_after_it_then_at_what_was_left_out():
    lk.exercise("06.winner").check("zzz")
    assert lk.progress().verdict().startswith("Resume in notebook 06: winner, ")
    states = dict.fromkeys(lk.progress().states, "solved")
    left = states | {"08.gate": "open", "00.direction": "open"}
    assert type(lk.progress())(left, (), "06").verdict() == "Resume in notebook 08: gate."
    left["08.gate"] = "solved"
    assert type(lk.progress())(left, (), "06").verdict() == "Resume in notebook 00: direction."
    assert type(lk.progress())(states, (), "06").verdict() == "Every exercise is solved."


def test_torn_and_foreign_lines_are_skipped_and_torn_ones_counted(home):
    lines = [
        b'{"exercise": "01.grid", "state": "correct"}', b'{"exercise": ["01.grid"], "state": "correct"}',
        b'{"exercise": "99.none", "state": "correct"}', b'{"exercise": "01.loop", "state": {"a": 1}}',
        b'{"exerc', b"\xff",
    ]  # fmt: skip
    (home / "progress.jsonl").write_bytes(b"\n".join(lines))
    assert row("01")[1:3] == ("grid", "-")
    assert lk.progress().verdict().endswith("2 torn lines of progress.jsonl skipped.")


@pytest.mark.parametrize("name", ["progress.jsonl", "bets.jsonl"])
def test_a_folder_in_the_place_of_a_file_stops_nothing(name, home):
    (home / name).mkdir()
    assert lk.exercise("01.grid").check("b").state == "correct"
    assert row("01")[1] == ("-" if name == "progress.jsonl" else "grid")


def test_records_that_cannot_be_read_are_told(monkeypatch):
    def refused(name):
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr("labkit.course.progress.read_counted", refused)
    assert "Records could not be read: [Errno 13] Permission denied" in lk.progress().to_text()


def test_two_processes_checking_at_once_lose_no_outcome(home):
    code = "import labkit as lk\nfor n in range(20): lk.exercise('01.grid').check('ab'[n % 2])"
    root = os.path.dirname(os.path.dirname(lk.__file__))
    children = [subprocess.Popen([sys.executable, "-c", code], cwd=root) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    lines = [json.loads(line)["state"] for line in (home / "progress.jsonl").read_bytes().splitlines()]
    assert sorted(lines) == ["correct"] * 20 + ["wrong"] * 20


def test_text_and_html_say_the_same():
    lk.exercise("02.cold").check("b")
    text, html = lk.progress().to_text(), lk.progress()._repr_html_()
    assert text == repr(lk.progress())
    assert json.loads(json.dumps(lk.progress().to_dict()))["states"]["02.cold"] == "solved"
    for cells in lk.progress().cells():
        assert "".join(f"<td>{cell}</td>" for cell in cells) in html
    assert "<caption>Resume in notebook" in html
