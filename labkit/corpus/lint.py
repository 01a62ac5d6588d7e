"""``lint``: what is wrong with a collection's texts, queries and judgments, where, and what it does to a search.

It changes nothing. The rules stand in `labkit.corpus.lint_rules`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from labkit.corpus import lint_collection as documents
from labkit.corpus import lint_systems as systems
from labkit.corpus.collection import Collection
from labkit.corpus.lines import nowhere
from labkit.corpus.lint_report import LintReport
from labkit.corpus.lint_rules import ENCODER, SEARCH
from labkit.corpus.lint_text import TEXT_RULES, visible
from labkit.errors import LabError, check_count


def lint(
    c: Collection, encoder: Any = None, search: Any = None, limit: int = 1_000, progress: bool = False
) -> LintReport:
    """Look for dirt in documents, queries and judgments.

    Parameters
    ----------
    c : Collection
    encoder : an `Encoder`, for what its length limits cut off; nothing is encoded, only tokenized
    search : a first stage such as ``lk.BM25Retriever(c)``, for hubs and ambiguous queries
    limit : findings of a rule that are kept with their place; all are counted
    progress : show bars

    Returns
    -------
    LintReport
        Printed, it fits a screen; ``.to_frame()`` is a table to sort, ``.to_dict()`` is JSON. Rules that could not run
        are in ``not_run`` with what they need. An interrupt (Ctrl-C) ends the work, and what was found so far comes
        back with the unfinished rules in ``partial``.

    Raises a `LabError` for a collection, encoder or first stage that is none.

    Example
    -------
    >>> from labkit.corpus.collection import Collection, Document
    >>> c = Collection("toy", {"a": Document("Café", "Our cafÃ© opens at nine."), "b": Document("", "")})
    >>> [(found.rule, found.id, found.start, found.evidence) for found in lint(c).findings]
    [('empty', 'b', None, 'neither title nor text'), ('mojibake', 'a', 4, 'Our cafÃ© opens at nine.')]
    """
    if not isinstance(c, Collection):
        raise LabError(f"lint takes a Collection; got {type(c).__name__}. Load one: lk.load_collection(...).")
    for given, method, example in ((encoder, "characters_read", ENCODER), (search, "search", SEARCH)):
        if given is not None and not hasattr(given, method):
            raise LabError(f"{type(given).__name__} has no {method}(); give lint {example}.")
    report = LintReport(c, check_count(limit, "limit"), progress)
    todo = _checks(report, encoder, search)
    try:
        while todo:
            todo[0][1]()
            todo.pop(0)
    except KeyboardInterrupt:
        pass
    report.partial = tuple(rule for rules, _ in todo for rule in rules)
    report.not_run |= {} if encoder else {"truncated": ENCODER, "long-query (what is cut)": ENCODER}
    report.not_run |= {} if search else {"hub": SEARCH, "vague-query (ambiguous)": SEARCH}
    return report


def _checks(report: LintReport, encoder: Any, search: Any) -> list[tuple[tuple[str, ...], Callable[[], None]]]:
    """Every check that can run, with the rules it serves."""
    todo: list[tuple[tuple[str, ...], Callable[[], None]]] = [
        (("unreadable", "dangling-judgment"), lambda: _judgments(report)),
        (("empty",), lambda: documents.empty(report)),
        (("vague-query", "long-query"), lambda: systems.queries(report)),
        (tuple(TEXT_RULES), lambda: _texts(report)),
        (("cut-sentence",), lambda: documents.cut_sentences(report)),
        (("boilerplate",), lambda: documents.boilerplate(report)),
        (("duplicate", "near-duplicate"), lambda: documents.copies(report)),
    ]
    if search is not None:
        todo.append((("hub", "vague-query"), lambda: systems.first_stage(report, search)))
    if encoder is not None:
        todo.append((("truncated", "long-query"), lambda: systems.truncation(report, encoder)))
    return todo


def _judgments(report: LintReport) -> None:
    """What reading the folder met, and judgments in memory whose ids are nowhere."""
    for rule, (count, kept) in report.c.problems.items():
        for number, (where, what) in enumerate(kept):
            report.add(
                rule, "file", where, "file", visible(what, most=200), times=1 + (count - len(kept)) * (number == 0)
            )
    for query, judged in report.c.qrels.items():
        for doc in judged:
            has_query, has_doc = query in report.c.queries, doc in report.c.docs
            if not (has_query and has_doc):
                told = nowhere(None if has_query else query, None if has_doc else doc)
                report.add("dangling-judgment", "judgment", f"{query} {doc}", "qrels", told)


def _texts(report: LintReport) -> None:
    """The rules that look at one text alone, over titles, texts and queries."""
    for doc_id, document in report.watch(report.c.docs.items(), "texts"):
        _text(report, "document", doc_id, "title", document.title)
        _text(report, "document", doc_id, "text", document.text)
    for query_id, query in report.c.queries.items():
        _text(report, "query", query_id, "text", query)


def _text(report: LintReport, kind: str, id_: str, field: str, text: str) -> None:
    for rule, spans in TEXT_RULES.items():
        found = iter(spans(text))
        if first := next(found, None):
            start, end = first
            told = visible(text, start, min(end, start + 40))
            report.add(rule, kind, id_, field, told, span=first, places=1 + sum(1 for _ in found))
