"""Notebook 08: a bet and two questions. The gate is in ``n08_gate.py``, the drill in ``n08_guard.py``."""

from __future__ import annotations

from labkit.course.exercises import Bet, ThoughtExercise

BETS = (Bet("08.refused", "Of the night's 200 requests, how many end in an exception?", 0, 200),)

SUSPECT = ThoughtExercise(
    id="08.suspect",
    title="A bad night and one wrong answer: what do you read first?",
    minutes=3,
    difficulty=1,
    importance=3,
    misconception="Whatever went wrong during an incident went wrong because of it.",
    see="one sentence on what your choice could not tell apart.",
    question="In the morning one user writes that the search gave them nonsense at 02:02. The storm began at 02:04, "
    "but clocks differ. What do you read first?",
    options={
        "a": "The curve of errors over the night: was 02:02 already inside?",
        "b": "The line of that very request: outcome, fallback, candidates, model, hashes of the texts.",
        "c": "What was deployed last.",
        "d": "Nothing: ask the same question now. If the answer is right, it was the storm.",
    },
    right="b",
    why={
        "a": "That tells what happened to others. Requests inside a storm are answered too, and outside they fail too.",
        "b": "It says whether this user was answered, by whom, and from which texts. Everything else is a guess at it.",
        "c": "It may even lead you there, by luck. The line says first whether this user was answered at all; then you "
        "know that something else changed.",
        "d": "It may be right for other reasons: another model, other texts, another cache. A replay tells them apart.",
    },
    hints=(
        "Which of the four is about this user, and which are about the night?",
        "Suppose the request was answered as planned. Which of the four would show you that?",
    ),
    reasoning="One request has one line. Read it before any curve; then replay it, and let the first difference speak.",
)

TIMEOUT = ThoughtExercise(
    id="08.timeout",
    title="timeout=0.5: what can still hold a request for seconds?",
    minutes=3,
    difficulty=2,
    importance=3,
    misconception="A client's timeout limits how long a call takes. It limits how long a single read waits.",
    see="one sentence on what half a second is measured on.",
    question="You give Cohere's client `timeout=0.5` and leave the rest as it is. The service may answer in small "
    "pieces, one every 0.1 s for two seconds. Or it may say 429 with `Retry-After: 2`. Which call takes longer than "
    "half a second?",
    options={
        "a": "Neither: that is what a timeout is for.",
        "b": "The dripping answer only.",
        "c": "The 429 only.",
        "d": "Both.",
    },
    right="d",
    why={
        "a": "The timeout starts anew with every read, and it does not run while the client sleeps.",
        "b": "It does: each piece comes in time, so no read is too long. What does the client do with Retry-After?",
        "c": "It does: the client sleeps as long as it is asked to, and then tries again. And the pieces?",
        "d": "Pieces reset the timeout, and the client's own retry sleeps outside of it. Neither is a bug.",
    },
    hints=(
        "What exactly is too long after half a second: the call, or the wait for the next byte?",
        "Who waits between two attempts, and is a connection open meanwhile?",
    ),
    reasoning="Only a clock that starts with the request and runs through reads, sleeps and retries is a deadline.",
)

EXERCISES = (SUSPECT, TIMEOUT)
