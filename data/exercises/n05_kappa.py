"""05.kappa: agreement beyond chance."""

from __future__ import annotations

import random

from labkit.course.exercises import CodeExercise, Wrong


def kappa(ours: list[int], yours: list[int]) -> float:
    """Cohen's kappa: (agreed - chance) / (1 - chance); chance: two who guess, each with his own shares of grades."""
    n = len(ours)
    agreed = sum(a == b for a, b in zip(ours, yours, strict=True)) / n
    chance = sum(ours.count(grade) * yours.count(grade) for grade in {*ours, *yours}) / n**2
    return (agreed - chance) / (1 - chance)


def _agreement(ours: list[int], yours: list[int]) -> float:
    return sum(a == b for a, b in zip(ours, yours, strict=True)) / len(ours)


def _chance(ours: list[int], yours: list[int]) -> float:
    return sum(ours.count(grade) * yours.count(grade) for grade in {*ours, *yours}) / len(ours) ** 2


def _even_chance(ours: list[int], yours: list[int]) -> float:
    chance = 1 / len({*ours, *yours})
    return (_agreement(ours, yours) - chance) / (1 - chance)


def _one_judge(ours: list[int], yours: list[int]) -> float:
    chance = sum(ours.count(grade) ** 2 for grade in {*ours, *yours}) / len(ours) ** 2
    return (_agreement(ours, yours) - chance) / (1 - chance)


def _distance(ours: list[int], yours: list[int]) -> float:
    return 1 - sum(abs(a - b) for a, b in zip(ours, yours, strict=True)) / (3 * len(ours))


def _kappa(ours: list[int], yours: list[int], chance: float) -> float:
    return (_agreement(ours, yours) - chance) / (1 - chance)


def _pooled(ours: list[int], yours: list[int]) -> float:
    both = ours + yours
    return _kappa(ours, yours, sum((both.count(grade) / len(both)) ** 2 for grade in {*both}))


def _counts(ours: list[int], yours: list[int]) -> float:
    return _kappa(ours, yours, sum(ours.count(grade) * yours.count(grade) for grade in {*ours, *yours}))


def _each_pair(ours: list[int], yours: list[int]) -> float:
    return _kappa(ours, yours, sum(ours.count(grade) * yours.count(grade) for grade in ours) / len(ours) ** 2)


def _without_zero(ours: list[int], yours: list[int]) -> float:
    return _kappa(ours, yours, sum(ours.count(g) * yours.count(g) for g in range(1, 4)) / len(ours) ** 2)


def _nearly(ours: list[int], yours: list[int]) -> float:
    near = sum(abs(a - b) <= 1 for a, b in zip(ours, yours, strict=True)) / len(ours)
    return (near - _chance(ours, yours)) / (1 - _chance(ours, yours))


WRONG_ANSWERS = (
    Wrong("agreement alone", _agreement, "two judges who say 0 nearly always agree by chance. Take that out."),
    Wrong(
        "not divided",
        lambda ours, yours: _agreement(ours, yours) - _chance(ours, yours),
        "divide by what was left to agree on, 1 - chance: perfect agreement is 1.",
    ),
    Wrong(
        "every grade equally likely",
        _even_chance,
        "grades are not equally common. Use how often each judge gives each.",
    ),
    Wrong("one judge's habits", _one_judge, "chance needs both judges' habits: how often ours and yours give a grade."),
    Wrong("one grade apart is agreement", _nearly, "2 against 3 is no agreement here: count equal grades only."),
    Wrong("mean distance", _distance, "count equal grades. How far apart the others are is for a weighted kappa."),
    Wrong(
        "n not squared",
        lambda ours, yours: (_agreement(ours, yours) - (c := _chance(ours, yours) * len(ours))) / (1 - c),
        "the two shares multiply, so the counts are divided by n twice.",
    ),
    Wrong(
        "one in four",
        lambda ours, yours: (_agreement(ours, yours) - 0.25) / 0.75,
        "one in four would hold if all four grades were equally common. Use how often each judge gives each.",
    ),
    Wrong(
        "pooled habits", _pooled, "the two judges have habits of their own: multiply ours with yours, do not pool them."
    ),
    Wrong("counts", _counts, "ours.count(grade) is a count. Divide each by the number of pairs to get a share."),
    Wrong(
        "a term for each pair",
        _each_pair,
        "sum over the different grades, {*ours, *yours}. You add a term for every pair, so common grades count often.",
    ),
    Wrong("grade 0 forgotten", _without_zero, "0 is a grade, and the commonest one. range(1, 4) leaves it out."),
    Wrong(
        "divided by the disagreement",
        lambda ours, yours: (a - _chance(ours, yours)) / (1 - a) if (a := _agreement(ours, yours)) < 1 else 0.0,
        "divide by what was left to agree on beyond chance, 1 - chance, not by the pairs that differ.",
    ),
    Wrong("chance alone", _chance, "that is the agreement by chance. What did the judges agree on beyond it?"),
)


PAIRS = (  # of a query and a document of pydocs, drawn once from dev: all grades, no order in them
    ("pd-043", "sklearn.neighbors.NearestNeighbors"),
    ("pd-249", "matplotlib.axes.Axes.label_outer"),
    ("pd-099", "pandas.api.typing.Resampler.interpolate"),
    ("pd-202", "itertools.zip_longest"),
    ("pd-146", "torch.max"),
    ("pd-046", "matplotlib.pyplot.colorbar"),
    ("pd-007", "numpy.genfromtxt"),
    ("pd-032", "sklearn.manifold.TSNE"),
    ("pd-182", "numpy.argpartition"),
    ("pd-026", "torch.nn.functional.normalize"),
)


def cases() -> list[tuple]:
    """Two to look at, then judges who agree more often than not."""
    shown: list[tuple] = [
        ([3, 0, 0, 1, 0, 2, 0, 0, 3, 0], [3, 0, 1, 1, 0, 3, 0, 0, 3, 0]),
        ([0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
    ]
    draw = random.Random(5)
    while len(shown) < 20:
        ours = [draw.choice((0, 0, 0, 1, 2, 3)) for _ in range(draw.randint(8, 20))]
        yours = [grade if draw.random() < 0.7 else draw.randint(0, 3) for grade in ours]
        if len({*ours}) > 2 and len({*yours}) > 2:
            shown.append((ours, yours))
    return shown


KAPPA = CodeExercise(
    id="05.kappa",
    title="Agreement beyond chance",
    minutes=8,
    difficulty=2,
    importance=2,
    misconception="chance agreement is, summed over the grades, our share of a grade times your share of it.",
    see="a number below the plain agreement: 1 is perfect, 0 is chance.",
    hints=(
        "First the share of pairs with equal grades.",
        "By chance both give grade g in a share of ours.count(g) / n times yours.count(g) / n. Sum over the grades.",
        "(agreed - chance) / (1 - chance).",
    ),
    reasoning="Most documents of a pool are a 0 to everyone. Kappa asks how much agreement is left beyond that habit.",
    solution=kappa,
    cases=cases,
    given={"pairs": PAIRS},
    wrong_answers=WRONG_ANSWERS,
)

EXERCISES = (KAPPA,)
