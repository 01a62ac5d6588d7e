"""A guard around a scripted reranker: every answer is a valid ranking, in time, within the budget, and says why."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.ranking.cohere_reply import ServiceError
from labkit.ranking.fusion import FusionReranker
from labkit.ranking.guard import FALLBACKS
from labkit.ranking.ranking import Hit, Ranking
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import Scored

TEXTS = ["low 0.1", "high 0.9", "middle 0.5", "high 0.9"]
FIRST = Ranking(
    "q",
    tuple(Hit(f"d{i}", i + 1, 9.0 - i, text=text, passages=(text,)) for i, text in enumerate(TEXTS)),
    "bm25",
    "BM25",
    {"first_stage": 0.25},
)
BUSY = ServiceError("slow down", 429, 3.0)
DOWN = ServiceError("down", 503)
GONE = ServiceError("unreachable")
UNBELIEVABLE = ServiceError("nonsense", 200)
REFUSED = ServiceError("no", 400)
LOCKED = ServiceError("who are you", 401)


class Scripted(Reranker):
    """A text's last word is its score. Each call takes the next of ``script``: an error to raise, something to do."""

    name, scale, model = "scripted", "relevance", "scripted-1"

    def __init__(self, *script, cost=None):
        self.script, self.calls, self.asked = list(script), 0, []
        self.cost = {} if cost is None else {"search_units": cost}

    def most_cost(self, query, hits):
        return self.cost

    def score(self, query, hits):
        self.calls += 1
        self.asked.append([hit.doc_id for hit in hits])
        step = self.script.pop(0) if self.script else None
        if isinstance(step, BaseException):
            raise step
        if callable(step):
            step()
        return Scored(np.array([float(hit.text.split()[-1]) for hit in hits]), cost=self.cost)


class Time:
    """A clock that moves when somebody sleeps, and remembers how long."""

    def __init__(self):
        self.now, self.slept = 100.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def guarded(time):
    """A function that guards a script with a clock of its own and jitter at its most, after a prefix of settings."""

    def build(*script, cost=None, **settings):
        given = {"deadline": 60, "clock": time, "sleep": time.sleep, "chance": lambda: 1.0, **settings}
        return lk.Guard(Scripted(*script, cost=cost), **given)

    return build


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


def assert_first_stage(ranking, word):
    """The first stage's order, its own scores and scale, and the reason as a word and in a sentence."""
    assert [hit.doc_id for hit in ranking] == ["d0", "d1", "d2", "d3"][: len(ranking)]
    assert [hit.score for hit in ranking] == [9.0, 8.0, 7.0, 6.0][: len(ranking)]
    assert [(hit.rank, hit.previous_rank) for hit in ranking] == [(i, i) for i in range(1, len(ranking) + 1)]
    assert (ranking.scale, ranking.system, ranking.fallback) == ("BM25", "bm25", word)
    assert f"the order is the first stage's ({word})" in ranking.note
    assert word in FALLBACKS


# What a guard leaves as it is


def test_a_well_reranker_answers_as_without_a_guard(guarded):
    ours, alone = guarded().rerank("q", FIRST, top_n=3), Scripted().rerank("q", FIRST, top_n=3)
    assert ours == alone
    assert (ours.ids, ours.system, ours.scale) == (["d1", "d3", "d2"], "bm25+scripted", "relevance")
    assert (ours.fallback, ours.note, ours.attempts, ours.model) == ("", "", 1, "scripted-1")
    assert ours.seconds["first_stage"] == 0.25


def test_a_list_of_texts_is_ranked_by_position_and_falls_back_to_it(guarded):
    guard = guarded(None, REFUSED, cache=0)
    assert guard.rerank("q", TEXTS).ids == ["1", "3", "2", "0"]
    fallen = guard.rerank("q", TEXTS)
    assert (fallen.ids, fallen.scale, fallen.system) == (["0", "1", "2", "3"], "", "")
    assert [hit.score for hit in fallen] == [None] * 4


