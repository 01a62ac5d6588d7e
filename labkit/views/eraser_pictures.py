"""The eraser in pictures: as a tree of elements, the document token by token, and as a figure."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from labkit.views.figure import BLUE, GREY, Bar, bars, new_figure
from labkit.views.pieces import Run, runs
from labkit.views.tree import Node, bar, button, iso, node, running, scroller, status

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from labkit.views.eraser import EraserView, Standing

HINT = "Press a token to erase it, press it again to put it back: the scores follow."
MOST = 20  # tokens that have a bar


def tree(view: EraserView) -> Node:
    """The whole view."""
    text = running(view.sheet.read, runs(view.sheet.read), lambda run: _token(view, run))
    text[1].update({"role": "toolbar", "aria-label": "tokens of the document", "class": "lk-text lk-tokens"})
    return node("div", node("h3", view.headline()), _standings(view), _controls(view), _key(), text, status(HINT),
                _earned(view))  # fmt: skip


def _standings(view: EraserView) -> Node:
    most = max((abs(s.whole) for s in view.standings), default=0.0) or 1.0
    names = view.standings_head()
    heads = [
        node("th", names[0]),
        node("td", class_="lk-bar"),
        *(node("th", name, class_=_column(i)) for i, name in enumerate(names[1:])),
    ]
    body = [_standing(s, most) for s in view.standings]
    table = node("table", node("thead", node("tr", heads)), node("tbody", body), class_="lk-queries")
    return scroller("scores", table)


def _standing(standing: Standing, most: float) -> Node:
    query, *numbers = standing.cells()
    whole = node("span", bar(standing.kept), class_="lk-whole", style=f"width:{max(0.0, standing.whole / most):.1%}")
    cells = [node("td", number, class_=_column(i)) for i, number in enumerate(numbers)]
    return node("tr", node("td", iso(query)), node("td", whole, class_="lk-bar"), cells)


def _column(place: int) -> str:
    """The whole score is left out where there is little room: what is kept of it stays."""
    return "lk-num lk-wide" if place == 0 else "lk-num"


def _controls(view: EraserView) -> Node:
    dead, alive = [token.position for token in view.dead], len(view.tokens) - len(view.dead)
    made = []
    if dead:
        told = f"erase the {len(dead)} that never win"
        made.append(button(told, "dead", flip={"off": dead}))
    if alive > 1 or dead:
        best = view.tokens[0]
        told = node("span", "erase the best: ", iso(view.label(best)))
        made.append(button(told, "best", flip={"off": [best.position]}))
    if view.off:
        made.append(button("put all back", "back", set={"off": []}))
    return node("div", made, class_="lk-controls", live=True)


def _key() -> Node:
    kinds = (("lk-alive", "wins: the darker, the more it earns"), ("lk-dead", "never wins"), ("lk-erased", "erased"))
    shown = [node("span", node("span", "token", class_=f"lk-tok {name}", style="--s:0.50"), f" {told}")
             for name, told in kinds]  # fmt: skip
    return node("p", shown, class_="lk-key")


def _token(view: EraserView, run: Run) -> Node | str:
    """The run as a button that erases its tokens or puts them back."""
    if not run.positions:
        return run.text
    own = set(run.positions)
    off = own <= view.off
    values = [view.value[p] for p in run.positions if p in view.value]
    wins, earned = sum(v.wins for v in values), sum(v.earned for v in values)
    name = "lk-erased" if off else "lk-alive" if wins else "lk-dead"
    times = "1 query token chooses it" if wins == 1 else f"{wins} query tokens choose it"
    said = "erased" if off else f"{times}, it earns {earned:.3f}" if wins else "no query token chooses it"
    style = f"--s:{max(0.15, min(1.0, earned / view.most)):.2f}" if wins and view.most > 0 else ""
    told = {"say": f"“{run.text.strip()}”: {said}.", "aria_pressed": str(off).lower()}
    flip, key = {"off": list(run.positions)}, f"token {run.positions[0]}"
    return button(run.text, key, flip=flip, class_=f"lk-tok {name}", style=style, **told)


def _earned(view: EraserView) -> Node:
    rows = []
    for token, cells in zip((t for t in view.tokens if t.wins), view.cells(), strict=True):
        numbers = [node("td", cell, class_="lk-num") for cell in cells[1:]]
        width = bar(token.earned / view.most if view.most > 0 else 0)
        rows.append(node("tr", node("td", iso(cells[0])), node("td", width, class_="lk-bar"), numbers))
    heads = [
        node("th", view.HEAD[0]),
        node("td", class_="lk-bar"),
        *(node("th", name, class_="lk-num") for name in view.HEAD[1:]),
    ]
    told = node("summary", f"What each of the {len(rows)} tokens that win earns")
    return node("details", told, node("table", node("thead", node("tr", heads)), node("tbody", rows)), key="earned")


def figure(view: EraserView) -> Figure:
    """On the left what the best tokens earn, on the right how much of the score they keep."""
    alive = [token for token in view.tokens if token.wins]
    shown = alive[:MOST]
    made = new_figure(9.5, max(3.2, 1.5 + 0.22 * len(shown)))
    left, curve = made.subplots(1, 2)
    made.suptitle(fill(view.headline(), 95), fontsize=11, weight="bold")
    bars(left, [Bar(view.label(token), token.earned, f"{token.earned:.3f}") for token in shown])
    more = f", the first {MOST} of {len(alive)}" if len(alive) > MOST else ""
    left.set_title(f"What a token that wins earns{more}", fontsize=10, loc="left")
    shares, kept = zip((0.0, 0.0), *view.curve, strict=True)
    curve.plot([100 * share for share in shares], [100 * part for part in kept], color=BLUE, marker="o", ms=4)
    curve.plot([0, 100], [0, 100], color=GREY, lw=0.8, ls="--")
    curve.set_xlabel("% of the tokens kept, the best first")
    curve.set_ylabel("% of the score kept")
    curve.set_title("How few keep the score", fontsize=10, loc="left")
    curve.spines[["top", "right"]].set_visible(False)
    return made
