"""``lk.calibration``: of the bets and answers that somebody was 70 % sure of, how many were right?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from labkit.course.room import read_room
from labkit.course.settle import Settled, first_attempts, own_settled
from labkit.scoring.table import text_table
from labkit.views.figure import BLUE, GREY, Picture, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENOUGH = 24  # bets and answers with a probability; with fewer, five points of a curve would be noise
FATES = ("right", "near", "wrong")


class Calibration(Picture):
    """How many bets were right; from 24 probabilities on, how often right at which probability, and Brier's score.

    Parameters
    ----------
    outcomes : settled bets; those without a probability only count as right, near or wrong
    answers : for first attempts at exercises, how sure and whether correct; they only count for the curve
    skipped : files that could not be read, with the reason
    """

    title = "Sure, and right?"

    def __init__(
        self,
        outcomes: Sequence[Settled],
        skipped: dict[str, str] | None = None,
        answers: Sequence[tuple[float, bool]] = (),
    ) -> None:
        self.fates = Counter(outcome.verdict for outcome in outcomes)
        self.skipped = skipped or {}
        bets = [(outcome.sure, outcome.verdict == "right") for outcome in outcomes if outcome.sure is not None]
        self.sure = np.array([sure for sure, _ in [*bets, *answers]], float)
        self.right = np.array([right for _, right in [*bets, *answers]], bool)

    @property
    def brier(self) -> float | None:
        """Mean squared distance of probability and outcome, 0 at best (Brier 1950); None below 24 of them."""
        return float(np.mean((self.sure - self.right) ** 2)) if len(self.sure) >= ENOUGH else None

    def points(self) -> list[tuple[float, float, int, float, float]]:
        """For each fifth of the scale in use: mean probability, share right, how many, Wilson's 95 % interval."""
        from scipy.stats import binomtest

        fifth = np.minimum(self.sure * 5, 4).astype(int)
        found = []
        for part in np.unique(fifth) if len(self.sure) >= ENOUGH else ():
            hits = self.right[fifth == part]
            span = binomtest(int(hits.sum()), len(hits)).proportion_ci(method="wilson")
            found.append((float(self.sure[fifth == part].mean()), float(hits.mean()), len(hits), span.low, span.high))
        return found

    def to_text(self) -> str:
        """The counts; then the curve as a table and Brier's score, or what is missing for them."""
        lines = ["bets: " + ", ".join(f"{self.fates[fate]} {fate}" for fate in FATES)]
        if self.brier is None:
            lines += [f"with a probability: {len(self.sure)} bets and answers; the curve needs {ENOUGH}"]
        else:
            share = self.right.mean()
            rows = [[f"{s:.0%}", f"{r:.0%}", str(n), f"{a:.0%} to {b:.0%}"] for s, r, n, a, b in self.points()]
            lines += [text_table(["sure", "right", "of", "95 % interval"], rows, left=0)]
            lines += [f"Brier score {self.brier:.3f}; always saying {share:.0%} gives {share * (1 - share):.3f}"]
        return "\n".join(lines + [f"skipped {name}: {why}" for name, why in self.skipped.items()])

    def _figure(self) -> Figure:
        """The curve with its intervals against the diagonal; with too few bets, a bar for right, near and wrong."""
        figure = new_figure(4.5, 4.0)
        axes = figure.subplots()
        if points := self.points():
            sure, right, _, low, high = np.array(points).T
            axes.plot([0, 1], [0, 1], color=GREY, lw=1)
            axes.errorbar(sure, right, yerr=np.abs([right - low, high - right]), fmt="o", color=BLUE, capsize=4)
            axes.set(xlabel="how sure", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1))
        else:
            axes.bar(FATES, [self.fates[fate] for fate in FATES], color=BLUE)
            axes.set(ylabel="settled bets")
        axes.spines[["top", "right"]].set_visible(False)
        figure.suptitle(self.title, fontsize=11, x=0.01, ha="left")
        return figure


def calibration(folder: Path | str | None = None) -> Calibration:
    """How well you know what you know: your settled bets, and your first attempts with a ``sure`` at exercises.

    With a folder of ``lk.share_bets`` it is the room's bets.

    Intervals take bets as independent. Those of a room on one question are not: read them as too narrow.
    """
    if folder is None:
        return Calibration(list(own_settled().values()), answers=first_attempts())
    _, outcomes, skipped = read_room(folder)
    return Calibration(outcomes, skipped)
