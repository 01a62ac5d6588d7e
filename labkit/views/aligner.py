"""Documents encoded once, aligned with any query: the numbers behind the alignment view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.errors import LabError
from labkit.ranking.ranking import Hit, Ranking, as_hits
from labkit.ranking.scored import flat
from labkit.scoring.maxsim import maxsim
from labkit.scoring.receipt import similarity_table
from labkit.views.pieces import Read, read
from labkit.views.words import one_line

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder
    from labkit.encoding.tokens import PackedTokens

Documents = Ranking | Mapping[str, str] | Sequence[str]


@dataclass(frozen=True, eq=False)
class Match:
    """One document's best passage for a query.

    Attributes
    ----------
    number : the document's place among those given, from 0
    score : from the MaxSim kernel
    similarities : [Lq, Ld] float64
    winners : [Lq] the position of each query token's best document token; none where the document has no tokens
    packed : the passage's tokens, as text 0
    """

    number: int
    name: str
    document: Read
    score: float
    similarities: np.ndarray
    winners: np.ndarray
    packed: PackedTokens

    @cached_property
    def best(self) -> np.ndarray:
        """[Lq] float64, what each query token earns; zeros where the document has no tokens."""
        queries = len(self.similarities)
        return self.similarities[np.arange(queries), self.winners] if len(self.winners) else np.zeros(queries)

    @property
    def balanced(self) -> bool:
        """Whether what the tokens earn sums to the score; a document without tokens has nothing to sum."""
        total = float(self.best.sum())
        return not len(self.document) or abs(total - self.score) <= 1e-5 * max(1.0, abs(self.score))


class Aligner:
    """Encodes the passages of some documents once, and aligns them with one query after the other.

    Parameters
    ----------
    documents : a Ranking, texts, or a mapping from name to text
    encoder : from ``load_encoder()``
    """

    def __init__(self, documents: Documents, encoder: Encoder) -> None:
        self.encoder = encoder
        self.hits = named_hits(documents)
        self.names = short_names([hit.doc_id for hit in self.hits])
        self.passages, self.starts = flat(self.hits)
        self.packed = encoder.encode_documents(self.passages)
        self._read = cache(lambda i: read(self.passages[i], self.packed, i))  # a query changes nothing about them
        self._last: tuple[str, Read, tuple[Match, ...]] | None = None

    def align(self, query: str) -> tuple[Read, tuple[Match, ...]]:
        """The query as it was read, and the documents' best passages, best first; equal scores keep their order.

        A `LabError` for a query without tokens, and for one that is not valid Unicode.
        """
        if self._last is None or self._last[0] != query:
            queries = self.encoder.encode_queries([query])
            if not len(queries.vectors):
                raise LabError("the query has no tokens, so every score is 0. Type a word.")
            scores, winners = maxsim(queries[0], self.packed, argmax=True)
            asked = read(query, queries)
            matches = [self._match(n, queries, scores, winners) for n in range(len(self.hits))]
            self._last = query, asked, tuple(sorted(matches, key=lambda match: -match.score))
        return self._last[1:]

    def _match(self, number: int, queries, scores: np.ndarray, winners: np.ndarray) -> Match:  # type: ignore[no-untyped-def]
        bounds = [*self.starts, len(self.passages)]
        i = bounds[number] + int(scores[bounds[number] : bounds[number + 1]].argmax())
        document = self._read(i)
        packed: Any = self.packed[i : i + 1]
        table = similarity_table(queries, packed)
        won = winners[i] if len(document) else np.zeros(0, np.int32)
        return Match(number, self.names[number], document, float(scores[i]), table, won, packed)


def named_hits(documents: Documents) -> tuple[Hit, ...]:
    """Documents as hits. A list's texts are called "document 1", "document 2", ...

    A `LabError` for no document at all, and for what is not a text.
    """
    hits = as_hits(documents)
    if not hits:
        raise LabError("an alignment needs at least one document; got none.")
    if isinstance(documents, Ranking | Mapping):
        return hits
    return tuple(replace(hit, doc_id=f"document {hit.rank}") for hit in hits)


def short_names(names: Sequence[str]) -> list[str]:
    """The shortest ends of dotted names that tell them apart.

    >>> short_names(["pandas.melt", "pandas.pivot", "pandas.DataFrame.pivot", "a text. With dots."])
    ['melt', 'pandas.pivot', 'DataFrame.pivot', 'a text. With dots.']
    """
    answer = []
    for name in names:
        parts = name.split(".") if " " not in name and all(name.split(".")) else [name]
        others = [other for other in names if other != name]
        ends = [".".join(parts[-n:]) for n in range(1, len(parts) + 1)]
        alone = [end for end in ends if not any(o == end or o.endswith("." + end) for o in others)]
        answer.append(one_line(alone[0] if alone else name))
    return answer
