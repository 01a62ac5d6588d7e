"""A picture or a table that answers where a front end is there, and is its static twin everywhere else."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from labkit.views.figure import Picture
from labkit.views.tree import Node, page

if TYPE_CHECKING:
    from labkit.views.widget import LabWidget

WIDGET = "application/vnd.jupyter.widget-view+json"


class Live(Picture):
    """What notebooks show as a widget. The object stays what it is: a value with attributes, ``to_text`` and so on.

    It is one state of a view: `inputs` decide it, and `at` gives another one. Its HTML, and what the widget paints, are
    one tree of elements.
    """

    view: ClassVar[str]  # its name among the style sheets
    png: ClassVar[bool] = False  # whether its HTML is the figure instead, and a stored notebook keeps a PNG

    @abstractmethod
    def tree(self) -> Node:
        """The whole view as elements."""

    @abstractmethod
    def inputs(self) -> dict[str, int | str | list[int]]:
        """What decides the state, by name: the widget's traits, which a front end may change."""

    @abstractmethod
    def at(self, *_: Any, **inputs: Any) -> Live:
        """The view in the state that ``inputs`` decide. The widget tells a `LabError`, and keeps its last state."""

    def widget(self) -> LabWidget:
        """The live view of this object, made once: its traits can be set from Python as well."""
        return self._widget

    @cached_property
    def _widget(self) -> LabWidget:
        from labkit.views.widget import LabWidget

        return LabWidget(self, self.inputs())

    def scene(self) -> dict[str, Any]:
        """What the widget paints."""
        return {"name": self.view, "tree": self.tree()}

    def to_html(self) -> str:
        """The view as self-contained, escaped HTML."""
        return super().to_html() if self.png else page(self.view, self.tree())

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if self.png:
            twin, described = super()._repr_mimebundle_()
        else:
            twin, described = {"text/html": self.to_html(), "text/plain": self.to_text()}, {}
        if find_spec("anywidget") is None:
            return twin, described
        data, metadata = self.widget()._repr_mimebundle_(**kwargs)
        return {**twin, WIDGET: data[WIDGET]}, {**metadata, **described}
