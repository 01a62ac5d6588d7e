"""01.question: T1's question, edited until a right answer comes first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from typing import TYPE_CHECKING

from labkit.course.attempts import show
from labkit.course.exercises import Exercise, Outcome, Wrong

if TYPE_CHECKING:
    from labkit.ranking.late_interaction import LateInteractionReranker
    from labkit.ranking.ranking import Ranking

MOST = 3  # words that may be changed
SAME = "this is the ticket's own question. Change a word."
NAMED = "who knows the function's name needs no search. Ask as somebody who does not."
TOO_MUCH = f"change at most {MOST} words: else you cannot tell which one did it."
SHOWN = "rows and vectors were tried in notebook 00. Find another way."
OTHER = (
    "*points* was the word to change. What do the right functions' documentations call it? Read one, "
    "`print(pair[loser][:300])`, and take the word of its first sentence."
)
NOT_YET = "which row of the duel has the largest difference? Change that word, and keep the others."


@cache
def _ticket() -> tuple[str, Ranking, set[str], LateInteractionReranker]:
    """T1's question, its fifty candidates, the right answers, and the reranker."""
    from labkit.corpus.load import load_collection
    from labkit.ranking.late_interaction import LateInteractionReranker
    from labkit.ranking.systems import system

    c = load_collection("pydocs")
    query = next(q for q, info in c.query_info.items() if info.get("ticket") == "T1")
    right = {doc for doc, grade in c.qrels[query].items() if grade == 3}
    candidates = system("bm25", c).search(c.queries[query], k=50)
    return c.queries[query], candidates, right, LateInteractionReranker()


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _changed(before: list[str], after: list[str]) -> int:
    """How many words were exchanged, put in or taken out."""
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return sum(max(b - a, d - c) for step, a, b, c, d in steps if step != "equal")


@dataclass(frozen=True, kw_only=True)
class QuestionExercise(Exercise):
    """A question to edit, judged by what the reranker then puts first."""

    right: str
    wrong_answers: tuple[Wrong, ...]

    @property
    def source(self) -> str:
        """The solution as a notebook cell."""
        return f'mine = "{self.right}"\nlk.exercise("{self.id}").check(mine)'

    @property
    def stub(self) -> str:
        """The untouched attempt as a notebook cell."""
        return f'mine = ...\nlk.exercise("{self.id}").check(mine)'

    def judge(self, attempt: object) -> Outcome:
        """Rerank the ticket's candidates for the edited question."""
        if attempt is None or attempt is ... or attempt == "":
            return Outcome("not attempted", "Write T1's question with a word changed, in quotes.")
        if not isinstance(attempt, str):
            return Outcome("error", f"The question must be a text in quotes; got {show(attempt)}.")
        query, candidates, right, late = _ticket()
        before, after = _words(query), _words(attempt)
        if hint := self._unfair(before, after, {doc.rpartition(".")[2].lower() for doc in right}):
            return Outcome("wrong", f"Hint: {hint}")
        ranking = late.rerank(attempt, candidates, top_n=len(candidates))
        first = f"first: {ranking[0].doc_id}"
        if ranking[0].doc_id in right:
            return Outcome("correct", f"{first}. Words changed: {_changed(before, after)}. Candidates: the same fifty.")
        hint = NOT_YET if "points" in after else OTHER
        return Outcome("wrong", f"{first}; the first right answer is at {ranking.rank_of(right)}. Hint: {hint}")

    def _unfair(self, before: list[str], after: list[str], names: set[str]) -> str:
        """Why an edit does not count; empty if it does."""
        new = set(after) - set(before)
        if before == after:
            return SAME
        if new & names:
            return NAMED
        if _changed(before, after) > MOST:
            return TOO_MUCH
        return SHOWN if new & {"row", "rows", "vector", "vectors"} else ""


QUESTION = QuestionExercise(
    id="01.question",
    title="Edit the question until a right answer wins",
    minutes=6,
    difficulty=1,
    importance=2,
    misconception="The longest word, or the rarest, decides. What decides is where two documents differ.",
    see="a right function first, from the same fifty candidates.",
    hints=(
        "The view above can be edited: type another question and watch the scores.",
        "What do the right functions' documentations call what they compare? Read one.",
        "Exchange *points*, and nothing else.",
    ),
    reasoning="The right documents speak of feature arrays, the winner of points on a sphere. A user cannot know that: "
    "an edit repairs one question, not the search.",
    right="how do I compute the pairwise distances between two arrays of features",
    wrong_answers=(
        Wrong("unchanged", "How do I compute the pairwise distances between two arrays of points?", SAME),
        Wrong("named", "how do I compute the pairwise distances between two arrays of points with cdist", NAMED),
        Wrong("another question", "matrix of Euclidean distances of X and Y", TOO_MUCH),
        Wrong("shown before", "how do I compute the pairwise distances between two arrays of row-vectors", SHOWN),
        Wrong("a word of no answer", "how do I compute the pairwise distances between two arrays of items", OTHER),
        Wrong("another word", "how do I find the pairwise distances between two arrays of points", NOT_YET),
    ),
)

EXERCISES = (QUESTION,)
