"""08.gate: what stops a deploy, given the edge cases' results and the list of known failures."""

from __future__ import annotations

import random

from labkit.course.exercises import CodeExercise, Wrong

Results = dict[str, bool | None]


def gate(results: dict[str, bool | None], known: list[str]) -> list[str]:
    """Names of what stops a deploy, sorted. A case passed (True), failed (False) or did not run (None)."""
    new = {case for case, passed in results.items() if passed is False and case not in known}
    silent = {case for case, passed in results.items() if passed is None}
    stale = {case for case in known if results.get(case) is not False}
    return sorted(new | silent | stale)


def _new(results: Results, known: list[str]) -> set[str]:
    return {case for case, passed in results.items() if passed is False and case not in known}


def _silent(results: Results) -> set[str]:
    return {case for case, passed in results.items() if passed is None}


def _gone(results: Results, known: list[str]) -> set[str]:
    return {*known} - {*results}


def _passes(results: Results, known: list[str]) -> set[str]:
    return {case for case in known if results.get(case)}


def _all_failures(results: Results, known: list[str]) -> list[str]:
    failed = {case for case, passed in results.items() if passed is False}
    return sorted(failed | _silent(results) | _gone(results, known) | _passes(results, known))


def _listed_cases_must_be_there(results: Results, known: list[str]) -> list[str]:
    return sorted(_new(results, known) | _silent(results) | {case for case in known if results[case] is not False})


def _one_by_one(results: Results, known: list[str]) -> list[str]:
    stale = [case for case in known if results.get(case) is not False]
    return sorted([*_new(results, known), *_silent(results), *stale])


def _in_order_of_running(results: Results, known: list[str]) -> list[str]:
    stops = gate(results, known)
    return [case for case in results if case in stops] + [case for case in known if case not in results]


WRONG_ANSWERS = (
    Wrong("a name twice", _one_by_one, "a known case that did not run is named twice. Name each once: collect a set."),
    Wrong(
        "only new failures",
        lambda results, known: sorted(_new(results, known)),
        "a new failure stops a deploy, and so does a case that did not run, or a list that is out of date.",
    ),
    Wrong(
        "known failures stop it too",
        _all_failures,
        "a failure on the list is accepted. If it stops every deploy, people will switch the gate off.",
    ),
    Wrong(
        "what did not run is fine",
        lambda results, known: sorted(
            _new(results, known) | {case for case in known if results.get(case, True) is True}
        ),
        "None means that the case did not run. Nobody knows whether it would pass: it stops the deploy.",
    ),
    Wrong(
        "what did not run is excused by the list",
        lambda results, known: sorted(
            {case for case, passed in results.items() if not passed and case not in known}
            | _gone(results, known)
            | _passes(results, known)
        ),
        "the list excuses a failure that was seen. A known case that did not run was not seen.",
    ),
    Wrong(
        "a stale list is fine",
        lambda results, known: sorted(_new(results, known) | _silent(results) | _gone(results, known)),
        "a known failure that passes must leave the list, or it may fail again next week and nobody will notice.",
    ),
    Wrong(
        "a case may vanish",
        lambda results, known: sorted(_new(results, known) | _silent(results) | _passes(results, known)),
        "a name on the list that has no case any more stops the deploy: somebody renamed or deleted the test.",
    ),
    Wrong(
        "a vanished case raises",
        _listed_cases_must_be_there,
        "a name on the list may have no result. `results.get(name)` gives None for it.",
    ),
    Wrong(
        "failed or silent, and not listed",
        lambda results, known: [case for case, passed in results.items() if not passed and case not in known],
        "a list that is out of date stops it too: a known failure that passes, or that has no case any more.",
    ),
    Wrong(
        "failed or silent, less the list",
        lambda results, known: sorted({case for case, passed in results.items() if not passed} - {*known}),
        "the list has to be checked as well: what on it passes by now, did not run, or is gone stops the deploy.",
    ),
    Wrong(
        "in the order of running",
        _in_order_of_running,
        "sort the names: two runs of the same gate must print the same list.",
    ),
    Wrong(
        "whether it stops",
        lambda results, known: bool(gate(results, known)),
        "return the names. A gate that says only no costs the next engineer an hour.",
    ),
    Wrong(
        "what may pass",
        lambda results, known: sorted({*results} - {*gate(results, known)}),
        "this is what does not stop the deploy. Return the others.",
    ),
)


def cases() -> list[tuple]:
    """Four to look at, then lists of every kind."""
    draw, names = random.Random(8), ["no answer", "negation", "direction", "typo", "long story", "unit"]
    drawn = []
    for _ in range(30):
        ran = draw.sample(names, draw.randint(2, 6))
        results = {name: draw.choice([True, True, False, False, None]) for name in ran}
        drawn.append((results, draw.sample(names, draw.randint(0, 3))))
    return [
        ({"unit": True, "typo": False, "direction": False}, ["direction"]),
        ({"unit": True, "typo": None}, []),
        ({"unit": True, "direction": True}, ["direction"]),
        ({"unit": True}, ["direction"]),
        *drawn,
    ]


GATE = CodeExercise(
    id="08.gate",
    title="What stops a deploy?",
    minutes=6,
    difficulty=2,
    importance=3,
    misconception="the gate compares a run with a list of known failures, and both can be wrong: a case that did not "
    "run, and a name that should have left the list.",
    see="['typo'] for `gate({'direction': False, 'typo': False, 'unit': True}, ['direction'])`: cases have any names.",
    hints=(
        "Three things stop a deploy: a new failure, a case that did not run, a name on the list that is not failing.",
        "`False`, `None` and a missing name are three different things: compare with `is False` and `is None`.",
        "Make three sets, join them with `|`, and return `sorted(...)` of that.",
    ),
    reasoning="A list of known failures is a loan. The gate collects: what passes must leave the list, what vanished "
    "must be explained, and what did not run is not a pass.",
    solution=gate,
    cases=cases,
    wrong_answers=WRONG_ANSWERS,
)

EXERCISES = (GATE,)
