"""The exercises and bets of all notebooks, by id. Definitions only: what a learner calls is in `labkit.course.checks`.

An id is the notebook's number, a dot and a name. A new exercise is a definition in its notebook's module; a new
known mistake is one more line in its ``wrong_answers``, and the tests then demand that it triggers its own hint.
"""

from __future__ import annotations

from labkit.course.exercises import n00, n02
from labkit.course.exercises.base import Bet, CodeExercise, Outcome, ThoughtExercise, Wrong

EXERCISES: dict[str, CodeExercise | ThoughtExercise] = {e.id: e for e in (*n00.EXERCISES, *n02.EXERCISES)}
BETS: dict[str, Bet] = {bet.id: bet for bet in n00.BETS}

__all__ = ["BETS", "EXERCISES", "Bet", "CodeExercise", "Outcome", "ThoughtExercise", "Wrong"]
