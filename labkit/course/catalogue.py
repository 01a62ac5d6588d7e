"""The exercises and bets of all notebooks, by id. They are shipped data, in ``exercises/n*.py``, read on first use.

An id is the notebook's number, a dot and a name. A new exercise goes into a file of its notebook, which lists it in
``EXERCISES`` (and its bets in ``BETS``); a new known mistake is one more entry in the exercise's ``wrong_answers``, and
the tests then demand that it triggers its own hint. What files share goes to a file that does not begin with an n:
``from .shared import words``.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module, invalidate_caches
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from labkit import paths
from labkit.course.exercises import Bet, CodeExercise, ThoughtExercise
from labkit.errors import LabError

_PACKAGE = "labkit_exercises"


class Catalogue(NamedTuple):
    """What the exercise files define."""

    exercises: dict[str, CodeExercise | ThoughtExercise]
    bets: dict[str, Bet]


@cache
def catalogue() -> Catalogue:
    """The shipped exercises and bets."""
    return read(paths.data() / "exercises")


def read(folder: Path) -> Catalogue:
    """Run every exercise file of ``folder``; a `LabError` names the first one that is broken."""
    for name in [name for name in sys.modules if name.startswith(f"{_PACKAGE}.")]:
        del sys.modules[name]  # of another folder, or of files that have changed since
    invalidate_caches()
    package = sys.modules[_PACKAGE] = ModuleType(_PACKAGE)
    package.__path__ = [str(folder)]
    found = Catalogue({}, {})
    for path in sorted(folder.glob("n*.py")):
        try:
            module = import_module(f"{_PACKAGE}.{path.stem}")
            for shelf, items in ((found.exercises, module.EXERCISES), (found.bets, getattr(module, "BETS", ()))):
                for item in items:
                    if shelf.setdefault(item.id, item) is not item:
                        raise ValueError(f"the id {item.id} is taken")
        except Exception as error:
            raise LabError(f"the exercise file {path} is broken: {type(error).__name__}: {error}") from error
    return found
