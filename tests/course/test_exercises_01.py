"""Notebook 01: MaxSim against the reference, tests judged by what they kill, a question judged by its first answer."""

import numpy as np
import pytest

import labkit as lk
from labkit.course.catalogue import catalogue
from labkit.course.gauntlet import WANTED
from labkit.scoring.reference import maxsim_reference

EXERCISES = catalogue().exercises
GAUNTLET, QUESTION = EXERCISES["01.gauntlet"], EXERCISES["01.question"]


def by_hand(maxsim):
    assert maxsim([[1, 0], [0, 1]], [[[10, 0], [1, 100]]])[0] == 110


def run(source, **names):
    space = {"np": np, "lk": lk, **names}
    exec(source, space)  # noqa: S102 - our own source, as the notebook runs it
    return space


def test_the_grid_by_finger_gives_the_numbers_of_the_options():
    grid = np.array([[0.8, 0.3, 0.1, 0.2], [0.4, 0.9, 0.2, 0.3], [0.1, 0.5, 0.2, 0.4]])
    options = EXERCISES["01.grid"].options
    assert all(f"| {' | '.join(map(str, row))} |" in EXERCISES["01.grid"].question for row in grid.tolist())
    assert options["b"].startswith(f"{grid.max(axis=1).sum():.1f}:")
    assert options["a"].startswith(f"{grid.max(axis=0).sum():.1f}:")
    assert options["d"].startswith(f"{grid.sum():.1f}:")
    assert options["c"].startswith(f"{0.8 + 0.9 + 0.4:.1f}:")


@pytest.mark.parametrize("name", ["01.loop", "01.einsum"])
def test_our_maxsim_is_the_reference(name):
    for query, document in EXERCISES[name].cases():
        assert EXERCISES[name].solution(query, document) == maxsim_reference(query, document)


@pytest.mark.parametrize("name", ["01.loop", "01.einsum"])
def test_the_inputs_hold_negative_similarities_and_sides_without_tokens(name):
    scores = [EXERCISES[name].solution(*case) for case in EXERCISES[name].cases()]
    assert -np.inf in scores
    assert any(-np.inf < score < 0 for score in scores)
    assert any(len(query) == 0 for query, _ in EXERCISES[name].cases())


def test_the_tests_in_the_solution_notebook_kill_enough_in_twelve_lines():
    tests = run(GAUNTLET.source)["tests"]
    assert GAUNTLET.judge(tests).state == "correct"
    assert len(lk.gauntlet(tests).killed) >= WANTED
    assert len([line for line in GAUNTLET.source.splitlines() if line.strip()]) <= 12


def test_the_one_test_that_is_given_counts_as_not_attempted():
    assert GAUNTLET.judge(run(GAUNTLET.stub)["tests"]).state == "not attempted"
    assert [GAUNTLET.judge(nothing).state for nothing in (None, ..., [])] == ["not attempted"] * 3


def test_enough_kills_do_not_outweigh_a_test_that_fails_on_the_correct_kernel():
    def wrong(maxsim):
        assert maxsim([[1]], [[[1]]])[0] == 2

    outcome = GAUNTLET.judge([*GAUNTLET.right, wrong])
    assert outcome.state == "wrong"
    assert outcome.message.startswith("wrong: your test fails on the correct kernel.")


def test_too_few_kills_that_nobody_foresaw_name_the_count_and_the_misconception():
    def alone(maxsim):
        assert maxsim([[1, 0]], [[], [[1, 0]]])[0] == -np.inf

    outcome = GAUNTLET.judge([alone, by_hand])
    assert outcome.state == "wrong"
    assert outcome.message.startswith("killed ")
    assert GAUNTLET.misconception in outcome.message


def test_what_is_no_list_of_tests_is_an_error():
    assert GAUNTLET.judge("by_hand").state == "error"
    assert "tests must be one function or a list of them" in GAUNTLET.judge("by_hand").message


def test_the_edited_question_in_the_solution_notebook_puts_a_right_answer_first():
    space = run(QUESTION.source.splitlines()[0])
    assert QUESTION.judge(space["mine"]).state == "correct"
    assert run(QUESTION.stub.splitlines()[0])["mine"] is ...


@pytest.mark.parametrize("untouched", [None, ..., ""])
def test_an_untouched_question_is_not_attempted(untouched):
    assert QUESTION.judge(untouched).state == "not attempted"


def test_a_question_that_is_no_text_is_an_error():
    assert repr(QUESTION.judge(3)) == "[error] The question must be a text in quotes; got 3."


def test_a_wrong_edit_tells_who_is_first_and_where_the_right_answer_is():
    message = QUESTION.judge("how do I find the pairwise distances between two arrays of points").message
    assert message.startswith("first: sklearn.metrics.")
    assert "the first right answer is at " in message


def test_a_word_of_notebook_00_is_refused_beside_another_change_too():
    edited = "how do I compute the pairwise distances between two collections of vectors"
    assert "were tried in notebook 00" in QUESTION.judge(edited).message


def test_an_attempt_with_a_second_fault_is_told_the_first_one():
    swapped = lambda query, document: np.einsum("qd,td->qt", query, document).max(axis=0).sum()  # noqa: E731
    told = str(lk.exercise("01.einsum").check(swapped))
    assert "that is the best of each column: the sides are swapped." in told
    odd = lambda query, document: 42.0  # noqa: E731
    assert "Keep in mind:" in str(lk.exercise("01.einsum").check(odd))