def test_it_is_a_reranker_of_two_stages():
    c = Collection("toy", {f"d{i}": Document("", f"rows {text}") for i, text in enumerate(TEXTS)})
    pipe = lk.TwoStage(lk.BM25Retriever(c), lk.Guard(Scripted()))
    assert pipe.search("rows", top_n=1)[0].score == 0.9
    assert pipe.configuration["reranker"]["name"] == "guard"
    nested = lk.TwoStage(pipe, lk.Guard(Scripted(REFUSED)))
    assert nested.search("rows", k=4, top_n=4).ids == pipe.search("rows", top_n=4).ids


def test_a_fallback_of_the_stage_before_is_still_told():
    fallen = lk.Guard(Scripted(REFUSED)).rerank("q", FIRST, top_n=4)
    ranking = lk.Guard(Scripted()).rerank("q", fallen)
    assert (ranking.fallback, ranking.ids[0]) == ("", "d1")
    assert "(bad request)" in ranking.note


def test_local_models_can_be_guarded(cross):
    # another thread may sum a model's products in another order: equal to a rounding error, not to the last bit
    for local, query, texts in (
        (cross, "ba ce", ["ba ce di", "ka le mi no", ""]),
        (lk.LateInteractionReranker(), "drop rows", TEXTS),
    ):
        guarded, plain = lk.Guard(local, deadline=60).rerank(query, texts), local.rerank(query, texts)
        assert (guarded.ids, guarded.scale, guarded.fallback) == (plain.ids, plain.scale, "")
        assert [hit.score for hit in guarded] == pytest.approx([hit.score for hit in plain], abs=1e-5)


def test_no_candidates_ask_nothing(guarded):
    guard = guarded()
    assert guard.rerank("q", []).ids == []
    assert guard.counts == {}


# Each failure, and what follows


@pytest.mark.parametrize(
    ("script", "word", "attempts"),
    [
        ([BUSY] * 3, "rate limit", 3),
        ([DOWN] * 3, "server error", 3),
        ([GONE] * 3, "connection", 3),
        ([ServiceError("late", 408)] * 3, "connection", 3),
        ([UNBELIEVABLE] * 2, "bad reply", 2),
        ([REFUSED], "bad request", 1),
        ([ServiceError("too much", 422)], "bad request", 1),
        ([LOCKED], "key", 1),
        ([ServiceError("forbidden", 403)], "key", 1),
        ([lk.LabError("query must have a word in it")], "bad request", 1),
        ([KeyError("x")], "error", 1),
        ([TimeoutError("theirs")], "error", 1),
        ([GONE, DOWN, REFUSED], "bad request", 3),
    ],
)
def test_what_may_pass_is_asked_again_and_then_the_first_stage_stands(guarded, script, word, attempts):
    guard = guarded(*script)
    ranking = guard.rerank("q", FIRST, top_n=3)
    assert_first_stage(ranking, word)
    assert (len(ranking), ranking.attempts, guard.reranker.calls) == (3, attempts, attempts)
    assert guard.counts == {word: 1, "attempts": attempts}


@pytest.mark.parametrize("passing", [BUSY, DOWN, GONE, UNBELIEVABLE])
def test_what_passes_in_time_is_reranked(guarded, passing):
    ranking = guarded(passing).rerank("q", FIRST)
    assert (ranking.ids[0], ranking.fallback, ranking.attempts) == ("d1", "", 2)


def test_pauses_double_and_have_full_jitter(guarded, time):
    draws = iter([0.5, 1.0, 0.25])
    guarded(DOWN, DOWN, DOWN, attempts=4, backoff=0.2, chance=lambda: next(draws)).rerank("q", FIRST)
    assert time.slept == pytest.approx([0.5 * 0.2, 1.0 * 0.4, 0.25 * 0.8])


def test_retry_after_is_honoured_when_it_fits_into_the_deadline(guarded, time):
    assert guarded(BUSY).rerank("q", FIRST).fallback == ""
    assert time.slept == [3.0]


def test_retry_after_that_does_not_fit_ends_the_matter_at_once(guarded, time):
    guard = guarded(ServiceError("slow down", 429, 60.0))
    assert_first_stage(guard.rerank("q", FIRST), "rate limit")
    assert (time.slept, guard.reranker.calls) == ([], 1)


