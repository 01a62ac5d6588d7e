"""What a learner commits to before the result, kept until notebook 05: ``lk.bet`` and ``lk.claim``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from numbers import Real

from labkit.course.catalogue import catalogue
from labkit.errors import LabError
from labkit.ranking.systems import require_system
from labkit.records import append_line, read_lines


@dataclass(frozen=True)
class PlacedBet:
    """What is stored for a bet, or that nothing is. ``sure``: how probable, 0 to 1, the bettor thinks it is right."""

    id: str
    value: int | None
    sure: float | None = None

    def __repr__(self) -> str:
        bet = catalogue().bets[self.id]
        if self.value is None:
            return f"No bet yet. {bet.question} Put a whole number from {bet.low} to {bet.high} in place of `...`."
        near = f"to be at most {bet.margin} off" if bet.margin else "to be exactly right"
        odds = "" if self.sure is None else f", {self.sure:.0%} sure {near}"
        return f"Your bet {self.id}: {self.value} (from {bet.low} to {bet.high}){odds}. {bet.question}"


class LateBet(PlacedBet):
    """A bet after another on the same id was settled."""

    def __repr__(self) -> str:
        return f"{super().__repr__()} Your bet before this one was held against the truth already: that one counts."


_READ = object()


def bet(id: str, value: object = _READ, sure: object = None) -> PlacedBet | None:  # noqa: A002 - learners read the name
    """Store a bet; without a value, return the one that is stored, or None. The latest bet on an id counts.

    ``sure`` says how probable you think it is, 0 to 1, that you are right (by `labkit.course.exercises.Bet.judge`). An
    unknown id, a value that is no whole number in the bet's range, and another ``sure`` are a LabError.
    """
    if value is _READ:
        check_bet_id(id)
        return placed().get(id)
    if value is None or value is ...:
        return PlacedBet(check_bet_id(id), None)
    from labkit.course.settle import own_settled  # which itself reads placed bets

    made = check_bet(id, value, sure)
    keep("bets.jsonl", {"bet": id, "value": made.value} | ({} if made.sure is None else {"sure": made.sure}), "bet")
    return LateBet(made.id, made.value, made.sure) if made.id in own_settled() else made


def check_bet_id(id: object) -> str:  # noqa: A002
    """The id if the course has such a bet, else a LabError."""
    there = catalogue().bets
    if not isinstance(id, str) or id not in there:
        raise LabError(f"there is no bet {id!r}; there is {', '.join(sorted(there))}.")
    return id


def check_bet(id: object, value: object, sure: object = None) -> PlacedBet:  # noqa: A002
    """The bet if it can be placed, else a LabError that says why not."""
    known = catalogue().bets[check_bet_id(id)]
    if isinstance(value, bool) or not hasattr(value, "__index__") or not known.low <= value.__index__() <= known.high:
        raise LabError(f"the bet {id} must be a whole number from {known.low} to {known.high}; got {value!r}.")
    return PlacedBet(known.id, value.__index__(), check_sure(sure))


def check_sure(sure: object) -> float | None:
    """A probability as a float, or None where none was given, else a LabError."""
    if sure is not None and (isinstance(sure, bool) or not isinstance(sure, Real) or not 0 <= sure <= 1):
        raise LabError(f"sure must be a probability from 0 to 1, such as 0.7 for 70 %; got {sure!r}.")
    return None if sure is None else float(sure)


def placed() -> dict[str, PlacedBet]:
    """The latest bet on each id; lines that are no bets are skipped."""
    found = {}
    for line in read_lines("bets.jsonl"):
        with suppress(LabError):
            made = check_bet(line.get("bet"), line.get("value"), line.get("sure"))
            found[made.id] = made
    return found


@dataclass(frozen=True)
class Claim:
    """A sentence that can turn out wrong: one system beats another by so much nDCG@10. Empty while nothing is said."""

    id: str
    better: str = ""
    than: str = ""
    by: float = 0.0

    def __repr__(self) -> str:
        if not self.better:
            return "No claim yet. Put two systems and a difference in nDCG@10 in place of each `...`."
        return f"Your claim {self.id}: {self.better} beats {self.than} by at least {self.by:g} nDCG@10."


def claim(
    id: str,  # noqa: A002 - the name that learners read
    better: object = _READ, than: object = ..., by: object = ...,
) -> Claim | None:  # fmt: skip
    """Store a claim to be tested later; with the id alone, return the one that is stored, or None. The latest counts.

    Raises a LabError for a system that there is not, for twice the same one, and for a difference that is no number
    from 0 to 1.

    Parameters
    ----------
    id : the notebook's number, for example ``"02"``
    better, than : two systems in the words of the command line, for example ``"bm25+late"`` and ``"dense"``
    by : by how much nDCG@10, from 0 to 1
    """
    if better is _READ:
        stored = [line for line in read_lines("claims.jsonl") if line.get("claim") == id]
        return Claim(id, stored[-1]["better"], stored[-1]["than"], stored[-1]["by"]) if stored else None
    if ... in (better, than, by):
        return Claim(id)
    for name in (better, than):
        require_system(name)
    if better == than:
        raise LabError(f"a claim needs two systems; got {better!r} twice.")
    if isinstance(by, bool) or not isinstance(by, Real) or not 0 <= by <= 1:
        raise LabError(f"by must be a difference in nDCG@10 from 0 to 1; got {by!r}.")
    made = Claim(id, str(better), str(than), float(by))
    keep("claims.jsonl", {"claim": id, "better": made.better, "than": made.than, "by": made.by}, "claim")
    return made


def keep(name: str, record: Mapping[str, object], what: str) -> None:
    """Append a record that must not be lost without a word."""
    try:
        append_line(name, record)
    except OSError as error:
        raise LabError(f"the {what} was not stored: {error}. Set LABKIT_HOME to a folder you may write to.") from None
