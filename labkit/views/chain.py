"""The chain: every run of a ledger, what it changed, and where it led."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from labkit.errors import LabError
from labkit.evaluation.ledger import SHOWN, Ledger
from labkit.views.figure import BLUE, GREY, ORANGE, Picture, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 58  # characters of a label


class Chain(Picture):
    """Runs from top to bottom; a line leads from each run's parent to it. Runs that changed several things are orange.

    Parameters
    ----------
    ledger : runs over the same queries, such as ``lk.ledger(split="dev")``
    """

    title = "Runs, and what each one changed"

    def __init__(self, ledger: Ledger) -> None:
        if not len(ledger):
            raise LabError("the ledger has no runs to draw; lk.evaluate() writes them.")
        kinds = sorted({(run.told["collection"], run.told["split"]) for run in ledger})
        if len(kinds) > 1:
            raise LabError(
                f"a chain needs runs over the same queries; these are over {kinds}. Name collection and split."
            )
        self.ledger = ledger

    def to_text(self) -> str:
        """The ledger's own table."""
        return self.ledger.to_text()

    def _figure(self) -> Figure:
        """A dot a run at its nDCG@10, labelled with what changed."""
        runs = list(self.ledger)
        place = {run.number: (run.told["metrics"][SHOWN], y) for y, run in enumerate(runs)}
        figure = new_figure(9.5, 1.2 + 0.38 * len(runs))
        axes = figure.subplots()
        for run in runs:
            x, y = place[run.number]
            several = bool(run.question)
            if run.parent in place:
                axes.plot(*zip(place[run.parent], (x, y), strict=True), color=GREY, lw=0.8, zorder=1)
            axes.scatter([x], [y], c=ORANGE if several else BLUE, marker="D" if several else "o", s=40, zorder=2)
            axes.text(1.02, y, _label(run), transform=axes.get_yaxis_transform(), va="center", fontsize=8.5)
        axes.set_yticks(range(len(runs)), [f"{run.number}  {run.told['system']}" for run in runs], fontsize=9)
        axes.set_ylim(len(runs) - 0.5, -0.5)
        axes.set_xlabel(f"{SHOWN} (orange diamonds changed several things at once)")
        axes.grid(axis="x", color="#dddddd", lw=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        return figure


def _label(run) -> str:  # type: ignore[no-untyped-def]
    if run.parent is None:
        return "the first"
    text = f"{run.delta:+.3f} on {run.parent}: {'; '.join(run.changed) or 'nothing changed'}"
    return "\n".join(wrap(text, WIDTH, max_lines=2, placeholder=" …"))


chain = Chain
