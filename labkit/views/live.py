"""A picture or a table that answers where a front end is there, and is its static twin everywhere else."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from labkit.views.widget import LabWidget

WIDGET = "application/vnd.jupyter.widget-view+json"


class Live(ABC):
    """What notebooks show as a widget. The object stays what it is: a value with attributes, ``to_text`` and so on."""

    def widget(self) -> LabWidget:
        """The live view of this object, made once: its traits can be set from Python as well."""
        return self._widget

    @abstractmethod
    def _live(self) -> LabWidget:
        """Make the widget."""

    @cached_property
    def _widget(self) -> LabWidget:
        return self._live()

    def _twin(self) -> dict[str, Any]:
        """What stays in a stored notebook."""
        return {"text/html": self.to_html(), "text/plain": self.to_text()}  # type: ignore[attr-defined]

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if find_spec("anywidget") is None:
            return self._twin()
        data, metadata = self.widget()._repr_mimebundle_(**kwargs)
        twin = self._twin()
        if "image/png" in twin:
            metadata = {**metadata, "image/png": {"alt": self.alt}}  # type: ignore[attr-defined]
        return {**twin, WIDGET: data[WIDGET]}, metadata
