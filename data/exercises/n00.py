"""Notebook 00: one question about who sees what, and the two bets that notebook 05 settles."""

from __future__ import annotations

from labkit.course.exercises import Bet, ThoughtExercise

BETS = (
    Bet("00.maxsim_wins", "On how many of the twelve tickets does MaxSim rank a right answer higher than BM25?", 0, 12),
    Bet("00.fusion_wins", "On how many of the twelve does the fusion rank a right answer higher than BM25?", 0, 12),
)

DIRECTION = ThoughtExercise(
    id="00.direction",
    title="What does the reranker never see?",
    minutes=3,
    difficulty=1,
    importance=3,
    misconception="A reranker searches the collection. It does not: it sorts the candidates that it is handed.",
    see="one sentence on what your choice gets right or wrong.",
    question="BM25 hands its best 50 documents to the reranker, which returns 5 of them. What does the reranker "
    "never see?",
    options={
        "a": "The words of the question that BM25 drops as stop words.",
        "b": "Every document that BM25 ranked below 50.",
        "c": "The candidates that BM25 ranked from 40 to 50.",
        "d": "The text of the documents: it works from BM25's scores.",
    },
    right="b",
    why={
        "a": "The reranker reads the question as you typed it, stop words and all: they count in its sum.",
        "b": "It sorts 50 candidates and nothing else. An answer at rank 51 stays lost, whatever the model.",
        "c": "It scores all 50, and the last of them can become the first. Look for such a line in the slope chart.",
        "d": "It reads the texts themselves and never looks at BM25's scores. BM25's rank only breaks ties.",
    },
    hints=(
        "Follow one document: it is in the collection, then among the 50, then among the 5. Who decides at each step?",
        "What would the reranker have to do to find a document that is not on its list?",
    ),
    reasoning="Information flows one way: collection, first stage, candidates, reranker. What is cut stays cut.",
)

EXERCISES = (DIRECTION,)
