"""A view as a tree of elements: Python builds it once, and it becomes static HTML as well as what the widget paints.

A node is plain data: a list of a tag, a dict of attributes, and children, which are nodes or texts. Beside HTML's
attributes a node may say how it answers in the widget; the static form leaves that out:

- ``set``: traits that a click sets; ``flip``: numbers that a click puts into list traits, or takes out if all are in;
  ``choose``: the trait that a ``select`` or a slider sets
- ``say``: what is told when the pointer or the keyboard reaches it
- ``lit``: names, separated by blanks; it lights up together with every node that shares one
- ``key``: by what it is found again after a repaint, so that the keyboard's place is kept
- ``live``: the node is in the widget only
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from labkit.views.page import block
from labkit.views.pieces import Fold, Read, Run, unread

BEHAVIOUR = {"set", "flip", "choose", "say", "lit", "key", "live", "type", "role", "aria-pressed", "aria-label"}
SHEETS = ("alignment.css", "tree.css")


class Node(list):
    """A tag, a dict of attributes, and children."""


def node(tag: str, *children: Node | str | Iterable[Node | str], **attributes: Any) -> Node:
    """An element. ``class_`` is class, and ``_`` inside a name a dash; None, False and "" leave an attribute out.

    >>> node("p", "a < b", class_="lk-soft")
    ['p', {'class': 'lk-soft'}, 'a < b']
    """
    kept = {name.rstrip("_").replace("_", "-"): v for name, v in attributes.items() if not _absent(v)}
    flat: list[Node | str] = []
    for child in children:
        flat += [child] if isinstance(child, str | Node) else child
    return Node([tag, kept, *flat])


def _absent(value: Any) -> bool:
    return value is None or value is False or value == ""


def iso(text: str) -> Node:
    """Text whose direction does not leak into what is around it."""
    return node("bdi", text)


def button(label: Node | str | Iterable[Node | str], key: str, **attributes: Any) -> Node:
    """A button that sets or flips traits; plain text in the static form."""
    return node("button", label, type="button", key=key, **attributes)


def select(label: str, trait: str, options: Iterable[tuple[int, str]], chosen: int) -> Node:
    """A labelled choice of a number; only in the widget."""
    made = [node("option", name, value=str(number), selected=number == chosen) for number, name in options]
    return node("label", label, node("select", made, choose=trait, key=trait), class_="lk-small", live=True)


def slider(label: str, trait: str, low: int, high: int, value: int, told: str) -> Node:
    """A labelled number to drag or to move with the arrow keys, ``told`` in words; only in the widget."""
    made = node("input", type="range", min=low, max=high, value=value, choose=trait, key=trait, aria_valuetext=told)
    return node("label", label, made, class_="lk-slider", live=True)


def bar(width: float, name: str = "") -> Node:
    """A bar that fills a part of its cell, from 0 to 1."""
    return node("i", class_=name, style=f"width:{max(0.0, min(1.0, width)):.1%}")


def html_of(tree: Node | str) -> str:
    """Escaped HTML: what only the widget can do is left out, and a button becomes text.

    >>> html_of(node("p", button("a & b", "0", flip={"off": [1]}), node("em", "only live", live=True)))
    '<p><span>a &amp; b</span></p>'
    """
    if isinstance(tree, str):
        return escape(tree)
    tag, attributes, *children = tree
    if attributes.get("live"):
        return ""
    kept = {name: value for name, value in attributes.items() if name not in BEHAVIOUR}
    shown = "".join(f" {name}='{escape('' if v is True else str(v), quote=True)}'" for name, v in kept.items())
    tag = "span" if tag == "button" else tag
    return f"<{tag}{shown}>{''.join(map(html_of, children))}</{tag}>"


def page(name: str, tree: Node) -> str:
    """The tree as a self-contained block of HTML."""
    return block(name, html_of(tree), *SHEETS)


def scroller(name: str, table: Node) -> Node:
    """A wide table that scrolls, by keyboard too."""
    return node("div", table, class_="lk-scroll", tabindex="0", role="group", aria_label=name)


def status(words: str) -> Node:
    """The line that tells what is pointed at; only in the widget."""
    return node("p", words, class_="lk-status", live=True)


def running(document: Read, parts: Iterable[Run | Fold], paint: Callable[[Run], Node | str]) -> Node:
    """A document as running text; folded stretches can be opened, and the encoder's cut is shown."""
    shown: list[Node | str] = []
    for place, part in enumerate(parts):
        if isinstance(part, Fold):
            count = node("summary", f"… {part.count} tokens …", class_="lk-fold")
            shown.append(node("details", count, [run.text for run in part.runs], class_="lk-in", key=f"fold {place}"))
        else:
            shown.append(paint(part))
    rest = unread(document)
    cut = [node("span", node("b", "✂ cut here: not read "), rest, class_="lk-cut")] if rest else []
    return node("div", shown, cut, class_="lk-text", dir="auto")
