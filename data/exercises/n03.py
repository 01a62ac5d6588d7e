"""Notebook 03: two bets and two questions. The spelling is in ``n03_spell.py``, the cleaner in ``n03_cleaner.py``."""

from __future__ import annotations

from labkit.course.exercises import Bet, ThoughtExercise

BETS = (
    Bet("03.unseen", "Of 100 characters of pydocs-raw, how many does the encoder never read?", 0, 100),
    Bet("03.dirt", "By how many hundredths of nDCG@10 does the dirt make BM25 worse?", 0, 100, off=1),
)

WHO = ThoughtExercise(
    id="03.who",
    title="BM25 is right. Because of what it read behind the cut?",
    minutes=4,
    difficulty=2,
    importance=3,
    misconception="If the words that decide stand behind the cut, they are the reason. Standing there is no proof.",
    see="a sentence on what each of the others would have shown.",
    question="BM25 has `read_csv` first, MaxSim has not. *skip* and *malformed* stand behind the encoder's cut, where "
    "only BM25 reads. What shows that BM25 is right **because of** what stands there?",
    options={
        "a": "BM25's score for `read_csv` is higher than MaxSim's.",
        "b": "BM25 over the same texts, each cut where the encoder stops: does it still have `read_csv` first?",
        "c": "Count the question's words behind the cut: the more there are, the surer it is.",
        "d": "Encode `read_csv` in pieces: if MaxSim has it first then, that was the reason.",
    },
    right="b",
    why={
        "a": "The two have no unit in common. And a higher score says nothing about where it came from.",
        "b": "Take away the one thing in question, leave the rest, ask again. If the rank falls, it was that.",
        "c": "Its rivals have such words, too, and BM25 divides by length. Where a word stands is no effect.",
        "d": "That would show what MaxSim lacked. The sentence is about BM25, so take something away from BM25.",
    },
    hints=(
        "Two systems differ in many ways. Which option changes one thing only?",
        "You want to know what a text did for BM25. What does BM25 do without that text?",
    ),
    reasoning="A cause is tested by removing it from the system that had it, with all else equal.",
)

SIDES = ThoughtExercise(
    id="03.sides",
    title="A tidy index and T5: what happens?",
    minutes=3,
    difficulty=2,
    importance=3,
    misconception="Cleaner text is found better. What is found is what matches the question, dirt included.",
    see="T5's rank below, twice.",
    question="Somebody tidies the index: `StratifiedKFold` becomes *Stratified KFold*, in every document. T5 is the "
    "one word *StratifiedKFold*, asked as it always was. Where will BM25 have it?",
    options={
        "a": "First, as before: the letters are the same.",
        "b": "First, and more clearly: now there are two words that match.",
        "c": "Among the first five, behind its cousins, such as StratifiedGroupKFold.",
        "d": "Nowhere.",
    },
    right="d",
    why={
        "a": "BM25 compares words, not letters. Which word of the index equals *stratifiedkfold*?",
        "b": "The question is still one word. Neither of the two equals it.",
        "c": "That is what happens if the question is split as well. It was not.",
        "d": "The question's one word is in no document any more. A document without a common word is no hit.",
    },
    hints=(
        "Write down the words of the index, and the words of the question. Which are equal?",
        "Was the question cleaned, too?",
    ),
    reasoning="Documents and questions meet word by word. What changes the words of one side only takes matches away.",
)

EXERCISES = (WHO, SIDES)
