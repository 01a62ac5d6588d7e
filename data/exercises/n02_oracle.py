"""02.oracle: the best nDCG@10 that any reranker of given candidates could reach."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import log2

from labkit.course.exercises import CodeExercise, Wrong

Qrels = dict[str, int]


def oracle_ceiling(candidates: list[str], qrels: dict[str, int], cutoff: int = 10) -> float:
    """The highest nDCG@cutoff that reordering `candidates` can reach; `qrels`: judged ids to grades, not all 0."""

    def dcg(grades: list[int]) -> float:
        best_first = sorted(grades, reverse=True)[:cutoff]
        return sum(grade / log2(rank + 1) for rank, grade in enumerate(best_first, start=1))

    return dcg([qrels.get(doc, 0) for doc in candidates]) / dcg(list(qrels.values()))


def _dcg(
    grades: list[int],
    cutoff: int | None,
    gain: Callable[[int], float] = float,
    discount: Callable[[int], float] = lambda rank: log2(rank + 1),
) -> float:
    return sum(gain(grade) / discount(rank) for rank, grade in enumerate(grades[:cutoff], start=1))


def _sorted(grades: list[int]) -> list[int]:
    return sorted(grades, reverse=True)


def _of(candidates: list[str], qrels: Qrels) -> list[int]:
    return [qrels.get(doc, 0) for doc in candidates]


def _ratio(candidates: list[str], qrels: Qrels, *cutoffs: int | None, **settings: object) -> float:
    """Best over ideal, each with its own cutoff."""
    best, ideal = _sorted(_of(candidates, qrels)), _sorted(list(qrels.values()))
    return _dcg(best, cutoffs[0], **settings) / _dcg(ideal, cutoffs[1], **settings)  # type: ignore[arg-type]


def _own_ideal(candidates: list[str], qrels: Qrels, cutoff: int = 10) -> float:
    reached = _dcg(_sorted(_of(candidates, qrels)), cutoff)
    return reached / reached if reached else 0.0


def _given_order(candidates: list[str], qrels: Qrels, cutoff: int = 10) -> float:
    return _dcg(_of(candidates, qrels), cutoff) / _dcg(_sorted(list(qrels.values())), cutoff)


def _recall(candidates: list[str], qrels: Qrels, cutoff: int = 10) -> float:
    right = [doc for doc, grade in qrels.items() if grade > 0]
    return sum(doc in candidates for doc in right) / len(right)


def _unjudged(candidates: list[str], qrels: Qrels, cutoff: int = 10) -> float:
    return _dcg(_sorted([qrels[doc] for doc in candidates]), cutoff) / _dcg(_sorted(list(qrels.values())), cutoff)


WRONG_ANSWERS = (
    Wrong(
        "the candidates' own ideal",
        _own_ideal,
        "the ideal is taken over all judged documents, found or not. Over the candidates alone it is always 1.",
    ),
    Wrong(
        "exponential gain",
        lambda c, q, cutoff=10: _ratio(c, q, cutoff, cutoff, gain=lambda grade: 2**grade - 1),
        "the gain is the grade itself, as in trec_eval, not 2 ** grade - 1.",
    ),
    Wrong(
        "no cutoff",
        lambda c, q, cutoff=10: _ratio(c, q, None, None),
        "only the first `cutoff` ranks count, in the best order and in the ideal one.",
    ),
    Wrong(
        "no cutoff in the ideal",
        lambda c, q, cutoff=10: _ratio(c, q, cutoff, None),
        "the ideal order is cut too: with more right documents than ranks, nobody could reach 1 otherwise.",
    ),
    Wrong(
        "discount one off",
        lambda c, q, cutoff=10: _ratio(c, q, cutoff, cutoff, discount=lambda rank: log2(rank + 2)),
        "rank 1 is divided by log2(2) = 1. With ranks from 1 that is log2(rank + 1).",
    ),
    Wrong(
        "discount of zero",
        lambda c, q, cutoff=10: _ratio(c, q, cutoff, cutoff, discount=log2),
        "the first rank was divided by log2(1) = 0. It should be divided by log2(2).",
    ),
    Wrong(
        "order as given",
        _given_order,
        "that is the nDCG of the order that came in. The oracle sorts the candidates by grade first.",
    ),
    Wrong("recall", _recall, "that is recall: it knows neither grades nor ranks. Use the discounted gain."),
    Wrong(
        "not normalised",
        lambda c, q, cutoff=10: _dcg(_sorted(_of(c, q)), cutoff),
        "that is a DCG. Divide it by the ideal one, and it lies between 0 and 1.",
    ),
    Wrong(
        "cut before sorting",
        lambda c, q, cutoff=10: _ratio(c[:cutoff], q, cutoff, cutoff),
        "the oracle may choose among all candidates, not among the first few alone. Sort first, then cut.",
    ),
    Wrong(
        "logarithm plus one",
        lambda c, q, cutoff=10: _ratio(c, q, cutoff, cutoff, discount=lambda rank: log2(rank) + 1),
        "one is added inside the logarithm: log2(rank + 1), not log2(rank) + 1.",
    ),
    Wrong("cutoff fixed at 10", lambda c, q, cutoff=10: _ratio(c, q, 10, 10), "10 is only the default: use cutoff."),
    Wrong(
        "worst order first",
        lambda c, q, cutoff=10: _dcg(sorted(_of(c, q)), cutoff) / _dcg(_sorted(list(q.values())), cutoff),
        "sorted() puts the lowest grade first. The oracle wants the highest there.",
    ),
    Wrong(
        "ideal not sorted",
        lambda c, q, cutoff=10: _dcg(_sorted(_of(c, q)), cutoff) / _dcg(list(q.values()), cutoff),
        "the ideal order is sorted as well, highest grade first. Otherwise the ratio can pass 1.",
    ),
    Wrong(
        "right or wrong only",
        lambda c, q, cutoff=10: _ratio(c, q, cutoff, cutoff, gain=lambda grade: float(grade > 0)),
        "grades count as they are: a 3 earns three times as much as a 1.",
    ),
    Wrong(
        "no discount",
        lambda c, q, cutoff=10: _ratio(c, q, cutoff, cutoff, discount=lambda rank: 1.0),
        "a rank further down earns less: each grade is divided by log2(rank + 1).",
    ),
    Wrong(
        "by id",
        lambda c, q, cutoff=10: _given_order(sorted(c), q, cutoff),
        "sorted(candidates) sorts by id. The oracle sorts by grade, highest first.",
    ),
    Wrong(
        "divided by the rank",
        lambda c, q, cutoff=10: _ratio(c, q, cutoff, cutoff, discount=lambda rank: float(rank)),
        "the discount is log2(rank + 1), which falls more slowly than 1 / rank.",
    ),
    Wrong(
        "grades without ranks",
        lambda c, q, cutoff=10: sum(_of(c, q)) / sum(q.values()),
        "a sum of grades knows no ranks and no cutoff. Divide each grade by log2(rank + 1), within the first `cutoff`.",
    ),
    Wrong("unjudged candidates", _unjudged, "most candidates were never judged: qrels.get(doc, 0) gives them grade 0."),
)


def cases() -> list[tuple]:
    """Four inputs to look at, then twenty that are drawn; a right document is judged in each of them."""
    many = {f"d{i}": 1 + i % 3 for i in range(14)}
    shown: list[tuple] = [
        (["d3", "d9", "d1"], {"d1": 3, "d2": 2, "d3": 1}),
        (["d2", "d1", "d3"], {"d1": 3, "d2": 2, "d3": 1}),
        (["d7", "d8"], {"d1": 2}),
        ([*many, "d99"], many, 5),
    ]
    draw = random.Random(2)
    ids = [f"d{i}" for i in range(16)]
    for _ in range(20):
        judged = {doc: draw.randint(0, 3) for doc in draw.sample(ids, draw.randint(3, 14))}
        judged[draw.choice(ids)] = 3
        shown.append((draw.sample(ids, draw.randint(3, 12)), judged, draw.choice((3, 5, 10))))
    return shown


ORACLE = CodeExercise(
    id="02.oracle",
    title="How high could any reranker get?",
    minutes=12,
    difficulty=2,
    importance=3,
    misconception="the best order of the candidates is measured against the best order of all judged documents.",
    see="1.0 where every right document is a candidate, and less where the first stage lost one.",
    hints=(
        "Two sums of one kind: the best order of the candidates, and the best order of everything judged.",
        "A rank contributes `grade / log2(rank + 1)`, ranks from 1, as far as `cutoff`. The best order is by grade.",
        "`qrels.get(doc, 0)` is the grade of a candidate, `qrels.values()` are the grades of everything judged.",
    ),
    reasoning="An oracle that knows every grade puts the best candidates first. What it still lacks, the first stage "
    "lost: the gap between the ceiling and 1 is recall's, the gap below the ceiling is the reranker's.",
    solution=oracle_ceiling,
    cases=cases,
    wrong_answers=WRONG_ANSWERS,
    preamble="from math import log2",
)

EXERCISES = (ORACLE,)
