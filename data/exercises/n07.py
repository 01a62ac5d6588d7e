"""Notebook 07: four decisions to commit to, and two questions. The rule and the record are in ``n07_*.py``."""

from __future__ import annotations

from labkit.course.exercises import Bet, ThoughtExercise

_ANSWERS = "1 yes, -1 no, 0 these queries cannot tell"
BETS = (
    Bet("07.case_a", f"Names in a search box, BM25 today: is MaxSim worth it? {_ANSWERS}.", -1, 1),
    Bet("07.case_b", f"Two or three words, fusion today: is MaxSim with fusion worth it? {_ANSWERS}.", -1, 1),
    Bet("07.case_c", f"Whole sentences, the twin today: is MaxSim over BM25 worth it? {_ANSWERS}.", -1, 1),
    Bet("07.case_d", f"Numbers and units, raw pages, BM25 today: is MaxSim worth it? {_ANSWERS}.", -1, 1),
)

MONDAY = ThoughtExercise(
    id="07.monday",
    title="The queries cannot tell. What happens on Monday?",
    minutes=3,
    difficulty=2,
    importance=3,
    misconception="Cannot tell is a polite no, or a shy yes. It is a finding about the queries, and it has a price.",
    see="one sentence on what would settle it, and what that costs.",
    question="Seven queries, an interval that holds both a loss and a gain worth having. Somebody wants an answer. "
    "What do you write into the memo?",
    options={
        "a": "Yes: the difference is above 0, and something has to be decided.",
        "b": "No: what is not proven does not go live, and nobody needs to come back to it.",
        "c": "Today's system stays for now; how many judged queries would settle it, who judges them, and by when.",
        "d": "Run it again with another k until the interval is clear of 0.",
    },
    right="c",
    why={
        "a": "Two copies of one system also differ, by this much and more, on seven queries (notebook 05). That is no "
        "evidence, and the new system costs something every day.",
        "b": "Staying is right as a default. Never coming back turns a missing measurement into a finding.",
        "c": "The cheaper system is the default, and the memo buys the missing evidence instead of guessing it. "
        "Queries from the log and an afternoon of judging are cheaper than a wrong system.",
        "d": "With enough settings one of them clears 0 by luck. More tries are not more queries.",
    },
    hints=(
        "Which of the four would you also write if the true difference were 0? And if it were large?",
        "The lesson: *You do not yet have any eval signal: build the eval first.* How large, here?",
    ),
    reasoning="Cannot tell names a price: so many queries. The memo says who pays it, and what runs until then.",
)

REMAP = ThoughtExercise(
    id="07.remap",
    title="One id, another model: who notices first?",
    minutes=3,
    difficulty=2,
    importance=3,
    misconception="A pinned model id pins the model. It pins a name; what answers to it is the vendor's decision.",
    see="how many results your page shows, before and after.",
    question="Your configuration has said `rerank-v3.5` for a year. Your page hides results below a score of 0.6. "
    "From today the vendor serves another model under that id, one that ranks about as well. What notices "
    "first?",
    options={
        "a": "The configuration: the id is pinned, so the model cannot change.",
        "b": "The error rate and the latency, which are alarmed.",
        "c": "A weekly evaluation of nDCG@10.",
        "d": "A few stored questions, asked every hour: scores and order held against those of the decision.",
    },
    right="d",
    why={
        "a": "The id is a name in a request. Nothing that you own changes when another model answers to it.",
        "b": "The new model answers without an error, and perhaps faster. To both alarms that is a good day.",
        "c": "nDCG reads the order. The order is about as good, so it reports a quiet week, while the page hides "
        "what it showed.",
        "d": "Such a canary compares what came then with what comes now. Scores move first, and with them your page.",
    },
    hints=(
        "The new model ranks as well and answers as fast. What is left that can differ?",
        "Which of your own settings is a number on the scale of a model's scores?",
    ),
    reasoning="Every part that somebody else runs can change without a commit of yours. Count it as a moving part, and "
    "keep a few answers of today to hold against tomorrow's.",
)

EXERCISES = (MONDAY, REMAP)
