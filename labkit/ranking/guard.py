"""A reranker that always answers in time: with its own order, or with the first stage's and the reason.

It owns time and retries. A client's own timeout is per read and restarts with every byte, and its own retries sleep
outside of it, so a worker does the asking and the caller leaves when time is up.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from labkit.errors import LabError, check_count, check_text, is_number
from labkit.ranking.budget import Budget
from labkit.ranking.guard_attempts import LOG, Attempts, Stopped, Task, stopped, within
from labkit.ranking.guard_parts import Breaker, Busy, Cache, Workers
from labkit.ranking.ranking import Candidates, Hit, Ranking, as_hits
from labkit.ranking.rerankers import Reranker, fallback_note, joined
from labkit.ranking.scored import Scored

FALLBACKS = {
    "deadline": "the time was up",
    "rate limit": "the service asked to slow down",
    "server error": "the service failed",
    "connection": "the service could not be reached, or broke off, or was too slow",
    "bad reply": "the reply could not be believed",
    "bad request": "the request was refused, and would be again",
    "key": "the key was refused",
    "budget": "the call might have cost more than was left",
    "tokens": "the first candidate alone is over the cap",
    "breaker": "too many requests failed just before",
    "concurrency": "too many requests were under way",
    "error": "the reranker failed in a way that nobody foresaw",
}
# what opens the breaker
ILL = ("deadline", "rate limit", "server error", "connection", "bad reply", "error")
WAIT = 0.1  # of the deadline, for a free worker
OVER = "over the guard's cap"
CACHED = "answered from the guard's cache: nothing was asked, nothing is billed"
OVERDUE = {Busy: "concurrency", TimeoutError: "deadline"}


class Guard(Reranker):
    """A reranker around another, for production. Whatever fails, a valid ranking comes back before the deadline.

    A fallback is the first stage's order with the first stage's scores; ``fallback`` on the Ranking has the reason in a
    word of `FALLBACKS`, ``note`` in a sentence. It is counted in ``counts`` and logged once (logger ``labkit.guard``),
    without a text or a key. ``attempts`` and ``cost`` on the Ranking say how often was asked, and what was or may have
    been billed.

    Parameters
    ----------
    reranker : the one to ask. Its own retries must be off, and its own timeout is best at most the deadline: a worker
        that it holds longer is left behind and keeps its place among ``concurrency`` until it ends.
    deadline : seconds for everything, loading the model included: call ``prepare()`` at the start. Only a pause of the
        whole interpreter, such as a garbage collection, makes an answer later.
    attempts : most calls for one request, for failures that may pass; a reply that is not believed is asked for again
        once. Between them lies what the service asks for, or up to ``backoff`` seconds, doubled each time.
    failures, cooldown : after so many failed requests in a row none is made for ``cooldown`` seconds; then one tries
    max_candidates, max_tokens : only the first candidates are reranked, so many and with so many wordpieces together;
        the rest follow in their order, with a reason. None for ``max_tokens`` counts none.
    budget : most to spend a UTC day, in the currency of ``price``, or in search units without one; None for no limit.
        What a call may cost at most is set aside on disk before it. What failed without a refusal counts in full.
    price : name of an entry of ``data/prices.toml`` by search units or tokens. Check it: those shipped are unverified.
    account : who spends; by default the model. Processes that share ``LABKIT_HOME`` share the budget of an account.
    concurrency : most requests under way; one more waits for a tenth of the deadline
    cache : answers kept in memory, by query, texts and configuration; they cost nothing. Fallbacks are not kept.
    clock, sleep, chance : seconds, waiting, and a random number in [0, 1), for tests

    Raises `LabError` for parameters that make no guard; in ``rerank`` only for a ``top_n`` below 1 and texts that are
    no valid strings. An interrupt by the user passes through.
    """

    def __init__(
        self, reranker: Reranker, *, deadline: float = 5.0, attempts: int = 3, backoff: float = 0.1, failures: int = 5,
        cooldown: float = 30.0, max_candidates: int = 100, max_tokens: int | None = None, budget: float | None = None,
        price: str | None = None, account: str | None = None, concurrency: int = 8, cache: int = 256,
        clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:  # fmt: skip
        if not isinstance(reranker, Reranker):
            raise LabError(f"a guard needs a reranker such as CohereReranker(); got {type(reranker).__name__}.")
        for number, what in ((deadline, "deadline"), (backoff, "backoff"), (cooldown, "cooldown")):
            if not is_number(number) or number <= 0:
                raise LabError(f"{what} must be seconds above 0; got {number!r}.")
        if budget is None and price is not None:
            raise LabError("price says in what a budget counts; pass budget= too.")
        self.reranker, self.deadline = reranker, float(deadline)
        self.name, self.scale, self.stand_in = reranker.name, reranker.scale, reranker.stand_in
        self.max_candidates = check_count(max_candidates, "max_candidates")
        self.max_tokens = None if max_tokens is None else check_count(max_tokens, "max_tokens")
        self.budget = None if budget is None else Budget(budget, price, account or reranker.model)
        self.breaker = Breaker(check_count(failures, "failures"), cooldown, clock)
        attempts = check_count(attempts, "attempts")
        self._attempts = Attempts(reranker, self.budget, attempts, backoff, clock, sleep, chance)
        self._workers = Workers(check_count(concurrency, "concurrency"))
        self._cache = Cache(cache if cache == 0 else check_count(cache, "cache"))
        self._clock, self._loading, self._counting = clock, threading.Lock(), threading.Lock()
        self._counts: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"Guard({self.reranker!r}, deadline={self.deadline:g})"

    @property
    def model(self) -> str:
        return self.reranker.model

    @property
    def configuration(self) -> dict[str, Any]:
        caps = {"max_candidates": self.max_candidates, "max_tokens": self.max_tokens, "deadline": self.deadline}
        return {"name": "guard", "reranker": self._configured(), **caps}

    @property
    def counts(self) -> dict[str, int]:
        """Requests by outcome: ``"reranked"``, ``"cached"``, and the words of `FALLBACKS`; and ``"attempts"``."""
        with self._counting:
            return dict(self._counts)

    @property
    def left_behind(self) -> int:
        """Workers that still run although their caller has gone."""
        return self._workers.left

    def prepare(self) -> None:
        """Load what the reranker needs, and what was spent today, so that the first question has its whole time."""
        with self._loading:
            self.reranker.prepare()
        if self.budget:
            _ = self.budget.spent

    def most_cost(self, query: str, hits: Sequence[Hit]) -> dict[str, float]:
        return self.reranker.most_cost(query, hits)

    def score(self, query: str, hits: Sequence[Hit]) -> Scored:
        """Refused: a fallback has no scores of the reranker's to give."""
        raise LabError("a guard gives rankings, not scores: put it outermost, as in Guard(FusionReranker([...])).")

    def rerank(self, query: str, candidates: Candidates, top_n: int = 5) -> Ranking:
        """The ``top_n`` best candidates as the reranker has them, or the first ``top_n`` as they came."""
        check_count(top_n, "top_n")
        check_text(query, "query")
        began, hits = self._clock(), as_hits(candidates)
        first = candidates if isinstance(candidates, Ranking) else Ranking(query, hits)
        if not hits:
            return super().rerank(query, candidates, top_n)
        task = Task(query, hits, began + self.deadline)
        try:
            ranking = self._whole(first, self._answer(task))
        except Exception as error:
            ranking = self._fallback(first, task, stopped(error))
        self._count(task, ranking)
        spent = self._clock() - began + first.seconds.get("rerank", 0.0)
        return replace(
            ranking, query=query, hits=ranking.hits[:top_n], seconds={**first.seconds, "rerank": spent},
            cost=task.cost, attempts=task.attempts,
        )  # fmt: skip

    def _answer(self, task: Task) -> Ranking:
        """The reranker's ranking of the candidates within the caps: kept, or new."""
        if len(self._cache) and (kept := self._cache.get(self._key(task))):
            task.cached, task.cost = True, dict.fromkeys(kept.cost, 0.0)
            return replace(kept, encoded=0, cached=0, note=joined(kept.note, CACHED))
        entered, well = self.breaker.enter(), None
        if not entered:
            raise Stopped("breaker", FALLBACKS["breaker"])
        try:
            answer = self._workers.run(lambda: self._work(task), WAIT * self.deadline, lambda: task.end - self._clock())
            well = True
            return answer
        except Exception as error:
            word = OVERDUE.get(type(error))
            failed = Stopped(word, FALLBACKS[word]) if word else stopped(error)
            well = False if failed.word in ILL else None
            raise failed from None
        finally:
            self.breaker.leave(entered, well)

    def _work(self, task: Task) -> Ranking:
        """What a worker does. Its answer is kept even if the caller has gone: it was paid for."""
        try:
            with self._loading:
                self.reranker.prepare()
            answer = self._attempts.run(task, within(task.hits, self.max_candidates, self.max_tokens))
            self._cache.put(self._key(task), answer)
            return answer
        except Exception as error:
            raise stopped(error) from None

    def _whole(self, first: Ranking, answer: Ranking) -> Ranking:
        """The answer, then the candidates over the caps, in their order, unscored."""
        inside = len(answer)
        rest = tuple(
            replace(hit, rank=rank, previous_rank=rank, score=-math.inf, reason=OVER)
            for rank, hit in enumerate(first.hits[inside:], start=inside + 1)
        )
        system = f"{first.system}+{self.name}" if first.system else self.name
        over = f"the last {len(rest)} candidates were {OVER} and keep their order" if rest else ""
        note = joined(fallback_note(first), answer.note, over)
        return replace(answer, hits=answer.hits + rest, system=system, note=note)

    def _fallback(self, first: Ranking, task: Task, failed: Stopped) -> Ranking:
        """The first stage's own order, scores and scale, and the reason. Its sentence is not logged: it may quote."""
        hits = tuple(replace(hit, rank=rank, previous_rank=rank) for rank, hit in enumerate(first.hits, start=1))
        LOG.warning(
            "%s fell back to the order of the candidates: %s%s; attempts: %d",
            self.name, failed.word, f" ({failed.kind})" if failed.kind else "", task.attempts,
        )  # fmt: skip
        note = f"not reranked, the order is the first stage's ({failed.word}): {failed}"
        return replace(first, hits=hits, note=joined(first.note, note), fallback=failed.word)

    def _count(self, task: Task, ranking: Ranking) -> None:
        with self._counting:
            self._counts[ranking.fallback or ("cached" if task.cached else "reranked")] += 1
            self._counts["attempts"] += task.attempts

    def _key(self, task: Task) -> str:
        """A hash of all that decides an answer."""
        hits = [(hit.doc_id, hit.title, hit.text, hit.passages) for hit in task.hits]
        asked = json.dumps([self._configured(), task.query, hits], sort_keys=True, default=str)
        return hashlib.sha256(asked.encode()).hexdigest()

    def _configured(self) -> dict[str, Any]:
        return getattr(self.reranker, "configuration", {"name": self.name, "model": self.reranker.model})
