"""``lk.progress``: what is solved, tried and open, and where to go on. Read from this machine, sent nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from labkit.course.catalogue import catalogue
from labkit.course.commitments import placed
from labkit.records import read_counted
from labkit.scoring.table import Explanation

FILE = "progress.jsonl"
_NEW_STATE = {"correct": "solved", "wrong": "tried", "error": "tried"}


@dataclass(frozen=True, repr=False)
class Progress(Explanation):
    """A row for each notebook. ``states`` has each exercise as ``"solved"`` (a check once said correct), ``"tried"`` or
    ``"open"``; ``bets`` the ids placed; ``last`` the notebook of the last check; ``trouble`` what could not be read.
    """

    HEAD: ClassVar[tuple[str, ...]] = ("notebook", "solved", "tried", "open", "bets")
    LEFT: ClassVar[int] = 5
    states: Mapping[str, str]
    bets: tuple[str, ...]
    last: str = ""
    trouble: str = ""

    def cells(self) -> list[tuple[str, ...]]:
        """The notebook, its exercises by state, and its bets placed of all."""
        rows = []
        for notebook in notebooks():
            asked = [bet for bet in catalogue().bets if bet[:2] == notebook]
            named = [", ".join(self._named(notebook, state)) or "-" for state in ("solved", "tried", "open")]
            rows.append(
                (notebook, *named, f"{len(set(asked).intersection(self.bets))} of {len(asked)}" if asked else "-")
            )
        return rows

    def verdict(self) -> str:
        """Where to resume, and whether records are missing."""
        left = {notebook: self._named(notebook, "tried") + self._named(notebook, "open") for notebook in notebooks()}
        unsolved = [notebook for notebook in left if left[notebook]]
        place = next((notebook for notebook in unsolved if notebook >= self.last), next(iter(unsolved), None))
        told = f"Resume in notebook {place}: {', '.join(left[place])}." if place else "Every exercise is solved."
        return " ".join(filter(None, (told, self.trouble)))

    def _named(self, notebook: str, state: str) -> list[str]:
        return [key[3:] for key, found in self.states.items() if found == state and key[:2] == notebook]


def notebooks() -> list[str]:
    """The numbers of the notebooks that have exercises or bets; side notebooks have no number, and are on no path."""
    return sorted({key[:2] for part in catalogue() for key in part if key[:2].isdigit()})


def progress() -> Progress:
    """What you solved, tried and left open, by notebook, and where to resume. Records that are broken are skipped."""
    states, last, trouble = dict.fromkeys(catalogue().exercises, "open"), "", ""
    bets: tuple[str, ...] = ()
    try:
        lines, torn = read_counted(FILE)
        bets = tuple(placed())
    except OSError as error:
        lines, torn, trouble = [], 0, f"Records could not be read: {error}."
    for line in lines:
        key, new = line.get("exercise"), _NEW_STATE.get(str(line.get("state")))
        if isinstance(key, str) and key in states and new:
            last = key[:2]
            states[key] = "solved" if "solved" in (states[key], new) else new
    return Progress(states, bets, last, trouble or (f"{torn} torn lines of {FILE} skipped." if torn else ""))
