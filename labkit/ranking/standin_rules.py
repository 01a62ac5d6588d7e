"""The rules of the rerank service that its stand-in keeps: what it refuses, what it bills, what it answers.

Sources: the types of cohere 7.3.1 (v1 ``rerank``, v2 ``rerank``), https://docs.cohere.com/reference/errors for the
messages, https://docs.cohere.com/docs/reranking-best-practices for the limits. Cohere's own tokenizer is not public for
every model, so tokens here are words and punctuation marks. Documents are strings, in v1 too.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

STANDIN = "a stand-in answered, not Cohere"
MAX_DOCUMENTS = 10_000
CHUNK_TOKENS = 500  # a document is billed once for every so many tokens
UNIT_CHUNKS = 100  # one search unit is a query with up to so many chunks
MAX_TOKENS_PER_DOC = 4_096
TOKEN = re.compile(r"\w+|[^\w\s]")


class Refused(Exception):
    """A request that the service turns down: an HTTP status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Asked:
    """A valid request. ``texts`` are what is scored and billed, ``documents`` what was sent."""

    version: int
    query: str
    documents: list[str]
    texts: list[str]
    top_n: int
    max_chunks: float
    return_documents: bool
    spans: dict[str, Any] | None


def read_request(version: int, body: bytes) -> Asked:
    """The request in a body, or `Refused`: 422 for a wrong type, 400 for a wrong value, 404 for an unknown model."""
    try:
        asked = json.loads(body)
    except ValueError:
        raise Refused(400, "invalid request: the body must be JSON") from None
    if not isinstance(asked, dict):
        raise Refused(422, "invalid request: the body must be an object")
    model = _field(asked, "model", str, "rerank-english-v3.0" if version == 1 else None)
    if not model.startswith("rerank-"):
        raise Refused(404, f"model '{model}' not found, make sure the correct model ID was used")
    query = _field(asked, "query", str)
    if not query.strip():
        raise Refused(400, "invalid request: query must not be empty or be only whitespace")
    if "rank_fields" in asked:
        raise Refused(400, "invalid request: this stand-in ranks documents that are strings; it has no rank_fields")
    documents = _field(asked, "documents", list)
    if not documents:
        raise Refused(400, "invalid request: list of documents must not be empty")
    max_chunks = _count(asked, "max_chunks_per_doc", 10) if version == 1 else math.inf
    if len(documents) * (max_chunks if version == 1 else 1) > MAX_DOCUMENTS:
        raise Refused(400, f"invalid request: number of documents (times max chunks per doc) exceeds {MAX_DOCUMENTS}")
    limit = _count(asked, "max_tokens_per_doc", MAX_TOKENS_PER_DOC) if version == 2 else None
    for number, document in enumerate(documents):
        if not isinstance(document, str):
            raise Refused(422, f"invalid type: document {number} must be of type string")
    return Asked(
        version, query, documents, [_cut(document, limit) for document in documents],
        _count(asked, "top_n", len(documents)), max_chunks,
        version == 1 and _field(asked, "return_documents", bool, False), _spans_wanted(asked, model, version),
    )  # fmt: skip


def units_for(sizes: Iterable[int], max_chunks: float = math.inf) -> int:
    """Search units of documents of so many tokens: one for a query with up to 100 chunks; a document is one chunk for
    each 500 tokens begun, at most ``max_chunks``."""
    chunks = (min(max(1, math.ceil(size / CHUNK_TOKENS)), max_chunks) for size in sizes)
    return math.ceil(sum(chunks) / UNIT_CHUNKS)


def names_spans(model: str) -> bool:
    """Whether a model of that id names relevant spans: those of generation 5 and later do."""
    return re.match(r"rerank-v([5-9]|\d\d)", model) is not None


def results_of(asked: Asked, scores: Sequence[float]) -> list[dict[str, Any]]:
    """The ``top_n`` results, best first; equal scores keep the order of the documents."""
    results = []
    for index in sorted(range(len(scores)), key=lambda i: -scores[i])[: asked.top_n]:
        result: dict[str, Any] = {"index": index, "relevance_score": float(scores[index])}
        if asked.return_documents:
            result["document"] = {"text": asked.documents[index]}
        if asked.spans and (spans := _spans(asked, index, result["relevance_score"])):
            result["relevant_spans"] = spans
        results.append(result)
    return results


def reply_of(asked: Asked, results: list[dict[str, Any]], how: str) -> dict[str, Any]:
    """The whole reply. Its warnings say who answered and how the scores were made."""
    sizes = [len(TOKEN.findall(text)) for text in asked.texts]
    meta = {
        "api_version": {"version": str(asked.version)},
        "billed_units": {"search_units": units_for(sizes, asked.max_chunks)},
        "warnings": [f"{STANDIN}: scores are this machine's {how} and say nothing about Cohere's quality"],
    }
    return {"id": str(uuid4()), "results": results, "meta": meta}


def _field(asked: dict, name: str, kind: type, default: Any = None) -> Any:
    value = asked.get(name)
    if value is None and default is None:
        raise Refused(400, f"invalid request: {name} is required")
    if value is not None and not isinstance(value, kind):
        raise Refused(422, f"invalid type: {name} must be of type {kind.__name__}")
    return default if value is None else value


def _count(asked: dict, name: str, default: int) -> int:
    value = _field(asked, name, int, default)
    if isinstance(value, bool):
        raise Refused(422, f"invalid type: {name} must be of type int")
    if value < 1:
        raise Refused(400, f"invalid request: {name} must be at least 1")
    return value


def _cut(text: str, limit: int | None) -> str:
    """The text up to its ``limit``-th token."""
    ends = [found.end() for found in TOKEN.finditer(text)] if limit else []
    return text[: ends[limit - 1]] if limit and len(ends) > limit else text


def _spans_wanted(asked: dict, model: str, version: int) -> dict[str, Any] | None:
    wanted = _field(asked, "relevant_spans", dict, {}) if version == 2 else {}
    if wanted.get("mode") != "enabled":
        return None
    if not names_spans(model):
        raise Refused(400, f"invalid request: relevant_spans is not supported by model '{model}'")
    return wanted


def _spans(asked: Asked, index: int, score: float) -> list[dict[str, Any]]:
    """The places, in code points, where a word of the query stands; all as relevant as their document."""
    words = {re.escape(word) for word in re.findall(r"\w{3,}", asked.query)}
    threshold, most = (asked.spans or {}).get("threshold"), (asked.spans or {}).get("max_spans")
    if not words or score < (0.1 if threshold is None else threshold):
        return []
    places = re.finditer(rf"\b({'|'.join(sorted(words))})\b", asked.texts[index], re.IGNORECASE)
    return [{"start": place.start(), "end": place.end(), "score": score} for place in places][:most]
