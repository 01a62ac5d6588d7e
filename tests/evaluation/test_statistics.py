"""Intervals, tests and power: by hand, by brute force, then over many trials in which nothing is to be found."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit as lk
from labkit.evaluation.statistics import holm, interval, permutation_p, smallest_effect

TRIALS = 2_000


def test_three_wins_come_about_by_luck_in_two_of_eight_ways():
    assert permutation_p([0.1, 0.2, 0.3]) == 2 / 8


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=8).filter(lambda values: sum(map(bool, values)) > 1))
def test_few_differences_give_the_share_of_all_swaps_that_are_as_extreme(values):
    total = abs(sum(values))
    swaps = itertools.product([-1, 1], repeat=len(values))
    extreme = [abs(sum(s * v for s, v in zip(swap, values, strict=True))) >= total for swap in swaps]
    assert permutation_p(np.array(values) / 8) == pytest.approx(min(1.0, np.mean(extreme)))


def test_no_difference_at_all_is_certain_to_be_luck():
    assert permutation_p([0.0, 0.0, 0.0]) == 1.0
    assert permutation_p([0.4]) == 1.0


def test_a_p_value_of_random_swaps_is_never_zero():
    assert permutation_p(np.full(60, 0.3) + np.arange(60) / 1000, resamples=999) == pytest.approx(2 / 1000)


def test_ties_between_systems_change_no_p_value():
    few = [0.2, -0.1, 0.3, 0.25, 0.05]
    assert permutation_p(few + [0.0] * 40) == permutation_p(few)


def test_equal_differences_have_an_interval_without_width():
    assert interval([0.25] * 7) == (0.25, 0.25)


def test_the_interval_of_few_differences_is_wider_than_the_percentiles_alone():
    values = np.random.default_rng(3).normal(0.1, 0.2, 8)
    low, high = interval(values)
    plain = np.percentile(np.random.default_rng(3).choice(values, (20_000, 8)).mean(1), [2.5, 97.5])
    student = 2.365 * values.std(ddof=1) / math.sqrt(8)  # t at 97.5 %, 7 degrees of freedom
    assert high - low > 1.1 * (plain[1] - plain[0])
    assert (high - low) / 2 == pytest.approx(student, rel=0.15)


def test_the_same_seed_gives_the_same_figures():
    values = np.random.default_rng(0).normal(size=40)
    assert interval(values) == interval(values)
    assert permutation_p(values) == permutation_p(values)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_the_smallest_effect_halves_with_four_times_the_queries():
    assert smallest_effect(100, 0.25) == pytest.approx(2.8016 * 0.25 / 10, rel=1e-4)
    assert smallest_effect(400, 0.25) == pytest.approx(smallest_effect(100, 0.25) / 2)


def test_a_true_effect_of_that_size_is_found_four_times_in_five():
    draw = np.random.default_rng(5)
    effect = smallest_effect(60, 0.25)
    found = [permutation_p(draw.normal(effect, 0.25, 60), 499) <= 0.05 for _ in range(300)]
    assert np.mean(found) == pytest.approx(0.8, abs=2.6 * math.sqrt(0.16 / 300))


@pytest.mark.parametrize("values", [[], [0.1, math.nan], [[0.1], [0.2]]])
def test_what_is_no_list_of_numbers_is_refused(values):
    for function in (interval, permutation_p):
        with pytest.raises(lk.LabError, match="finite numbers"):
            function(values)
    with pytest.raises(lk.LabError, match="one query or more"):
        smallest_effect(0, 0.2)


@pytest.mark.slow
@pytest.mark.parametrize("queries", [60, 100])
def test_over_many_trials_of_identical_systems_the_test_keeps_its_level_and_the_interval_its_coverage(queries):
    """Each trial gives every query's two results to A and B by the toss of a coin, so A and B are the same system."""
    deltas, draw = paired_differences(), np.random.default_rng(2_026)
    rejected = covered = 0
    for trial in range(TRIALS):
        sample = draw.choice(deltas, queries) * draw.choice([-1, 1], queries)
        rejected += permutation_p(sample, 999, seed=trial) <= 0.05
        low, high = interval(sample, seed=trial)
        covered += low <= 0 <= high
    by_luck = 1.96 * math.sqrt(0.05 * 0.95 / TRIALS)
    print(f"n = {queries}: rejected {rejected / TRIALS:.4f}, covered {covered / TRIALS:.4f}, +-{by_luck:.4f}")
    assert rejected / TRIALS == pytest.approx(0.05, abs=by_luck)
    assert covered / TRIALS == pytest.approx(0.95, abs=by_luck)


def paired_differences():
    """nDCG@10 of MaxSim over BM25 minus that of the dense twin, on the dev queries of pydocs."""
    c = lk.load_collection("pydocs")
    before, after = (lk.evaluate(lk.system(name, c), c, "dev") for name in ("dense", "bm25+late"))
    return np.array(list(lk.compare(before, after).deltas.values()))
