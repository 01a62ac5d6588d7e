"""Notebook 02: two questions to think about. The functions to write are in files of their own, ``n02_*.py``."""

from __future__ import annotations

from labkit.course.exercises import ThoughtExercise

FLIPS = ThoughtExercise(
    id="02.flips",
    title="Which change puts T4's answer in front of the reranker?",
    minutes=5,
    difficulty=2,
    importance=3,
    misconception="A better reranker repairs every search. It cannot return what it was not handed.",
    see="one sentence on what your change does to T4.",
    question="T4 asks to throw away rows that occur more than once. BM25 has the answer below rank 50, the pipeline "
    "reranks k = 50 and returns top_n = 5. Which change can put the answer in front of the reranker at all?",
    options={
        "a": "A bigger reranker.",
        "b": "A larger top_n.",
        "c": "A larger k, or another first stage.",
        "d": "More query tokens for the encoder.",
    },
    right="c",
    why={
        "a": "A bigger reranker sorts the same 50 candidates. The answer is not one of them.",
        "b": "top_n cuts the sorted list. Even top_n = 50 only shows the same 50 candidates.",
        "c": "Only the first stage decides who is on the list. A larger k reaches further down it; the dense twin "
        "makes another list. Whether the reranker then likes the answer is the next question: see the table below.",
        "d": "The question is short: all its tokens are already encoded. And they still meet the same 50 candidates.",
    },
    hints=(
        "Write down the candidates' ids. Is the answer's id among them?",
        "Sort the options into two heaps: what changes the list, and what changes its order.",
    ),
    reasoning="Recall at k is a ceiling: no order of the candidates contains a document that is not among them.",
)

COLD = ThoughtExercise(
    id="02.cold",
    title="Why is the second run faster?",
    minutes=3,
    difficulty=1,
    importance=2,
    misconception="Late interaction is slow. Encoding is; what comes after is a matrix product.",
    see="one sentence on where the time went.",
    question="The model is loaded, the store of vectors is empty. You rerank the same 50 candidates twice, for the "
    "same question. Why does the second run take less time?",
    options={
        "a": "The reranker remembers the scores of this question.",
        "b": "The vectors of the 50 documents are in the store now.",
        "c": "The first run downloaded the model.",
        "d": "The first stage hands over fewer candidates.",
    },
    right="b",
    why={
        "a": "Scores are computed again. Ask something else that has the same candidates: it is just as fast.",
        "b": "Document vectors do not depend on the question, so they are encoded once. MaxSim itself takes "
        "milliseconds. A cross-encoder has nothing to keep: it reads question and document together.",
        "c": "Nothing is downloaded, and the model was loaded before the clock started.",
        "d": "Both runs rerank the same 50 candidates. Count them.",
    },
    hints=(
        "Which of the three steps (encode the question, encode the documents, MaxSim) needs the question?",
        "Which of them had the first run to do, that the second one found in the store?",
    ),
    reasoning="Late interaction moves the work to where it can be done ahead of time: one side at a time.",
)

EXERCISES = (FLIPS, COLD)
