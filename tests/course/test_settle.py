"""Bets with a probability, what came of them, and how sure to be next time."""

import json

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

import labkit as lk
from labkit.course.calibration import ENOUGH, Calibration
from labkit.course.catalogue import catalogue
from labkit.course.settle import Settled
from labkit.errors import LabError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


def test_a_bet_may_say_how_sure_it_is_and_what_right_would_mean(home):
    assert ", 70% sure to be at most 5 off. Of the winner's" in repr(lk.bet("01.function_words", 40, sure=0.7))
    assert ", 100% sure to be exactly right. " in repr(lk.bet("00.fusion_wins", 5, sure=1))
    assert lk.bet("01.function_words").sure == 0.7
    assert "sure" not in repr(lk.bet("01.function_words", 41))
    assert lk.bet("01.function_words").sure is None


@pytest.mark.parametrize("sure", [70, -0.1, float("nan"), True, "0.7"])
def test_a_probability_outside_0_to_1_is_refused_and_nothing_stored(sure):
    with pytest.raises(LabError, match=r"sure must be a probability from 0 to 1, such as 0\.7 for 70 %; got"):
        lk.bet("00.fusion_wins", 5, sure=sure)
    assert lk.bet("00.fusion_wins") is None


def test_a_settled_bet_is_right_near_or_wrong_by_its_own_scale():
    lk.bet("01.function_words", 40, sure=0.6)
    told = "01.function_words: it is 44.6; you bet 40, 60% sure: right, at most 5 off."
    assert repr(lk.settle("01.function_words", 44.6)) == told
    near, wrong = (lk.settle("01.function_words", truth) for truth in (55, 56))
    assert [near.verdict, wrong.verdict] == ["near", "wrong"]
    assert repr(near).endswith("sure: near, at most 15 off.")
    assert repr(wrong).endswith("sure: wrong.")
    lk.bet("00.maxsim_wins", 4)
    assert lk.settle("00.maxsim_wins", np.int64(3)).verdict == "near"


def test_without_a_bet_nothing_is_kept(home):
    assert repr(lk.settle("00.maxsim_wins", 3)) == "00.maxsim_wins: it is 3; no bet."
    assert not (home / "settled.jsonl").exists()
    lk.bet("00.maxsim_wins", 3)
    assert lk.settle("00.maxsim_wins", 3).verdict == "right"


def test_the_first_settlement_fixes_the_bet_and_the_last_one_the_truth(home):
    lk.bet("00.maxsim_wins", 9, sure=0.9)
    lk.settle("00.maxsim_wins", 3)
    lk.bet("00.maxsim_wins", 3, sure=1)
    assert lk.settle("00.maxsim_wins", 3) == Settled("00.maxsim_wins", 9, 0.9, 3.0)
    assert lk.settle("00.maxsim_wins", 9).verdict == "right"
    assert len((home / "settled.jsonl").read_text().splitlines()) == 2  # the repeated one added none


@pytest.mark.parametrize("truth", [13, -1, float("nan"), "3", None, True])
def test_a_truth_outside_of_the_bets_range_is_refused(truth):
    with pytest.raises(LabError, match=r"the truth of 00\.maxsim_wins must be a number from 0 to 12; got"):
        lk.settle("00.maxsim_wins", truth)


def test_a_broken_file_costs_only_its_broken_lines(home):
    lk.bet("00.maxsim_wins", 4, sure=0.5)
    lk.settle("00.maxsim_wins", 4)
    good = (home / "settled.jsonl").read_bytes()
    rubbish = [
        b'{"bet": ["x"], "value": 1, "truth": 2}',
        b'{"bet": "00.fusion_wins", "value": 99, "truth": 1}',
        b"\xff{",
    ]
    (home / "settled.jsonl").write_bytes(b"\n".join([*rubbish, good]))
    assert lk.calibration().to_text().startswith("bets: 1 right, 0 near, 0 wrong")


def outcomes(*groups):
    """For each (probability, right, wrong): so many settled bets."""
    fates = [(sure, truth) for sure, right, wrong in groups for truth in [3.0] * right + [12.0] * wrong]
    return [Settled("00.maxsim_wins", 3, sure, truth) for sure, truth in fates]


