"""07.record: a decision record whose evidence can be checked, the best argument against it included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labkit.course.attempts import show
from labkit.course.exercises import Exercise, Outcome, Wrong
from labkit.evaluation.compare import Comparison

from .memo import WORDS, decide

FIELDS = ("decision", "because", "bar", "worth", "against", "in words", "look again", "leave alone")

RULE = "your own evidence says something else: put now, bar, interval and worth into your rule, and read its answer."
SAME = "that is the evidence for it, given a second time. Against it speaks a comparison with another rival."
OTHERS = "it must be about the same queries and the same proposal, or it argues against something else."
STRAW = (
    "by the rule it says the same as the decision: a straw man. Find the rival over which the answer is another one."
)
SILENT = (
    "in words, name the rival that the argument rests on, and say why a colleague would prefer it: ten different "
    "words or more."
)
NEVER = "look again needs a sentence with a figure in digits: a number of queries, a price, a load, a date."
NOTHING = (
    "leave alone must hold the configuration of what will run: `system.configuration`. Else a tidy-up goes unseen."
)
IDLE = (
    "leave alone holds the other system's configuration. With a yes the proposal will run, else what runs today: "
    "is there a reranker in it?"
)


@dataclass(frozen=True, kw_only=True)
class RecordExercise(Exercise):
    """A decision record as a dict. Its evidence are comparisons, so that the rule can be held against them."""

    right: Mapping[str, Any] = field(repr=False)
    wrong_answers: tuple[Wrong, ...]

    def judge(self, attempt: object) -> Outcome:
        """Is the record complete, does the decision follow, and does the argument against it argue against it?"""
        if attempt is None or attempt is ...:
            return Outcome("not attempted", f"Write a dict with {', '.join(FIELDS)}.")
        if not isinstance(attempt, Mapping):
            return Outcome("error", f"check needs the record as a dict; got {show(attempt)}.")
        if open_ones := [name for name in FIELDS if attempt.get(name) is ...]:
            return Outcome("not attempted", f"Still open: {', '.join(open_ones)}.")
        if problem := _malformed(attempt):
            return Outcome("error", problem)
        came = _told(attempt)
        if hint := _weakness(attempt):
            return Outcome("wrong", f"{came}\nHint: {hint}")
        return Outcome("correct", f"{came}\nIt follows from its evidence, and it says what would change your mind.")


def _malformed(record: Mapping[str, Any]) -> str:
    """What keeps the record from being read; empty if nothing does."""
    if missing := [name for name in FIELDS if name not in record]:
        return f"a record that lacks {missing[0]!r} lacks what the next engineer looks for; it has {', '.join(record)}."
    if record["decision"] not in WORDS:
        return f"the decision must be one of {', '.join(WORDS)}; got {show(record['decision'])}."
    for name in ("because", "against"):
        if not isinstance(record[name], Comparison):
            return f"{name!r} must be a comparison, as lk.compare gives it, not a text about one."
    for name in ("bar", "worth"):
        if isinstance(record[name], bool) or not isinstance(record[name], int | float):
            return f"{name!r} must be the number that was agreed before; got {show(record[name])}."
    return ""


def _says(found: Comparison, record: Mapping[str, Any]) -> str:
    return decide(found.means[0], record["bar"], found.low, found.high, record["worth"])


def _weakness(record: Mapping[str, Any]) -> str:
    """The first thing that a careful colleague would send the record back for; empty if there is none."""
    because, against = record["because"], record["against"]
    words, again = str(record["in words"]), str(record["look again"])
    checks = (
        (_says(because, record) == record["decision"], RULE),
        (against.after == because.after and against.deltas.keys() == because.deltas.keys(), OTHERS),
        (against.before != because.before, SAME),
        (_says(against, record) != record["decision"], STRAW),
        (_named(against.before, words) and len(set(words.lower().split())) >= 10, SILENT),
        (any(letter.isdigit() for letter in again) and len(again.split()) >= 3, NEVER),
        (isinstance(record["leave alone"], Mapping) and bool(record["leave alone"]), NOTHING),
        (_will_run(record["leave alone"], because.after if record["decision"] == "yes" else because.before), IDLE),
    )
    return next((hint for kept, hint in checks if not kept), "")


def _will_run(configuration: Mapping[str, Any], name: str) -> bool:
    """Whether a configuration may be that of the system so called: it has a reranker if the name has one."""
    return "reranker" not in configuration or (configuration["reranker"] is not None) == ("+" in name)


def _named(rival: str, words: str) -> bool:
    """Whether a text names a system: by its own name or, for dense, as the course calls it."""
    return rival.lower() in words.lower() or (rival == "dense" and "twin" in words.lower())


def _told(record: Mapping[str, Any]) -> str:
    because, against = record["because"], record["against"]
    return (
        f"{record['decision']}, because of {because.after} against {because.before}: "
        f"{because.delta:+.3f} [{because.low:+.3f}, {because.high:+.3f}], {because.queries} queries\n"
        f"against it: {against.after} against {against.before}: {against.delta:+.3f} "
        f"[{against.low:+.3f}, {against.high:+.3f}], which by the rule is {_says(against, record)}"
    )


def _found(before: str, mean: float, low: float, high: float, after: str = "new", queries: int = 18) -> Comparison:
    """A comparison with these figures, to try the check on."""
    delta, ids = (low + high) / 2, {f"q{number}": 0.0 for number in range(queries)}
    return Comparison(
        before, after, "nDCG@10", (mean, mean + delta), delta, low, high, 0.01, 0.01, 0.1, 10, 4, queries - 14, ids
    )


_OURS = {
    "decision": "yes", "because": _found("old", 0.6, 0.05, 0.2), "bar": 0.75, "worth": 0.03,
    "against": _found("plain", 0.78, -0.03, 0.09),
    "in words": "plain alone meets the bar, with one index less to keep up to date",
    "look again": "when 60 queries of this kind are judged", "leave alone": {"name": "new", "k": 100},
}  # fmt: skip


def _wrong(name: str, hint: str, **changed: Any) -> Wrong:
    return Wrong(name, {**_OURS, **{key.replace("_", " "): value for key, value in changed.items()}}, hint)


RECORD = RecordExercise(
    id="07.record",
    title="A decision, and the best argument against it",
    minutes=8,
    difficulty=2,
    importance=3,
    misconception="A record defends the decision. It must hold what speaks against it: nobody else can say when it "
    "is out of date.",
    see="your decision with its interval, and beside it a comparison over which the rule answers otherwise.",
    hints=(
        "Take a case. Its evidence is in `found`; its bar and worth are in `cases`.",
        "For an argument against it compare the same proposal, on the same queries, with a rival that nobody offered.",
        "A rival that already meets the bar, or over which the gain is not sure, argues against a yes. One that is far "
        "worse than the proposal argues against a no.",
    ),
    reasoning="An argument against a decision is a measurement too: the same proposal against another rival. The "
    "record that holds it tells the next engineer what to measure again, and when.",
    right=_OURS,
    wrong_answers=(
        _wrong("not what the evidence says", RULE, decision="no", against=_found("plain", 0.4, 0.1, 0.2)),
        _wrong("the evidence twice", SAME, against=_OURS["because"]),
        _wrong("other queries", OTHERS, against=_found("plain", 0.78, -0.03, 0.09, queries=40)),
        _wrong("a weak rival", STRAW, against=_found("plain", 0.2, 0.3, 0.5)),
        _wrong("no words", SILENT, in_words="plain is fine"),
        _wrong("some day", NEVER, look_again="when things change"),
        _wrong("nothing to hold it against", NOTHING, leave_alone={}),
        _wrong("what will not run", IDLE, leave_alone={"first": {"name": "old"}, "reranker": {"name": "late"}}),
    ),
)

EXERCISES = (RECORD,)
