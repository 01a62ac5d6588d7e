"""07.decide: the rule of the memo, written before the figures are seen."""

from __future__ import annotations

import random

from labkit.course.exercises import CodeExercise, Wrong

from .memo import decide

WAIT = "cannot tell"

WRONG_ANSWERS = (
    Wrong(
        "the middle decides",
        lambda now, bar, low, high, worth: "no" if now >= bar or (low + high) / 2 <= worth else "yes",
        "the middle of an interval always falls on one side. Then nobody ever cannot tell: use both ends.",
    ),
    Wrong(
        "no bar",
        lambda now, bar, low, high, worth: decide(0, 1, low, high, worth),
        "what runs today may already meet the bar. Then there is nothing to pay for, whatever the gain.",
    ),
    Wrong(
        "the bar last",
        lambda now, bar, low, high, worth: "yes" if low > worth else "no" if now >= bar or high <= worth else WAIT,
        "the bar comes first: a sure gain is no reason to change what already does its job.",
    ),
    Wrong(
        "above nothing",
        lambda now, bar, low, high, worth: decide(now, bar, low, high, 0),
        "a gain above 0 is a gain. Whether it pays is another question: compare with worth.",
    ),
    Wrong(
        "0 in the interval",
        lambda now, bar, low, high, worth: (
            "no" if now >= bar else WAIT if low <= 0 <= high else "yes" if low > worth else "no"
        ),
        "0 plays no part in this rule: worth does. An interval with 0 in it that ends below worth is a no.",
    ),
    Wrong(
        "better, worse or neither",
        lambda now, bar, low, high, worth: "yes" if low > 0 else "no" if high < 0 else WAIT,
        "that asks whether there is a difference. The memo asks two other things: is the bar met, and does it pay?",
    ),
    Wrong(
        "only a sure loss is a no",
        lambda now, bar, low, high, worth: "no" if now >= bar else "yes" if low > worth else "no" if high < 0 else WAIT,
        "a gain that ends at worth or below cannot pay, even where it is none of it a loss: compare high with worth.",
    ),
    Wrong(
        "worth itself pays",
        lambda now, bar, low, high, worth: "no" if now >= bar or high < worth else "yes" if low >= worth else WAIT,
        "the edges: yes needs the whole interval above worth; an interval that ends on worth is a no.",
    ),
    Wrong(
        "an end on worth is open",
        lambda now, bar, low, high, worth: "no" if now >= bar or high < worth else "yes" if low > worth else WAIT,
        "the upper edge: an interval that ends on worth cannot be above it. That is a no.",
    ),
    Wrong(
        "a start on worth pays",
        lambda now, bar, low, high, worth: (
            "no" if now >= bar else "yes" if low >= worth else decide(0, 1, low, high, worth)
        ),
        "the lower edge: a gain that may be no more than worth does not surely pay. Yes needs low above worth.",
    ),
    Wrong(
        "the bar is missed on the bar",
        lambda now, bar, low, high, worth: "no" if now > bar else decide(0, 1, low, high, worth),
        "a system that stands on its bar meets it.",
    ),
    Wrong(
        "yes unless it is sure to fail",
        lambda now, bar, low, high, worth: "no" if now >= bar or high <= worth else "yes",
        "this ships whatever was not refuted. Yes needs the whole interval above worth.",
    ),
    Wrong(
        "no unless it is sure to pay",
        lambda now, bar, low, high, worth: "yes" if now < bar and low > worth else "no",
        "no is a finding as well: the whole interval at worth or below. Between the two nobody can tell.",
    ),
    Wrong(
        "a loss is the only no",
        lambda now, bar, low, high, worth: "no" if now >= bar or high <= 0 else "yes" if low > worth else WAIT,
        "a gain that cannot reach worth is a no, even if it is above 0: the upper end decides.",
    ),
    Wrong(
        "upside down",
        lambda now, bar, low, high, worth: (
            "no" if now >= bar else "yes" if high < worth else "no" if low >= worth else WAIT
        ),
        "low is the least that the gain may be. If even that is above worth, the answer is yes.",
    ),
    Wrong(
        "below the bar is the no",
        lambda now, bar, low, high, worth: "no" if now < bar else decide(0, 1, low, high, worth),
        "a system below its bar is the one that needs help. The no belongs to the one that meets it.",
    ),
    Wrong(
        "the bar for the new one",
        lambda now, bar, low, high, worth: "no" if now + low >= bar else decide(0, 1, low, high, worth),
        "the bar asks what runs today. Where it would be after the change is the next question.",
    ),
)


def cases() -> list[tuple]:
    """Five to look at, then draws of every kind, with the ends on worth and now on the bar among them."""
    draw = random.Random(7)
    drawn = []
    for _ in range(60):
        low = draw.randint(-20, 10) / 100
        high = low + draw.randint(1, 20) / 100
        drawn.append(
            (draw.randint(3, 9) / 10, draw.choice([0.6, 0.7, 0.8]), low, round(high, 2), draw.choice([0.02, 0.05]))
        )
    return [
        (0.5, 0.8, 0.04, 0.1, 0.03),
        (0.5, 0.8, -0.1, -0.02, 0.03),
        (0.5, 0.8, -0.02, 0.09, 0.03),
        (0.9, 0.8, 0.04, 0.1, 0.03),
        (0.5, 0.8, 0.01, 0.02, 0.03),
        (0.8, 0.8, 0.04, 0.09, 0.03),
        (0.5, 0.8, 0.03, 0.09, 0.03),
        (0.5, 0.8, -0.01, 0.03, 0.03),
        *drawn,
    ]


DECIDE = CodeExercise(
    id="07.decide",
    title="Yes, no, cannot tell: what decides?",
    minutes=5,
    difficulty=1,
    importance=3,
    misconception="a better system is worth having. It is if what runs today misses the bar, and if the gain is sure "
    "to be above what it costs.",
    see='"yes" for a gain of 0.04 to 0.10 where 0.03 pays, below the bar; "no" for the same above it.',
    hints=(
        "Three questions in this order: does today's system meet the bar? Is even the least gain enough? Is even the "
        "largest too small?",
        "Meeting the bar is now >= bar. Enough is more than worth; worth itself does not pay.",
        'if now >= bar: "no"; if low > worth: "yes"; if high <= worth: "no"; else "cannot tell".',
    ),
    reasoning="The order matters. The bar stops a change that nobody needs, worth stops one that does not pay, and "
    "what is left in between is a question for more queries.",
    solution=decide,
    cases=cases,
    wrong_answers=WRONG_ANSWERS,
)

EXERCISES = (DECIDE,)