def test_below_24_bets_with_a_probability_there_are_counts_and_no_curve():
    few = Calibration([*outcomes((0.5, 12, 11)), Settled("00.maxsim_wins", 3, None, 4.0)])
    assert (
        few.to_text() == "bets: 12 right, 1 near, 11 wrong\nwith a probability: 23 bets and answers; the curve needs 24"
    )
    assert few.brier is None
    assert [bar.get_height() for bar in few.figure().axes[0].patches] == [12, 1, 11]


def test_from_24_on_the_curve_by_hand():
    found = Calibration(outcomes((0.5, 6, 6), (0.9, 9, 3)))
    assert np.array(found.points())[:, :3] == pytest.approx(np.array([(0.5, 0.5, 12), (0.9, 0.75, 12)]))
    # (12 · 0.25 + 9 · 0.01 + 3 · 0.81) / 24
    assert found.brier == pytest.approx(0.23)
    assert found.to_text().splitlines()[1:] == [
        "sure  right  of  95 % interval",
        " 50%    50%  12  25% to 75%",
        " 90%    75%  12  47% to 91%",
        "Brier score 0.230; always saying 62% gives 0.234",
    ]


def test_curve_and_score_equal_scikit_learns():
    rng = np.random.default_rng(3)
    sure = rng.uniform(0, 1, 200)
    right = rng.uniform(0, 1, 200) < sure**2
    pairs = zip(sure.tolist(), right, strict=True)
    found = Calibration([Settled("00.maxsim_wins", 3, s, 3.0 if r else 12.0) for s, r in pairs])
    ours = np.array([(share, said) for said, share, *_ in found.points()])
    assert ours == pytest.approx(np.transpose(calibration_curve(right, sure, n_bins=5)))
    assert found.brier == pytest.approx(brier_score_loss(right, sure))


@pytest.mark.parametrize("groups", [[(1.0, 24, 0)], [(0.0, 0, 24)]])
def test_all_right_and_all_wrong_are_drawn_too(groups):
    found = Calibration(outcomes(*groups))
    assert found.brier == 0
    assert found.to_svg().startswith("<?xml")


def test_your_calibration_reads_your_settled_bets(home):
    lk.bet("00.maxsim_wins", 4, sure=0.5)
    lk.settle("00.maxsim_wins", 4)
    lk.bet("00.fusion_wins", 4)
    lk.settle("00.fusion_wins", 12)
    assert lk.calibration().to_text() == (
        "bets: 1 right, 0 near, 1 wrong\nwith a probability: 1 bets and answers; the curve needs 24"
    )
    assert json.loads((home / "settled.jsonl").read_text().splitlines()[0])["sure"] == 0.5


def test_the_first_judged_attempt_at_an_exercise_counts_with_its_probability():
    coin, interval = lk.exercise("05.coin"), lk.exercise("05.interval")
    coin.check(..., sure=0.9)  # not attempted: no answer yet
    coin.check("b", sure=0.8)
    coin.check("a", sure=1)
    interval.check("c")  # no probability at first: not counted later either
    interval.check("c", sure=0.9)
    found = lk.calibration()
    assert (found.sure.tolist(), found.right.tolist()) == ([0.8], [False])
    assert "with a probability: 1 bets and answers" in found.to_text()


def test_a_course_has_enough_bets_and_exercises_for_a_curve_of_one_learner():
    there = catalogue()
    assert len(there.bets) + len(there.exercises) >= ENOUGH


@pytest.mark.parametrize("sure", [80, True, "sure"])
def test_an_attempt_with_a_bad_probability_is_refused_before_it_is_judged(home, sure):
    with pytest.raises(LabError, match="sure must be a probability from 0 to 1"):
        lk.exercise("05.coin").check("a", sure=sure)
    assert not (home / "progress.jsonl").exists()


def test_a_bet_after_the_settlement_says_that_it_comes_late():
    assert "counts" not in repr(lk.bet("00.maxsim_wins", 4))
    lk.settle("00.maxsim_wins", 3)
    assert repr(lk.bet("00.maxsim_wins", 3)).endswith("was held against the truth already: that one counts.")
    assert "you bet 4" in repr(lk.settle("00.maxsim_wins", 3))
