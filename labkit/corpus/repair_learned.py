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
# What stands there, what was meant. The first three hardly occur in words, so that little evidence is enough.
CLEAR = (("0", "o"), ("1", "l"), ("vv", "w"))
CONFUSED = (("rn", "m"), ("m", "rn"), ("d", "cl"), ("cl", "d"))
RATIO, COUNT = 10, 5  # how much more, and how often at least, the other reading of a confusable word must occur


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

    One misreading a word of at least four letters, and only where the word that was meant stands elsewhere in the
    collection: twice for the first three, else five times and ten times as often as the misread one. Not claimed:
    words that occur once, short ones, two misreadings in a word, e for c, h for b, lost or split words. Words with
    capitals inside, digits other than 0 and 1, underscores, or a dot or bracket that makes them code are left alone.
    """
    counts: Counter[str] = Counter(match[0].lower() for text in texts for match in _WORD.finditer(text))
    meant: dict[str, str] = {}
    for word in sorted(counts):
        if (best := _reading(word, counts)) is not None:
            meant[word] = best
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


def _reading(word: str, counts: Counter[str]) -> str | None:
    """The word that was meant, if this one is more likely misread than meant."""
    own = counts[word]
    best, most = None, 0
    for (wrong, right), clear in [(pair, pair in CLEAR) for pair in CLEAR + CONFUSED]:
        place = word.find(wrong)
        while place >= 0:
            other = word[:place] + right + word[place + len(wrong) :]
            count = counts.get(other, 0)
            enough = count >= max(2, own) if clear else count >= max(COUNT, RATIO * own) and len(word) >= 5
            if enough and count > most:
                best, most = other, count
            place = word.find(wrong, place + 1)
    return best
