"""What became of many requests, one after the other: answered, fallen back and why, refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.views.figure import BLUE, ORANGE, Picture, new_figure
from labkit.views.timeline import fallbacks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIGNS = {"answered": ".", "fallback": "f", "refused": "X"}
COLOURS = {"answered": BLUE, "fallback": ORANGE, "refused": "#000000"}
PER_LINE = 50  # requests in a line of the text


class Outcomes(Picture):
    """What became of traced requests: a lane for each outcome, fallbacks by their reason, and a mark for each request.

    Parameters
    ----------
    records : as ``lk.Trace(path).read()[0]`` gives them; a `LabError` if there is none
    note : stands below the title
    """

    def __init__(self, records: Sequence[Mapping[str, Any]], note: str = "") -> None:
        if not records:
            raise LabError("outcomes needs a traced request or more: lk.Trace(path).read()[0] gives them.")
        self.outcomes, self.note = [record["outcome"] for record in records], note
        lanes: dict[str, list[int]] = {}  # name to the numbers of its requests, from 1
        for number, record in enumerate(records, start=1):
            reasons = dict.fromkeys(fallbacks(record))
            lanes.setdefault(": ".join(filter(None, [record["outcome"], ", ".join(reasons)])), []).append(number)
        self.lanes = dict(sorted(lanes.items()))
        counts = ", ".join(f"{self.outcomes.count(name)} {name}" for name in SIGNS)
        self.title = f"{len(records)} requests: {counts}"

    def to_text(self) -> str:
        """How many in each lane, and a sign a request, fifty a line."""
        lanes = [f"{len(numbers):>6}  {name}" for name, numbers in self.lanes.items()]
        strip = "".join(SIGNS[outcome] for outcome in self.outcomes)
        lines = [f"{at + 1:>6}  {strip[at : at + PER_LINE]}" for at in range(0, len(strip), PER_LINE)]
        legend = "  ".join(f"{sign} {name}" for name, sign in SIGNS.items())
        return "\n".join([self.title, *filter(None, [self.note]), *lanes, "", *lines, f"        {legend}"])

    def _figure(self) -> Figure:
        """Requests from left to right in the order in which they came."""
        figure = new_figure(9.5, 1.3 + 0.36 * len(self.lanes) + 0.2 * bool(self.note))
        axes = figure.subplots()
        for row, (name, numbers) in enumerate(self.lanes.items()):
            axes.eventplot(numbers, lineoffsets=row, linelengths=0.7, lw=2, color=COLOURS[name.partition(":")[0]])
        axes.set_yticks(range(len(self.lanes)), [f"{name}  {len(at)}" for name, at in self.lanes.items()])
        axes.set_ylim(len(self.lanes) - 0.4, -0.6)
        axes.set_xlim(0, len(self.outcomes) + 1)
        axes.set_xlabel("request, in the order in which they came")
        axes.set_title("\n".join(filter(None, [self.title, self.note])), loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        return figure


outcomes = Outcomes
