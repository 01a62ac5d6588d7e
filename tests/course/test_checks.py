"""What a learner calls: outcomes, hints, solutions, bets, and what is kept of them."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import labkit as lk
from labkit.course import checks
from labkit.course.catalogue import catalogue
from labkit.course.exercises import Outcome
from labkit.errors import LabError

EXERCISES = catalogue().exercises


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    checks.exercise.cache_clear()
    return tmp_path


def test_the_public_names_are_these():
    assert lk.exercise("02.rrf").check(...).state == "not attempted"
    assert lk.bet("00.maxsim_wins") is None


def test_an_unknown_exercise_is_refused_with_those_there_are():
    with pytest.raises(LabError, match=r"there is no exercise '02\.rff'; there is 00\.direction, .*02\.rrf"):
        lk.exercise("02.rff")


def test_an_exercise_shows_its_question_and_its_effort():
    text = repr(lk.exercise("02.flips"))
    assert text.startswith("**02.flips · Which change brings T4's answer in?** (5 min, difficulty 2/3, importance 3/3)")
    assert "- **c** A larger k, or another first stage." in text
    assert lk.exercise("02.flips")._repr_markdown_() == text


def test_an_outcome_reads_the_same_in_every_run_and_its_html_is_escaped():
    outcome = Outcome("wrong", "gave <b> & stopped")
    assert repr(outcome) == "[wrong] gave <b> & stopped"
    assert "gave &lt;b&gt; &amp; stopped" in outcome._repr_html_()
    assert "<b>" not in outcome._repr_html_()


def test_hints_come_one_after_the_other_and_then_point_to_the_solution():
    exercise, hints = lk.exercise("02.rrf"), EXERCISES["02.rrf"].hints
    assert [repr(exercise.hint()) for _ in hints] == [f"Hint {n} of 3: {hint}" for n, hint in enumerate(hints, 1)]
    assert ".solution()" in exercise.hint()
    assert exercise.hint(1) == f"Hint 1 of 3: {hints[0]}"


def test_the_next_hint_comes_although_the_exercise_is_named_again():
    assert lk.exercise("02.rrf").hint().startswith("Hint 1")
    assert lk.exercise("02.rrf").hint().startswith("Hint 2")


@pytest.mark.parametrize("n", [0, 4, "1", True])
def test_a_hint_that_is_not_there_is_refused(n):
    with pytest.raises(LabError, match=r"02\.rrf has hints 1 to 3; got"):
        lk.exercise("02.rrf").hint(n)


def test_the_solution_shows_the_real_source_and_the_reasoning():
    text = lk.exercise("02.oracle").solution()
    assert EXERCISES["02.oracle"].reasoning in text
    assert "from math import log2\n\n\ndef oracle_ceiling(" in text
    assert 'check("b")' in lk.exercise("02.cold").solution()


def test_outcomes_are_kept_in_order(home):
    lk.exercise("02.cold").check(...)
    lk.exercise("02.cold").check("b")
    kept = [(line["exercise"], line["state"]) for line in checks.read_lines("progress.jsonl")]
    assert kept == [("02.cold", "not attempted"), ("02.cold", "correct")]


def test_a_check_answers_although_progress_cannot_be_kept(home, monkeypatch):
    (home / "progress.jsonl").mkdir()
    assert lk.exercise("02.cold").check("b").state == "correct"


def test_the_latest_bet_counts_and_says_what_was_stored():
    lk.bet("00.maxsim_wins", 4)
    lk.bet("00.fusion_wins", 12)
    assert repr(lk.bet("00.maxsim_wins", np.int64(7))).startswith("Your bet 00.maxsim_wins: 7 (from 0 to 12). On how")
    assert lk.bet("00.maxsim_wins").value == 7
    assert lk.bet("00.fusion_wins").value == 12


@pytest.mark.parametrize("value", [-1, 13, 7.5, "7", True])
def test_a_bet_outside_its_range_is_refused_and_not_stored(value):
    with pytest.raises(LabError, match=r"the bet 00\.maxsim_wins must be a whole number from 0 to 12; got"):
        lk.bet("00.maxsim_wins", value)
    assert lk.bet("00.maxsim_wins") is None


def test_an_unknown_bet_is_refused_with_those_there_are():
    with pytest.raises(LabError, match=r"no bet '00\.tickets'; there is 00\.fusion_wins, 00\.maxsim_wins"):
        lk.bet("00.tickets", 3)


@pytest.mark.parametrize("untouched", [..., None])
def test_an_untouched_bet_stores_nothing_and_says_what_to_put_there(untouched, home):
    assert repr(lk.bet("00.maxsim_wins", untouched)).startswith("No bet yet. On how many")
    assert not (home / "bets.jsonl").exists()


def test_a_torn_last_line_is_skipped_and_the_next_bet_starts_a_new_line(home):
    lk.bet("00.maxsim_wins", 4)
    with (home / "bets.jsonl").open("ab") as file:
        file.write(b'{"bet": "00.maxsim_wins", "val')
    assert lk.bet("00.maxsim_wins").value == 4
    lk.bet("00.maxsim_wins", 9)
    assert lk.bet("00.maxsim_wins").value == 9
    assert len((home / "bets.jsonl").read_bytes().splitlines()) == 3


def test_lines_that_are_not_bets_are_skipped(home):
    (home / "bets.jsonl").write_bytes(
        b'[1]\n\xff\xfe\nnull\n{"bet": "00.maxsim_wins"}\n{"bet": "00.maxsim_wins", "value": 2}\n'
    )
    assert lk.bet("00.maxsim_wins").value == 2


def test_a_bet_that_cannot_be_stored_says_so(home):
    (home / "bets.jsonl").mkdir()
    with pytest.raises(LabError, match=r"the bet was not stored: .*Set LABKIT_HOME"):
        lk.bet("00.maxsim_wins", 3)


def test_two_processes_betting_at_once_lose_no_line(home):
    code = "import labkit as lk\nfor n in range(40): lk.bet('00.maxsim_wins', n % 13)"
    root = os.path.dirname(os.path.dirname(lk.__file__))
    children = [subprocess.Popen([sys.executable, "-c", code], cwd=root) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    lines = [json.loads(line) for line in (home / "bets.jsonl").read_bytes().splitlines()]
    assert len(lines) == 80
