"""Notebook 05: three questions to think about. The functions to write are in files of their own, ``n05_*.py``."""

from __future__ import annotations

from labkit.course.exercises import Bet, ThoughtExercise

BETS = (
    Bet(
        "05.flips",
        "Of 100 draws of 30 dev queries, in how many is dense ahead of dense+late+fusion?",
        0,
        100,
    ),
    Bet("05.survive", "Of six comparisons on the test queries, how many does the test call better or worse?", 0, 6),
)

INTERVAL = ThoughtExercise(
    id="05.interval",
    title="What does an interval from -0.01 to +0.09 say?",
    minutes=4,
    difficulty=2,
    importance=3,
    misconception="An interval that holds 0 means that the systems are equally good. It means that these queries "
    "cannot tell.",
    see="one sentence on what your reading would make you do tomorrow.",
    question="A new system is 0.04 nDCG@10 better on 50 queries. The 95 % interval of the difference runs from -0.01 "
    "to +0.09. What do you report?",
    options={
        "a": "The systems are equally good: 0 is in the interval.",
        "b": "The new system is better: most of the interval is above 0.",
        "c": "These 50 queries cannot tell. A loss of 0.01 and a gain of 0.09 would both look like this.",
        "d": "95 % of the queries gain between -0.01 and +0.09.",
    },
    right="c",
    why={
        "a": "No difference was shown, and none was excluded: a gain of 0.09 is in there as well. Absence of evidence "
        "is not evidence of absence.",
        "b": "It may be. But a rule that ships at every such interval ships noise: watch how wide the A/A differences "
        "were.",
        "c": "That is what it says, and it names what to do next: more queries, or a smaller question.",
        "d": "The interval is of the mean. Single queries move by far more: look at the bars on the left of the plot.",
    },
    hints=(
        "What is the interval of: one query, or the mean of all?",
        "Name the smallest and the largest true difference that would not surprise you after seeing this.",
    ),
    reasoning="An interval lists the differences that the data do not contradict. Report all of them, or collect more.",
)

THRESHOLD = ThoughtExercise(
    id="05.threshold",
    title="Which threshold makes the search say *I do not know*?",
    minutes=5,
    difficulty=2,
    importance=3,
    misconception="A score measures relevance, so a fixed threshold separates answers from nonsense. It measures "
    "similarity summed over this query's tokens.",
    see="one sentence on what your threshold would do to short questions.",
    question="MaxSim adds one similarity for each query token. You want the search to stay silent when the best "
    "document is wrong. Which rule treats all questions alike, and asks how well the best document fits?",
    options={
        "a": "Silent below a score of 5.",
        "b": "Silent below half of the highest score seen so far.",
        "c": "Silent below a mean similarity a token, chosen on queries with and without answers, errors stated.",
        "d": "Silent when the best score is less than 10 % above the second.",
    },
    right="c",
    why={
        "a": "A question of four tokens cannot score above 4, however good the document. One of twenty tokens passes "
        "with anything.",
        "b": "The highest score belongs to the longest question. The rule measures length again.",
        "c": "Dividing by the number of tokens takes out the length: one rule for every question. How "
        "much nonsense it lets through is measured below.",
        "d": "A ratio takes out the length as well, but it asks whether there is a second document as good. A question "
        "with several right answers would get none.",
    },
    hints=(
        "What is the highest score that a question of one token can get?",
        "What would you have to measure before you promise your users anything?",
    ),
    reasoning="No threshold is right for all. A stated one has a recall and a share of false accepts, both measured.",
)

COIN = ThoughtExercise(
    id="05.coin",
    title="Why is the difference between two copies of one system not 0?",
    minutes=3,
    difficulty=1,
    importance=3,
    misconception="The same code gives the same mean. On other queries, or with other luck, it does not.",
    see="one sentence on where the difference came from.",
    question="For each query a coin decided which of two results goes to A and which to B. Neither copy is better. "
    "Over 20 queries A still leads, and by a few hundredths. Where does the lead come from?",
    options={
        "a": "From the coin: some large differences landed on A's side.",
        "b": "From a bug: two equal systems have equal means.",
        "c": "From the metric: nDCG@10 is noisy, another one would show 0.",
        "d": "From rounding.",
    },
    right="a",
    why={
        "a": "A few queries differ by 0.3 or more, and their side is luck. Over more queries such luck evens out, "
        "slowly: with the square root of their number.",
        "b": "They are equal in the long run. Twenty queries are not the long run.",
        "c": "Any measure that differs by query does it. Try RR@10: its differences are larger still.",
        "d": "The differences are many times larger than the last digit shown.",
    },
    hints=("Sort the 20 differences. How many of them carry the mean?", "Toss the coins again. Who leads now?"),
    reasoning="A mean over few queries is carried by a handful of them. Which ones you drew is luck.",
)

EXERCISES = (COIN, INTERVAL, THRESHOLD)
