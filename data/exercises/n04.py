"""Notebook 04: two questions to think about, and a bet. The evaluations to spend are in ``n04_spend.py``."""

from __future__ import annotations

from labkit.course.exercises import Bet, ThoughtExercise

BETS = (
    Bet(
        "04.bytes",
        "How many bytes a token has the smallest form in the table that loses less than a hundredth of nDCG@10?",
        1,
        768,
        off=4,
    ),
)

KNOBS = ThoughtExercise(
    id="04.knobs",
    title="Which knobs move the figure most?",
    minutes=3,
    difficulty=2,
    importance=3,
    misconception="The knobs of a method are the ones that matter for it. What it is handed can matter more.",
    see="one sentence on which knobs you would turn first in a system of your own.",
    question="BM25 hands over k = 50 candidates, MaxSim sorts them. Eight knobs: k; another first stage; a sum of "
    "scores "
    "instead of MaxSim alone; b, by which BM25 discounts long texts; dimensions; bits; pooled tokens; tokens kept of "
    "a passage. Turned one at a time, "
    "which can gain most nDCG@10 here?",
    options={
        "a": "How vectors are kept: dimensions, bits, pooling.",
        "b": "What MaxSim is handed and what is added to it: first stage, sum, k.",
        "c": "How texts are cut and counted: tokens of a passage, BM25's b.",
        "d": "All about equally: each gains a little.",
    },
    right="b",
    why={
        "a": "These can hardly gain: they leave something out of the vectors. What they save is memory, and the "
        "question is "
        "what that costs.",
        "b": "MaxSim sorts what it gets. Another first stage changes the list itself; a second opinion changes the "
        "order.",
        "c": "Passages are already cut to fit. A shorter cut only leaves words out, and b moves a few candidates: what "
        "that gains is no more than noise.",
        "d": "The table below will show it: the largest gain is more than four times the third.",
    },
    hints=(
        "Notebook 02 had a table of ceilings. Which of these knobs moves the ceiling?",
        "Sort the knobs into two heaps: those that can add something, and those that only leave something out.",
    ),
    reasoning="A knob that only removes information can at best cost nothing. Gains come from what was not there "
    "before.",
)

SUM = ThoughtExercise(
    id="04.sum",
    title="The best of each knob, all at once: how good?",
    minutes=4,
    difficulty=2,
    importance=3,
    misconception="Gains of single knobs add up. They do so only where knobs have nothing to do with each other.",
    see="one sentence on what you compare a combination with.",
    question="Alone, the first stage, the sum and a larger k each gain on the base. You set all three: the "
    "twin, the sum, k = 100. What will the figures of this sweep show?",
    options={
        "a": "The sum of the three gains.",
        "b": "More than the sum: good parts help each other.",
        "c": "Less than the sum, since they repair some of the same queries.",
        "d": "The largest single gain, since the others are included in it.",
    },
    right="b",
    why={
        "a": "Gains add up only where the knobs touch different queries, or different mistakes. These touch the "
        "same lists.",
        "b": "The twin's candidates hold answers that BM25's lack, and MaxSim alone sorts some of them down again. "
        "The sum "
        "keeps them. So the sum is worth more over better candidates.",
        "c": "That is common, when two knobs repair the same mistake. Here one brings the answers, and the other keeps "
        "them: two mistakes in a row.",
        "d": "Then the sum would do nothing over the twin's candidates. Look at notebook 02's table.",
    },
    hints=(
        "Notebook 02 had rows for both: MaxSim over the twin's candidates, and the sum over them.",
        "An answer has to be among the candidates and then on top. Which knob repairs which of the two?",
    ),
    reasoning="Whether gains add up is a finding, not a rule: knobs that repair mistakes in a row help each other, "
    "knobs "
    "that repair the same one share the gain. A combination is measured.",
)

EXERCISES = (KNOBS, SUM)
