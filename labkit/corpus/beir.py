"""Reading a collection from a folder in BEIR layout, telling what is wrong by file and line.

``corpus.jsonl`` (``_id``, ``title``, ``text``), ``queries.jsonl`` (``_id``, ``text``, optional ``split``), and
judgments as ``qrels.tsv`` or ``qrels/<split>.tsv`` (header ``query-id corpus-id score``). Queries and judgments may be
absent: then there is something to search, and nothing to measure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from labkit.corpus.collection import Collection, Document
from labkit.errors import LabError

SURROGATE = re.compile("[\ud800-\udfff]")
HEADER = ("query-id", "corpus-id", "score")


def read_folder(folder: Path) -> Collection:
    """Read a folder in BEIR layout.

    Raises
    ------
    LabError
        For a missing ``corpus.jsonl``; for a line that is not JSON, lacks a field or repeats an id (file and line are
        named); for a grade that is no whole number. Judgments of unknown ids, empty documents and lone surrogates
        are repaired or skipped, and counted in ``warnings``.
    """
    if not (folder / "corpus.jsonl").is_file():
        raise LabError(f"{folder} must hold corpus.jsonl (one JSON object a line: _id, title, text); there is none.")
    notes = Notes()
    docs = {
        key: Document(_text(row, "title", notes, where, required=False), _text(row, "text", notes, where))
        for key, row, where in read_rows(folder / "corpus.jsonl")
    }
    notes.empty = sum(not (d.title.strip() or d.text.strip()) for d in docs.values())
    queries, splits, info = read_queries(folder / "queries.jsonl", notes)
    qrels: dict[str, dict[str, int]] = {}
    files = [folder / "qrels.tsv"] if (folder / "qrels.tsv").is_file() else sorted((folder / "qrels").glob("*.tsv"))
    for file in files:
        judged = read_qrels(file, docs, queries, qrels, notes)
        if file.parent.name == "qrels":
            splits[file.stem] = [key for key in queries if key in judged]
    return Collection(
        folder.name, docs, queries, qrels, splits, info, warnings=notes.sentences(), source=str(folder.resolve())
    )


def read_queries(file: Path, notes: Notes) -> tuple[dict[str, str], dict[str, list[str]], dict[str, dict]]:
    """Query texts, the ids of each split, and each query's other fields; all empty where there is no file."""
    queries: dict[str, str] = {}
    splits: dict[str, list[str]] = {}
    info: dict[str, dict] = {}
    for key, row, where in read_rows(file):
        queries[key] = _text(row, "text", notes, where)
        if row.get("split"):
            splits.setdefault(str(row["split"]), []).append(key)
        if more := {name: value for name, value in row.items() if name not in ("_id", "text", "split")}:
            info[key] = more
    return queries, splits, info


def read_qrels(
    file: Path, docs: dict, queries: dict, qrels: dict[str, dict[str, int]], notes: Notes | None = None
) -> set[str]:
    """Add a judgment file to ``qrels`` and return the query ids it judges; unknown ids are skipped and counted."""
    notes = notes or Notes()
    judged = set()
    for number, line in _lines(file):
        cells = line.split("\t") if "\t" in line else line.split()
        where = f"{file.name} line {number}"
        if number == 1 and tuple(cells) == HEADER:
            continue
        if len(cells) != 3:
            raise LabError(
                f"{where} must be query-id, corpus-id and score, by tabs; got {len(cells)} cells: {line[:60]!r}."
            )
        query, doc, grade = cells[0], cells[1], _grade(cells[2], where, notes)
        if query not in queries or doc not in docs:
            notes.unknown_queries += query not in queries
            notes.unknown_docs += doc not in docs
            continue
        if qrels.setdefault(query, {}).setdefault(doc, grade) != grade:
            raise LabError(f"{where} judges {query!r}, {doc!r} as {grade}; another line says {qrels[query][doc]}.")
        judged.add(query)
    return judged


class Notes:
    """What was skipped or repaired, counted."""

    def __init__(self) -> None:
        self.empty = self.surrogates = self.unknown_docs = self.unknown_queries = self.negative = 0

    def sentences(self) -> tuple[str, ...]:
        said = [
            (self.empty, "documents have neither title nor text; late interaction ranks them last"),
            (self.surrogates, "texts held lone surrogates, replaced by U+FFFD"),
            (self.unknown_docs, "judgments name unknown documents and were skipped"),
            (self.unknown_queries, "judgments name unknown queries and were skipped"),
            (self.negative, "judgments below 0 were read as 0"),
        ]
        return tuple(f"{count} {text}." for count, text in said if count)


def read_rows(file: Path) -> Iterator[tuple[str, dict, str]]:
    """Id, fields and place of each line of a JSON-lines file; nothing if the file is absent."""
    seen: dict[str, int] = {}
    for number, line in _lines(file) if file.is_file() else ():
        where = f"{file.name} line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise LabError(f"{where} must be JSON; {error.msg} at character {error.pos}: {line[:60]!r}.") from None
        if not isinstance(row, dict) or not isinstance(row.get("_id"), str | int) or row["_id"] == "":
            raise LabError(f"{where} must be an object with an _id; got {line[:60]!r}.")
        key = str(row["_id"])
        if key in seen:
            raise LabError(f"{where} repeats the id {key!r} of line {seen[key]}; ids must be unique.")
        seen[key] = number
        yield key, row, where


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank; a line that is not UTF-8 is an error with its number."""
    with file.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip("\r\n")
            except UnicodeDecodeError as error:
                raise LabError(f"{file.name} line {number} must be UTF-8; byte {error.start} is not.") from None
            if line.strip():
                yield number, line


def _text(row: dict, name: str, notes: Notes, where: str, required: bool = True) -> str:
    value = row.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise LabError(f"{where} must have {name!r} as a string; got {type(value).__name__}.")
    clean = SURROGATE.sub("\ufffd", value)
    notes.surrogates += clean != value
    return clean


def _grade(cell: str, where: str, notes: Notes) -> int:
    try:
        grade = int(cell)
    except ValueError:
        raise LabError(f"{where} must have a whole number as score; got {cell!r}.") from None
    notes.negative += grade < 0
    return max(0, grade)
