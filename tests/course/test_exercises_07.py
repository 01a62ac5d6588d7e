"""Notebook 07: the rule by hand and by its properties, and what the decision record is sent back for."""

from dataclasses import replace

import pytest

from labkit.course.catalogue import catalogue

EXERCISES, BETS = catalogue()
decide, RECORD = EXERCISES["07.decide"].solution, EXERCISES["07.record"]
OURS = dict(RECORD.right)


@pytest.mark.parametrize(
    ("now", "low", "high", "answer"),
    [
        (0.5, 0.04, 0.10, "yes"),  # all of the interval is above 0.03
        (0.5, -0.1, -0.02, "no"),  # none of it
        (0.5, 0.01, 0.02, "no"),  # a gain for sure, and too small
        (0.5, -0.02, 0.09, "cannot tell"),
        (0.9, 0.04, 0.10, "no"),  # the bar is met
    ],
)
def test_the_rule_by_hand(now, low, high, answer):
    assert decide(now, 0.8, low, high, 0.03) == answer


@pytest.mark.parametrize("case", EXERCISES["07.decide"].cases())
def test_a_dearer_change_is_never_easier_to_justify(case):
    now, bar, low, high, worth = case
    order = ("no", "cannot tell", "yes")
    assert order.index(decide(now, bar, low, high, worth + 0.02)) <= order.index(decide(*case))


def test_the_inputs_hold_all_three_answers_and_a_bar_that_is_met():
    cases = EXERCISES["07.decide"].cases()
    assert {decide(*case) for case in cases} == {"yes", "no", "cannot tell"}
    assert any(now >= bar and low > worth for now, bar, low, _, worth in cases)


def test_a_record_with_an_open_field_is_not_attempted_and_says_which():
    outcome = RECORD.judge({**OURS, "against": ..., "in words": ...})
    assert repr(outcome) == "[not attempted] Still open: against, in words."


@pytest.mark.parametrize("untouched", [..., None])
def test_no_record_is_not_attempted(untouched):
    assert RECORD.judge(untouched).state == "not attempted"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"decision": "maybe"}, "must be one of yes, no, cannot tell; got 'maybe'"),
        ({"because": "0.13 better"}, "'because' must be a comparison"),
        ({"worth": "a lot"}, "'worth' must be the number that was agreed before; got 'a lot'"),
    ],
)
def test_a_record_that_cannot_be_read_is_an_error_that_says_what_must_be(changed, said):
    outcome = RECORD.judge({**OURS, **changed})
    assert outcome.state == "error"
    assert said in outcome.message


def test_a_record_that_lacks_a_field_and_a_text_are_errors():
    assert "lacks 'look again'" in RECORD.judge({k: v for k, v in OURS.items() if k != "look again"}).message
    assert RECORD.judge("we say yes").message == "check needs the record as a dict; got 'we say yes'."


def test_an_argument_about_another_proposal_or_without_its_rivals_name_is_sent_back():
    other = replace(OURS["against"], after="another")
    assert "same queries and the same proposal" in RECORD.judge({**OURS, "against": other}).message
    nameless = "somebody may say that all of this is far too much work for us"
    assert "name the rival" in RECORD.judge({**OURS, "in words": nameless}).message


def test_a_no_may_be_recorded_with_a_comparison_that_says_yes():
    record = {**OURS, "decision": "no", "because": OURS["against"], "against": OURS["because"]}
    assert RECORD.judge(
        {**record, "in words": "old is far worse, so this is a large step for whoever has old"}
    ).state == ("correct")


def test_the_four_decisions_are_committed_as_yes_no_or_cannot_tell():
    assert [(BETS[f"07.case_{x}"].low, BETS[f"07.case_{x}"].high) for x in "abcd"] == [(-1, 1)] * 4
