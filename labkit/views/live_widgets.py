"""The widgets of duel, eraser, slope chart, scoreboard, cockpit and cut: a few small traits in, a tree of elements out.

Needs ``pip install "late-interaction-lab[notebooks]"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from labkit.errors import LabError
from labkit.evaluation.sweep_cell import COSTS
from labkit.evaluation.sweep_result import Sweep
from labkit.views.cockpit import Cockpit
from labkit.views.cut import CutView, Strip
from labkit.views.duel import DuelView, Ring
from labkit.views.eraser import EraserView, Sheet
from labkit.views.scoreboard import Scoreboard
from labkit.views.slope_chart import SlopeChart
from labkit.views.tree import SHEETS
from labkit.views.widget import LabWidget, source

if TYPE_CHECKING:
    from labkit.views.figure import Picture


class TreeWidget(LabWidget):
    """A view whose picture's scene is a tree. ``maker`` makes the picture from the inputs."""

    _esm = source("lab.js", "tree.js")
    _css = source("lab.css", *SHEETS)

    def __init__(self, maker: Any, **inputs: Any) -> None:
        self._maker = maker
        super().__init__(**inputs)

    def draw(self, **inputs: Any) -> Picture:
        """The picture for these inputs."""
        return self._maker(**inputs)


class DuelWidget(TreeWidget):
    """See ``lk.duel``.

    Attributes
    ----------
    a, b : numbers of the two documents, from 0 in the order given
    off : numbers of the query's words that do not count, from 0
    """

    inputs = ("a", "b", "off")
    a = traitlets.Int(0).tag(sync=True)
    b = traitlets.Int(1).tag(sync=True)
    off = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, ring: Ring, **inputs: Any) -> None:
        super().__init__(lambda a, b, off: DuelView(ring, a, b, off), **inputs)


class EraserWidget(TreeWidget):
    """See ``lk.eraser``.

    Attributes
    ----------
    off : positions of the document's tokens that are erased, from 0
    """

    inputs = ("off",)
    off = traitlets.List(traitlets.Int()).tag(sync=True)

    def __init__(self, sheet: Sheet, **inputs: Any) -> None:
        super().__init__(lambda off: EraserView(sheet, off), **inputs)


class SlopeWidget(TreeWidget):
    """See ``lk.slope_chart``.

    Attributes
    ----------
    chosen : the number of the document that stays lit, from 0; -1 for none
    """

    inputs = ("chosen",)
    chosen = traitlets.Int(-1).tag(sync=True)

    def __init__(self, chart: SlopeChart, **inputs: Any) -> None:
        fixed = (chart.query, chart.moves, chart.names, chart.candidates)
        super().__init__(lambda chosen: SlopeChart(*fixed, chosen), **{"chosen": chart.chosen, **inputs})


class ScoreboardWidget(TreeWidget):
    """See ``lk.scoreboard``.

    Attributes
    ----------
    ticket : the ticket whose walk is shown; "" for none
    """

    inputs = ("ticket",)
    ticket = traitlets.Unicode().tag(sync=True)

    def __init__(self, board: Scoreboard, **inputs: Any) -> None:
        super().__init__(board.at, **inputs)


class CockpitWidget(TreeWidget):
    """See ``lk.cockpit``.

    Attributes
    ----------
    x : what stands across: 0 latency, 1 bytes a token, 2 price
    pin, also : numbers in the picture's ``options`` of two pins; 0 pins nothing
    chosen : the cell whose numbers are shown, from 0; -1 for none
    again : the cell to run again, once; -1 for none
    """

    inputs = ("x", "pin", "also", "chosen", "again")
    x = traitlets.Int(0).tag(sync=True)
    pin = traitlets.Int(0).tag(sync=True)
    also = traitlets.Int(0).tag(sync=True)
    chosen = traitlets.Int(-1).tag(sync=True)
    again = traitlets.Int(-1).tag(sync=True)

    def __init__(self, sweep: Sweep, **inputs: Any) -> None:
        done: dict[int, str] = {}

        def made(x: int, pin: int, also: int, chosen: int, again: int) -> Cockpit:
            if not 0 <= x < len(COSTS):
                raise LabError(f"x must be from 0 to {len(COSTS) - 1}; got {x}.")
            if again >= 0 and again not in done:
                done[again] = _again(sweep, again)
            return Cockpit(sweep, list(COSTS)[x], (pin, also), chosen, dict(done))

        super().__init__(made, **inputs)


def _again(sweep: Sweep, cell: int) -> str:
    """A cell run again; what keeps it from that is told in its place."""
    try:
        return sweep.recompute(cell).to_text()
    except LabError as error:
        return str(error)


class CutWidget(TreeWidget):
    """See ``lk.show_cut``.

    Attributes
    ----------
    read : windows before the cut, from 1
    """

    inputs = ("read",)
    read = traitlets.Int(1).tag(sync=True)

    def __init__(self, strip: Strip, **inputs: Any) -> None:
        super().__init__(lambda read: CutView(strip, read), **inputs)
