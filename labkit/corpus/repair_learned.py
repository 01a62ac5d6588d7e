"""The two rules that learn from the collection at hand: lines that repeat over documents, and misread letters.

A learner takes the documents' texts and returns a function from a text to edits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from statistics import median

from labkit.corpus.edits import Edit, patched, trimmed

Find = Callable[[str], Iterator[Edit]]
EDGE = 3  # lines at either end of a text
SHARE, FEWEST = 0.01, 4  # of the documents that a line must repeat over
_LINE = re.compile(r"[^\n]+")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?"
_DATE = re.compile(rf"\d{{4}}-\d\d-\d\d|\d{{1,2}}\.? {_MONTH},? \d{{4}}|{_MONTH} \d{{1,2}},? \d{{4}}")
_NEGATION = re.compile(r"(?i)\b(?:not|no|never|without|cannot|neither|nor)\b|n[’']t\b")
_PART = re.compile(r"\b(?=[\w-]*\d)[A-Z]{1,5}-?\d[\w/-]*|\d\s?(?:[µμmkMGn]?[ΩΩVAWHFgsml]\b|°|[µμ]\w|[mck]m\b|Hz\b)")
_WORD = re.compile(
    r"(?<![\w@/\\$%&=.])[A-Za-z][a-z01]{3,39}+(?![\w@/\\=(])|(?<![\w@/\\$%&=.])[01][a-z]{3,39}+(?![\w@/\\=(])"
)
_IN_CODE = re.compile(r"(?<![a-z])[a-z]{4,}+(?=[_(=]|\.\w)|(?<=[_=])[a-z]{4,}|(?<=\w\.)[a-z]{4,}")
# What stands there, what was meant. The first three hardly occur in words, so that little evidence is enough.
CLEAR = (("0", "o"), ("1", "l"), ("vv", "w"))
CONFUSED = (("rn", "m"), ("m", "rn"), ("d", "cl"), ("cl", "d"))
COUNT, SLACK = 5, 2  # how often a confusable word must stand right, and how many times the expected number wrong


def learn_boilerplate(texts: Sequence[str]) -> Find:
    """Navigation, notices and footers: lines at the ends of many texts that speak of what the texts do not.

    A line, its date aside, is boilerplate if it is among the first or last three lines of at least 1 % of the texts
    (and of 4), there in 9 of 10 cases, and if most of its words are hardly used outside of such lines. A line with a
    negation, a part number or a quantity never is. One that differs in its numbers may be all that a document is
    about (Model 12): it goes only from between two others.
    """
    known: set[str] = set()
    kept = texts
    while new := _repeated(kept, known, _exact):
        known |= new
        kept = [patched(text, 0, len(text), strip_lines(text, known)) for text in kept]
    numbered = _repeated(texts, set(), _numbered) if known else set()
    return lambda text: strip_lines(text, known, numbered)


def strip_lines(text: str, known: set[str], numbered: Set[str] = frozenset()) -> Iterator[Edit]:
    """Cut known lines off both ends of a text, unless nothing else is in it."""
    lines = [line for line in _LINE.finditer(text) if line[0].strip()] if known else []
    exact = [_exact(line[0]) in known for line in lines]
    around = [False, *exact, False]
    cut = [
        gone or (before and after and _numbered(line[0]) in numbered)
        for line, gone, before, after in zip(lines, exact, around, around[2:], strict=False)
    ]
    cut = exact if all(cut) else cut
    if all(cut):
        return
    first, last = cut.index(False), len(cut) - cut[::-1].index(False)
    if first:
        yield 0, lines[first - 1].end() + 1, ""
    if last < len(lines):
        yield lines[last].start() - 1, len(text), ""


def _repeated(texts: Sequence[str], known: set[str], key_of: Callable[[str], str]) -> set[str]:
    edge: Counter[str] = Counter()
    anywhere: Counter[str] = Counter()
    words: Counter[str] = Counter()
    spoken: Counter[str] = Counter()
    for text in texts:
        lines = [line for line in text.split("\n") if line.strip()]
        words.update(_words(text))
        if len(lines) > 1:
            edge.update({key_of(line) for line in (*lines[:EDGE], *lines[-EDGE:])} - {""} - known)
            anywhere.update({key_of(line) for line in lines})
    least = max(FEWEST, SHARE * len(texts))
    often = {key for key, count in edge.items() if count >= least and count >= 0.9 * anywhere[key] and _plain(key)}
    for text in texts if often else ():
        spoken.update(word for line in text.split("\n") if key_of(line) in often for word in _words(line))
    return {
        key for key in often if (own := set(_words(key))) and median(spoken[w] / max(1, words[w]) for w in own) > 0.5
    }


def _exact(line: str) -> str:
    """A line with its white space made equal, and any date; "" if it has no letters."""
    line = " ".join(_DATE.sub("#", line[:500]).split())
    return line if re.search(r"[^\W\d_]{2}", line) else ""


def _numbered(line: str) -> str:
    return re.sub(r"\d+", "0", _exact(line))


def _plain(line: str) -> bool:
    return not _NEGATION.search(line) and not _PART.search(line)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{3,}", text.lower())


def learn_ocr(texts: Sequence[str]) -> Find:
    """Letters misread by a scanner: ``0`` for o, ``1`` for l, ``vv`` for w, ``rn`` and ``m``, ``cl`` and ``d``.

    One misreading a word of at least four letters, and only where the word that was meant stands in the collection.
    For the first three, twice is enough. ``rn`` and ``cl`` make words out of words (damped, clamped), so their share
    among misreadings is taken from the first three: a word is misread if it stands no more often than twice what that
    share of the other word would be, in text or in code. A rare word is misread too if the other one is no rarer and
    two frequent words make it up, but not the rare one (edge and items, edgeiterns). Without any of the first three,
    nothing is. Not claimed: words that occur once, short ones, two misreadings in a word, e for c, h for b, lost or
    split words. Words with capitals inside, other digits, underscores, or a dot or bracket that makes them code are
    left alone, and so are words that are code elsewhere.
    """
    counts = Counter(match[0].lower() for text in texts for match in _WORD.finditer(text))
    code = Counter(match[0] for text in texts for match in _IN_CODE.finditer(text))
    meant: dict[str, str] = {}
    rate = None
    while True:  # what is mended counts as evidence, so that a second look at the mended texts finds nothing more
        clear = {word: best for word in sorted(counts) if (best := _reading(word, counts, CLEAR))}
        clear = {word: best for word, best in clear.items() if counts[best] >= max(2, counts[word])}
        if rate is None:
            could = sum(count for word, count in counts.items() if re.search("[olw]", word))
            rate = min(0.2, sum(counts[word] for word in clear) / max(1, could))
        found = clear or _confused(counts, code, rate)
        if not found:
            break
        meant |= found
        for word in found:
            counts[_end(word, meant)] += counts.pop(word)
    meant = {word: _end(word, meant) for word in meant}

    def find(text: str) -> Iterator[Edit]:
        for match in _WORD.finditer(text) if meant else ():
            if (right := meant.get(match[0].lower())) is not None and match[0][1:].islower():
                yield trimmed(match[0], right.capitalize() if match[0][0].isupper() else right, match.start())

    return find


def _confused(counts: Counter[str], code: Counter[str], rate: float) -> dict[str, str]:
    """Misread words that are words too, by how often misreadings are to be expected."""
    if not rate:
        return {}
    found: dict[str, str] = {}
    for word in sorted(counts.keys() - code.keys()):
        best = _reading(word, counts, CONFUSED) if len(word) > 4 else None
        if best is None or best in found:
            continue
        own, other = counts[word], counts[best]
        compound = other >= max(2, own) and own < COUNT and _compound(best, counts) and not _compound(word, counts)
        if compound or (other >= COUNT and other + code[best] >= own / (SLACK * rate)):
            found[word] = best
    return found


def _compound(word: str, counts: Counter[str]) -> bool:
    """Whether two frequent words make it up."""
    return any(counts.get(word[:n], 0) >= COUNT and counts.get(word[n:], 0) >= COUNT for n in range(4, len(word) - 3))


def _end(word: str, meant: dict[str, str]) -> str:
    """Where a chain of readings ends; one that comes back ends where it comes back."""
    seen = {word}
    while meant.get(word, word) not in seen:
        word = meant[word]
        seen.add(word)
    return word


def _reading(word: str, counts: Counter[str], pairs: Sequence[tuple[str, str]]) -> str | None:
    """The most frequent word that this one can be a misreading of."""
    found = set()
    for wrong, right in pairs:
        place = word.find(wrong)
        while place >= 0:
            found.add(word[:place] + right + word[place + len(wrong) :])
            place = word.find(wrong, place + 1)
    best = max(sorted(found), key=lambda other: counts.get(other, 0), default="")
    return best if best and counts.get(best, 0) else None
