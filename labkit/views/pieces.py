"""A text as its encoder read it: tokens at their characters, joined into words, folded where nothing matched."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from labkit.encoding.tokens import PackedTokens
from labkit.scoring.receipt import kind_of
from labkit.views.words import one_line, visible

NEAR = 7  # tokens that stay to the left and right of a match
LEAST = 12  # tokens that are worth folding away
CJK = 0x2E80  # from here on each character is a word
LABEL = 40  # characters of a word in a table
UNREAD = 400  # characters that are shown of what the encoder never read


@dataclass(frozen=True)
class Word:
    """Tokens that make one word, or equal tokens in a row that have no place in the text, such as [MASK]."""

    label: str
    kind: str
    positions: tuple[int, ...]


@dataclass(frozen=True)
class Read:
    """A text and what its encoder made of it.

    Attributes
    ----------
    spans : start and end of each token's characters, -1 where a token has no place in the text
    labels : what is shown of each token
    words : the tokens as words
    word_of : token position to word number
    lost : wordpieces that the length limit cut off
    """

    text: str
    spans: tuple[tuple[int, int], ...]
    labels: tuple[str, ...]
    words: tuple[Word, ...]
    word_of: tuple[int, ...]
    lost: int = 0

    def __len__(self) -> int:
        return len(self.spans)

    def named(self, position: int) -> str:
        """A token in words: “rows”, or “wise” of “pairwise”."""
        word = self.words[self.word_of[position]]
        own = f"“{self.labels[position]}”"
        return own if len(word.positions) == 1 or self.spans[position][0] < 0 else f"{own} of “{word.label}”"


@dataclass(frozen=True)
class Run:
    """Characters in order; ``positions`` are the tokens that they are, none for what stands between tokens."""

    text: str
    positions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Fold:
    """Runs out of sight, with ``count`` tokens."""

    count: int
    runs: tuple[Run, ...]


def read(text: str, packed: PackedTokens, i: int = 0) -> Read:
    """Text ``i`` of a pack that came from an encoder."""
    one = packed[i : i + 1]
    tokens = one.tokens(0)
    spans = tuple(_trimmed(text, *map(int, span)) for span in one.spans)  # type: ignore[union-attr]
    labels = tuple(one_line(token if a < 0 else text[a:b], LABEL) for token, (a, b) in zip(tokens, spans, strict=True))
    groups: list[list[int]] = []
    for position in range(len(tokens)):
        if position and _same_word(text, tokens, spans, position):
            groups[-1].append(position)
        else:
            groups.append([position])
    words = tuple(_word(text, tokens, spans, group) for group in groups)
    word_of = tuple(number for number, group in enumerate(groups) for _ in group)
    return Read(text, spans, labels, words, word_of, int(one.lost[0]) if one.lost is not None else 0)


def runs(document: Read) -> list[Run]:
    """The characters that the encoder read, in order. Tokens without a place stand before or after them."""
    placed = [(span, position) for position, span in enumerate(document.spans) if span[0] >= 0]
    first = placed[0][1] if placed else len(document)
    found = [Run(f"{document.labels[p]} ", (p,)) for p in range(first)]
    end = 0
    for (start, stop), position in placed:
        if start < end:  # several tokens for the same characters, as the bytes of an emoji
            last = found.pop()
            grown = visible(document.text[end:stop]) if stop > end else ""
            found.append(Run(last.text + grown, (*last.positions, position)))
        else:
            found += [Run(visible(document.text[end:start]))] if start > end else []
            found.append(Run(visible(document.text[start:stop], LABEL), (position,)))
        end = max(end, stop)
    if not document.lost and document.text[end:]:
        found.append(Run(visible(document.text[end:])))
    late = [p for p in range(first, len(document)) if document.spans[p][0] < 0]
    return found + [Run(f" {document.labels[p]}", (p,)) for p in late]


def folded(found: Sequence[Run], matched: Collection[int]) -> Iterator[Run | Fold]:
    """The runs with long stretches far from any match folded."""
    at = [i for i, run in enumerate(found) if any(p in matched for p in run.positions)]
    tokens = [i for i, run in enumerate(found) if run.positions]
    place = {i: n for n, i in enumerate(tokens)}
    near = {tokens[n] for i in at for n in range(max(0, place[i] - NEAR), min(len(tokens), place[i] + NEAR + 1))}
    hidden: list[Run] = []
    for i, run in enumerate(found):
        stays = i in near or (not run.positions and i - 1 in near and i + 1 in near)
        if not stays:
            hidden.append(run)
            continue
        yield from _fold(hidden)
        hidden = []
        yield run
    yield from _fold(hidden)


def unread(document: Read) -> str:
    """The text beyond the encoder's limit; "" where all was read."""
    end = max((stop for _, stop in document.spans), default=0)
    return visible(document.text[end:], UNREAD) if document.lost else ""


def _fold(hidden: list[Run]) -> list[Run | Fold]:
    count = sum(len(run.positions) for run in hidden)
    return [Fold(count, tuple(hidden))] if count >= LEAST else list(hidden)


def _trimmed(text: str, start: int, stop: int) -> tuple[int, int]:
    """The span without white space at its beginning, which some tokenizers count in."""
    while 0 <= start < stop - 1 and text[start].isspace():
        start += 1
    return start, stop


def _same_word(text: str, tokens: Sequence[str], spans: Sequence[tuple[int, int]], position: int) -> bool:
    (start, before), (after, _) = spans[position - 1], spans[position]
    if after < 0 or start < 0:
        return start < 0 and after < 0 and tokens[position - 1] == tokens[position]
    return after < before or (after == before and _letter(text[after - 1]) and _letter(text[after : after + 1]))


def _letter(character: str) -> bool:
    return character != "" and ord(character) < CJK and unicodedata.category(character)[0] in "LNM"


def _word(text: str, tokens: Sequence[str], spans: Sequence[tuple[int, int]], group: list[int]) -> Word:
    start, stop = spans[group[0]][0], max(spans[p][1] for p in group)
    if start < 0:
        times = f" ×{len(group)}" if len(group) > 1 else ""
        return Word(one_line(tokens[group[0]], LABEL) + times, kind_of(tokens[group[0]], (-1, -1)), tuple(group))
    label = text[start:stop]
    return Word(one_line(label, LABEL), kind_of(label, (start, stop)), tuple(group))