def test_an_interrupt_by_the_user_passes_through_and_leaves_the_guard_well(guarded):
    guard = guarded(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        guard.rerank("q", FIRST)
    assert guard.rerank("q", FIRST).fallback == ""


class Answers(Reranker):
    """A reranker whose rankings are changed by a function before they are given."""

    name, scale = "answers", "relevance"

    def __init__(self, change):
        self.change = change

    def score(self, query, hits):
        raise NotImplementedError

    def rerank(self, query, candidates, top_n=5):
        return self.change(Scripted().rerank(query, candidates, top_n))


def with_hits(change):
    return lambda ranking: replace(ranking, hits=tuple(change(list(ranking.hits))))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (with_hits(lambda hits: hits[:-1]), "bad reply"),
        (with_hits(lambda hits: [*hits, hits[0]]), "bad reply"),
        (with_hits(lambda hits: [hits[0], *hits[:-1]]), "bad reply"),
        (with_hits(lambda hits: [replace(hits[0], previous_rank=5), *hits[1:]]), "bad reply"),
        (with_hits(lambda hits: [replace(hits[0], previous_rank=None), *hits[1:]]), "bad reply"),
        (with_hits(lambda hits: [replace(hits[0], doc_id="new"), *hits[1:]]), "bad reply"),
        (with_hits(lambda hits: [replace(hits[0], score=float("nan")), *hits[1:]]), "bad reply"),
        (with_hits(lambda hits: [replace(hits[0], score=float("inf"), reason="x"), *hits[1:]]), "bad reply"),
        (with_hits(lambda hits: [*hits[:-1], replace(hits[-1], score=None)]), "bad reply"),
        (with_hits(lambda hits: hits[::-1]), "bad reply"),
        (with_hits(lambda hits: [replace(hits[0], score="high"), *hits[1:]]), "error"),
        (lambda ranking: None, "error"),
    ],
)
def test_an_answer_that_is_no_ranking_of_the_candidates_is_not_believed(change, word):
    assert_first_stage(lk.Guard(Answers(change), backoff=1e-9).rerank("q", FIRST), word)


def test_a_score_of_minus_infinity_is_believed_with_a_reason():
    change = with_hits(lambda hits: [*hits[:-1], replace(hits[-1], score=-float("inf"), reason="blank")])
    assert lk.Guard(Answers(change)).rerank("q", FIRST)[-1].reason == "blank"


# The deadline


@pytest.fixture
def gate():
    """An event that hung calls wait for; it opens at the end of a test, so that no thread is left."""
    event = threading.Event()
    yield event
    event.set()


def ended(guard):
    """Whether the workers that were left behind end, once they may."""
    return any(guard.left_behind == 0 or threading.Event().wait(0.01) for _ in range(1_000))


def test_a_reranker_that_hangs_does_not_hold_the_caller(gate):
    guard = lk.Guard(Scripted(gate.wait), deadline=0.05)
    assert_first_stage(guard.rerank("q", FIRST), "deadline")
    assert guard.left_behind == 1
    gate.set()
    assert ended(guard)


def test_a_model_that_loads_too_long_does_not_hold_the_caller(gate):
    reranker = Scripted()
    reranker.prepare = gate.wait
    assert_first_stage(lk.Guard(reranker, deadline=0.05).rerank("q", FIRST), "deadline")


def test_workers_left_behind_keep_their_places_until_they_end(gate):
    guard = lk.Guard(Scripted(gate.wait, gate.wait), deadline=0.05, concurrency=2, failures=99)
    words = [guard.rerank("q", FIRST).fallback for _ in range(5)]
    assert words == ["deadline", "deadline", "concurrency", "concurrency", "concurrency"]
    assert (guard.left_behind, guard.reranker.calls) == (2, 2)
    gate.set()
    assert ended(guard)
    assert guard.rerank("another", FIRST).fallback == ""


def test_an_answer_that_comes_too_late_is_kept_for_the_next_who_asks(gate):
    guard = lk.Guard(Scripted(gate.wait), deadline=0.05)
    assert guard.rerank("q", FIRST).fallback == "deadline"
    gate.set()
    assert ended(guard)
    again = guard.rerank("q", FIRST)
    assert (again.ids[0], again.attempts, guard.reranker.calls) == ("d1", 0, 1)


