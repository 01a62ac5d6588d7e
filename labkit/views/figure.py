"""What every static view shares: one picture, the same numbers as text and as HTML, and nothing that changes by run."""

from __future__ import annotations

import html
import io
import warnings
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, NamedTuple

from labkit.errors import LabError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by readers who do not see all colours.
BLUE, ORANGE, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#6E6E6E"
PLAIN = {"text.parse_math": False}  # a $ is a dollar


class Picture(ABC):
    """A view with a figure, a text and an HTML form. Notebooks show the PNG, with the text for readers without it."""

    title: str

    def figure(self) -> Figure:
        """The matplotlib figure."""
        import matplotlib as mpl

        with mpl.rc_context(PLAIN):
            return self._figure()

    @abstractmethod
    def _figure(self) -> Figure:
        """Draw it."""

    @abstractmethod
    def to_text(self) -> str:
        """The same numbers as plain text."""

    def to_png(self) -> bytes:
        """The figure as PNG."""
        return self._saved("png", dpi=144)

    def to_svg(self) -> str:
        """The figure as SVG whose text stays text; the same bytes each time."""
        return self._saved("svg").decode("utf-8")

    def save(self, path: str | Path) -> None:
        """Write the figure to a ``.svg`` or ``.png`` file; a `LabError` for another ending or a folder not there."""
        path = check_picture_path(path)
        path.write_bytes(self.to_png() if path.suffix == ".png" else self.to_svg().encode("utf-8"))

    def to_html(self) -> str:
        """A self-contained HTML figure: the SVG, and the text for screen readers."""
        svg = self.to_svg()
        body = svg[svg.index("<svg") :]
        described = html.escape(self.to_text())
        return (
            f'<figure role="img" aria-label="{html.escape(self.title, quote=True)}">{body}'
            f"<figcaption><details><summary>as text</summary><pre>{described}</pre></details></figcaption></figure>"
        )

    @property
    def alt(self) -> str:
        """The picture in up to 300 characters, for readers who do not see it: its title and how its text begins."""
        return shorten(f"{self.title}: {self.to_text()}", 300, placeholder=" …")

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return {"image/png": self.to_png(), "text/plain": self.to_text()}, {"image/png": {"alt": self.alt}}

    def __repr__(self) -> str:
        return self.to_text()

    def _saved(self, kind: str, **options: Any) -> bytes:
        import matplotlib as mpl

        stream = io.BytesIO()
        settings = {"svg.hashsalt": "labkit", "svg.fonttype": "none", **PLAIN}
        with mpl.rc_context(settings), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from font")  # SVG keeps the text; PNG shows a box
            self.figure().savefig(stream, format=kind, metadata={"Date": None} if kind == "svg" else None, **options)
        return stream.getvalue()


class Page(Picture):
    """A picture whose HTML form is text and tables, not the figure: notebooks show that."""

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return {"text/html": self.to_html(), "text/plain": self.to_text()}


def check_picture_path(path: str | Path) -> Path:
    """The path, or a `LabError` unless a picture can be written there, so that long work does not end in one."""
    path = Path(path)
    if path.suffix not in (".svg", ".png"):
        page = " A page is a text: Path(...).write_text(it.to_html())." if path.suffix in (".html", ".htm") else ""
        raise LabError(f"a picture's file must end in .svg or .png; got {path.name!r}.{page}")
    if not path.resolve().parent.is_dir():
        raise LabError(f"there is no folder {str(path.parent)!r} to write {path.name!r} into.")
    return path


def new_figure(width: float, height: float) -> Figure:
    """A figure of ``width`` by ``height`` inches on a white card, readable on light and dark pages; no pyplot state."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    return figure


class Bar(NamedTuple):
    """A row of `bars`: a label on the left, a value, a text on the right; ``look`` is a key of `LOOKS`."""

    label: str
    value: float
    text: str = ""
    look: str = ""


LOOKS: dict[str, dict[str, str]] = {"": {}, "soft": {"color": GREY}, "sum": {"weight": "bold"}}


def bars(axes: Axes, rows: Sequence[Bar]) -> None:
    """A bar a row, from top to bottom: to the right, or hatched to the left where the value is below 0."""
    for y, row in enumerate(rows):
        side = {"color": BLUE} if row.value >= 0 else {"facecolor": "white", "edgecolor": ORANGE, "hatch": "////"}
        axes.barh(y, row.value, height=0.65, alpha=0.5 if row.look == "soft" else 1, **side)
        look = {"va": "center", "fontsize": 9, "transform": axes.get_yaxis_transform(), **LOOKS[row.look]}
        axes.text(-0.02, y, row.label, ha="right", **look)
        axes.text(1.02, y, row.text, **look)
        if row.look == "sum":
            axes.axhline(y - 0.5, color=GREY, lw=0.7)
    axes.axvline(0, color="black", lw=0.8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines[["top", "left", "right"]].set_visible(False)
