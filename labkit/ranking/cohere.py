"""Reranking by Cohere's hosted models, or by a stand-in on this machine that the same SDK talks to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.encoding.checkpoints import load_encoder
from labkit.errors import LabError, check_count, is_number
from labkit.ranking.cohere_reply import Reply, read_reply
from labkit.ranking.ranking import Hit
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import Scored, best, flat
from labkit.ranking.standin import load_extra, shared_standin
from labkit.ranking.standin_rules import MAX_TOKENS_PER_DOC, STANDIN, names_spans, units_for

if TYPE_CHECKING:
    from labkit.ranking.cohere_client import Connection

MAX_DOCUMENTS = 1_000  # Cohere takes up to 10,000 and advises against more than this
BLANK = "the text is blank and was not sent"
KEYS = ("CO_API_KEY", "COHERE_API_KEY")
NO_KEY = "none-is-needed-here"  # what a stand-in gets: a real key stays where it is


class CohereReranker(Reranker):
    """Cohere's v2 rerank. Every passage is sent as a document of its own; a hit counts with its best one.

    Parameters
    ----------
    model : any id that the service knows; models of generation 5 and later also name relevant spans
    live : False asks a stand-in on this machine, whose scores are **not** Cohere's: it computes MaxSim. True asks
        Cohere, sends query and passages there, costs money, and needs a key.
    max_tokens_per_doc : where the service cuts a passage, in its tokens; None leaves its default, 4,096
    timeout : seconds for connecting, for sending and for the reply. One attempt is made, none is repeated.
    base_url : another address; without ``live`` it must be on this machine, such as that of ``lk.cohere_standin``.
        With ``live`` the default is ``CO_API_URL``, else Cohere's.
    api_key : with ``live``; by default ``CO_API_KEY``, else ``COHERE_API_KEY``. It is never shown.

    Raises `LabError` for bad parameters, a missing key, and, when reranking, for a blank query and more than 1,000
    passages: they are refused, not split, since that many are more often a mistake than meant, and each 100 are billed.
    `labkit.ranking.cohere_reply.ServiceError`, a LabError, when the service fails or its reply cannot be believed.

    Source: https://docs.cohere.com/reference/rerank and cohere 7.3.1.
    """

    name = "cohere"

    def __init__(
        self, model: str = "rerank-v3.5", live: bool = False, max_tokens_per_doc: int | None = None,
        timeout: float = 30.0, base_url: str | None = None, api_key: str | None = None,
    ) -> None:  # fmt: skip
        key, api_key = _Key(api_key or ""), None  # a traceback that shows locals shows no key
        self.model_id, self.live, self.timeout = model, live, timeout
        if not isinstance(model, str) or not model.strip():
            raise LabError(f"model must be the id of a model, such as 'rerank-v3.5'; got {model!r}.")
        if not isinstance(live, bool):
            raise LabError(f"live must be True or False; got {live!r}.")
        if not is_number(timeout) or timeout <= 0:
            raise LabError(f"timeout must be seconds above 0; got {timeout!r}.")
        limit = max_tokens_per_doc
        self.max_tokens_per_doc = None if limit is None else check_count(limit, "max_tokens_per_doc")
        self.stand_in = not live
        self.model = model if live else f"stand-in for {model}"
        self.scale = "relevance" if live else "stand-in"
        self.base_url = base_url or (os.environ.get("CO_API_URL") if live else None)
        self._key = _found(key) if live else _Key(NO_KEY)
        if not self._key:
            raise LabError(
                f"live=True needs a key: set {KEYS[0]} (or {KEYS[1]}), or pass api_key=. Without a key, live=False "
                "asks a stand-in on this machine, whose scores are not Cohere's."
            )

    def __repr__(self) -> str:
        return f"CohereReranker({self.model_id!r}, live={self.live})"

    @property
    def configuration(self) -> dict[str, Any]:
        return {"name": self.name, "model": self.model, "max_tokens_per_doc": self.max_tokens_per_doc}

    @cached_property
    def connection(self) -> Connection:
        """The client, made at the first question; without ``live`` and ``base_url`` it starts the stand-in."""
        client = load_extra("labkit.ranking.cohere_client")
        if not self.live and self.base_url and not client.is_loopback(self.base_url):
            raise LabError(
                "live=False sends nothing beyond this machine, and base_url is elsewhere. Pass live=True, or the "
                "address that lk.cohere_standin() gives."
            )
        return client.Connection(self._key, self.base_url or (None if self.live else shared_standin()), self.timeout)

    def prepare(self) -> None:
        """Open the client, and load what the stand-in scores with."""
        _ = self.connection
        if not self.live and not self.base_url:
            load_encoder()

    def most_cost(self, query: str, hits: Sequence[Hit]) -> dict[str, float]:
        """The most that the service can bill, whatever its tokenizer: a token is a byte or more, and a text is cut."""
        limit = self.max_tokens_per_doc or MAX_TOKENS_PER_DOC
        asked = len(query.encode())
        sizes = [min(len(text.encode()), limit) for text in flat(hits)[0] if text.strip()]
        return {"search_units": float(units_for(sizes)), "input_tokens": float(sum(size + asked for size in sizes))}

    def score(self, query: str, hits: Sequence[Hit]) -> Scored:
        texts, starts = flat(hits)
        sent = [i for i, text in enumerate(texts) if text.strip()]
        if not query.strip():
            raise LabError("query must have a word in it: Cohere refuses a blank one.")
        if len(sent) > MAX_DOCUMENTS:
            raise LabError(f"at most {MAX_DOCUMENTS:,} passages can be reranked; got {len(sent):,}. Lower k.")
        reply = self._ask(query, [texts[i] for i in sent])
        scores = np.full(len(texts), -np.inf)
        scores[sent] = reply.scores
        spans = dict(zip(sent, reply.spans, strict=True))
        per_hit, places = np.maximum.reduceat(scores, starts), best(scores, starts)
        return Scored(
            per_hit,
            places,
            reasons=dict.fromkeys(np.flatnonzero(np.isneginf(per_hit)).tolist(), BLANK),
            spans=[spans.get(start + i, ()) for start, i in zip(starts, places, strict=True)],
            cost=reply.cost,
            note=self._note(reply.warnings),
        )

    def _ask(self, query: str, documents: list[str]) -> Reply:
        """The service's word on documents; nothing is asked where there are none."""
        if not documents:
            return Reply([], [], {}, [])
        request: dict[str, Any] = {"model": self.model_id, "query": query, "documents": documents}
        if self.max_tokens_per_doc:
            request["max_tokens_per_doc"] = self.max_tokens_per_doc
        if names_spans(self.model_id):
            request["relevant_spans"] = {"mode": "enabled"}
        return read_reply(self.connection.ask(**request), documents)

    def _note(self, warnings: list[str]) -> str:
        """What the service warns of. A stand-in always names itself."""
        return "; ".join(warnings if self.live or any(STANDIN in told for told in warnings) else [STANDIN, *warnings])


class _Key(str):
    """A key whose repr does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def _found(given: _Key) -> _Key:
    """The key given, else the environment's, else an empty one."""
    keys = (given, *(_Key(os.environ.get(name, "")) for name in KEYS))
    return next((_Key(key.strip()) for key in keys if key.strip()), _Key(""))
