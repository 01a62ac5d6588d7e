"""The side notebooks: a bet each, and nothing to hand in."""

from labkit.course.exercises import Bet

EXERCISES = ()

BETS = (
    Bet(
        "side.head",
        "How many thousandths of nDCG@10 on pydocs dev is the trained head at 128 ahead of a PCA of the same texts?",
        -50,
        50,
    ),
    Bet(
        "side.fde",
        "How many hundreds of dimensions has the shortest encoding that finds as much as the twin? 0 for none.",
        0,
        250,
    ),
)
