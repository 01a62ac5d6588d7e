"""The duel: differences that sum up, and a removal that is the smallest and was verified."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit as lk
from labkit.scoring import removal
from labkit.scoring.removal import smallest_removal

QUERY = "how do I compute the distance between points"
GLOBE = "Compute the distance between two points on the surface of a sphere."
MATRIX = "Compute the distance matrix from a feature array X and optional Y."


@pytest.fixture(scope="module")
def encoder():
    return lk.load_encoder()


@pytest.fixture(scope="module")
def fight(encoder):
    return lk.duel(QUERY, MATRIX, GLOBE, encoder)


def brute_force(similarities, below):
    """The size of the smallest set of columns whose removal brings the sum of maxima below."""
    columns = range(similarities.shape[1])
    for size in range(1, similarities.shape[1] + 1):
        for gone in combinations(columns, size):
            left = np.delete(similarities, gone, axis=1)
            if (left.max(axis=1).sum() if left.size else -np.inf) < below:
                return size
    raise AssertionError("removing everything gives minus infinity")


def test_by_hand_one_column_holds_both_maxima():
    table = np.array([[5.0, 1.0, 2.0], [5.0, 1.0, 0.0]])  # 10; without column 0: 2 + 1
    assert smallest_removal(table, below=4.0) == ((0,), True)
    assert smallest_removal(table, below=3.0) == ((0, 1), True)  # 2 + 0; without 0 and 2 it would be 1 + 1


def test_greedy_alone_would_remove_more():
    # Column 0 costs most (0.4), but columns 1 and 2 do it together; greedy goes 0, 1, 2.
    table = np.array([[1.0, 0.0, 0.0, 0.6], [0.0, 1.0, 0.9, 0.0], [0.0, 1.0, 0.9, 0.0]])
    columns, exact = smallest_removal(table, below=1.5)
    assert (columns, exact) == ((1, 2), True)


@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 2**31))
def test_the_exact_search_equals_brute_force(rows, columns, seed):
    rng = np.random.default_rng(seed)
    table = rng.integers(-3, 9, (rows, columns)).astype(float)
    below = table.max(axis=1).sum() - rng.integers(0, 6)
    gone, exact = smallest_removal(table, below)
    assert exact
    assert len(gone) == brute_force(table, below)


def test_a_search_that_is_cut_off_says_so_and_still_flips(monkeypatch):
    monkeypatch.setattr(removal, "STATES", 1)
    table = np.random.default_rng(0).normal(size=(6, 12))
    below = table.max(axis=1).sum() - 4
    gone, exact = smallest_removal(table, below)
    assert not exact
    assert np.delete(table, gone, axis=1).max(axis=1).sum() < below


def test_rows_sum_to_the_two_scores_and_to_their_difference(fight, encoder):
    assert fight.winner == GLOBE
    query = encoder.encode_queries([QUERY])[0]
    scores = lk.maxsim(query, encoder.encode_documents([GLOBE, MATRIX]))
    assert (fight.winner_score, fight.loser_score) == pytest.approx(tuple(scores.tolist()))
    assert sum(row.winner_similarity for row in fight.rows) == pytest.approx(fight.winner_score, abs=1e-4)
    assert sum(row.loser_similarity for row in fight.rows) == pytest.approx(fight.loser_score, abs=1e-4)
    assert sum(row.difference for row in fight.rows) == pytest.approx(fight.winner_score - fight.loser_score, abs=1e-4)


def test_the_word_that_decides_stands_first(fight):
    assert fight.rows[0].query_token == "points"


def test_the_removal_flips_the_order_when_it_is_rescored(fight, encoder):
    vectors = np.asarray(encoder.encode_documents([GLOBE])[0])
    rest = np.delete(vectors, [token.position for token in fight.removed], axis=0)
    again = lk.maxsim(encoder.encode_queries([QUERY])[0], [rest])[0]
    assert again == pytest.approx(fight.score_without)
    assert again < fight.loser_score
    for token in fight.removed:
        assert GLOBE[slice(*token.span)].lower().endswith(token.token.removeprefix("##"))


def test_the_order_of_the_arguments_does_not_matter_unless_they_tie(fight, encoder):
    assert lk.duel(QUERY, GLOBE, MATRIX, encoder) == fight
    tie = lk.duel("a point", "one point", "one point", encoder)
    assert tie.winner_score == tie.loser_score
    assert tie.score_without < tie.loser_score


def test_text_html_and_table_show_the_same_and_are_escaped(encoder):
    shown = lk.duel("a <b> tag", "the <b> tag is bold", "sort a list", encoder)
    assert repr(shown) == repr(lk.duel("a <b> tag", "the <b> tag is bold", "sort a list", encoder))
    for row in shown.rows:
        assert f"{row.difference:+.3f}" in shown.to_text()
        assert f"{row.difference:+.3f}" in shown.to_html()
    assert "&lt;" in shown.to_html()
    assert "<b>" not in shown.to_html()
    assert shown.to_frame().difference.is_monotonic_decreasing


def test_a_document_without_tokens_cannot_fight(encoder):
    with pytest.raises(lk.LabError, match="two documents with tokens"):
        lk.duel("anything", "something", "", encoder)
