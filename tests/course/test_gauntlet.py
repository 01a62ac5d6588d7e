"""Our own tests kill every kernel of the gauntlet, and every kernel is right somewhere: its bug is not obvious."""

import subprocess
import sys

import numpy as np
import pytest

import labkit as lk
from labkit.course.gauntlet import CORRECT, KERNELS, gauntlet
from labkit.errors import LabError
from labkit.scoring.reference import maxsim_reference

BY_NAME = {kernel.name: kernel for kernel in KERNELS}
names = pytest.mark.parametrize("name", BY_NAME)


def units(seed, *shape):
    rows = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def lengths(*counts):
    return [units(number, count, 16) for number, count in enumerate(counts)]


# The suite: each function is what a learner would write. No name starts with test_, or pytest would collect it.


def by_hand(maxsim):
    assert maxsim([[1, 0], [0, 1]], [[[10, 0], [1, 100]]])[0] == 110


def one_and_three_query_tokens_by_hand(maxsim):
    assert maxsim([[1, 2]], [[[3, 4], [5, 1]]])[0] == 11
    assert maxsim([[1, 0], [0, 1], [1, 1]], [[[2, 0], [0, 3]]])[0] == 2 + 3 + 3


def a_query_scores_its_number_of_tokens_with_itself(maxsim):
    query = units(3, 5, 16)
    assert maxsim(query, [query, query])[1] == pytest.approx(5, abs=1e-5)


def scores_stay_with_their_documents(maxsim):
    documents = lengths(8, 8, 8, 8)
    scores, turned = maxsim(units(9, 4, 16), documents), maxsim(units(9, 4, 16), documents[::-1])
    assert np.allclose(scores, turned[::-1], atol=1e-5)


def longer_batch_mates_change_nothing(maxsim):
    short, long = [[1, 0]], [[0, 1], [0, 1], [1, 0]]
    assert np.allclose(maxsim(np.eye(2), [short, short]), [1, 1])
    assert np.allclose(maxsim(np.eye(2), [long, short, long]), [2, 1, 2])


def a_batch_of_one_is_a_batch(maxsim):
    query, documents = units(9, 4, 16), lengths(6, 6)
    alone = [maxsim(query, [document])[0] for document in documents]
    assert np.allclose(maxsim(query, documents), alone, atol=1e-5)


def negative_similarities_stay_negative(maxsim):
    assert np.allclose(maxsim([[1, 0], [0, 1]], [[[-1, -2]], [[-3, -3], [-1, -1], [-2, -2]]]), [-3, -2])


def an_empty_document_is_last(maxsim):
    scores = maxsim([[1, 0], [0, 1]], [[], [[-1, -2]], [[-3, -3]]])
    assert scores[0] < min(scores[1:])


def a_row_of_zeros_is_a_token(maxsim):
    assert maxsim([[1, 0], [0, 1]], [[[0, 0], [-1, -1]], [[-1, -1], [0, 0]]])[0] == 0


def close_scores_differ(maxsim):
    first, second = maxsim([[1, 0], [0, 1]], [[[1000, 1000.25]], [[1000, 1000]]])
    assert first > second


def nan_is_refused(maxsim):
    with pytest.raises(ValueError, match="finite"):
        maxsim([[1, 0], [0, 1]], [[[1, float("nan")], [1, 1]]])


def every_dimension_counts(maxsim):
    row = np.zeros((2, 192))
    row[:, 191] = 1
    assert np.allclose(maxsim(row, [row, row]), [2, 2])


def every_query_token_counts(maxsim):
    assert np.allclose(maxsim(np.ones((40, 2)), [np.ones((1, 2)), np.ones((2, 2))]), [80, 80])


def every_document_token_counts(maxsim):
    long = np.zeros((400, 2))
    long[399] = 7
    assert np.allclose(maxsim(np.eye(2), [long, long]), [14, 14])


FINDS = {
    "padding in the query": one_and_three_query_tokens_by_hand,
    "mean of the query": by_hand,
    "sorted scores": scores_stay_with_their_documents,
    "batch mates": longer_batch_mates_change_nothing,
    "batch of one": a_batch_of_one_is_a_batch,
    "padding wins": negative_similarities_stay_negative,
    "empty document": an_empty_document_is_last,
    "zero rows": a_row_of_zeros_is_a_token,
    "half precision": close_scores_differ,
    "hidden NaN": nan_is_refused,
    "many dimensions": every_dimension_counts,
    "long query": every_query_token_counts,
    "long document": every_document_token_counts,
}
SUITE = [by_hand, a_query_scores_its_number_of_tokens_with_itself, *FINDS.values()]


def test_our_suite_kills_every_kernel():
    verdict = lk.gauntlet(SUITE)
    assert (verdict.survived, verdict.invalid) == ((), {})
    assert list(verdict.killed) == list(BY_NAME)
    assert f"killed {len(KERNELS)} of {len(KERNELS)}; 6 are wanted" in repr(verdict)


def test_each_bug_has_a_test_of_its_own_and_no_two_kernels_fall_to_the_same_tests():
    killed = {name: gauntlet(test).killed for name, test in FINDS.items()}
    assert all(name in killed[name] for name in BY_NAME)
    assert len({tuple(kernel in fallen for fallen in killed.values()) for kernel in BY_NAME}) == len(BY_NAME)


