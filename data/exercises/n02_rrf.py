"""02.rrf: reciprocal rank fusion in six lines."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from labkit.course.exercises import CodeExercise, Wrong


def rrf(rankings: list[list[str]], k: int = 60) -> list[str]:
    """The ids of all rankings, highest sum of 1 / (k + rank) first; ties keep the order of first appearance."""
    score: dict[str, float] = {}
    for ranking in rankings:
        for rank, doc in enumerate(ranking, start=1):
            score[doc] = score.get(doc, 0) + 1 / (k + rank)
    return sorted(score, key=lambda doc: -score[doc])


def _totals(rankings: list[list[str]], weight: Callable[[int], float]) -> dict[str, float]:
    """Each id's sum of ``weight(rank)``, in the order of first appearance."""
    total: dict[str, float] = {}
    for ranking in rankings:
        for rank, doc in enumerate(ranking, start=1):
            total[doc] = total.get(doc, 0) + weight(rank)
    return total


def _best(total: dict[str, float]) -> list[str]:
    return sorted(total, key=lambda doc: -total[doc])


def _by_id(rankings: list[list[str]], k: int = 60) -> list[str]:
    total = _totals(rankings, lambda rank: 1 / (k + rank))
    return sorted(total, key=lambda doc: (-total[doc], doc))


def _by_id_downwards(rankings: list[list[str]], k: int = 60) -> list[str]:
    total = _totals(rankings, lambda rank: 1 / (k + rank))
    return sorted(total, key=lambda doc: (total[doc], doc), reverse=True)


def _ascending(rankings: list[list[str]], k: int = 60) -> list[str]:
    total = _totals(rankings, lambda rank: 1 / (k + rank))
    return sorted(total, key=lambda doc: total[doc])


def _overwrites(rankings: list[list[str]], k: int = 60) -> list[str]:
    return _best({doc: 1 / (k + rank) for ranking in rankings for rank, doc in enumerate(ranking, start=1)})


def _intersects(rankings: list[list[str]], k: int = 60) -> list[str]:
    return [doc for doc in rrf(rankings, k) if all(doc in ranking for ranking in rankings)]


def _pairs(rankings: list[list[str]], k: int = 60) -> list[tuple[str, float]]:
    total = _totals(rankings, lambda rank: 1 / (k + rank))
    return [(doc, total[doc]) for doc in _best(total)]


def _subscript(rankings: list[list[str]], k: int = 60) -> list[str]:
    score: dict[str, float] = {}
    for ranking in rankings:
        for rank, doc in enumerate(ranking, start=1):
            score[doc] += 1 / (k + rank)
    return _best(score)


def _reversed(rankings: list[list[str]], k: int = 60) -> list[str]:
    total = _totals(rankings, lambda rank: 1 / (k + rank))
    return sorted(total, key=lambda doc: total[doc])[::-1]


def _highest(rankings: list[list[str]], k: int = 60) -> list[str]:
    best = {doc: min(r.index(doc) for r in rankings if doc in r) for r in rankings for doc in r}
    return sorted(best, key=lambda doc: best[doc])


def _mean(rankings: list[list[str]], k: int = 60) -> list[str]:
    total, count = _totals(rankings, lambda rank: 1 / (k + rank)), _totals(rankings, lambda rank: 1)
    return _best({doc: total[doc] / count[doc] for doc in total})


def _two_only(rankings: list[list[str]], k: int = 60) -> list[str]:
    first, second = rankings
    return rrf([first, second], k)


