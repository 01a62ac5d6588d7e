"""The alignment as a widget: what is typed, chosen and left out comes in, a scene goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import traitlets

from labkit.views.compared import BEST
from labkit.views.figure import Picture
from labkit.views.widget import LabWidget, source

if TYPE_CHECKING:
    from labkit.views.show_alignment import Scores, Tokens


class AlignmentWidget(LabWidget):
    """See ``lk.show_alignment``.

    Attributes
    ----------
    query : the text asked
    shown, against : numbers of documents, from 0 in the order given; -1 for the best one, ``against`` also -2 for none
    without : kinds of query tokens that are left out of the scores, such as ``["function word"]``
    """

    _esm = source("lab.js", "alignment.js")
    _css = source("lab.css", "alignment.css")
    query = traitlets.Unicode().tag(sync=True)
    shown = traitlets.Int(BEST).tag(sync=True)
    against = traitlets.Int(BEST).tag(sync=True)
    without = traitlets.List(traitlets.Unicode()).tag(sync=True)

    def __init__(self, source: Tokens | Scores, query: str) -> None:
        self._source = source
        super().__init__(source.draw(query), {"query": query, "shown": BEST, "against": BEST, "without": []})

    def draw(self, **inputs: Any) -> Picture:
        """The picture for these inputs."""
        return self._source.draw(**inputs)
