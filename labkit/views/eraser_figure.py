"""The eraser as a matplotlib figure."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from labkit.views.figure import BLUE, GREY, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from labkit.views.eraser import EraserView

MOST = 20  # tokens that have a bar


def figure(view: EraserView) -> Figure:
    """On the left what the best tokens earn, on the right how much of the score they keep."""
    alive = [token for token in view.tokens if token.wins]
    shown = alive[:MOST]
    headline = fill(view.headline(), 95)
    made = new_figure(9.5, max(3.2, 1.5 + 0.22 * len(shown)))
    bars, curve = made.subplots(1, 2)
    made.suptitle(headline, fontsize=11, weight="bold")
    bars.barh(range(len(shown)), [token.earned for token in shown], color=BLUE, height=0.7)
    bars.set_yticks(range(len(shown)), [view.label(token) for token in shown], fontsize=9)
    bars.invert_yaxis()
    more = f", the first {MOST} of {len(alive)}" if len(alive) > MOST else ""
    bars.set_title(f"What a token that wins earns{more}", fontsize=10, loc="left")
    shares, kept = zip((0.0, 0.0), *view.curve, strict=True)
    curve.plot([100 * share for share in shares], [100 * part for part in kept], color=BLUE, marker="o", ms=4)
    curve.plot([0, 100], [0, 100], color=GREY, lw=0.8, ls="--")
    curve.set_xlabel("% of the tokens kept, the best first")
    curve.set_ylabel("% of the score kept")
    curve.set_title("How few keep the score", fontsize=10, loc="left")
    for axes in (bars, curve):
        axes.spines[["top", "right"]].set_visible(False)
    return made
