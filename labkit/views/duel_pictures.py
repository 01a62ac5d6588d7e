"""The duel in pictures: as a tree of elements with both texts and what would have to go, and as a figure."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from labkit.views.aligner import Match
from labkit.views.compared import Line, bar_scale
from labkit.views.figure import Bar, bars, new_figure
from labkit.views.pieces import Run, folded, runs
from labkit.views.tree import Node, bar, button, iso, node, running, scroller, select, status
from labkit.views.words import one_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from labkit.views.duel import DuelView

HINT = "Point at a word to find its matches. Press it to leave it out: the gap follows."


def tree(view: DuelView) -> Node:
    """The whole view."""
    panels = node("div", [_panel(view, match) for match in (view.first, view.second)], class_="lk-panels lk-two")
    side = node("div", node("h4", "How little would flip it?"), _scores(view), node("p", iso(view.verdict())))
    query = node("p", "Query: ", iso(one_line(view.query, 200)), class_="lk-soft")
    why = node("div", scroller("differences", _rows(view)), side, class_="lk-why")
    return node("div", _controls(view), query, node("h3", iso(view.headline())), why, status(HINT), panels)


def _controls(view: DuelView) -> Node:
    names = list(enumerate(match.name for match in view.ring.matches))
    choices = []
    if len(names) > 2:
        for label, trait, own, other in (("between", "a", view.a, view.b), ("and", "b", view.b, view.a)):
            choices.append(select(label, trait, [option for option in names if option[0] != other], own))
    back = [button("count all words again", "back", set={"off": []})] if view.off else []
    return node("div", choices, back, class_="lk-controls", live=True)


def _rows(view: DuelView) -> Node:
    widest = bar_scale(view.lines)[1]
    one, two = view.first.name, view.second.name
    sides = node("span", node("span", iso(two)), node("span", iso(one)), class_="lk-sides")
    head = [
        node("th", "word of the query"),
        node("th", "difference", class_="lk-num lk-wide"),
        node("th", sides, class_="lk-bar"),
        node("th", "match in ", iso(one)),
        node("th", "match in ", iso(two)),
    ]
    rows = [_row(view, line, cells, widest) for line, cells in zip(view.lines, view.cells(), strict=False)]
    total = view.cells()[-1]
    foot = [node("td", total[0]), node("td", total[5], class_="lk-num lk-wide"), node("td"), node("td", total[3]),
            node("td", total[4])]  # fmt: skip
    body = node("tbody", rows, node("tr", foot, class_="lk-total"), role="toolbar", aria_label="words of the query")
    return node("table", node("thead", node("tr", head)), body, class_="lk-duel-rows")


def _row(view: DuelView, line: Line, cells: tuple[str, ...], widest: float) -> Node:
    number, on = line.number - 1, view.counted(line)
    minus = "lk-minus" if line.difference < 0 else ""
    said = f"“{line.word.label}” matches “{cells[1]}” {cells[3]} in {view.first.name} and “{cells[2]}” {cells[4]} in "
    said += f"{view.second.name}: difference {cells[5]}{'' if on else '; left out'}."
    word = button(iso(line.word.label), f"word {number}", flip={"off": [number]}, say=said, lit=f"w{number}",
                  aria_pressed=str(on).lower(), class_="lk-toggle")  # fmt: skip
    marks = ("" if line.word.kind == "word" else "lk-minor") + ("" if on else " lk-off")
    diverging = node("div", bar(abs(line.difference) / widest, minus), class_="lk-diff")
    shown = [node("td", word), node("td", cells[5], class_="lk-num lk-wide"), node("td", diverging, class_="lk-bar"),
             node("td", cells[3], " ", iso(cells[1])), node("td", cells[4], " ", iso(cells[2]))]  # fmt: skip
    return node("tr", shown, class_=marks.strip(), lit=f"w{number}")


def _scores(view: DuelView) -> Node:
    most = max(view.winner_score, view.loser_score)
    fallen = node("span", iso(view.ahead.name), f" without {_tokens(len(view.removed))}")
    rows = [(iso(view.ahead.name), view.winner_score, ""), (iso(view.behind.name), view.loser_score, "lk-rivals"),
            (fallen, view.score_without, "lk-fallen")]  # fmt: skip
    made = [
        node("tr", node("td", label), node("td", bar(score / most if most > 0 else 0, name), class_="lk-bar"),
             node("td", f"{score:.3f}", class_="lk-num"))
        for label, score, name in rows
    ]  # fmt: skip
    return node("table", node("tbody", made), class_="lk-scores")


def _panel(view: DuelView, match: Match) -> Node:
    chosen: dict[int, list[int]] = {}
    for line in view.lines:
        for token in line.word.positions if view.counted(line) else ():
            chosen.setdefault(int(match.winners[token]), []).append(line.number - 1)
    gone = {token.position for token in view.removed} if match is view.ahead else set()

    def paint(run: Run) -> Node | str:
        words = sorted({word for p in run.positions for word in chosen.get(p, ())})
        lost = not gone.isdisjoint(run.positions)
        if not words and not lost:
            return run.text
        best = max(
            (float(match.best[t]) for t in range(len(match.best)) if match.winners[t] in run.positions), default=0
        )
        name = "lk-gone" if lost else "lk-m"
        style = f"--s:{max(0.0, min(1.0, best)):.2f}"
        return node("mark", run.text, class_=name, style=style, lit=" ".join(f"w{word}" for word in words))

    parts = folded(runs(match.document), {*chosen, *gone})
    place = "above" if match is view.ahead else "below"
    note = node("span", "crossed out: what would have to go", class_="lk-soft") if gone else ""
    title = node("h4", iso(match.name), f" ({place}) ", note)
    return node("article", title, running(match.document, parts, paint))


def _tokens(count: int) -> str:
    return f"{count} token{'' if count == 1 else 's'}"


def figure(view: DuelView) -> Figure:
    """A bar a word; who is above whom on top, the smallest removal at the foot."""
    headline, verdict = fill(view.headline(), 85), fill(view.verdict(), 105)
    lines = headline.count("\n") + verdict.count("\n")
    made = new_figure(9.5, 1.9 + 0.27 * len(view.lines) + 0.2 * lines)
    axes = made.subplots()
    bars(axes, [_bar(view, line, cells) for line, cells in zip(view.lines, view.cells(), strict=False)])
    axes.set_title(headline, fontsize=12, loc="left", weight="bold")
    one, two = view.first.name, view.second.name
    axes.set_xlabel(f"← for {two}        for {one} →\nright: match in {one} | in {two}\n{verdict}", fontsize=9)
    return made


def _bar(view: DuelView, line: Line, cells: tuple[str, ...]) -> Bar:
    on = view.counted(line)
    label = f"{line.word.label}{'' if on else ' (left out)'}  {cells[5]}"
    text = f"{cells[1]} {cells[3]}  |  {cells[2]} {cells[4]}"
    return Bar(label, line.difference if on else 0.0, text, "soft" if line.word.kind != "word" or not on else "")
