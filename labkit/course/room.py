"""A room that bets together: ``lk.share_bets`` writes your bets into a shared folder, ``lk.room_bets`` pools them.

Sharing is a file that you choose to write, under a nickname: bets and their outcomes, nothing else.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

from labkit import paths
from labkit.course.catalogue import catalogue
from labkit.course.commitments import PlacedBet, check_bet, check_bet_id, keep, placed
from labkit.course.settle import Settled, check_settled, check_truth, own_settled
from labkit.errors import LabError
from labkit.records import read_lines
from labkit.scoring.table import Explanation

ENDING = ".bets.json"
LARGEST = 100_000  # bytes of a file; all bets of the course take a fiftieth of it
WIDEST = 40  # characters of a bar


def share_bets(folder: Path | str, name: str) -> Path:
    """Write your bets and their outcomes to ``folder/<name>.bets.json``. Share again to bring it up to date.

    A LabError for a name that is no nickname (1 to 30 letters, digits, ``-`` and ``_``) or that somebody else has taken
    there, and for a folder that cannot be written.
    """
    if not isinstance(name, str) or not re.fullmatch(r"[\w-]{1,30}", name):
        raise LabError(f"a nickname has 1 to 30 letters, digits, - and _; got {name!r}.")
    file = _folder(folder).resolve() / f"{name}{ENDING}"
    bets, outcomes = ([asdict(item) for item in found().values()] for found in (placed, own_settled))
    try:
        if str(file) not in [line.get("file") for line in read_lines("shared.jsonl")]:
            file.open("x").close()  # claims the name, or fails
            keep("shared.jsonl", {"file": str(file)}, "name")
        paths.write_atomic(file, json.dumps({"bets": bets, "outcomes": outcomes}, indent=1))
        file.chmod(0o644)  # the instructor's account reads it
    except FileExistsError:
        raise LabError(f"the name {name} is taken in {folder}: choose another one.") from None
    except OSError as error:
        raise LabError(f"the bets were not shared: {error}. Choose a folder that you may write to.") from None
    return file


def read_room(folder: Path | str) -> tuple[list[PlacedBet], list[Settled], dict[str, str]]:
    """All bets and all outcomes in the good files of a shared folder, and why each bad one was skipped, by its name."""
    bets, outcomes, bad = [], [], {}
    for file in sorted(_folder(folder).glob(f"*{ENDING}")):
        try:
            if file.stat().st_size > LARGEST:
                raise ValueError(f"it has more than {LARGEST:,} bytes")
            told = json.loads(file.read_bytes())
            made = {bet.id: bet for bet in (check_bet(b["id"], b["value"], b.get("sure")) for b in told["bets"])}
            ended = {outcome.bet: outcome for outcome in map(check_settled, told["outcomes"])}
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            bad[file.name] = f"{type(error).__name__}: {error}; share those bets again"
            continue
        counted = [PlacedBet(o.bet, o.value, o.sure) for o in ended.values() if o.value is not None]
        made |= {bet.id: bet for bet in counted}  # not what was placed after the settlement
        bets += made.values()
        outcomes += ended.values()
    return bets, outcomes, bad


def _folder(folder: Path | str) -> Path:
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise LabError(f"there is no folder {str(folder)!r}: make one that the whole room can reach.")
    return place


@dataclass(frozen=True, repr=False)
class RoomBets(Explanation):
    """Who bet what, without names: a bar for each value, or for each tenth of a wide range."""

    HEAD: ClassVar[tuple[str, ...]] = ("bet", "people", "")
    LEFT: ClassVar[int] = 0
    id: str
    values: tuple[int, ...]
    truth: float | None
    skipped: Mapping[str, str]

    def cells(self) -> list[tuple[str, ...]]:
        """The range, how many, and a bar; a mark where the truth lies."""
        bet = catalogue().bets[self.id]
        step = 1 if bet.high - bet.low <= 24 else -(-(bet.high - bet.low + 1) // 10)
        count = Counter((value - bet.low) // step for value in self.values)
        scale = min(1, WIDEST / max(count.values(), default=1))
        rows = []
        for place in range((bet.high - bet.low) // step + 1):
            low = bet.low + place * step
            high = min(low + step - 1, bet.high)
            mark = " ← the truth" if self.truth is not None and (self.truth - bet.low) // step == place else ""
            bar = "█" * math.ceil(count[place] * scale) + mark
            rows.append((f"{low}" if step == 1 else f"{low} to {high}", str(count[place]), bar))
        return rows

    def verdict(self) -> str:
        """The question, how many bet and, once the truth is given, how many were right; then the skipped files."""
        bet = catalogue().bets[self.id]
        told = f"{bet.question} {len(self.values)} bets."
        if not self.values:
            told += " Has anybody called lk.share_bets?"
        if self.truth is not None:
            fates = Counter(bet.judge(value, self.truth) for value in self.values)
            told += f" It is {self.truth:.4g}: {fates['right']} right, {fates['near']} near, {fates['wrong']} wrong."
        return told + "".join(f" Skipped {name}: {why}." for name, why in self.skipped.items())


def room_bets(folder: Path | str, key: str, truth: float | None = None) -> RoomBets:
    """Pool what a room bet on one question, from the files of ``lk.share_bets``; leave ``truth`` out while it argues.

    A bad file is skipped and named. A folder that is not there, an unknown bet and a truth outside of its range are a
    LabError.
    """
    check_bet_id(key)
    bets, _, skipped = read_room(folder)
    values = tuple(bet.value for bet in bets if bet.id == key)
    return RoomBets(key, values, None if truth is None else check_truth(key, truth), skipped)
