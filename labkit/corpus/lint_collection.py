"""Dirt of documents that shows beside the others: empty ones, copies, repeated lines, cut sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from zlib import crc32

from labkit.corpus.collection import Collection, join_title
from labkit.corpus.lint_report import LintReport
from labkit.corpus.lint_text import visible

NEAR, SHINGLE, NEARWORDS = 0.7, 3, 5_000  # Jaccard of runs of three words, over a document's first 5,000
WORDS = re.compile(r"\w+")
_LETTERS = re.compile(r"[^\W\d_]{2,}")
_UNIT = re.compile(r"[^\n]+?(?:[.!?](?=\s)|$)", re.MULTILINE)  # a line, or a sentence of it
_PHRASES = re.compile(
    r"\baccept (?:all )?cookies\b|\bwe use cookies\b|\b(?:web)?site uses cookies\b|\bskip to (?:main )?content\b"
    r"|\ball rights reserved\b|\bback to top\b|\b(?:subscribe to|sign up for) our newsletter\b|\bfollow us on [A-Z]"
    r"|\bshare (?:this )?on (?:facebook|twitter|linkedin)\b|\benable javascript\b|©\s?\d{4}|\(c\) \d{4}\b",
    re.IGNORECASE,
)
_BEGINS_INSIDE = re.compile(r"\s{0,80}[a-z]+[ ,](?![^.\n]{0,40}(?:[:=]|->))")  # and no label, as in ``axis : int``
_UNFINISHED = (
    "a an the of and or to in on at by for with from as is are was were be that which than if but because into its "
    "their this these when where while can may must not"
)
DANGLING = frozenset(_UNFINISHED.split())


def empty(report: LintReport) -> None:
    """Texts without a word are errors; under three words (and 20 characters) they are warnings."""
    for doc_id, document in report.watch(report.c.docs.items(), "empty"):
        whole = " ".join(document.passages).strip()  # what systems score
        if not whole:
            report.add("empty", "document", doc_id, "text", "neither title nor text")
        elif _nearly_empty(whole):
            report.add("empty", "document", doc_id, "text", visible(whole), "warning")
    for query_id, query in report.c.queries.items():
        if not query.strip():
            report.add("empty", "query", query_id, "text", "no text")


def _nearly_empty(text: str) -> bool:
    return len(text) < 20 and len(WORDS.findall(text)) < 3


def copies(report: LintReport) -> None:
    """Texts equal but for case and white space; then, among the rest, those that share most runs of three words.

    Candidates come from MinHash (64 permutations in 16 bands of 4), and each is checked exactly. A copy is told beside
    the first text of its kind, so that 1,000 copies are 999 findings.
    """
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=64, params=(16, 4))
    blank = MinHash(64, hashfunc=int)
    first: dict[bytes, str] = {}
    for doc_id, document in report.watch(report.c.docs.items(), "duplicate, near-duplicate"):
        field = "text" if document.text.strip() else "title"
        words = " ".join(getattr(document, field).split()).casefold()
        if _nearly_empty(words):
            continue
        earlier = first.setdefault(blake2b(words.encode("utf-8", "replace"), digest_size=16).digest(), doc_id)
        if earlier != doc_id:
            report.add("duplicate", "document", doc_id, field, f"the same as {earlier}: {visible(words, 0, 40)}")
            continue
        runs = _runs(words)
        if len(runs) < 6:
            continue
        sketch = blank.copy()
        sketch.update_batch(runs)
        found = sorted(index.query(sketch))[:20]  # more that fail the check below would be chance
        shared, like = max(((_jaccard(runs, _runs(report.c.docs[i].text)), i) for i in found), default=(0.0, ""))
        if shared >= NEAR:
            report.add("near-duplicate", "document", doc_id, field, f"{shared:.0%} shared with {like}")
        else:
            index.insert(doc_id, sketch, check_duplication=False)


def _runs(text: str) -> set[int]:
    words = WORDS.findall(text.casefold())[:NEARWORDS]
    return {crc32(" ".join(words[i : i + SHINGLE]).encode("utf-8", "replace")) for i in range(len(words) - SHINGLE + 1)}


def _jaccard(a: set[int], b: set[int]) -> float:
    return len(a & b) / max(1, len(a | b))


def boilerplate(report: LintReport) -> None:
    """Phrases of web pages, and lines or sentences of five words that 1 % of the documents (at least 5) have.

    Below 5 % of the documents the latter are notes: manuals repeat themselves on purpose.
    """
    counts: Counter[int] = Counter()
    for document in report.watch(report.c.docs.values(), "boilerplate: count"):
        counts.update({key for _, key in _units(document.text)})
        if len(counts) > 3_000_000:
            counts = Counter({key: n for key, n in counts.items() if n > 1})
    enough = max(5, -(-len(report.c.docs) // 100))
    often = {key: n for key, n in counts.items() if n >= enough}
    for doc_id, document in report.watch(report.c.docs.items(), "boilerplate: find"):
        spans = [(*unit, often[key]) for unit, key in _units(document.text) if key in often]
        spans += [(*found.span(), 0) for found in _PHRASES.finditer(document.text)]
        if spans:
            start, end, documents = min(spans)
            said = visible(document.text, start, min(end, start + 60), room=0)
            told = f"in {documents} documents: {said}" if documents else said
            severity = "note" if max(n or len(report.c.docs) for *_, n in spans) < 0.05 * len(report.c.docs) else ""
            report.add("boilerplate", "document", doc_id, "text", told, severity, (start, end), len(spans))


def _units(text: str) -> Iterator[tuple[tuple[int, int], int]]:
    for unit in _UNIT.finditer(text):
        words = tuple(_LETTERS.findall(unit[0].lower()))  # a page's number or date may differ
        if len(words) >= 5:
            yield unit.span(), hash(words)


def cut_sentences(report: LintReport) -> None:
    """Texts that end in a comma or in a word that wants another; and, where four of five texts of 12 words begin (end)
    like sentences, those that begin in small letters after nothing that ended (end without a stop)."""
    long = [text for *_, text, _ in _pieces(report.c) if text.count(" ") >= 11]
    begin_well = sum(not _BEGINS_INSIDE.match(text) for text in long) >= 0.8 * len(long)
    end_well = sum(not _ends_inside(text) for text in long) >= 0.8 * len(long)
    before, closed = "", True  # the document of the piece before, and whether that ended
    for doc_id, field, text, shift in report.watch(_pieces(report.c), "cut-sentence"):
        follows, before = before == doc_id and closed, doc_id
        closed = not _ends_inside(text)
        if text.count(" ") < 5:
            continue
        end = len(text.rstrip())
        last = text[max(0, end - 200) : end].rsplit("\n", 1)[-1].split()
        dangles = len(last) >= 4 and (last[-1].lower() in DANGLING or last[-1].endswith(","))
        places = []
        if dangles or (end_well and not closed):
            places.append((end - 1, end, "ends: " + visible(text, end - 1, room=40)))
        if begin_well and not follows and _BEGINS_INSIDE.match(text):
            places.append((0, 1, "begins: " + visible(text, 0, 40)))
        if places:
            start, end, told = places[0]
            span = start + shift, end + shift
            report.add("cut-sentence", "document", doc_id, field, told, span=span, places=len(places))


def _ends_inside(text: str) -> bool:
    return text.rstrip()[-1:].isalnum() or text.rstrip().endswith(",")


def _pieces(c: Collection) -> Iterator[tuple[str, str, str, int]]:
    """Document id, field, text, and where the text starts in the field: what systems score, without a joined title."""
    for doc_id, document in c.docs.items():
        whole = join_title(document.title, document.text)
        for number, passage in enumerate(document.passages):
            if passage == whole:
                yield doc_id, "text", document.text, 0
            else:
                head = f"{document.title}. "
                shift = len(head) if document.title and passage.startswith(head) else 0
                yield doc_id, f"passages[{number}]", passage[shift:], shift
