"""``lk.settle``: a bet is held against the truth, and its fate is kept for ``lk.calibration``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from numbers import Real

from labkit.course.catalogue import catalogue
from labkit.course.commitments import check_bet, check_bet_id, check_sure, keep, placed
from labkit.errors import LabError
from labkit.records import read_lines

FILE = "settled.jsonl"


@dataclass(frozen=True)
class Settled:
    """A bet beside the truth. ``value`` is None where nobody had bet."""

    bet: str
    value: int | None
    sure: float | None
    truth: float

    @property
    def verdict(self) -> str:
        """``"right"``, ``"near"`` or ``"wrong"`` by `labkit.course.exercises.Bet.judge`; ``"no bet"`` without one."""
        return "no bet" if self.value is None else catalogue().bets[self.bet].judge(self.value, self.truth)

    def __repr__(self) -> str:
        odds = "" if self.sure is None else f", {self.sure:.0%} sure"
        told = "no bet" if self.value is None else f"you bet {self.value}{odds}: {self._judged()}"
        return f"{self.bet}: it is {self.truth:.4g}; {told}."

    def _judged(self) -> str:
        bet = catalogue().bets[self.bet]
        most = {"right": bet.margin, "near": bet.near_margin}.get(self.verdict)
        return f"{self.verdict}, at most {most} off" if most else self.verdict


def settle(id: str, truth: float) -> Settled:  # noqa: A002 - the name that learners read
    """Hold a bet against the truth, in the bet's unit and not rounded, and keep what came of it.

    The bet that stands at the first settlement counts: whoever bets again has seen the answer. The truth may be
    corrected by settling again. Without a bet nothing is kept. An unknown id and a truth outside of the bet's range
    are a LabError.
    """
    truth, before = check_truth(id, truth), own_settled().get(id)
    made = before or placed().get(id)
    found = Settled(id, made.value, made.sure, truth) if made else Settled(id, None, None, truth)
    if made and found != before:
        keep(FILE, asdict(found), "outcome")
    return found


def check_truth(id: str, truth: object) -> float:  # noqa: A002
    """The truth as a float if it lies in the bet's range, else a LabError."""
    bet = catalogue().bets[check_bet_id(id)]
    if isinstance(truth, bool) or not isinstance(truth, Real) or not bet.low <= truth <= bet.high:
        raise LabError(f"the truth of {id} must be a number from {bet.low} to {bet.high}; got {truth!r}.")
    return float(truth)


def check_settled(record: Mapping[str, object]) -> Settled:
    """What a line of the file, or of a colleague's, says; a LabError if it is none."""
    bet = check_bet(record.get("bet"), record.get("value"), record.get("sure"))
    return Settled(bet.id, bet.value, bet.sure, check_truth(bet.id, record.get("truth")))


def own_settled() -> dict[str, Settled]:
    """Your settled bets by id: the bet of the first settlement, the truth of the last."""
    found: dict[str, Settled] = {}
    for line in read_lines(FILE):
        with suppress(LabError):
            new = check_settled(line)
            found[new.bet] = replace(found.get(new.bet, new), truth=new.truth)
    return found


def first_attempts() -> list[tuple[float, bool]]:
    """For each exercise whose first judged attempt had a ``sure``: that probability, and whether it was correct."""
    first: dict[str, tuple[float | None, bool]] = {}
    for line in read_lines("progress.jsonl"):
        if line.get("exercise") in catalogue().exercises and line.get("state") in ("correct", "wrong", "error"):
            with suppress(LabError):
                first.setdefault(line["exercise"], (check_sure(line.get("sure")), line["state"] == "correct"))
    return [(sure, correct) for sure, correct in first.values() if sure is not None]