def test_nothing_is_asked_when_the_time_is_over_before(guarded, time, home):
    guard = guarded(cost=1.0, budget=5)
    guard.reranker.prepare = lambda: time.sleep(61)
    assert_first_stage(guard.rerank("q", FIRST), "deadline")
    assert ended(guard)
    assert (guard.reranker.calls, guard.budget.spent) == (0, 0.0)


# The breaker


def test_the_breaker_opens_after_failures_in_a_row_and_one_tries_after_the_cooldown(guarded, time):
    guard = guarded(DOWN, DOWN, DOWN, attempts=1, failures=2, cooldown=30, cache=0)
    words = [guard.rerank("q", FIRST).fallback for _ in range(3)]
    assert (words, guard.breaker.state, guard.reranker.calls) == (["server error"] * 2 + ["breaker"], "open", 2)
    time.now += 30
    assert guard.breaker.state == "half-open"
    assert [guard.rerank("q", FIRST).fallback for _ in range(2)] == ["server error", "breaker"]
    time.now += 30
    assert [guard.rerank("q", FIRST).fallback for _ in range(2)] == ["", ""]
    assert guard.breaker.state == "closed"


def test_half_open_lets_one_request_pass_and_no_second(time, gate):
    entered = threading.Event()
    guard = lk.Guard(
        Scripted(DOWN, lambda: entered.set() or gate.wait()), attempts=1, failures=1, cooldown=30, clock=time
    )
    guard.rerank("q", FIRST)
    time.now += 30
    with ThreadPoolExecutor(1) as pool:
        probe = pool.submit(guard.rerank, "q", FIRST)
        assert entered.wait(10)
        assert guard.rerank("q", FIRST).fallback == "breaker"
        gate.set()
        assert probe.result(10).fallback == ""
    assert guard.breaker.state == "closed"


@pytest.mark.parametrize("failure", [REFUSED, LOCKED])
def test_a_refusal_says_nothing_of_the_service_and_opens_no_breaker(guarded, failure):
    guard = guarded(failure, failure, failure, failures=2)
    assert [guard.rerank("q", FIRST).fallback for _ in range(4)][-1] == ""


def test_a_success_between_failures_starts_the_count_anew(guarded):
    guard = guarded(DOWN, None, DOWN, None, attempts=1, failures=2, cache=0)
    assert [guard.rerank("q", FIRST).fallback for _ in range(4)] == ["server error", "", "server error", ""]


def test_a_straggler_from_before_the_breaker_opened_does_not_close_it(time, gate):
    entered = threading.Event()
    guard = lk.Guard(Scripted(lambda: entered.set() or gate.wait(), DOWN), attempts=1, failures=1, clock=time)
    with ThreadPoolExecutor(1) as pool:
        straggler = pool.submit(guard.rerank, "slow", FIRST)
        assert entered.wait(10)
        assert guard.rerank("q", FIRST).fallback == "server error"
        gate.set()
        assert straggler.result(10).fallback == ""
    assert guard.breaker.state == "open"


def test_a_probe_that_is_refused_lets_the_next_one_try(guarded, time):
    guard = guarded(DOWN, REFUSED, attempts=1, failures=1)
    assert guard.rerank("q", FIRST).fallback == "server error"
    time.now += 30
    assert [guard.rerank("q", FIRST).fallback for _ in range(2)] == ["bad request", ""]


# The caps


def test_candidates_over_the_cap_follow_in_their_order_and_say_so(guarded):
    guard = guarded(max_candidates=2)
    ranking = guard.rerank("q", FIRST, top_n=99)
    assert guard.reranker.asked == [["d0", "d1"]]
    assert ranking.ids == ["d1", "d0", "d2", "d3"]
    assert [hit.rank for hit in ranking] == [1, 2, 3, 4]
    assert [hit.previous_rank for hit in ranking] == [2, 1, 3, 4]
    assert [hit.reason for hit in ranking] == [None, None, "over the guard's cap", "over the guard's cap"]
    assert [hit.score for hit in ranking] == [0.9, 0.1, -float("inf"), -float("inf")]
    assert (ranking.fallback, ranking.note) == (
        "",
        "the last 2 candidates were over the guard's cap and keep their order",
    )
    assert guard.rerank("q", FIRST, top_n=99).hits == ranking.hits  # from the cache