WRONG_ANSWERS = (
    Wrong("ranks from 0", lambda r, k=60: _best(_totals(r, lambda rank: 1 / (k + rank - 1))), "ranks start at 1."),
    Wrong("no k", lambda r, k=60: _best(_totals(r, lambda rank: 1 / rank)), "it is 1 / (k + rank): k is missing."),
    Wrong("k fixed at 60", lambda r, k=60: rrf(r), "60 is only the default. Use the k that the caller passed."),
    Wrong(
        "ranks added, lowest first",
        lambda r, k=60: _best(_totals(r, lambda rank: -rank)),
        "add reciprocals, not ranks. With a sum of ranks, a document in one list beats a document in both.",
    ),
    Wrong(
        "not reciprocal",
        lambda r, k=60: _best(_totals(r, lambda rank: k + rank)),
        "add 1 / (k + rank), not k + rank: a low rank must earn more than a high one.",
    ),
    Wrong("intersection", _intersects, "a document that is missing from one list still counts: take the union."),
    Wrong("ascending", _ascending, "highest score first. sorted() puts the lowest first unless you say otherwise."),
    Wrong("overwrites", _overwrites, "a document's scores add up over the lists. Yours keeps only the last one."),
    Wrong("pairs", _pairs, "return the ids alone, without their scores."),
    Wrong("ties by id", _by_id, "equal scores keep the order of first appearance, not that of the ids."),
    Wrong(
        "ties by id, last first",
        _by_id_downwards,
        "reverse=True over pairs sorts ties by id, last first. Sort by minus the score alone.",
    ),
    Wrong("new ids not foreseen", _subscript, "a new id has no score yet to add to. score.get(doc, 0) gives it one."),
    Wrong("sorted, then reversed", _reversed, "reversing a sorted list reverses ties. Sort by minus the score."),
    Wrong("k cuts the answer", lambda r, k=60: rrf(r, k)[:k], "k is a constant in 1 / (k + rank). It cuts no list."),
    Wrong(
        "k cuts the rankings",
        lambda r, k=60: rrf([ranking[:k] for ranking in r], k),
        "k does not say how many candidates to read: it only flattens 1 / (k + rank). Read the whole rankings.",
    ),
    Wrong(
        "order of appearance",
        lambda r, k=60: list(_totals(r, lambda rank: 0)),
        "that is the order of first appearance. Sort by score, and divide with /: // would make every score 0.",
    ),
    Wrong("the best rank alone", _highest, "sum over the lists; the best rank alone is not enough."),
    Wrong("mean", _mean, "do not average: a document on one list only must not gain from its absence on the others."),
    Wrong("votes", lambda r, k=60: _best(_totals(r, lambda rank: 1)), "count ranks, not only appearances."),
    Wrong("first list only", lambda r, k=60: list(r[0]), "you return after the first ranking: see the indent."),
    Wrong(
        "a bracket is missing",
        lambda r, k=60: _best(_totals(r, lambda rank: 1 / k + rank - 1)),
        "1 / k + rank divides first and adds the rank afterwards. Put a bracket around k + rank.",
    ),
    Wrong(
        "sorted by name",
        lambda r, k=60: sorted(rrf(r, k)),
        "sorted(score) sorts the ids by name. Give it a key: minus the score.",
    ),
    Wrong(
        "the scores instead of the ids",
        lambda r, k=60: sorted(_totals(r, lambda rank: 1 / (k + rank)).values(), reverse=True),
        "those are the scores. Return the ids that have them.",
    ),
    Wrong(
        "only the first list's documents",
        lambda r, k=60: [doc for doc in rrf(r, k) if doc in r[0]],
        "a document that only a later list has is missing: take the union of all lists.",
    ),
    Wrong(
        "a rank for those that are missing",
        lambda r, k=60: _best(
            {d: sum(1 / (k + (x.index(d) if d in x else len(x)) + 1) for x in r) for x in r for d in x}
        ),
        "a list that lacks the document adds nothing, not a last rank.",
    ),
    Wrong("two lists only", _two_only, "there can be any number of rankings. Loop over them."),
)


def cases() -> list[tuple]:
    """Four inputs to look at, then twenty that are drawn, with small k, where a rank off by one shows."""
    shown: list[tuple] = [
        ([["a", "b", "c"], ["b", "c", "d"]],),
        ([["t1", "t9", "t4", "t5", "t6", "t2"], ["t7", "t9", "t8", "t3", "t0", "t1"]], 1),
        ([["b", "a"], ["a", "b"]], 60),
        ([["a", "b"], ["c", "a"], ["b", "a"]], 60),
    ]
    draw = random.Random(2)
    while len(shown) < 24:
        rankings = [draw.sample("abcdefgh", draw.randint(2, 6)) for _ in range(draw.choice((2, 3)))]
        k = draw.choice((1, 2, 10, 60))
        if not _has_tie(rankings, k):
            shown.append((rankings, k))
    return shown


def _has_tie(rankings: list[list[str]], k: int) -> bool:
    """True if two sums are equal as fractions: as floats, the order of addition would decide."""
    total = _totals(rankings, lambda rank: Fraction(1, k + rank))  # type: ignore[arg-type, return-value]
    return len(set(total.values())) < len(total)


RRF = CodeExercise(
    id="02.rrf",
    title="Reciprocal rank fusion in six lines",
    minutes=12,
    difficulty=2,
    importance=3,
    misconception="the sum runs over the lists that have the document, each adds 1 / (k + rank), and ranks start at 1.",
    see="one list with every document of every ranking, the ones that several rankings like at the top.",
    hints=(
        "Keep a dictionary from id to score. Walk through the rankings, and through each ranking with its ranks.",
        "`enumerate(ranking, start=1)` gives the ranks. Each one adds `1 / (k + rank)` to its document.",
        "Sort the ids by score, highest first. Python's sort is stable, so ties keep the dictionary's order.",
    ),
    reasoning="Scores of BM25 and of cosines have different units; ranks have none. `k` sets how much the top counts: "
    "at 60, ranks 1 and 2 are nearly equal, so being on both lists beats being first on one.",
    solution=rrf,
    cases=cases,
    wrong_answers=WRONG_ANSWERS,
)

EXERCISES = (RRF,)
