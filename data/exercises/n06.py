"""Notebook 06: three questions to think about, the second over a shipped ledger (`recipes/detective.py` made it)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labkit.course.exercises import ThoughtExercise

LEDGER = Path(__file__).parent / "detective.jsonl"


@dataclass(frozen=True, kw_only=True)
class LedgerExercise(ThoughtExercise):
    """A question about a shipped ledger, whose file it hands out."""

    given: dict[str, Any] = field(default_factory=lambda: {"ledger": str(LEDGER)}, repr=False)


TWO_KNOBS = ThoughtExercise(
    id="06.two_knobs",
    title="Two changes, one gain: what do you know?",
    minutes=3,
    difficulty=1,
    importance=3,
    misconception="If two changes together gain, each of them helps. One may lose what the other gains.",
    see="one sentence on what the two missing runs would tell.",
    question="In one run you added two scores to MaxSim, the twin's cosine and half of BM25, and T10 came back to the "
    "top. Which sentence is safe, before you run anything else?",
    options={
        "a": "Both changes help T10.",
        "b": "At least one of them helps, and the other one does not hurt.",
        "c": "Together they help T10. What each does alone needs the two runs in between.",
        "d": "BM25 did it: the ticket's words are in the document.",
    },
    right="c",
    why={
        "a": "One may help and the other do nothing. Look at the cells in between.",
        "b": "The other may hurt a little less than the first one helps. The sum cannot tell.",
        "c": "Four cells, two knobs: the run with only the first change, and the run with only the second, decide.",
        "d": "A good guess, and so far no more than that. The two runs in between turn it into a finding.",
    },
    hints=(
        "Draw the two by two table. Which cells did the one run fill?",
        "Could one of the two scores push the document down while the other pulls it up further?",
    ),
    reasoning="Two knobs have four settings. One run compares two of them and leaves the path between them open.",
)

DETECTIVE = LedgerExercise(
    id="06.detective",
    title="Twelve runs: which gain came from something else?",
    minutes=8,
    difficulty=2,
    importance=3,
    misconception="A note says what changed. It says what its writer meant to change.",
    see="one sentence on what the run's line says that its note does not.",
    question="Each of these four runs gained on its parent. One gain is not the doing of what is noted. Which one?",
    options={
        "a": "Run 3, noted *twin instead of BM25*.",
        "b": "Run 6, noted *MaxSim, twin and half of BM25, added up, on top of BM25*.",
        "c": "Run 8, noted *MaxSim and half of BM25 added to the twin*.",
        "d": "Run 10, noted *run 6 with less length normalisation, b = 0.3*.",
    },
    right="d",
    why={
        "a": "One knob changed, the first stage, and the note says so. Same queries, same hash of the data.",
        "b": "One knob changed, the reranker, as noted. The number of queries and the hash of the data stay.",
        "c": "Against its parent, run 3, one knob changed, the reranker, as noted. The data's hash is the same.",
        "d": "Its line has another hash of the data, and fewer queries: hard ones are gone. The first cause that diff "
        "names is the data. Run 11, over the old data again, shows what b = 0.3 does by itself.",
    },
    hints=(
        "`ledger.diff(a, b)` names causes in order. For an honest run it names exactly what the note says.",
        "Look at the column `queries` of `ledger.to_frame()`. A mean over other queries is another mean.",
    ),
    reasoning="A change in the data moves every system. Hashes of texts, queries and judgments belong beside "
    "each figure.",
)

WINNER = ThoughtExercise(
    id="06.winner",
    title="Why is the winner's gain smaller on test?",
    minutes=4,
    difficulty=2,
    importance=3,
    misconception="A gain that shrinks on test came from a clumsy method. Choosing the best of several is enough.",
    see="one sentence on what the choice itself did.",
    question="You tried eight changes on the dev queries and took the best. On test its gain will usually be smaller. "
    "Why, even if each single run was clean?",
    options={
        "a": "The test queries are harder.",
        "b": "The best of eight had the largest sum of luck and merit. On test only the merit comes back.",
        "c": "The test split has fewer queries.",
        "d": "The p-values were not corrected.",
    },
    right="b",
    why={
        "a": "Harder queries lower both systems. The difference need not shrink for that.",
        "b": "Each measured gain is merit plus luck. Picking the largest sum picks large luck. It does not travel.",
        "c": "Fewer queries make the gain noisier, in both directions. They do not make it smaller.",
        "d": "Correction changes what you may claim, not what the system does on test.",
    },
    hints=(
        "Suppose all eight changes do nothing. What is the largest of the eight measured gains? And its gain on test?",
        "Which part of a measured gain belongs to the system, and which to the queries that you drew?",
    ),
    reasoning="Selection turns noise into apparent gain. The more you try, the more of it; one look at test tells.",
)

EXERCISES = (TWO_KNOBS, DETECTIVE, WINNER)
