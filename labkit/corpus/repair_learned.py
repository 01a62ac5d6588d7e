"""The two rules that learn from the collection at hand: lines that repeat over documents, and misread letters.

A learner takes the documents' texts and returns a function from a text to edits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from labkit.corpus.edits import Edit, patched, trimmed

Find = Callable[[str], Iterator[Edit]]
EDGE = 3  # lines at either end of a text
SHARE, FEWEST = 0.01, 4  # of the documents that a line must repeat over
_LINE = re.compile(r"[^\n]+")
_NEGATION = re.compile(r"(?i)\b(?:not|no|never|without|cannot|neither|nor)\b|n[’']t\b")
_PART = re.compile(r"\b(?=[\w-]*\d)[A-Z]{1,5}-?\d[\w/-]*|\d\s?(?:[µμmkMGn]?[ΩΩVAWHFgsml]\b|°|[µμ]\w|[mck]m\b|Hz\b)")
_WORD = re.compile(r"(?<![\w@/\\$%&=.])[A-Za-z][a-z01]{3,}(?![\w@/\\=(])|(?<![\w@/\\$%&=.])[01][a-z]{3,}(?![\w@/\\=(])")
_IN_CODE = re.compile(r"[a-z]{4,}(?=[_(=]|\.\w)|(?<=[_=])[a-z]{4,}|(?<=\w\.)[a-z]{4,}")
# What stands there, what was meant. The first three hardly occur in words, so that little evidence is enough.
CLEAR = (("0", "o"), ("1", "l"), ("vv", "w"))
CONFUSED = (("rn", "m"), ("m", "rn"), ("d", "cl"), ("cl", "d"))
COUNT, SLACK = 5, 2  # how often a confusable word must stand right, and how many times the expected number wrong


def learn_boilerplate(texts: Sequence[str]) -> Find:
    """Navigation, notices and footers: lines at the ends of many texts that speak of what the texts do not.

    A line, its digits aside, is boilerplate if it is among the first or last three lines of at least 1 % of the texts
    (and of 4), there in 9 of 10 cases, and if most of its words are hardly used outside of such lines. A line with a
    negation, a part number or a quantity never is.
    """
    known: set[str] = set()
    while new := _repeated(texts, known):
        known |= new
        texts = [patched(text, 0, len(text), strip_lines(text, known)) for text in texts]
    return lambda text: strip_lines(text, known)


def strip_lines(text: str, known: set[str]) -> Iterator[Edit]:
    """Cut known lines off both ends of a text, unless nothing else is in it."""
    lines = list(_LINE.finditer(text)) if known else []
    cut = [_key(line[0]) in known for line in lines]
    told = [i for i, line in enumerate(lines) if not cut[i] and line[0].strip()]
    if not told:
        return
    head = [line for line, gone in zip(lines[: told[0]], cut, strict=False) if gone]
    tail = [line for line, gone in zip(lines[told[-1] :], cut[told[-1] :], strict=True) if gone]
    if head:
        yield 0, head[-1].end() + 1, ""
    if tail:
        yield tail[0].start() - 1, len(text), ""


def _repeated(texts: Sequence[str], known: set[str]) -> set[str]:
    edge: Counter[str] = Counter()
    anywhere: Counter[str] = Counter()
    words: Counter[str] = Counter()
    spoken: dict[str, Counter[str]] = {}
    for text in texts:
        lines = [line for line in text.split("\n") if line.strip()]
        words.update(set(_words(text)))
        if len(lines) < 2:
            continue
        edge.update({_key(line) for line in (*lines[:EDGE], *lines[-EDGE:])} - {""} - known)
        anywhere.update({_key(line) for line in lines})
    least = max(FEWEST, SHARE * len(texts))
    often = {key for key, count in edge.items() if count >= least and count >= 0.9 * anywhere[key] and _plain(key)}
    for text in texts if often else ():
        for key in {_key(line) for line in text.split("\n")} & often:
            for word in set(_words(key)):
                spoken.setdefault(word, Counter())[key] += 1
    inside = {word: sum(by_line.values()) for word, by_line in spoken.items()}
    return {
        key for key in often if (own := set(_words(key))) and median(min(1, inside[w] / words[w]) for w in own) >= 0.5
    }


def _key(line: str) -> str:
    """A line with its digits and white space made equal; "" if it has no letters."""
    line = " ".join(re.sub(r"\d+", "0", line[:500]).split())
    return line if re.search(r"[^\W\d_]{2}", line) else ""


def _plain(line: str) -> bool:
    return not _NEGATION.search(line) and not _PART.search(line)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{3,}", text.lower())


def learn_ocr(texts: Sequence[str]) -> Find:
    """Letters misread by a scanner: ``0`` for o, ``1`` for l, ``vv`` for w, ``rn`` and ``m``, ``cl`` and ``d``.

    One misreading a word of at least four letters, and only where the word that was meant stands in the collection.
    For the first three, twice is enough. ``rn`` and ``cl`` make words out of words (damped, clamped), so their share
    among misreadings is taken from the first three: a word is misread if it stands no more often than twice what that
    share of the other word would be. Without any of the first three, nothing is. Not claimed: words that occur once,
    short ones, two misreadings in a word, e for c, h for b, lost or split words. Words with capitals inside, other
    digits, underscores, or a dot or bracket that makes them code are left alone, and so are words that are code
    elsewhere.
    """
    counts: Counter[str] = Counter(match[0].lower() for text in texts for match in _WORD.finditer(text))
    code = {match[0] for text in texts for match in _IN_CODE.finditer(text)}
    meant = {word: best for word in sorted(counts) if (best := _reading(word, counts, CLEAR, lambda own: max(2, own)))}
    could = sum(count for word, count in counts.items() if re.search("[olw]", word))
    rate = sum(counts[word] for word in meant) / max(1, could)
    for word in sorted(counts.keys() - meant.keys() - code) if rate else ():
        if len(word) > 4 and (best := _reading(word, counts, CONFUSED, lambda own: max(COUNT, own / (SLACK * rate)))):
            meant.setdefault(word, best)
    for word in meant:  # a chain ends at once: what is meant is no misreading itself
        seen = {word}
        while meant[word] in meant and meant[word] not in seen:
            seen.add(meant[word])
            meant[word] = meant[meant[word]]

    def find(text: str) -> Iterator[Edit]:
        for match in _WORD.finditer(text) if meant else ():
            if (right := meant.get(match[0].lower())) is not None and match[0][1:].islower():
                yield trimmed(match[0], right.capitalize() if match[0][0].isupper() else right, match.start())

    return find


def _reading(
    word: str, counts: Counter[str], pairs: Sequence[tuple[str, str]], least: Callable[[int], float]
) -> str | None:
    """The most frequent word that this one can be a misreading of, if it stands often enough."""
    found = set()
    for wrong, right in pairs:
        place = word.find(wrong)
        while place >= 0:
            found.add(word[:place] + right + word[place + len(wrong) :])
            place = word.find(wrong, place + 1)
    best = max(sorted(found), key=lambda other: counts.get(other, 0), default="")
    return best if best and counts.get(best, 0) >= least(counts[word]) else None