def test_wordpieces_over_the_cap_are_not_sent(guarded):
    texts = ["one 1", "two two 2", "three 3"]  # two, three and two wordpieces
    asked = {cap: guarded(max_tokens=cap) for cap in (1, 2, 4, 5, 7)}
    words = {cap: guard.rerank("q", texts).fallback for cap, guard in asked.items()}
    assert words == {1: "tokens", 2: "", 4: "", 5: "", 7: ""}
    assert [guard.reranker.asked for guard in asked.values()] == [
        [], [["0"]], [["0"]], [["0", "1"]], [["0", "1", "2"]],
    ]  # fmt: skip


# The cache


def test_an_answer_is_given_again_costs_nothing_and_says_so(guarded, home):
    guard = guarded(cost=1.0, budget=9)
    new, old = (guard.rerank("q", FIRST, top_n=n) for n in (2, 4))
    assert (old.hits[:2], old.hits[2:]) == (new.hits, Scripted().rerank("q", FIRST).hits[2:])
    assert (new.cost, old.cost, old.attempts) == ({"search_units": 1.0}, {"search_units": 0.0}, 0)
    assert "answered from the guard's cache: nothing was asked, nothing is billed" in old.note
    assert guard.counts == {"reranked": 1, "cached": 1, "attempts": 1}
    assert guard.budget.spent == 1.0


def other_model(guard):
    guard.reranker.configuration = {"model": "another"}


@pytest.mark.parametrize(
    ("query", "first", "change"),
    [
        ("Q", FIRST, None),
        ("q", replace(FIRST, hits=FIRST.hits[::-1]), None),
        ("q", replace(FIRST, hits=FIRST.hits[:3]), None),
        ("q", replace(FIRST, hits=(replace(FIRST[0], passages=("low 0.2",)), *FIRST.hits[1:])), None),
        ("q", replace(FIRST, hits=(replace(FIRST[0], doc_id="other"), *FIRST.hits[1:])), None),
        ("q", FIRST, other_model),
    ],
)
def test_another_query_text_order_or_model_is_asked(guarded, query, first, change):
    guard = guarded()
    guard.rerank("q", FIRST)
    if change:
        change(guard)
    guard.rerank(query, first)
    assert guard.reranker.calls == 2


def test_a_fallback_is_never_given_again(guarded):
    guard = guarded(REFUSED)
    assert [guard.rerank("q", FIRST).fallback for _ in range(2)] == ["bad request", ""]


def test_the_cache_holds_what_was_used_last(guarded):
    guard = guarded(cache=2)
    for query in ("a", "b", "a", "c", "a", "b"):
        guard.rerank(query, FIRST)
    assert guard.counts == {"reranked": 4, "cached": 2, "attempts": 4}  # b was gone, a was not


def test_the_cache_answers_while_the_breaker_is_open(guarded):
    guard = guarded(None, DOWN, attempts=1, failures=1)
    assert [guard.rerank(query, FIRST).fallback for query in "abab"] == ["", "server error", "", "breaker"]


# The budget (its record is in test_budget)


def test_the_budget_stops_before_the_call_that_might_exceed_it(guarded, home):
    guard = guarded(cost=1.0, budget=2.5, cache=0)
    rankings = [guard.rerank("q", FIRST) for _ in range(4)]
    assert [ranking.fallback for ranking in rankings] == ["", "", "budget", "budget"]
    assert_first_stage(rankings[-1], "budget")
    assert "exceed the budget of 2.5 search units a day" in rankings[-1].note
    assert (guard.reranker.calls, guard.budget.spent, rankings[-1].cost) == (2, 2.0, {})


@pytest.mark.parametrize(
    ("failure", "spent"), [(REFUSED, 0.0), (BUSY, 0.0), (DOWN, 1.0), (GONE, 1.0), (KeyError(), 1.0)]
)
def test_a_refusal_is_free_and_whatever_else_fails_may_have_been_billed(guarded, home, failure, spent):
    guard = guarded(failure, cost=1.0, budget=9, attempts=1)
    ranking = guard.rerank("q", FIRST)
    assert (guard.budget.spent, ranking.cost.get("search_units", 0.0)) == (spent, spent)


