"""What differs between two configurations, one sentence a knob."""

from __future__ import annotations

from typing import Any


def changes(a: Any, b: Any, path: str = "") -> tuple[str, ...]:
    """The differences between two nested configurations.

    Parts that carry another ``name`` are one difference, whatever they hold: a dense retriever has no k1 to compare.

    >>> changes({"first": {"name": "bm25", "k1": 1.2}, "k": 50}, {"first": {"name": "bm25", "k1": 0.9}, "k": 100})
    ('first.k1: 1.2 → 0.9', 'k: 50 → 100')
    >>> changes({"first": {"name": "bm25", "k1": 1.2}}, {"first": {"name": "dense"}})
    ('first: bm25 → dense',)
    """
    if a == b:
        return ()
    if isinstance(a, dict) and isinstance(b, dict) and a.get("name") == b.get("name"):
        keys = dict.fromkeys([*a, *b])
        return tuple(told for key in keys for told in changes(a.get(key), b.get(key), _join(path, key)))
    if _parts(a) and _parts(b) and len(a) == len(b):
        pairs = enumerate(zip(a, b, strict=True), start=1)
        return tuple(told for number, (x, y) in pairs for told in changes(x, y, f"{path} {number}"))
    return (f"{path or 'system'}: {named(a)} → {named(b)}",)


def named(value: Any) -> str:
    """A value, or the name of a part, in a word or two."""
    if isinstance(value, dict):
        return str(value["name"]) if "name" in value else "+".join(named(part) for part in value.values() if part)
    if _parts(value):
        return ", ".join(named(part) for part in value)
    return "none" if value is None else str(value)


def _parts(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(part, dict) for part in value)


def _join(path: str, key: str) -> str:
    return f"{path}{'' if not path or path.endswith(' ') else '.'}{key}"
