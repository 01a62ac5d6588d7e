"""What a guard's worker does: ask within the budget, doubt the answer, ask again where that may help."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from labkit.corpus.pydocs import count_wordpieces
from labkit.errors import LabError
from labkit.ranking.budget import Budget, Reservation
from labkit.ranking.cohere_reply import ServiceError
from labkit.ranking.ranking import Hit, Ranking
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import flat, summed

LOG = logging.getLogger("labkit.guard")
REPEATED = ("rate limit", "server error", "connection", "bad reply")  # the failures that may pass
BAD_REPLIES = 2  # times a reply that is not believed is asked for


class Stopped(Exception):
    """No answer. ``word`` is one of `labkit.ranking.guard.FALLBACKS`, ``kind`` names the error without its text."""

    def __init__(self, word: str, why: str, kind: str = "") -> None:
        super().__init__(why)
        self.word, self.kind = word, kind


def stopped(error: Exception) -> Stopped:
    """The error as `Stopped`. An error that is none of ours may hold a key or a text: only its type is told."""
    if isinstance(error, Stopped):
        return error
    kind = type(error).__name__
    if isinstance(error, ServiceError):
        return Stopped(error.failure, str(error), f"{kind} {error.status or ''}".rstrip())
    if isinstance(error, LabError):
        return Stopped("bad request", str(error), kind)
    return Stopped("error", f"the reranker raised {kind}", kind)


@dataclass
class Task:
    """One request, its end on the clock, and what it took so far. ``cost`` is what was or may have been billed."""

    query: str
    hits: tuple[Hit, ...]
    end: float
    attempts: int = 0
    cached: bool = False
    cost: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Attempts:
    """How a reranker is asked."""

    reranker: Reranker
    budget: Budget | None
    most: int
    backoff: float
    clock: Callable[[], float]
    sleep: Callable[[float], object]
    chance: Callable[[], float]

    def run(self, task: Task, head: tuple[Hit, ...]) -> Ranking:
        """The reranker's whole ranking of ``head``, or `Stopped`."""
        while True:
            try:
                return self._once(task, head)
            except Exception as error:
                failed, asks = stopped(error), getattr(error, "retry_after", None) or 0.0
            self._pause(task, failed, asks)

    def _once(self, task: Task, head: tuple[Hit, ...]) -> Ranking:
        most = self.reranker.most_cost(task.query, head)
        kept = self._reserve(most)
        if self.clock() >= task.end:  # the record was slow
            self._settle(kept, {})
            raise Stopped("deadline", "no time was left to ask")
        before, bill = task.cost, most
        task.attempts += 1
        task.cost = summed([before, most])
        try:
            answer = self.reranker.rerank(task.query, Ranking(task.query, head), len(head))
            bill = answer.cost or most
            check_answer(answer, head)
            return answer
        except ServiceError as error:
            bill = {} if error.free else bill
            raise
        finally:
            task.cost = summed([before, bill])
            self._settle(kept, bill)

    def _pause(self, task: Task, failed: Stopped, asks: float) -> None:
        """Wait as the service asks, and else by exponential back-off with full jitter; or raise what stopped it.

        Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
        """
        most = min(self.most, BAD_REPLIES) if failed.word == "bad reply" else self.most
        if failed.word not in REPEATED or task.attempts >= most:
            raise failed
        seconds = max(asks, self.chance() * self.backoff * 2 ** (task.attempts - 1))
        if self.clock() + seconds >= task.end:
            raise failed
        self.sleep(seconds)

    def _reserve(self, most: dict[str, float]) -> Reservation | None:
        if self.budget is None:
            return None
        try:
            kept = self.budget.reserve(most)
        except (OSError, LabError) as error:
            raise Stopped("budget", "the record of what was spent cannot be kept", type(error).__name__) from None
        if kept is None:
            limit = f"{self.budget.limit:g} {self.budget.currency}"
            raise Stopped("budget", f"one more call might exceed the budget of {limit} a day")
        return kept

    def _settle(self, kept: Reservation | None, bill: dict[str, float]) -> None:
        try:
            if self.budget is not None and kept is not None:
                self.budget.settle(kept, bill)
        except (OSError, LabError) as error:
            LOG.warning("a bill could not be recorded (%s): what was set aside stays spent", type(error).__name__)


def within(hits: tuple[Hit, ...], max_candidates: int, max_tokens: int | None) -> tuple[Hit, ...]:
    """The first candidates, as far as the caps allow: so many, and so many wordpieces of all their passages."""
    head = hits[:max_candidates]
    if max_tokens is None:
        return head
    passages, starts = flat(head)
    upto = [0, *accumulate(count_wordpieces(passages))]
    fits = sum(upto[end] <= max_tokens for end in [*starts[1:], len(passages)])
    if not fits:
        raise Stopped("tokens", f"the first candidate alone has over {max_tokens:,} wordpieces")
    return head[:fits]


def check_answer(answer: Ranking, head: Sequence[Hit]) -> None:
    """Raise a `ServiceError` unless each candidate comes once, best first, with a finite score or a reason."""
    places = [hit.previous_rank for hit in answer]
    if len(places) != len(head) or set(places) != set(range(1, len(head) + 1)):
        raise _bad(f"{len(head)} candidates were given, and not each came back once")
    if any(hit.doc_id != head[place - 1].doc_id for hit, place in zip(answer, places, strict=True)):
        raise _bad("a document came back with another one's place")
    finite = [hit.score is not None and math.isfinite(hit.score) for hit in answer]
    if not all(
        fine or (hit.reason and hit.score in (None, -math.inf)) for hit, fine in zip(answer, finite, strict=True)
    ):
        raise _bad("a score must be a finite number, or have a reason")
    scores = [hit.score if fine else -math.inf for hit, fine in zip(answer, finite, strict=True)]
    if any(later > earlier for earlier, later in pairwise(scores)):
        raise _bad("the scores must not rise")


def _bad(why: str) -> ServiceError:
    return ServiceError(f"the reranker's answer cannot be used: {why}.", failure="bad reply")
