"""The dated price table ``data/prices.toml``, which the user edits."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labkit import paths
from labkit.errors import LabError, is_number

UNITS = ("hour", "1,000 search units", "1M tokens")

_TEXT = (lambda value: isinstance(value, str) and bool(value.strip()), "a text in quotes, not an empty one")
FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "name": _TEXT,
    "unit": (lambda value: value in UNITS, f"one of {', '.join(map(repr, UNITS))}"),
    "price": (lambda value: is_number(value) and value >= 0, "a number of 0 or more"),
    **dict.fromkeys(("currency", "date", "source", "note"), _TEXT),
    "verified": (lambda value: isinstance(value, bool), "true or false"),
}


def read_prices(path: Path | None = None) -> list[dict[str, Any]]:
    """The entries of a price table; of ``data/prices.toml`` if None.

    Raises `LabError` for a file that is no readable TOML, and for an entry with a field that is missing, unknown or
    malformed.
    """
    path = path or paths.data() / "prices.toml"
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("price")
    except (OSError, ValueError) as error:
        raise LabError(f"a price table must be a readable TOML file; {path} is none: {error}") from None
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise LabError(f"{path} must hold one [[price]] or more; copy data/prices.toml and edit it.")
    for number, entry in enumerate(entries, start=1):
        where = f"{path}: price {number} ({entry.get('name', 'no name')})"
        for field in [*FIELDS, *entry]:
            if field not in FIELDS or field not in entry:
                state = "an unknown" if field in entry else "no"
                raise LabError(f"{where} has {state} field {field!r}; the fields are {', '.join(FIELDS)}.")
            fits, must = FIELDS[field]
            if not fits(entry[field]):
                raise LabError(f"{where}: {field!r} must be {must}; got {entry[field]!r}.")
    return entries
