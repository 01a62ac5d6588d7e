"""What a learner calls: outcomes, hints, solutions, and what is kept of them."""

import pytest

import labkit as lk
from labkit.course import checks
from labkit.course.catalogue import catalogue
from labkit.course.exercises import Outcome
from labkit.errors import LabError
from labkit.records import read_lines

EXERCISES = catalogue().exercises


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    checks.exercise.cache_clear()
    return tmp_path


def test_the_public_name_is_this():
    assert lk.exercise("02.rrf").check(...).state == "not attempted"


def test_an_unknown_exercise_is_refused_with_those_there_are():
    with pytest.raises(LabError, match=r"there is no exercise '02\.rff'; there is 00\.direction, .*02\.rrf"):
        lk.exercise("02.rff")


def test_an_exercise_shows_its_question_and_its_effort():
    text = repr(lk.exercise("02.flips"))
    assert text.startswith(
        "**02.flips · Which change puts T4's answer in front of the reranker?** (5 min, difficulty 2/3, importance 3/3)"
    )
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
    kept = [(line["exercise"], line["state"]) for line in read_lines("progress.jsonl")]
    assert kept == [("02.cold", "not attempted"), ("02.cold", "correct")]


def test_a_check_answers_although_progress_cannot_be_kept(home, monkeypatch):
    (home / "progress.jsonl").mkdir()
    assert lk.exercise("02.cold").check("b").state == "correct"


def test_an_open_exercise_is_filled_in_by_ours_and_a_solved_one_by_yours(capsys):
    ours = EXERCISES["02.rrf"].solution
    assert lk.exercise("02.rrf").yours_or_ours(lambda rankings, k=60: None) is ours
    assert capsys.readouterr().out == "02.rrf is still open: the cells below use our rrf.\n"

    def mine(rankings, k=60):
        return ours(rankings, k)

    assert lk.exercise("02.rrf").yours_or_ours(mine) is mine
    assert capsys.readouterr().out == ""
    with pytest.raises(LabError, match=r"02\.cold is a question"):
        lk.exercise("02.cold").yours_or_ours("b")
