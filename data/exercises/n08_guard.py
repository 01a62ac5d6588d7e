"""08.guard: settings under which a night of 200 requests survives inside the budget, judged by running it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labkit.course.attempts import show
from labkit.course.exercises import Exercise, Outcome, Wrong
from labkit.errors import LabError

from .drill import DEFAULTS, FEWEST, LATEST, UNITS, WANTED, Drill, Night

OURS = {"deadline": 2.5, "attempts": 2, "failures": 3, "cooldown": 60.0, "max_candidates": 20, "budget": UNITS}
SHORTEST = 20  # seconds of a cooldown that leaves a service time to get well
STORM = 4  # refusals that no second attempt undoes

NO_BUDGET = f"nothing stops the spending at {UNITS} search units: set budget to what the night may cost."
FEW = f"a reranker that sees fewer than {FEWEST} candidates hardly reranks: that saves money by not doing the job."
LATE = f"the page gives up after {LATEST:g} s. A dripping reply uses the whole deadline, so the deadline is too long."
DRIPS = "ordinary replies miss this deadline. Leave them a second or more."
WAITS = "the service asks to wait 1 s and then answers. A deadline of a second leaves no time for a second attempt."
ONCE = "one attempt: every refusal of the storm is final, and a few in a row look like a dead service."
NERVOUS = "one failure opened the breaker, and the requests after it were not even tried. One failure is no illness."
ASLEEP = "the breaker stays open long after the service is well again: requests fall back that would be answered."
NO_CACHE = "four in ten questions were asked before, and were paid for again: leave the cache on."
CAP = "every 100 passages are a search unit, and 30 candidates, which is all, often have more. Cap them lower."
BURNT = "in the outage each attempt may be billed, and a third of the budget went there. The breaker opens too late."
HASTY = "after a cooldown this short the breaker lets one try after another through to a service that is still ill."
SMALL = "the budget stops calls that the night could have paid for. It may spend all that it has."


@dataclass(frozen=True, kw_only=True)
class DrillExercise(Exercise):
    """Settings of a guard, judged by the night that they lead to. ``stub`` and ``source`` are cells of a notebook."""

    right: Mapping[str, Any] = field(default_factory=lambda: dict(OURS), repr=False)
    wrong_answers: tuple[Wrong, ...]
    given: Mapping[str, Any] = field(default_factory=lambda: {"night": Night()}, repr=False)

    @property
    def source(self) -> str:
        """The solution as a notebook cell."""
        return _cell(self.right)

    @property
    def stub(self) -> str:
        """The untouched attempt: the guard's own defaults."""
        return _cell(DEFAULTS)

    def judge(self, attempt: object) -> Outcome:
        """Send the night through a guard with these settings, and say which promise broke first, and why."""
        if attempt is None or attempt is ... or attempt == DEFAULTS:
            return Outcome("not attempted", "These are the guard's defaults. Change those that break a promise.")
        if not isinstance(attempt, Mapping):
            return Outcome("error", f"check needs the settings as a dict; got {show(attempt)}.")
        settings = {**DEFAULTS, **attempt}
        if unknown := sorted(map(str, settings.keys() - {*DEFAULTS, "cache", "backoff", "max_tokens"})):
            return Outcome("error", f"there is no setting {unknown[0]!r} here; there is {', '.join(DEFAULTS)}.")
        if odd := [name for name, value in settings.items() if not isinstance(value, (int, float, type(None)))]:
            none = ", or None" if odd[0] in ("budget", "max_tokens") else ""
            return Outcome("error", f"{odd[0]} must be a number{none}; got {show(settings[odd[0]])}.")
        try:
            drill = self.given["night"].drill(**settings)
        except LabError as error:
            return Outcome("error", str(error))
        came = f"{drill.title}\n{drill.note}\n"
        if broken := _broken(settings, drill):
            few = "" if drill.answered >= WANTED else f"Fewer than {WANTED} were reranked. "
            return Outcome("wrong", f"{came}{few}Hint: {broken}")
        return Outcome("correct", f"{came}All {len(drill.rankings)} have an answer, in time and inside the budget.")


def _cell(settings: Mapping[str, Any]) -> str:
    lines = [f"    {name!r}: {value!r}," for name, value in settings.items()]
    return "\n".join(["settings = {", *lines, "}"]).replace("'", '"')


def _broken(settings: Mapping[str, Any], drill: Drill) -> str:
    """Why the night is not survived; empty if it is."""
    if settings["budget"] is None or settings["budget"] > UNITS:
        return NO_BUDGET
    if settings["max_candidates"] < FEWEST:
        return FEW
    if drill.late:
        return LATE
    return "" if drill.answered >= WANTED else _lost(settings, drill)


def _lost(settings: Mapping[str, Any], drill: Drill) -> str:
    """What kept too many requests from the reranker, from what they fell back with outside the outage."""
    if drill.calm["budget"]:
        if settings.get("cache") == 0:
            return NO_CACHE
        if drill.dear:
            return CAP
        if settings["budget"] < UNITS and drill.burnt < UNITS / 4:
            return SMALL
        return HASTY if settings["cooldown"] < SHORTEST else BURNT
    if drill.calm["deadline"] > 1:
        return DRIPS
    if drill.calm["rate limit"] > STORM:
        return ONCE if settings["attempts"] == 1 else WAITS
    return NERVOUS if settings["failures"] < 3 else ASLEEP


def _wrong(name: str, hint: str, **changed: Any) -> Wrong:
    return Wrong(name, {**OURS, **changed}, hint)


GUARD = DrillExercise(
    id="08.guard",
    title="Two hundred requests survive inside the budget",
    minutes=12,
    difficulty=3,
    importance=3,
    misconception="More attempts and longer waits make a service more reliable. They make it later and dearer.",
    see=f"no request later than {LATEST:g} s, at least {WANTED} of 200 reranked, with {FEWEST} candidates or more, and "
    f"at most {UNITS} search units spent.",
    hints=(
        f"Start with the two promises that a single setting keeps: who waits longer than {LATEST:g} s, and what stops "
        "the spending?",
        "Then the money. Each 100 passages are a unit: how many candidates fit into one? What is paid in the outage?",
        "A refusal of the storm asks for 1 s and is answered at the second attempt. The breaker should outlast single "
        "failures, open early in the outage, and not stay open for many minutes.",
    ),
    reasoning=f"A deadline below {LATEST:g} s with room for one wait of 1 s and a reply; two attempts; a breaker that "
    "opens after three failed requests and tries again each minute; candidates that fit into one unit or two; and the "
    "budget of the night. Other settings survive too.",
    wrong_answers=(
        _wrong("no budget", NO_BUDGET, budget=None),
        _wrong("hardly any candidates", FEW, max_candidates=5),
        _wrong("the default deadline", LATE, deadline=5.0),
        _wrong("no time for a second attempt", WAITS, deadline=0.9),
        _wrong("no time at all", DRIPS, deadline=0.001),
        _wrong("no second attempt", ONCE, attempts=1),
        _wrong("a nervous breaker", NERVOUS, failures=1),
        _wrong("a breaker that sleeps", ASLEEP, cooldown=900.0),
        _wrong("no breaker", BURNT, failures=1000),
        _wrong("a breaker that cannot wait", HASTY, attempts=3, failures=2, cooldown=6.0),
        _wrong("no cache", NO_CACHE, cache=0),
        _wrong("no cap", CAP, max_candidates=100),
        _wrong("half of the budget", SMALL, budget=UNITS // 2),
    ),
)

EXERCISES = (GUARD,)
