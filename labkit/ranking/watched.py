"""A pipeline watched: what each of its stages got, gave and took in one request."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from labkit.errors import LabError
from labkit.ranking.ranking import Hit, Ranking, finite
from labkit.ranking.rerankers import configuration_of
from labkit.ranking.two_stage import Searcher, TwoStage


@dataclass
class Stage:
    """One stage of one request: whom it asked, with which setting, from which candidates, and what came."""

    name: str
    settings: dict[str, int | None]
    candidates: Ranking | None
    ranking: Ranking | None = None
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The stage as plain data for JSON; what raised has no hits."""
        got = self.ranking or Ranking("", ())
        return {
            "name": self.name, **self.settings, "in": self.candidates.ids if self.candidates is not None else [],
            "out": [_hit(hit) for hit in got], "scale": got.scale, "model": got.model,
            "seconds": round(self.seconds, 6), "encoded": got.encoded, "cached": got.cached, "cost": dict(got.cost),
            "attempts": got.attempts, "note": got.note, "fallback": got.fallback,
        }  # fmt: skip


@dataclass
class Request:
    """One request as it ran: a ranking or an error, and the stages on the way."""

    query: str
    settings: dict[str, int | None]
    at: datetime
    stages: list[Stage] = field(default_factory=list)
    ranking: Ranking | None = None
    error: BaseException | None = None
    seconds: float = 0.0

    @property
    def outcome(self) -> str:
        """``"answered"``, ``"fallback"`` (a stage fell back), or ``"refused"`` (it raised)."""
        if self.error:
            return "refused"
        fell = any(stage.ranking and stage.ranking.fallback for stage in self.stages)
        return "fallback" if fell else "answered"


def run(system: Searcher | TwoStage, query: str, settings: dict[str, Any]) -> Request:
    """Run a request and keep what every stage did; an error is kept too, not raised."""
    request = Request(query, settings, datetime.now(UTC))
    began = time.perf_counter()
    try:
        request.ranking = _watched(system, request.stages).search(query, **settings)
    except BaseException as error:
        request.error = error
    request.seconds = time.perf_counter() - began
    return request


def about(system: Searcher | TwoStage) -> dict[str, Any]:
    """What stays the same between requests: the system, its configuration, and the hash of the collection's documents.

    A model that cannot be had is not an error yet: the configuration is then the name alone.
    """
    try:
        configuration = configuration_of(system)
    except LabError:
        configuration = {"name": system.name}
    c = system.collection
    documents = {"name": c.name, "source": c.source, "hash": c.with_queries([]).fingerprint[:16]}
    return {"system": system.name, "configuration": configuration, "collection": documents}


def _hit(hit: Hit) -> dict[str, Any]:
    """A hit without its texts, but with their hash."""
    texts = hashlib.sha256(
        "\0".join([hit.title, *(hit.passages or (hit.text,))]).encode("utf-8", "replace")
    ).hexdigest()[:12]
    return {
        "id": hit.doc_id, "rank": hit.rank, "previous_rank": hit.previous_rank,
        "score": finite(hit.score), "reason": hit.reason or "", "texts": texts,
    }  # fmt: skip


class Delegate:
    """What another object is, but for the methods given."""

    def __init__(self, part: Any, **methods: Callable[..., Any]) -> None:
        self._part = part
        vars(self).update(methods)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what copying asks for is not the other's
            raise AttributeError(name)
        return getattr(self._part, name)


def _watched(system: Any, stages: list[Stage]) -> Any:
    """The system with each call of each stage kept; nothing is computed here that could fail."""

    def search(query: str, k: int = 50) -> Ranking:
        return _kept(stages, Stage(system.name, {"k": k}, None), lambda: system.search(query, k))

    def rerank(query: str, candidates: Ranking, top_n: int = 5) -> Ranking:
        stage = Stage(system.name, {"top_n": top_n}, candidates)
        return _kept(stages, stage, lambda: system.rerank(query, candidates, top_n))

    if not isinstance(system, TwoStage):
        return Delegate(system, search=search, rerank=rerank)
    shadow = copy(system)
    shadow.first, shadow.reranker = _watched(system.first, stages), _watched(system.reranker, stages)
    return shadow


def _kept(stages: list[Stage], stage: Stage, call: Callable[[], Ranking]) -> Ranking:
    stages.append(stage)  # before the call: a stage that raises is in the trace too
    began = time.perf_counter()
    try:
        stage.ranking = call()
    finally:
        stage.seconds = time.perf_counter() - began
    return stage.ranking
