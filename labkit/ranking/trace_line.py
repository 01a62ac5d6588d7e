"""One request as a line of a trace: what it held, without what nobody may read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import Any
from uuid import uuid4

from labkit.ranking.redaction import Redaction, Salt, without_keys
from labkit.ranking.scored import summed
from labkit.ranking.watched import Request
from labkit.records import code_hash, versions

SCHEMA = 1
QUOTED = 8  # characters in a row that a sentence shares with a query quote it
ID_DIGITS = 8


class Lines:
    """Requests as what `labkit.ranking.trace.Trace` writes of them; the parameters are the trace's."""

    def __init__(self, queries: str, redaction: Redaction) -> None:
        self.queries, self._redaction, self._salt = queries, redaction, Salt()

    def of(self, request: Request, about: dict[str, Any]) -> dict[str, Any]:
        """One request; ``about`` is what `labkit.ranking.watched.about` says of its system."""
        counts: Counter[str] = Counter()
        query = request.query if isinstance(request.query, str) else repr(request.query)
        shown = {"text": query, "hash": None, "redacted": query}[self.queries]
        if self.queries == "redacted":
            shown = self._redaction.clean(query, counts)
        shown = without_keys(shown, counts)
        say = partial(self._sentence, counts=counts, hidden="" if shown == query else query)
        error = f"{type(request.error).__name__}: {say(str(request.error))}" if request.error else ""
        line = {
            "schema": SCHEMA, "id": uuid4().hex, "at": request.at.isoformat(timespec="milliseconds"),
            "outcome": request.outcome, "error": error,
            "query": shown, "query_exact": shown == request.query, "query_hash": self._salt.hash(query),
            "salt": self._salt.name, **about, **_counts(request.settings, say), "seconds": round(request.seconds, 6),
            "stages": self._stages(request, say, counts), "versions": versions(), "code": code_hash(),
        }  # fmt: skip
        line["cost"] = summed(stage["cost"] for stage in line["stages"])
        return {**without_keys(line, counts), "redacted": dict(counts)}

    def _sentence(self, text: str, counts: Counter[str], hidden: str) -> str:
        """A note or an error after the rules, or none of it where it quotes a query that is not to be shown."""
        width = min(QUOTED, len(hidden))
        if width >= 4 and any(text[i : i + width] in hidden for i in range(len(text) - width + 1)):
            return "[left out: it quotes the query]"
        return self._redaction.clean(text, counts)

    def _stages(self, request: Request, say: Callable[[str], str], counts: Counter[str]) -> list[dict[str, Any]]:
        """The stages with ids and sentences after the rules. An id that changed carries a hash, to stay one of many."""

        @cache
        def doc_id(given: str) -> str:
            shown = self._redaction.clean(given, counts)
            return shown if shown == given else f"{shown}#{self._salt.hash(given)[:ID_DIGITS]}"

        stages = [stage.to_dict() for stage in request.stages]
        for stage in stages:
            stage["in"] = [doc_id(given) for given in stage["in"]]
            stage["out"] = [{**hit, "id": doc_id(hit["id"]), "reason": say(hit["reason"])} for hit in stage["out"]]
            stage.update({name: say(stage[name]) for name in ("note", "fallback")})
            stage.update(_counts({name: stage[name] for name in ("k", "top_n") if name in stage}, say))
        return stages


def _counts(settings: dict[str, Any], say: Callable[[str], str]) -> dict[str, Any]:
    """k and top_n: whole numbers or None; what was refused stands as text, after the rules."""
    return {
        name: value if value is None else int(value) if hasattr(value, "__index__") else say(repr(value))
        for name, value in settings.items()
    }


def plain(value: Any) -> Any:
    """A number of numpy as Python's; anything else by its type alone."""
    return value.item() if hasattr(value, "item") else f"<{type(value).__name__}>"
