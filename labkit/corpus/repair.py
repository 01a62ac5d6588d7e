"""``lk.repair``: take the dirt out of a collection, and be able to say what was taken, where, and to put it back.

A rule is a small function with an id. A `Repair` is rules in order, applied until they find nothing more, so that
repairing twice changes nothing. Its configuration goes with the collection into the ledger of every run over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from labkit.bars import bar
from labkit.corpus.collection import Collection, Document, join_title
from labkit.corpus.edits import Record
from labkit.corpus.repair_catalogue import DEFAULT, DUPLICATE, Rule, rule_of
from labkit.errors import LabError, check_text

_ROUNDS = 20  # every rule shortens or settles a text, so that two or three do; a limit all the same


@dataclass(frozen=True, repr=False)
class Repaired(Collection):
    """A repaired collection.

    Attributes
    ----------
    records : (document id, ``"title"``, ``"text"`` or ``"passage 0"``, ...) to `Record`, of what changed
    merged : id of a document that was an exact copy to the id of the one that was kept
    """

    records: dict[tuple[str, str], Record] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)

    @cached_property
    def changes(self) -> dict[str, int]:
        """How many places each rule changed; one that several rules share counts for each."""
        counts: dict[str, int] = {DUPLICATE: len(self.merged)} if self.merged else {}
        for record in self.records.values():
            for change in record.changes:
                for name in change.rule.split("+"):
                    counts[name] = counts.get(name, 0) + 1
        return counts


class Repair:
    """Rules in order.

    Parameters
    ----------
    rules : names of rules, or functions from a text to a text, such as a cleaner of your own; by default
        mojibake, control, zero-width, html, normal-form, whitespace, boilerplate, ocr, duplicate.
        `labkit.corpus.repair_catalogue.DOCSTRINGS` names those for pydocs-raw.

    >>> Repair(["html", "zero-width"])("5 &micro;m <b>not</b> AB&shy;-1234").text
    '5 µm not AB-1234'
    """

    def __init__(self, rules: Iterable[str | Callable[[str], str] | Rule] | None = None) -> None:
        if isinstance(rules, str):
            raise LabError(f"rules must be a list of names or functions; got the string {rules!r}.")
        self.rules = tuple(rule_of(one) for one in (DEFAULT if rules is None else rules))

    def __repr__(self) -> str:
        return f"Repair({', '.join(rule.name for rule in self.rules)})"

    @property
    def configuration(self) -> dict[str, Any]:
        """Names, versions and parameters of the rules, in order."""
        return {"name": "repair", "rules": [rule.configuration for rule in self.rules]}

    def __call__(self, text: str) -> Record:
        """Repair one text, such as a query. Rules that learn do nothing here, unless `learn` bound them.

        Raises a `LabError` for what is no string, or holds a lone surrogate.
        """
        return self._settled(Record.of(check_text(text, "text")))

    def learn(self, texts: Sequence[str]) -> Repair:
        """The same rules with those that learn bound to these texts."""
        return self._bound([Record.of(check_text(text, "text")) for text in texts])[0]

    def on(self, collection: Collection, progress: bool = False) -> Repaired:
        """Repair titles, texts and passages. Queries stay as they are; copies are merged, their judgments too."""
        fields = {
            (doc_id, name): text for doc_id, document in collection.docs.items() for name, text in parts(document)
        }
        whole = [Record.of(check_text(text, " of ".join(key[::-1]))) for key, text in fields.items()]
        repair, records = self._bound(whole, progress)
        watched = bar(records, what="repair: settle", unit="text", show=progress)
        by_field = dict(zip(fields, map(repair._settled, watched), strict=True))
        docs = {
            doc_id: rebuilt(document, {name: by_field[doc_id, name].text for name, _ in parts(document)})
            for doc_id, document in collection.docs.items()
        }
        merged = _copies(docs, collection.qrels) if any(rule.name == DUPLICATE for rule in self.rules) else {}
        told = fields_of(collection) | {
            "docs": {doc_id: document for doc_id, document in docs.items() if doc_id not in merged},
            "qrels": {query: _judged(grades, merged) for query, grades in collection.qrels.items()},
            "prepared": (*collection.prepared, self.configuration),
        }
        return Repaired(**told, records={key: r for key, r in by_field.items() if r.changes}, merged=merged)

    def _bound(self, records: list[Record], progress: bool = False) -> tuple[Repair, list[Record]]:
        """The rules once over all texts, one after the other, those that learn bound to what they met."""
        bound: list[Rule] = []
        for rule in bar(self.rules, what="repair: find", unit="rule", show=progress):
            if rule.learn:
                rule = replace(rule, find=rule.learn(list(dict.fromkeys(r.text for r in records))), learn=None)
            bound.append(rule)
            records = [_applied(rule, record) for record in records]
        return Repair(bound), records

    def _settled(self, record: Record) -> Record:
        for _ in range(_ROUNDS):
            before = record
            for rule in self.rules:
                record = _applied(rule, record)
            if record.text == before.text:
                return record
        return record


def repair(
    collection: Collection,
    rules: Iterable[str | Callable[[str], str] | Rule] | None = None,
    progress: bool = False,
) -> Repaired:
    """A repaired collection of the same name. See `Repair` for the rules; ``progress`` shows bars.

    Raises a `LabError` for a rule that there is not; for a function that does not answer a text with a text.
    """
    return Repair(rules).on(collection, progress)


def fields_of(collection: Collection) -> dict[str, Any]:
    """What a collection holds, by name, to make another kind of one with it."""
    return {name: getattr(collection, name) for name in Collection.__dataclass_fields__}


def parts(document: Document) -> list[tuple[str, str]]:
    """What of a document can be changed: title, text, and passages where they are not just title and text."""
    own = document.passages != (join_title(document.title, document.text),)
    passages = [(f"passage {i}", text) for i, text in enumerate(document.passages)] if own else []
    return [("title", document.title), ("text", document.text), *passages]


def rebuilt(document: Document, told: Mapping[str, str]) -> Document:
    """The document with other parts."""
    passages = tuple(told[f"passage {i}"] for i in range(len(document.passages)) if f"passage {i}" in told)
    return Document(told["title"], told["text"], passages)


def _applied(rule: Rule, record: Record) -> Record:
    return record.then(rule.find(record.text), rule.name) if rule.find and record.text else record


def _copies(docs: Mapping[str, Document], qrels: Mapping[str, Mapping[str, int]]) -> dict[str, str]:
    """Id of each exact copy to the id that is kept: the first one that is judged, else the first one."""
    groups: dict[tuple, list[str]] = {}
    for doc_id, document in docs.items():
        if document.title.strip() or document.text.strip():
            groups.setdefault((document.title, document.text, document.passages), []).append(doc_id)
    judged = {doc_id for grades in qrels.values() for doc_id in grades}
    merged = {}
    for ids in groups.values():
        kept = next((doc_id for doc_id in ids if doc_id in judged), ids[0])
        merged |= {doc_id: kept for doc_id in ids if doc_id != kept}
    return merged


def _judged(grades: Mapping[str, int], merged: Mapping[str, str]) -> dict[str, int]:
    """Judgments of copies go to the one that is kept; the highest counts."""
    told: dict[str, int] = {}
    for doc_id, grade in grades.items():
        kept = merged.get(doc_id, doc_id)
        told[kept] = max(grade, told.get(kept, grade))
    return told
