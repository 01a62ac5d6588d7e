"""The widgets of duel, eraser, slope chart and scoreboard: a few small traits in, a tree of elements out.

Needs ``pip install "late-interaction-lab[notebooks]"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from labkit.views.duel import DuelView, Ring
from labkit.views.eraser import EraserView, Sheet
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
