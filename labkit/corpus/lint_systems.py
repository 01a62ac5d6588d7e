"""What systems make of a collection: queries that say too little or too much, hubs, and text that is never seen."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Any

from labkit.corpus.beir import SURROGATE
from labkit.corpus.collection import Collection, join_title
from labkit.corpus.lint_collection import DANGLING, WORDS
from labkit.corpus.lint_report import LintReport, Unseen
from labkit.corpus.lint_text import visible

LONG_QUERY = 32  # words
DEPTH, SAMPLE = 10, 1_000  # hits of a query, queries that are asked
_FILLERS = (
    "i me my we us our you your he she it they them what who whom how why do does did done has have had am been being "
    "will would should could there here some any so then no yes please tell about s t don"
)
STOP = DANGLING | frozenset(_FILLERS.split())


def queries(report: LintReport) -> None:
    """Queries of stop words alone, and of more words than an answer needs."""
    for query_id, query in report.c.queries.items():
        words = WORDS.findall(query.lower())
        if query.strip() and not set(words) - STOP:
            report.add("vague-query", "query", query_id, "text", f"no content word: {visible(query)}")
        if len(words) > LONG_QUERY:
            report.add("long-query", "query", query_id, "text", f"{len(words)} words: {visible(query, 0, 60)}", "note")


def first_stage(report: LintReport, search: Any) -> None:
    """Ask the first stage: one or two words whose ten best hits lie within a fifth of the best score are ambiguous; a
    document among the ten best of a tenth of the queries (at least 5, and three times the mean), judged relevant for
    none of those, is a hub."""
    c, wrong = report.c, Counter[str]()
    step = max(1, -(-len(c.queries) // SAMPLE))
    asked = [(i, q) for i, q in list(c.queries.items())[::step] if q.strip()]
    if step > 1:
        report.notes.append(f"the first stage was asked {len(asked):,} of {len(c.queries):,} queries")
    for query_id, query in report.watch(asked, "hub, vague-query"):
        hits = search.search(SURROGATE.sub("\ufffd", query), DEPTH).hits
        wrong.update(h.doc_id for h in hits if c.qrels.get(query_id, {}).get(h.doc_id, 0) <= 0)
        content = set(WORDS.findall(query.lower())) - STOP
        if 1 <= len(content) <= 2 and len(hits) == DEPTH and hits[0].score > 0:
            spread = (hits[0].score - hits[-1].score) / hits[0].score
            if spread < 0.2:
                told = f"ten documents within {spread:.0%} of the best score: {visible(query)}"
                report.add("vague-query", "query", query_id, "text", told, "note")
    enough = max(5, 0.1 * len(asked), 3 * DEPTH * len(asked) / max(1, len(c.docs)))
    for doc_id, times in wrong.most_common():
        if times < enough:
            break
        told = f"among the ten best of {times} of {len(asked)} queries that it does not answer"
        report.add("hub", "document", doc_id, "text", told)


def truncation(report: LintReport, encoder: Any) -> None:
    """What the encoder's length cuts off documents and queries, in characters."""
    lost: Counter[str] = Counter()
    total = 0
    for part in report.watch(_windows(report.c), "truncated"):
        reads = encoder.characters_read([SURROGATE.sub("\ufffd", text) for _, _, text in part])
        for (doc_id, number, text), read in zip(part, reads, strict=True):
            total += len(text)
            if read < len(text):
                lost[doc_id] += len(text) - read
                field, start = _field(report.c, doc_id, number, read)
                report.add(
                    "truncated", "document", doc_id, field, _unread(text, read), span=(start, start + len(text) - read)
                )
    sizes = {doc_id: sum(map(len, report.c.docs[doc_id].passages)) for doc_id in lost}
    worst = heapq.nlargest(20, ((n / sizes[doc_id], doc_id) for doc_id, n in lost.items()))
    share = sum(lost.values()) / max(1, total)
    report.unseen += [
        Unseen("BM25", 0.0, 0, ()), Unseen(encoder.name, share, len(lost), tuple((i, part) for part, i in worst)),
    ]  # fmt: skip
    for query_id, query in report.c.queries.items():
        read = encoder.characters_read([SURROGATE.sub("\ufffd", query)], "query")[0]
        if read < len(query):
            report.add("long-query", "query", query_id, "text", _unread(query, read), span=(read, len(query)))


def _unread(text: str, read: int) -> str:
    """Which share of a text lies behind the cut, and how that begins."""
    return f"{1 - read / len(text):.0%} unread, from: {visible(text, read, read + 40, room=0)}"


def _windows(c: Collection) -> list[list[tuple[str, int, str]]]:
    """Document id, number and text of every passage, 256 at a time."""
    passages = [(i, number, text) for i, document in c.docs.items() for number, text in enumerate(document.passages)]
    return [passages[start : start + 256] for start in range(0, len(passages), 256)]


def _field(c: Collection, doc_id: str, number: int, place: int) -> tuple[str, int]:
    """Where a character of a passage stands: in the document's title or text, if the passage is the two joined."""
    document = c.docs[doc_id]
    if document.passages[number] != join_title(document.title, document.text):
        return f"passages[{number}]", place
    text_starts = len(document.passages[number]) - len(document.text)
    return ("text", place - text_starts) if place >= text_starts else ("title", min(place, len(document.title)))
