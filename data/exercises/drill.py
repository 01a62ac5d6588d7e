"""The night of notebook 08: 200 requests, what the service does to each of them, and a guard's way through.

The real SDK asks the stand-in, and the real guard decides. Only waits are skipped: the drill's clock jumps over pauses
between requests and between attempts. What keeps a request waiting on the wire is waited for.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from statistics import median
from typing import Any
from uuid import uuid4

from labkit.bars import bar
from labkit.views.outcomes import Outcomes

REQUESTS, EVERY = 200, 6.0  # seconds from one to the next: twenty minutes
OUTAGE = range(100, 140)
DEFAULTS = {"deadline": 5.0, "attempts": 3, "failures": 5, "cooldown": 30.0, "max_candidates": 100, "budget": None}
K = 30  # candidates of the first stage
UNITS = 160  # search units for the night
LATEST, GRACE = 3.0, 0.25  # seconds until the page gives up; what a busy machine may add
WANTED, FEWEST = 150, 20  # requests that the reranker must answer; candidates that it must see
COMPLAINT, LETTER = 27, 12  # numbers of two requests: the user with a wrong answer, and one with an address
UNFOUND = ("linier regresion", "on_bad_lines")  # BM25 has no candidate for them
ADDRESSED = "why does read_csv fail on my file, please answer anna.meier@example.org"


def fault(number: int, attempt: int = 0) -> str:
    """What the service does to an attempt (0 is the first) of a request, in the words of the stand-in."""
    if number in OUTAGE:
        return "503"
    if 40 <= number < 80 and (number % 10 == 5 or (number % 3 and not attempt)):
        return "429:1"
    if number == 85:
        return "drip:0.2"
    once = {15: "503", 33: "malformed", 88: "reset", 95: "wrong_index", 150: "truncated", 171: "too_few"}
    return once.get(number, "ok") if not attempt else "ok"


class Drill(Outcomes):
    """One way through the night. ``rankings`` are what the guard gave, in order.

    ``calm`` counts the fallbacks outside the outage, ``burnt`` is what was spent in it; ``dear`` says whether most
    requests outside of it that were paid for took several search units.
    """

    def __init__(self, rankings: list[Any]) -> None:
        self.rankings = rankings
        self.answered = sum(not ranking.fallback for ranking in rankings)
        self.late = sum(ranking.seconds["rerank"] > LATEST + GRACE for ranking in rankings)
        self.units = sum(ranking.cost.get("search_units", 0.0) for ranking in rankings)
        records = [
            {"outcome": "fallback" if ranking.fallback else "answered", "stages": [{"fallback": ranking.fallback}]}
            for ranking in rankings
        ]
        self.calm = Counter(r.fallback for number, r in enumerate(rankings) if number not in OUTAGE)
        self.burnt = sum(rankings[number].cost.get("search_units", 0.0) for number in OUTAGE)
        calm = [r.cost.get("search_units", 0.0) for n, r in enumerate(rankings) if n not in OUTAGE]
        self.dear = median([units for units in calm if units] or [0]) > 1
        super().__init__(records, f"{self.late} later than {LATEST:g} s; {self.units:g} of {UNITS} search units spent")


class Clock:
    """Seconds that pass as usual, and can be skipped."""

    def __init__(self) -> None:
        self.skipped = -time.monotonic()

    def __call__(self) -> float:
        return time.monotonic() + self.skipped

    def skip(self, seconds: float) -> None:
        self.skipped += max(0.0, seconds)


class Night:
    """The night's requests, faults and documents; ``drill`` sends them through a guard."""

    requests, k, units, complaint, letter = REQUESTS, K, UNITS, COMPLAINT, LETTER

    @property
    def faults(self) -> list[str]:
        """What happens to the first attempt of each request."""
        return [fault(number) for number in range(REQUESTS)]

    def queries(self, c: Any) -> list[str]:
        """200 questions of pydocs dev, four in ten of them asked before; two have their place."""
        at = {COMPLAINT: next(c.queries[q] for q, info in c.query_info.items() if info.get("ticket") == "T10")}
        pool = [c.queries[q] for q in c.splits["dev"] if any(c.qrels[q].values())]
        pool = [query for query in pool if query not in at.values() and query not in UNFOUND]
        draw = random.Random(8)
        new = iter(draw.sample(pool, len(pool)))
        asked: list[str] = []
        while len(asked) < REQUESTS:
            again = draw.choice(asked) if asked and draw.random() < 0.35 else None
            asked.append(again or next(new, None) or draw.choice(asked))
        return [{**at, LETTER: ADDRESSED}.get(number, query) for number, query in enumerate(asked)]

    def deployed(self, c: Any) -> Any:
        """The documents that were served that night."""
        short = {i: replace(d, passages=d.passages[:1]) for i, d in c.docs.items() if i.startswith("pandas.")}
        return replace(c, docs={**c.docs, **short})

    def drill(self, **settings: Any) -> Drill:
        """The night through ``lk.Guard`` with its defaults and these settings. The same settings are asked once."""
        return _drill(tuple(sorted({**DEFAULTS, **settings}.items())))

    def __repr__(self) -> str:
        return f"<a night of {REQUESTS} requests, one every {EVERY:g} s>"


@cache
def _drill(settings: tuple[tuple[str, Any], ...]) -> Drill:
    import labkit as lk

    at, clock = {"number": 0, "attempt": -1}, Clock()

    def next_fault(_: int) -> str:
        at["attempt"] += 1
        return fault(at["number"], at["attempt"])

    with lk.cohere_standin(next_fault, scorer=_share) as url:
        given: Mapping[str, Any] = {
            "account": f"drill {uuid4().hex}", "clock": clock, "sleep": clock.skip, "chance": lambda: 1.0,
        }  # fmt: skip
        guard = lk.Guard(lk.CohereReranker(base_url=url), **given, **dict(settings))
        guard.prepare()
        rankings = []
        for number, candidates in enumerate(bar(_candidates(), what="night", unit="request", show=True)):
            at.update(number=number, attempt=-1)
            clock.skip(number * EVERY - clock())
            rankings.append(guard.rerank(candidates.query, candidates))
        return Drill(rankings)


@cache
def _candidates() -> list[Any]:
    import labkit as lk

    c = lk.load_collection("pydocs")
    bm25 = lk.system("bm25", c)
    return [bm25.search(query, k=K) for query in Night().queries(c)]


def _share(query: str, texts: list[str]) -> list[float]:
    """The share of the query's words in a text: a drill needs scores, not good ones."""
    words = query.lower().split()
    return [sum(word in text.lower() for word in words) / len(words) for text in texts]
