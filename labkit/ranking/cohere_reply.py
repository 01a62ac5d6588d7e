"""A rerank reply, checked before it is believed: which document each result means, its score, its spans, its cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from labkit.errors import LabError, is_number
from labkit.text import shortened


class ServiceError(LabError):
    """A hosted reranker failed: refused, unreachable, too slow, or with a reply that cannot be believed.

    Attributes
    ----------
    status : the HTTP status, or None where there was none
    retry_after : seconds that the service asks to wait, or None
    failure : what went wrong in a word or two: ``"rate limit"``, ``"server error"``, ``"connection"`` (unreachable,
        reset, too slow), ``"bad reply"``, ``"key"``, ``"bad request"``. The first four may pass; the others will not.
    free : whether it was surely not billed: refused, or never sent
    """

    def __init__(
        self, message: str, status: int | None = None, retry_after: float | None = None, failure: str = "",
        free: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.failure = failure or _failure(status)
        self.free = free or (status is not None and 400 <= status < 500)


def _failure(status: int | None) -> str:
    """The word for an HTTP status."""
    if status is None or status == 408:
        return "connection"
    if status < 400:
        return "bad reply"
    return {401: "key", 403: "key", 429: "rate limit"}.get(status, "bad request" if status < 500 else "server error")


class Reply(NamedTuple):
    """What a reply says of each text, in the order in which the texts were sent."""

    scores: list[float]
    spans: list[tuple[tuple[int, int], ...]]
    cost: dict[str, float]
    warnings: list[str]


def read_reply(reply: object, texts: Sequence[str]) -> Reply:
    """The reply's results brought back to the texts **by index**.

    It reads plain JSON and not the SDK's objects, because the SDK (7.3.1) turns an index of 1.5 into 1 and checks
    neither ranges nor scores.

    Raises `ServiceError` unless each text has exactly one result, with a whole index in range and a finite score.

    >>> results = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.2}]
    >>> read_reply({"results": results}, ["a", "b"]).scores
    [0.2, 0.9]
    """
    results = reply.get("results") if isinstance(reply, dict) else None
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise _unusable("it must have a list of results")
    by_index = {_index(result.get("index"), len(texts)): result for result in results}
    if len(by_index) < len(results):
        raise _unusable("each index must come once; one came twice")
    if len(by_index) < len(texts):
        raise _unusable(f"{len(texts)} documents were sent; {len(by_index)} results came")
    ordered = [by_index[i] for i in range(len(texts))]
    scores = [_score(result.get("relevance_score")) for result in ordered]
    spans = [_spans(result.get("relevant_spans"), text) for result, text in zip(ordered, texts, strict=True)]
    meta = reply.get("meta") if isinstance(reply, dict) and isinstance(reply.get("meta"), dict) else {}
    billed, warnings = meta.get("billed_units"), meta.get("warnings")
    cost = {unit: float(n) for unit, n in billed.items() if is_number(n)} if isinstance(billed, dict) else {}
    return Reply(scores, spans, cost, [str(told) for told in warnings] if isinstance(warnings, list) else [])


def _index(index: object, count: int) -> int:
    if type(index) is not int or not 0 <= index < count:
        raise _unusable(f"an index must be a whole number from 0 to {count - 1}; got {_short(index)}")
    return index


def _score(score: object) -> float:
    if not is_number(score):
        raise _unusable(f"a score must be a finite number; got {_short(score)}")
    return float(score)  # type: ignore[arg-type]


def _spans(spans: object, text: str) -> tuple[tuple[int, int], ...]:
    """(start, end) in code points, as Python counts characters too; most relevant first, as they came."""
    if spans is None:
        return ()
    pairs = [(s.get("start"), s.get("end")) for s in spans if isinstance(s, dict)] if isinstance(spans, list) else [()]
    for pair in pairs:
        if not all(type(place) is int for place in pair) or not pair or not 0 <= pair[0] < pair[1] <= len(text):
            raise _unusable(f"a relevant span must lie in its document of {len(text)} characters; got {_short(pair)}")
    return tuple(pairs)  # type: ignore[arg-type]


def _short(value: object) -> str:
    return shortened(repr(value), 40)


def _unusable(why: str) -> ServiceError:
    return ServiceError(f"the rerank reply cannot be used: {why}. No ranking was made of it.", 200)
