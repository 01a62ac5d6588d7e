"""03.spell: the words of a question, misspelled ones repaired from the words of the documents."""

from __future__ import annotations

import random
from difflib import get_close_matches

from labkit.course.exercises import CodeExercise, Wrong

CUTOFF = 0.85


def spell(words: list[str], known: set[str]) -> list[str]:
    """A word that is known in lower case stays. Any other, in lower case, becomes the closest known word, if difflib
    rates that at 0.85 or more; else it stays as it was typed."""
    said = []
    for word in words:
        close = [] if word.lower() in known else get_close_matches(word.lower(), known, n=1, cutoff=0.85)
        said.append(close[0] if close else word)
    return said


def _closest(word: str, known: set[str], cutoff: float = CUTOFF) -> str:
    return next(iter(get_close_matches(word.lower(), known, n=1, cutoff=cutoff)), word)


WRONG_ANSWERS = (
    Wrong(
        "capitals are unknown",
        lambda words, known: [word if word in known else _closest(word, known) for word in words],
        "the documents' words are in lower case. Look *StratifiedKFold* up in lower case, and leave it as it is.",
    ),
    Wrong(
        "all in lower case",
        lambda words, known: [w.lower() if w.lower() in known else _closest(w, known).lower() for w in words],
        "what is known stays as it was typed: an encoder may read capitals, and a reader does.",
    ),
    Wrong(
        "known words are mended too",
        lambda words, known: [_closest(word, [k for k in known if k != word.lower()]) for word in words],
        "a known word stays, however close another one is: *mean* is no misspelled *means*.",
    ),
    Wrong(
        "what nothing is close to is dropped",
        lambda words, known: [
            w if w.lower() in known else _closest(w, known)
            for w in words
            if w.lower() in known or get_close_matches(w.lower(), known, n=1, cutoff=CUTOFF)
        ],
        "a word that is close to nothing stays. Dropped, it can never match, and nobody sees that it was there.",
    ),
    Wrong(
        "always the closest",
        lambda words, known: [w if w.lower() in known else _closest(w, known, 0.0) for w in words],
        "the closest word can be far away. Ask for a similarity of 0.85 at least: `cutoff=0.85`.",
    ),
    Wrong(
        "difflib's own cutoff",
        lambda words, known: [w if w.lower() in known else _closest(w, known, 0.6) for w in words],
        "difflib is content with 0.6 by default: *frames* would become *dataframe*. Give `cutoff=0.85`.",
    ),
    Wrong(
        "capitals are compared",
        lambda words, known: [
            w if w.lower() in known else next(iter(get_close_matches(w, known, n=1, cutoff=CUTOFF)), w) for w in words
        ],
        "compare in lower case as well: a capital counts as another letter, and *Standart* would be too far away.",
    ),
    Wrong(
        "the first of an empty list",
        lambda words, known: [
            w if w.lower() in known else get_close_matches(w.lower(), known, n=1, cutoff=CUTOFF)[0] for w in words
        ],
        "close to nothing is common: then the list of matches is empty, and [0] fails. Such a word stays as it is.",
    ),
    Wrong(
        "the first of an empty list, at difflib's own cutoff",
        lambda words, known: [w if w.lower() in known else get_close_matches(w.lower(), known)[0] for w in words],
        "close to nothing is common: then the list of matches is empty, and [0] fails. Ask for 0.85, too.",
    ),
    Wrong(
        "known words are asked as well",
        lambda words, known: [get_close_matches(w.lower(), known, n=1, cutoff=CUTOFF)[0] for w in words],
        "a known word stays as it was written, and a word close to nothing has an empty list, on which [0] fails.",
    ),
    Wrong(
        "a list in the list",
        lambda words, known: [
            w if w.lower() in known else get_close_matches(w.lower(), known, n=1, cutoff=CUTOFF) or w for w in words
        ],
        "get_close_matches gives a list. The word in it is wanted: take its first item, where there is one.",
    ),
    Wrong(
        "one text",
        lambda words, known: " ".join(spell(words, known)),
        "a list of words is wanted, not one text.",
    ),
)

KNOWN = [
    "array", "column", "columns", "data", "dataframe", "deviation", "ignoring", "inverse", "matrix", "mean", "means",
    "median", "nan", "scale", "scales", "skip", "sort", "sorted", "standard", "stratifiedkfold", "table", "values",
]  # fmt: skip
STRANGE = ["PostgreSQL", "customers", "sales", "frames", "xz"]


def cases() -> list[tuple]:
    """Four to look at, then questions of known, misspelled and strange words."""
    draw = random.Random(3)
    drawn = []
    for _ in range(30):
        words = draw.sample(KNOWN, 3) + draw.sample(STRANGE, 1)
        words.append(_slip(draw.choice(["deviation", "standard", "ignoring", "dataframe"]), draw))
        words.append(draw.choice(["DataFrame", "StratifiedKFold", "NaN"]))
        draw.shuffle(words)
        drawn.append((words, KNOWN))
    return [
        (["standart", "deviaton", "ignoring", "nan"], KNOWN),
        (["StratifiedKFold"], KNOWN),
        (["sales", "frames"], KNOWN),
        (["Standart", "mean"], KNOWN),
        *drawn,
    ]


def _slip(word: str, draw: random.Random) -> str:
    """The word with a letter left out."""
    place = draw.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1 :]


SPELL = CodeExercise(
    id="03.spell",
    title="Repair the spelling, and nothing else",
    minutes=7,
    difficulty=2,
    importance=2,
    misconception="a repair is judged by what it leaves alone, too: known words, and words that are close to nothing.",
    see="['standard', 'deviation', 'ignoring', 'nan'] for T8.",
    hints=(
        "`difflib.get_close_matches(word, known, n=1, cutoff=0.85)` gives a list of at most one word.",
        "A word is known in lower case, or close to a known one, or neither. In two of these cases it stays as it is.",
    ),
    reasoning="The documents' own words are the best dictionary that a search has: what they lack cannot be matched. "
    "Whatever is known stays, or the repair starts to rewrite healthy questions.",
    preamble="from difflib import get_close_matches",
    solution=spell,
    cases=cases,
    wrong_answers=WRONG_ANSWERS,
)

EXERCISES = (SPELL,)
