"""What ``labkit bench maxsim`` found, as a picture: how long each system takes, over ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labkit.errors import LabError
from labkit.views.figure import BLUE, GREEN, GREY, ORANGE, Picture, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOOKS = ((BLUE, "o"), (GREY, "|"), (GREY, "x"), (ORANGE, "s"), (GREEN, "D"), (ORANGE, "^"), (BLUE, "v"))


class BenchChart(Picture):
    """A row a shape, a mark a system: its median over ours, on a logarithmic axis. Right of the line ours is faster.

    Parameters
    ----------
    data : the JSON of ``labkit bench maxsim``, as `Report.data` holds it
    """

    title = "MaxSim on this machine: time over ours"

    def __init__(self, data: Mapping[str, Any]) -> None:
        if data.get("bench") != "maxsim":
            raise LabError(f"needs the report of `labkit bench maxsim`; got that of {data.get('bench')!r}.")
        self.rows = [row for row in data["shapes"] if row["systems"]]
        self.names = list(dict.fromkeys(name for row in self.rows for name in row["systems"]))

    def to_text(self) -> str:
        """A line a shape: each system's time over ours, or why it has none."""
        lines = [f"{_label(row)}: {', '.join(_told(*pair) for pair in row['systems'].items())}" for row in self.rows]
        return "\n".join([self.title, *lines])

    def _figure(self) -> Figure:
        """A dot plot. Systems without a time are listed at the right, void rows are named so."""
        figure = new_figure(9.5, 1.6 + 0.34 * len(self.rows))
        axes = figure.subplots()
        for name, (colour, marker) in zip(self.names, LOOKS, strict=False):
            at = [(row["systems"][name].get("ratio"), y) for y, row in enumerate(self.rows) if name in row["systems"]]
            at = [(ratio, y) for ratio, y in at if ratio is not None]
            axes.scatter([x for x, _ in at], [y for _, y in at], c=colour, marker=marker, s=42, label=name, zorder=3)
        for y, row in enumerate(self.rows):
            absent = [
                f"{name} {s['state']}" for name, s in row["systems"].items() if s["state"] in ("wrong", "crashed")
            ]
            axes.text(1.01, y, ", ".join(absent), transform=axes.get_yaxis_transform(), va="center", fontsize=8)
        axes.axvline(1, color=BLUE, lw=1)
        axes.set_xscale("log")
        axes.set_xticks([0.25, 0.5, 1, 2, 5, 10, 20, 50], ["¼", "½", "1", "2", "5", "10", "20", "50"])
        axes.minorticks_off()
        axes.grid(axis="x", color="#dddddd", lw=0.6)
        axes.set_yticks(range(len(self.rows)), [_label(row) for row in self.rows], fontsize=9)
        axes.set_ylim(len(self.rows) - 0.5, -0.5)
        axes.set_xlabel("time over ours, logarithmic (right of 1: ours is faster)")
        figure.legend(loc="outside upper center", ncols=4, frameon=False, fontsize=9)
        return figure


def _label(row: Mapping[str, Any]) -> str:
    several = f", {row['queries']} queries" if row["queries"] > 1 else ""
    return f"{row['documents']:,} documents, d = {row['dim']}{several}{' (void)' if row['void'] else ''}"


def _told(name: str, system: Mapping[str, Any]) -> str:
    return f"{name} {system['ratio']:.2f}" if system["state"] == "ok" else f"{name} {system['state']}"
