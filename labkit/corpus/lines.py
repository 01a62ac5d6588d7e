"""Lines of a collection's files: numbered, bounded, decoded; what is wrong is refused or noted, with its place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from labkit.errors import LabError

MAX_LINE = 10_000_000  # bytes, about 1.7 million words: no document is that long, but a file without line ends is
KEPT = 1_000  # problems of a kind that are kept with their place; all are counted
Row = TypeVar("Row")


class Notes:
    """What was skipped or repaired, counted; ``kept`` has the places of the first of each kind."""

    def __init__(self, strict: bool = True) -> None:
        self.empty = self.surrogates = self.unknown_docs = self.unknown_queries = self.negative = 0
        self.strict = strict
        self.counts: Counter[str] = Counter()
        self.kept: dict[str, list[tuple[str, str]]] = {}

    def sentences(self) -> tuple[str, ...]:
        said = [
            (self.empty, "documents have neither title nor text; late interaction ranks them last"),
            (self.surrogates, "texts held lone surrogates, replaced by U+FFFD"),
            (self.unknown_docs, "judgments name unknown documents and were skipped"),
            (self.unknown_queries, "judgments name unknown queries and were skipped"),
            (self.negative, "judgments below 0 were read as 0"),
            (self.counts["unreadable"], "lines cannot be read and were skipped"),
        ]
        return tuple(f"{count} {text}." for count, text in said if count)

    def refuse(self, error: LabError, where: str) -> None:
        """Raise the error, or note it and go on."""
        if self.strict:
            raise error from None
        self._keep("unreadable", where, str(error).removeprefix(where).lstrip())

    def unknown(self, query: str, doc: str, has_query: bool, has_doc: bool, where: str) -> None:
        """Note a judgment that points nowhere."""
        self.unknown_queries += not has_query
        self.unknown_docs += not has_doc
        told = nowhere(None if has_query else query[:80], None if has_doc else doc[:80])
        self._keep("dangling-judgment", where, told)

    def _keep(self, rule: str, where: str, what: str) -> None:
        self.counts[rule] += 1
        kept = self.kept.setdefault(rule, [])
        if len(kept) < KEPT:
            kept.append((where, what))


def nowhere(query: str | None, doc: str | None) -> str:
    """What a judgment names that there is not; None for the side that there is.

    >>> nowhere("q7", "d9"), nowhere(None, "d9")
    ("there is no query 'q7' and no document 'd9'", "there is no document 'd9'")
    """
    named = [f"{what} {name!r}" for what, name in (("query", query), ("document", doc)) if name is not None]
    return f"there is no {' and no '.join(named)}"


def read_rows(file: Path, parse: Callable[[dict, str], Row], notes: Notes) -> dict[str, Row]:
    """What ``parse`` makes of each line (fields, place) of a JSON-lines file, by id."""
    rows: dict[str, Row] = {}
    seen: dict[str, int] = {}
    for number, where, line in numbered_lines(file, notes):
        if not line.strip():
            continue
        try:
            row = _object(line, where)
            key = str(row["_id"])
            if key in seen:
                raise LabError(f"{where} repeats the id {key!r} of line {seen[key]}; ids must be unique.")
            rows[key] = parse(row, where)
            seen[key] = number
        except LabError as error:
            notes.refuse(error, where)
    return rows


def _object(line: str, where: str) -> dict:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise LabError(f"{where} must be JSON; {error.msg} at character {error.pos}: {line[:60]!r}.") from None
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits; brackets 100,000 deep
        raise LabError(f"{where} must be JSON that can be read; {str(error)[:60]}: {line[:60]!r}.") from None
    if not isinstance(row, dict) or not isinstance(row.get("_id"), str | int) or row["_id"] == "":
        raise LabError(f"{where} must be an object with an _id; got {line[:60]!r}.")
    return row


def numbered_lines(file: Path, notes: Notes) -> Iterator[tuple[int, str, str]]:
    """Number, place and text of each line, without its end and without a byte order mark.

    Refused are a line that is no UTF-8 and one longer than `MAX_LINE`, which is never held.
    """
    with file.open("rb") as stream:
        number = 0
        while raw := stream.readline(MAX_LINE + 1):
            number += 1
            where = f"{file.name} line {number}"
            if len(raw) > MAX_LINE:
                told = f"{where} must be at most {MAX_LINE // 10**6} MB; it is longer. Give each document its own line."
                notes.refuse(LabError(told), where)
                while len(raw) > MAX_LINE and not raw.endswith(b"\n"):
                    raw = stream.readline(MAX_LINE + 1)
                continue
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                notes.refuse(LabError(f"{where} must be UTF-8; byte {error.start} is not."), where)
            else:
                yield number, where, line.strip("\r\n")