@names
def test_each_kernel_is_right_on_an_ordinary_case(name):
    """Documents of one length, best first; the mean of the query is right for a query of one token only."""
    query = units(9, 1 if name == "mean of the query" else 4, 16)
    documents = sorted(lengths(8, 8, 8), key=lambda document: -maxsim_reference(query, document))
    expected = [maxsim_reference(query, document) for document in documents]
    assert np.allclose(BY_NAME[name].run(query, documents), expected, rtol=0, atol=1e-3)
    assert np.allclose(CORRECT.run(query.tolist(), [d.tolist() for d in documents]), expected, atol=1e-5)


@names
def test_each_kernel_is_right_about_empty_and_bad_input(name):
    run = BY_NAME[name].run
    assert list(run([[1, 0]], [])) == []
    assert list(run(np.zeros((0, 2)), [[], [[1, 0]]])) == list(run([], [[], [[1, 0]]])) == [0, 0]
    assert run([[1, 0], [0, 1]], [[[1, 0]], []])[1] == (0 if name == "empty document" else -np.inf)
    with pytest.raises(LabError, match="must share d; the query has 3, they have 2"):
        run([[1, 0, 0]], [[[1, 0]]])
    with pytest.raises(LabError, match=r"array 0 must be \[Ld, d\]"):
        run([[1, 0]], [[1, 0]])


@names
def test_a_kernel_leaves_its_input_alone(name):
    query, documents = units(9, 40, 192), [units(1, 301, 192), units(2, 8, 192)]
    before = [part.copy() for part in (query, *documents)]
    BY_NAME[name].run(query, documents)
    assert all(map(np.array_equal, before, (query, *documents)))


def test_every_kernel_names_its_source_and_tells_its_story():
    assert len(BY_NAME) == len(KERNELS) >= 12
    assert len({kernel.story for kernel in KERNELS}) == len(KERNELS)
    assert all(kernel.source and kernel.story.endswith(".") and "\n" not in kernel.story for kernel in KERNELS)
    assert repr(KERNELS[2]).startswith("Kernel(name='sorted scores', source='AnswerDotAI/rerankers #39', story=")


def test_a_test_that_fails_on_the_correct_kernel_is_told_apart_and_kills_nothing():
    def wrong(maxsim):
        assert maxsim([[1, 0]], [[[1, 0]]])[0] == 2

    def raises_too_much(maxsim):
        with pytest.raises(ValueError, match="anything"):
            maxsim([[1, 0]], [[[1, 0]]])

    def no_argument():
        raise AssertionError("not reached")

    def returns(maxsim):
        return bool(maxsim([[1, 0]], [[[1, 0]]])[0] == 1)

    verdict = gauntlet([wrong, raises_too_much, no_argument, returns, by_hand])
    assert list(verdict.invalid) == ["wrong", "raises_too_much", "no_argument", "returns"]
    assert set(verdict.killed.values()) == {"by_hand"}
    text = verdict.to_text()
    assert "wrong: fails on the correct kernel: it proves nothing (AssertionError(" in text
    assert "raises_too_much: fails on the correct kernel: it proves nothing (" in text
    assert "no_argument: fails on the correct kernel: it proves nothing (TypeError(" in text
    assert "returns: fails on the correct kernel: it proves nothing (it returns True; write assert)" in text


def test_a_survivor_is_shown_with_its_story():
    verdict = gauntlet(by_hand)
    lines = verdict.to_text().splitlines()
    assert lines[0].split() == ["kernel", "source", "killed", "by"]
    assert lines[2].endswith("  by_hand")
    assert lines[3].endswith("SURVIVED")
    assert lines[14] == "killed 1 of 13; 6 are wanted"
    assert lines[15:] == [f"not noticed: {BY_NAME[name].story}" for name in verdict.survived]
    assert len(verdict.survived) == 12


def test_one_function_is_a_list_of_one_and_the_verdict_reads_the_same_in_every_run():
    assert repr(gauntlet(by_hand)) == repr(gauntlet([by_hand])) == repr(gauntlet((by_hand,)))
    assert gauntlet(SUITE)._repr_html_() == gauntlet(SUITE)._repr_html_()


def test_the_first_test_to_kill_is_named_and_namesakes_are_numbered():
    assert gauntlet([by_hand, one_and_three_query_tokens_by_hand, close_scores_differ]).killed == {
        "padding in the query": "one_and_three_query_tokens_by_hand",
        "mean of the query": "by_hand",
        "batch of one": "one_and_three_query_tokens_by_hand",
        "half precision": "close_scores_differ",
    }
    assert list(gauntlet([lambda maxsim: 1 / 0, lambda maxsim: 2 / 0]).invalid) == ["<lambda>", "<lambda> (2)"]


def test_html_is_escaped():
    def fails(maxsim):
        raise ValueError("<script>")

    fails.__name__ = "<b>"
    html = gauntlet([fails, by_hand])._repr_html_()
    assert html.startswith("<table><caption>killed 1 of 13; 6 are wanted</caption>")
    assert "&lt;b&gt;: fails" in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html
    assert "<script>" not in html


@pytest.mark.parametrize("tests", [None, [], (), "test_a", {"a": by_hand}, [by_hand, None], [True]], ids=repr)
def test_what_is_not_a_function_or_a_list_of_them_is_refused(tests):
    with pytest.raises(LabError, match=r"tests must be one function or a list of them; got .*\. Write gauntlet"):
        gauntlet(tests)


def test_an_interrupt_ends_the_run():
    def interrupted(maxsim):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gauntlet(interrupted)


def test_importing_it_does_not_import_torch():
    code = "import sys, labkit.course.gauntlet; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"
