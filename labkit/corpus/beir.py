"""Reading a collection from a folder in BEIR layout, telling what is wrong by file and line.

``corpus.jsonl`` (``_id``, ``title``, ``text``), ``queries.jsonl`` (``_id``, ``text``, optional ``split``), and
judgments as ``qrels.tsv`` or ``qrels/<split>.tsv`` (header ``query-id corpus-id score``). Queries and judgments may be
absent: then there is something to search, and nothing to measure.
"""

from __future__ import annotations

import re
from pathlib import Path

from labkit.corpus.collection import Collection, Document
from labkit.corpus.lines import Notes, numbered_lines, read_rows
from labkit.errors import LabError

SURROGATE = re.compile("[\ud800-\udfff]")
HEADER = ("query-id", "corpus-id", "score")


def read_folder(folder: Path, strict: bool = True) -> Collection:
    """Read a folder in BEIR layout.

    With ``strict=False`` a line that cannot be read is skipped, and told in `Collection.problems` as ``unreadable``.

    Raises a `LabError` for a missing ``corpus.jsonl``; for a line that is not JSON, lacks a field, repeats an id or is
    longer than 10 MB (file and line are named); for a grade that is no whole number. Judgments of unknown ids, empty
    documents and lone surrogates are repaired or skipped, and counted in ``warnings``.
    """
    if not (folder / "corpus.jsonl").is_file():
        raise LabError(f"{folder} must hold corpus.jsonl (one JSON object a line: _id, title, text); there is none.")
    notes = Notes(strict)

    def document(row: dict, where: str) -> Document:
        return Document(_text(row, "title", notes, where, required=False), _text(row, "text", notes, where))

    docs = read_rows(folder / "corpus.jsonl", document, notes)
    notes.empty = sum(not (d.title.strip() or d.text.strip()) for d in docs.values())
    queries, splits, info = read_queries(folder / "queries.jsonl", notes)
    qrels: dict[str, dict[str, int]] = {}
    files = [folder / "qrels.tsv"] if (folder / "qrels.tsv").is_file() else sorted((folder / "qrels").glob("*.tsv"))
    for file in files:
        judged = read_qrels(file, docs, queries, qrels, notes)
        if file.parent.name == "qrels":
            splits[file.stem] = [key for key in queries if key in judged]
    return Collection(
        folder.name, docs, queries, qrels, splits, info, notes.sentences(), source=str(folder.resolve()),
        problems={rule: (notes.counts[rule], tuple(kept)) for rule, kept in notes.kept.items()},
    )  # fmt: skip


def read_queries(file: Path, notes: Notes) -> tuple[dict[str, str], dict[str, list[str]], dict[str, dict]]:
    """Query texts, the ids of each split, and each query's other fields; all empty where there is no file."""
    queries: dict[str, str] = {}
    splits: dict[str, list[str]] = {}
    info: dict[str, dict] = {}

    def query(row: dict, where: str) -> tuple[str, dict]:
        return _text(row, "text", notes, where), row

    for key, (text, row) in read_rows(file, query, notes).items() if file.is_file() else ():
        queries[key] = text
        if row.get("split"):
            splits.setdefault(str(row["split"]), []).append(key)
        if more := {name: value for name, value in row.items() if name not in ("_id", "text", "split")}:
            info[key] = more
    return queries, splits, info


def read_qrels(file: Path, docs: dict, queries: dict, qrels: dict[str, dict[str, int]], notes: Notes) -> set[str]:
    """Add a judgment file to ``qrels`` and return the query ids it judges; unknown ids are skipped and counted."""
    judged = set()
    for number, where, line in numbered_lines(file, notes):
        cells = line.split("\t") if "\t" in line else line.split()
        if not cells or (number == 1 and tuple(cells) == HEADER):
            continue
        try:
            if len(cells) != 3:
                raise LabError(
                    f"{where} must be query-id, corpus-id and score, by tabs; got {len(cells)} cells: {line[:60]!r}."
                )
            query, doc, grade = cells[0], cells[1], _grade(cells[2], where, notes)
            if query not in queries or doc not in docs:
                notes.unknown(query, doc, query in queries, doc in docs, where)
                continue
            if qrels.setdefault(query, {}).setdefault(doc, grade) != grade:
                raise LabError(f"{where} judges {query!r}, {doc!r} as {grade}; another line says {qrels[query][doc]}.")
            judged.add(query)
        except LabError as error:
            notes.refuse(error, where)
    return judged


def _text(row: dict, name: str, notes: Notes, where: str, required: bool = True) -> str:
    value = row.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise LabError(
            f"{where} must have {name!r} as a string; got {type(value).__name__}. `labkit lint` lists all such lines."
        )
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
