"""The live form of every view: Python decides, a few small traits travel, JavaScript only paints.

A view is two objects. A `Picture` with a ``scene()`` holds the numbers and is the static twin. A `LabWidget` makes that
picture anew from its inputs whenever one of them changes, and sends the scene. So widget, HTML, text, SVG and PNG
cannot differ. Needs ``pip install "late-interaction-lab[notebooks]"``.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from labkit.errors import LabError
from labkit.views.figure import Picture
from labkit.views.page import source
from labkit.views.tree import SHEETS

__all__ = ["LabWidget", "source"]

TRAITS = {int: traitlets.Int, str: traitlets.Unicode, list: lambda numbers: traitlets.List(traitlets.Int(), numbers)}


class LabWidget(anywidget.AnyWidget):
    """A view that answers.

    Parameters
    ----------
    picture : the state to begin with
    inputs : what decides it, by name: numbers, texts and lists of numbers. They become traits.

    Attributes
    ----------
    scene : what JavaScript paints, as plain data; only Python writes it
    problem : a sentence to show above the last good scene; "" when all is well
    took : milliseconds that Python needed for the last answer
    picture : the static twin of what is shown now
    """

    _esm = source("lab.js", "tree.js")
    _css = source("lab.css", *SHEETS)
    scene = traitlets.Dict().tag(sync=True)
    problem = traitlets.Unicode().tag(sync=True)
    took = traitlets.Float().tag(sync=True)
    picture: Picture

    def __init__(self, picture: Picture, inputs: Mapping[str, int | str | list]) -> None:
        self.picture, self._inputs = picture, list(inputs)
        new = {name: TRAITS[type(value)](value) for name, value in inputs.items() if not self.has_trait(name)}
        self.add_traits(**{name: trait.tag(sync=True) for name, trait in new.items()})
        super().__init__(**inputs, scene=picture.scene())  # type: ignore[attr-defined]
        self.observe(self._answer, self._inputs)

    def draw(self, **inputs: Any) -> Picture:
        """The picture for these inputs. A `LabError` becomes ``problem``, and the last picture stays."""
        return self.picture.at(**inputs)  # type: ignore[attr-defined]

    def _answer(self, _: Any) -> None:
        began = time.perf_counter()
        with self.hold_sync():
            try:
                self.picture = self.draw(**{name: getattr(self, name) for name in self._inputs})
                self.scene = self.picture.scene()  # type: ignore[attr-defined]
                self.problem = ""
            except LabError as error:
                self.problem = str(error)
            self.took = 1_000 * (time.perf_counter() - began)

    def to_text(self) -> str:
        """What is shown now, as plain text."""
        return self.picture.to_text()

    def to_html(self) -> str:
        """What is shown now, as self-contained, escaped HTML without a script."""
        return self.picture.to_html()

    def to_svg(self) -> str:
        """What is shown now, as SVG."""
        return self.picture.to_svg()

    def to_png(self) -> bytes:
        """What is shown now, as PNG."""
        return self.picture.to_png()

    def figure(self) -> Any:
        """What is shown now, as a matplotlib figure."""
        return self.picture.figure()

    def save(self, path: str | Path) -> None:
        """Write what is shown now to a ``.svg`` or ``.png`` file."""
        self.picture.save(path)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The live view; and its twin for GitHub, nbviewer and nbconvert, where no kernel answers."""
        data, metadata = super()._repr_mimebundle_(**kwargs)
        return {**data, "text/html": self.to_html()}, metadata
