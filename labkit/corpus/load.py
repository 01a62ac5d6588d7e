"""``load_collection``: one name, four sources."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from labkit.corpus import pydocs
from labkit.corpus.beir import read_folder
from labkit.corpus.collection import Collection, Document
from labkit.errors import LabError

PREFIX = "ir_datasets:"
_pydocs = cache(pydocs.load)


def load_collection(name: str | Path = "pydocs", progress: bool = False) -> Collection:
    """Load a collection by name or folder.

    Parameters
    ----------
    name : ``"pydocs"``; ``"pydocs-raw"``; a folder in BEIR layout; or ``"ir_datasets:beir/scifact/test"`` where the
        ir_datasets package is installed
    progress : show a bar while pydocs is built for the first time

    Raises a `LabError` for a name that is none of these, and for a folder that `labkit.corpus.beir.read_folder`
    refuses.
    """
    name = str(name)
    if name in pydocs.NAMES:
        return _pydocs(name, progress)
    if name.startswith(PREFIX):
        return _from_ir_datasets(name.removeprefix(PREFIX))
    folder = Path(name).expanduser()
    if folder.is_dir():
        return read_folder(folder)
    raise LabError(
        f"no collection {name!r}: give pydocs, pydocs-raw, a folder with corpus.jsonl, or {PREFIX}<dataset> "
        "(such as ir_datasets:beir/scifact/test)."
    )


def _from_ir_datasets(name: str) -> Collection:
    try:
        import ir_datasets
    except ImportError:
        raise LabError(f"{PREFIX}{name} needs the package ir_datasets. Install it: pip install ir-datasets") from None
    try:
        dataset = ir_datasets.load(name)
    except KeyError:
        raise LabError(f"ir_datasets has no dataset {name!r}; see https://ir-datasets.com for the names.") from None
    docs = {
        d.doc_id: Document(getattr(d, "title", "") or "", d.text if hasattr(d, "text") else d.default_text())
        for d in dataset.docs_iter()
    }
    queries = {q.query_id: q.default_text() for q in dataset.queries_iter()} if dataset.has_queries() else {}
    qrels: dict[str, dict[str, int]] = {}
    skipped = 0
    for judgment in dataset.qrels_iter() if dataset.has_qrels() else ():
        if judgment.query_id in queries and judgment.doc_id in docs:
            qrels.setdefault(judgment.query_id, {})[judgment.doc_id] = max(0, int(judgment.relevance))
        else:
            skipped += 1
    notes = (f"{skipped} judgments name unknown ids and were skipped.",) if skipped else ()
    return Collection(PREFIX + name, docs, queries, qrels, warnings=notes)