def test_a_reply_without_a_bill_counts_in_full(guarded, home):
    guard = guarded(budget=9)
    guard.reranker.most_cost = lambda query, hits: {"search_units": 3.0}
    assert guard.rerank("q", FIRST).cost == {"search_units": 3.0}
    assert guard.budget.spent == 3.0


def test_parts_of_a_fusion_are_paid_together(home):
    both = FusionReranker([Scripted(cost=1.0), Scripted(cost=2.0)])
    ranking = lk.Guard(both, budget=3, account="two").rerank("q", FIRST)
    assert (ranking.fallback, ranking.cost) == ("", {"search_units": 3.0})
    assert lk.Guard(both, budget=5, account="two").rerank("q", FIRST).fallback == "budget"


def test_each_attempt_is_within_the_budget(guarded, home):
    guard = guarded(DOWN, DOWN, cost=1.0, budget=2)
    ranking = guard.rerank("q", FIRST)
    assert (ranking.fallback, ranking.attempts, ranking.cost) == ("budget", 2, {"search_units": 2.0})


def test_a_record_that_cannot_be_written_lets_nothing_be_spent(guarded, home, monkeypatch):
    (home / "file").touch()
    guard = guarded(cost=1.0, budget=9)
    monkeypatch.setenv("LABKIT_HOME", str(home / "file"))
    assert_first_stage(guard.rerank("q", FIRST), "budget")
    assert guard.reranker.calls == 0


# What is told, and what is not


def test_each_fallback_is_logged_once_without_texts_or_what_an_error_says(guarded, caplog):
    secret = "canary-b7e1f0"
    guard = guarded(ServiceError(f"bad {secret}", 400), KeyError(secret))
    with caplog.at_level(logging.DEBUG, "labkit.guard"):
        first, second = (guard.rerank(f"query {secret}", [f"text {secret} 1"]) for _ in range(2))
    assert [record.getMessage() for record in caplog.records] == [
        "scripted fell back to the order of the candidates: bad request (ServiceError 400); attempts: 1",
        "scripted fell back to the order of the candidates: error (KeyError); attempts: 1",
    ]
    assert {record.levelname for record in caplog.records} == {"WARNING"}
    assert secret in first.note  # the service's own words, which its client has cleaned of keys
    assert secret not in second.note


# Bad input


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda guard: guard.rerank("q", TEXTS, top_n=0), "top_n must be a whole number of at least 1"),
        (lambda guard: guard.rerank(7, TEXTS), "query must be a string; got int"),
        (lambda guard: guard.rerank("q", "bare"), "candidates must be a Ranking, a list of texts, or a mapping"),
        (lambda guard: guard.rerank("q", ["\ud800"]), "candidate 0 must be valid Unicode"),
        (lambda guard: guard.score("q", FIRST.hits), "a guard gives rankings, not scores: put it outermost"),
    ],
)
def test_what_only_the_caller_can_mend_is_an_error_before_any_work(guarded, ask, message):
    guard = guarded()
    with pytest.raises(lk.LabError, match=message):
        ask(guard)
    assert (guard.reranker.calls, guard.counts) == (0, {})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"deadline": 0}, "deadline must be seconds above 0; got 0"),
        ({"backoff": float("nan")}, "backoff must be seconds above 0; got nan"),
        ({"cooldown": "long"}, "cooldown must be seconds above 0; got 'long'"),
        ({"attempts": 0}, "attempts must be a whole number"),
        ({"failures": 0}, "failures must be a whole number"),
        ({"concurrency": 0}, "concurrency must be a whole number"),
        ({"max_candidates": 0}, "max_candidates must be a whole number"),
        ({"max_tokens": 0}, "max_tokens must be a whole number"),
        ({"cache": -1}, "cache must be a whole number"),
        ({"budget": -1}, "a budget must be a number of 0 or more; got -1"),
        ({"price": "machine"}, "pass budget= too"),
        ({"budget": 1, "price": "machine"}, "price must be one of 'Cohere Rerank 4 Fast', .*; got 'machine'"),
    ],
)
def test_settings_that_make_no_guard_are_named(settings, message):
    with pytest.raises(lk.LabError, match=message):
        lk.Guard(Scripted(), **settings)


def test_only_a_reranker_can_be_guarded():
    with pytest.raises(lk.LabError, match=r"a guard needs a reranker such as .*; got str"):
        lk.Guard("cohere")
