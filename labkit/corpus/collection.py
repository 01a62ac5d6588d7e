"""A collection: documents, queries and relevance judgments, held in plain dictionaries.

Ids, judgments and hits speak of documents. Systems score passages, and a document counts with its best one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from labkit.errors import LabError


def join_title(title: str, text: str) -> str:
    """Title and text as one string, joined by ``". "`` only when both are there.

    >>> join_title("Sorting", "Return a sorted copy."), join_title("", "Return a sorted copy.")
    ('Sorting. Return a sorted copy.', 'Return a sorted copy.')
    """
    return f"{title}. {text}" if title and text else title or text


@dataclass(frozen=True, slots=True)
class Document:
    """One document. ``passages`` are the strings that systems score; without any, the document is one passage.

    >>> Document("Sorting", "Return a sorted copy.").passages
    ('Sorting. Return a sorted copy.',)
    """

    title: str
    text: str
    passages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.passages, str):
            raise LabError("passages must be a tuple of texts, not a bare string: Document(title, text, (passage,)).")
        if not self.passages:
            object.__setattr__(self, "passages", (join_title(self.title, self.text),))


def _require_ids(what: str, table: object) -> None:
    if not isinstance(table, Mapping):
        raise LabError(f"{what} must be a dict by id; got {type(table).__name__}.")
    for name in table:
        if not isinstance(name, str):
            raise LabError(f"ids must be strings; {what} has {name!r}. Write str(id) for each.")


@dataclass(frozen=True)
class Collection:
    """Documents, queries and judgments of one retrieval task. A `LabError` for ids that are no strings.

    Attributes
    ----------
    docs : dict of str to Document
    queries : dict of str to str
    qrels : dict of query id to dict of document id to grade (0 means judged and not relevant)
    splits : dict of split name to the ids of its queries; a collection without splits has only ``"all"``
    query_info : dict of query id to what else is known of it (kind, note, proof); may be empty
    warnings : what was skipped or repaired while reading, one sentence each, with its count
    drift : dict of counts for a collection read from installed packages (see `labkit.corpus.pydocs`)
    source : the folder that it was read from; "" where its name says it
    problems : dict of rule id (see `labkit.corpus.lint`) to (how many, the first of them as (place, what is wrong))
    prepared : what was done to its texts after reading, such as a repair's rules with their versions, in order
    """

    name: str
    docs: dict[str, Document]
    queries: dict[str, str] = field(default_factory=dict)
    qrels: dict[str, dict[str, int]] = field(default_factory=dict)
    splits: dict[str, list[str]] = field(default_factory=dict)
    query_info: dict[str, dict] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    drift: dict[str, int] = field(default_factory=dict)
    source: str = ""
    problems: dict[str, tuple[int, tuple[tuple[str, str], ...]]] = field(default_factory=dict)
    prepared: tuple[dict, ...] = ()

    def __post_init__(self) -> None:
        for what in ("docs", "queries", "qrels"):
            _require_ids(what, getattr(self, what))
        for query, grades in self.qrels.items():
            _require_ids(query, grades)

    def __repr__(self) -> str:
        return f"Collection({self.name!r}, {len(self.docs):,} documents, {len(self.queries):,} queries)"

    @cached_property
    def doc_ids(self) -> list[str]:
        """Document ids in the order of `docs`; position in this list is the document's row in every score array."""
        return list(self.docs)

    @cached_property
    def passages(self) -> list[str]:
        """All passages, document after document."""
        return [passage for document in self.docs.values() for passage in document.passages]

    @cached_property
    def offsets(self) -> list[int]:
        """Where each document's passages start in `passages`; one more entry than documents."""
        starts = [0]
        for document in self.docs.values():
            starts.append(starts[-1] + len(document.passages))
        return starts

    @cached_property
    def fingerprint(self) -> str:
        """sha256 of documents, queries and judgments: two collections that differ in any of them never share it."""
        digest = hashlib.sha256(self._docs_digest.encode())
        digest.update(json.dumps([self.queries, self.qrels], sort_keys=True).encode())
        return digest.hexdigest()

    @property
    def preparation(self) -> dict:
        """What was done to the texts and a hash of them as they are now; empty if nothing was."""
        return {"name": "texts", "steps": [*self.prepared], "hash": self._docs_digest[:16]} if self.prepared else {}

    @cached_property
    def _docs_digest(self) -> str:
        digest = hashlib.sha256()
        for doc_id, document in self.docs.items():
            digest.update(json.dumps([doc_id, document.title, document.text, document.passages]).encode())
        return digest.hexdigest()

    @property
    def split_names(self) -> list[str]:
        """The splits to choose from; ``"all"`` is always there."""
        return [*self.splits, "all"]

    @property
    def default_split(self) -> str:
        """``"dev"`` where there is one, else ``"all"``."""
        return "dev" if "dev" in self.splits else "all"

    def split(self, name: str) -> Collection:
        """The same documents with the queries and judgments of one split.

        Raises a `LabError` if there is no such split; the message lists those there are.
        """
        if name == "all":
            return self
        if name not in self.splits:
            raise LabError(f"{self.name} has no split {name!r}; there is {', '.join(self.split_names)}.")
        return self.with_queries(self.splits[name])

    def with_queries(self, ids: Iterable[str]) -> Collection:
        """The same documents with only these queries, and their judgments."""
        wanted = list(ids)
        part = replace(
            self,
            queries={i: self.queries[i] for i in wanted},
            qrels={i: self.qrels[i] for i in wanted if i in self.qrels},
            query_info={i: self.query_info[i] for i in wanted if i in self.query_info},
            splits={},
        )
        part.__dict__["_docs_digest"] = self._docs_digest  # the same documents, hashed once
        return part
