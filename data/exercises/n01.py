"""Notebook 01: its bets and a question about a grid. What is to write or edit is in files of its own, ``n01_*.py``."""

from __future__ import annotations

from labkit.course.exercises import Bet, ThoughtExercise

BETS = (
    Bet("01.function_words", "Of the winner's score for T1, how many per cent come from function words?", 0, 100),
    Bet(
        "01.removed",
        "How few of the winner's tokens, well chosen, can go so that the right answer is above it?",
        1,
        100,
        off=1,
    ),
    Bet("01.shuffles", "Of 20 random orders of T2's words, how many still put melt first?", 0, 20),
)

GRID = ThoughtExercise(
    id="01.grid",
    title="Three by four, by hand",
    minutes=3,
    difficulty=1,
    importance=3,
    misconception="MaxSim pairs tokens off, one to one. It does not: one token of the document may serve many.",
    see="one sentence on the way that you added.",
    question="Rows are tokens of the question, columns are tokens of a document, each number is the dot product of "
    "their vectors. What is the MaxSim score?\n\n"
    "| | paired | distances | of | samples |\n| --- | --- | --- | --- | --- |\n"
    "| pair | 0.8 | 0.3 | 0.1 | 0.2 |\n| distances | 0.4 | 0.9 | 0.2 | 0.3 |\n| points | 0.1 | 0.5 | 0.2 | 0.4 |",
    options={
        "a": "2.3: the best of each column, added.",
        "b": "2.2: the best of each row, added.",
        "c": "2.1: the best that each row can get if no column is used twice, added.",
        "d": "4.4: all twelve, added.",
    },
    right="b",
    why={
        "a": "That asks what each token of the document finds in the question: a long document would collect ever "
        "more. The question's side is summed, the document's side is maximised.",
        "b": '0.8 + 0.9 + 0.5. The document\'s "distances" serves two tokens of the question; "of" and "samples" '
        "serve nobody: they could be anything.",
        "c": 'Nothing forbids to choose a token twice: "points" takes "distances", although that one is taken.',
        "d": "All twelve together are what two mean vectors see: their dot product is 4.4 / 12. MaxSim keeps one "
        "number a row.",
    },
    hints=("Put a finger on the first row. Which column is best? Then the next row.", "Three rows, three numbers."),
    reasoning="Each token of the question takes its best partner, whoever else took it. Then the question is summed.",
)

EXERCISES = (GRID,)
