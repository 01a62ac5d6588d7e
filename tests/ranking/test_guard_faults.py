"""A guard around the real SDK under every fault that the stand-in knows, and under SIGKILL."""

import gc
import logging
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

import labkit as lk
from labkit.ranking.budget import Budget
from labkit.ranking.guard import FALLBACKS
from labkit.ranking.ranking import Hit, Ranking
from labkit.ranking.standin_faults import VOCABULARY

REQUESTS, THREADS, LIMIT = 1_000, 8, 1_000
COOLDOWN = 0.1  # seconds
DEADLINE, SLACK = 0.5, 1.0  # seconds; the slack is for a busy machine that wakes the caller late
LONG = {"slow": "slow:2", "drip": "drip:0.2", "429": "429:1"}  # none of these ends within the deadline
SHORT = ("slow:0.05", "drip:0.005", "429:0")
EXPECTED = ("rate limit", "server error", "bad reply", "breaker", "budget")
BURST = range(500, 540)  # requests of the service that all fail, which opens the breaker


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


class Service:
    """The truth on the service's side: which faults came, and how many answers were billed (one unit each)."""

    def __init__(self):
        self.billed, self.faults = 0, Counter()
        self._lock, self._random = threading.Lock(), random.Random(0)

    def fault(self, number):
        words = [*(LONG.get(word, word) for word in VOCABULARY if word != "ok"), *SHORT]
        word = "503" if number in BURST else self._random.choice([*words, *["ok"] * 2 * len(words)])
        self.faults[word] += 1
        return word

    def score(self, query, texts):
        with self._lock:
            self.billed += 1
        return [float(text.split()[-1]) for text in texts]


def candidates(number):
    """Four documents with scores that differ by request, so that no answer serves for two."""
    texts = [f"row {number} 0.{1 + (number * step) % 9}" for step in (1, 2, 4, 5)]
    hits = tuple(Hit(f"d{i}", i + 1, 9.0 - i, text=text, passages=(text,)) for i, text in enumerate(texts))
    return Ranking(f"q{number}", hits, "bm25", "BM25")


def assert_valid(ranking, first):
    """The reranker's order by the scores in the texts, or the first stage's as it was."""
    assert [hit.rank for hit in ranking] == [1, 2, 3, 4]
    if ranking.fallback:
        assert ranking.fallback in FALLBACKS
        assert ranking.note
        assert (ranking.ids, ranking.scale) == (first.ids, "BM25")
        assert [hit.score for hit in ranking] == [hit.score for hit in first]
    else:
        expected = sorted(first, key=lambda hit: -float(hit.text.split()[-1]))
        assert (ranking.ids, ranking.scale) == ([hit.doc_id for hit in expected], "stand-in")


def waited(condition):
    """Whether a condition holds within a minute."""
    pause = threading.Event()
    return any(condition() or pause.wait(0.002) for _ in range(30_000))


@pytest.fixture
def steady():
    """No pauses for other libraries' objects: with torch loaded, one full collection stops all threads for 0.6 s."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.slow
def test_a_thousand_requests_under_all_faults_are_answered_in_time_and_within_the_budget(caplog, steady):
    service, longest = Service(), []
    with lk.cohere_standin(service.fault, service.score) as url, caplog.at_level(logging.WARNING, "labkit.guard"):
        reranker = lk.CohereReranker(base_url=url, timeout=0.4)
        guard = lk.Guard(
            reranker, deadline=DEADLINE, backoff=0.02, failures=4, cooldown=COOLDOWN, budget=LIMIT, account="figure"
        )
        guard.prepare()
        turned_away = threading.Event()

        def ask(number):
            first, began = candidates(number), time.monotonic()
            ranking = guard.rerank(first.query, first, top_n=4)
            longest.append(time.monotonic() - began)
            assert_valid(ranking, first)
            if ranking.fallback == "breaker":  # else all others would be turned away in no time, and show nothing
                turned_away.wait(COOLDOWN)
            return ranking

        with ThreadPoolExecutor(THREADS) as pool:
            rankings = list(pool.map(ask, range(REQUESTS)))
        assert waited(lambda: guard.left_behind == 0)
        spent = guard.budget.spent
    words = Counter(ranking.fallback or "reranked" for ranking in rankings)
    print(f"\n{dict(words)}; attempts {guard.counts['attempts']}; slowest {max(longest):.3f} s of {DEADLINE} s")
    print(f"spent {spent:g}, billed {service.billed}, limit {LIMIT}; faults {dict(service.faults)}")
    assert max(longest) <= DEADLINE + SLACK
    assert {word.partition(":")[0] for word in service.faults} == set(VOCABULARY)
    assert service.billed <= spent <= LIMIT
    assert guard.counts == {**words, "attempts": guard.counts["attempts"]}
    logged = [record for record in caplog.records if record.name == "labkit.guard"]
    assert Counter(record.args[1] for record in logged) == words - Counter(reranked=REQUESTS)
    assert set(words) >= {"reranked", *EXPECTED}


CHILD = """
    import sys
    from datetime import UTC, datetime
    from concurrent.futures import ThreadPoolExecutor
    import labkit as lk
    from tests.ranking.test_guard_faults import LIMIT_KILLED, candidates
    guard = lk.Guard(lk.CohereReranker(base_url=sys.argv[1]), budget=LIMIT_KILLED, account="killed", cache=0)
    guard.prepare()
    print("ready", flush=True)
    with ThreadPoolExecutor(4) as pool:
        for ranking in pool.map(lambda n: guard.rerank("q", candidates(n)), range(10_000)):
            if ranking.fallback == "budget":
                break
    print("spent", flush=True)
    sys.exit(0)
"""
LIMIT_KILLED = 400
KILLS = 8


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_kills_in_mid_run_lose_nothing_of_the_budget():
    service, moments = Service(), random.Random(1)
    with lk.cohere_standin(None, service.score) as url:
        for kill in [*[True] * KILLS, False]:
            child = subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(CHILD), url],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert child.stdout.readline() == "ready\n"
            if kill:
                until = service.billed + moments.randint(1, 30)
                assert waited(lambda until=until: service.billed >= until)
                os.kill(child.pid, signal.SIGKILL)
            _, errors = child.communicate(timeout=60)
            assert child.returncode == (-signal.SIGKILL if kill else 0), errors
            spent = Budget(LIMIT_KILLED, None, "killed").spent
            assert service.billed <= spent <= LIMIT_KILLED
    print(f"\n{KILLS} kills; spent {spent:g}, billed {service.billed}, limit {LIMIT_KILLED}")
    assert spent == LIMIT_KILLED
    assert LIMIT_KILLED - service.billed <= KILLS * 4  # a kill loses at most what its four threads had set aside
