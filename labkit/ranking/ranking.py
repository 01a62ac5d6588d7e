"""A ranking: documents in order, with scores, earlier ranks, and the time that each stage took."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from labkit.errors import LabError, check_text
from labkit.text import shortened

CANDIDATES = "a Ranking, a list of texts, or a mapping from id to text, best first"
TEXT_SHOWN = 70  # characters of a text in a printed ranking
TOLD = ("doc_id", "rank", "previous_rank", "score", "reason", "title", "text", "truncated")  # of a hit in JSON


@dataclass(frozen=True)
class Hit:
    """One document in a ranking. ``text`` is the passage that scored best; ``score`` may be minus infinity.

    ``spans`` are parts of ``text`` that a reranker calls relevant, as (start, end) in characters; most name none.
    """

    doc_id: str
    rank: int
    score: float | None
    title: str = ""
    text: str = ""
    previous_rank: int | None = None
    reason: str | None = None
    truncated: bool = False
    passages: tuple[str, ...] = field(default=(), repr=False)
    spans: tuple[tuple[int, int], ...] = field(default=(), repr=False)

    def to_dict(self) -> dict[str, Any]:
        """The hit as plain data for JSON; a score that is not finite becomes None, its reason says why."""
        return {name: getattr(self, name) for name in TOLD} | {"score": finite(self.score)}


@dataclass(frozen=True)
class Ranking:
    """Hits in strict order (ranks 1, 2, 3, ...), best first.

    Attributes
    ----------
    query : the text asked
    hits : tuple of Hit
    system : what made the ranking, as the command line spells it
    scale : what the scores are: ``"BM25"``, ``"cosine"``, ``"MaxSim"``, ``"sum of z-scores"``, ...
    seconds : stage name to seconds
    encoded, cached : how many candidate texts were encoded now, and how many came from the store
    model : the identity of the model that gave the scores; "" where there is none
    cost : what was billed or would be, unit name to amount, such as ``{"search_units": 1.0}``
    note : why the order is not what it was meant to be, such as a fallback; "" when all is well
    fallback : why this is the first stage's order and not the reranker's, in one of the words of
        `labkit.ranking.guard`; "" when it is the reranker's, or no guard was asked
    attempts : how often a guard asked its reranker
    """

    query: str
    hits: tuple[Hit, ...]
    system: str = ""
    scale: str = ""
    seconds: dict[str, float] = field(default_factory=dict, compare=False, repr=False)
    encoded: int = field(default=0, compare=False, repr=False)
    cached: int = field(default=0, compare=False, repr=False)
    model: str = field(default="", compare=False, repr=False)
    cost: dict[str, float] = field(default_factory=dict, compare=False, repr=False)
    note: str = ""
    fallback: str = ""
    attempts: int = field(default=0, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __getitem__(self, index: int) -> Hit:
        return self.hits[index]

    @property
    def ids(self) -> list[str]:
        """Document ids, best first."""
        return [hit.doc_id for hit in self.hits]

    @property
    def looked_up(self) -> bool:
        """Whether scores of a cross-encoder came from a file, so that ``seconds`` are not the time that it takes."""
        return self.scale == "logit" and self.cached > 0

    def rank_of(self, doc_ids: Sequence[str] | set[str]) -> int | None:
        """The rank of the first of these documents, or None if none is here."""
        wanted = set(doc_ids)
        return next((hit.rank for hit in self.hits if hit.doc_id in wanted), None)

    def top(self, n: int) -> Ranking:
        """The same ranking cut after ``n`` hits."""
        return replace(self, hits=self.hits[:n])

    def to_text(self) -> str:
        """The ranking as a plain table: rank, move, score, document."""
        head = f"{self.system}: {self.query}" + (f"\n  {self.note}" if self.note else "")
        if not self.hits:
            return f"{head}\n  (no document matches)"
        lines = [f"{hit.rank:>4} {_move(hit):>5}  {score_text(hit.score):>8}  {hit.doc_id}" for hit in self]
        return "\n".join([head, *lines])

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{hit.rank}</td><td>{_move(hit)}</td><td>{score_text(hit.score)}</td>"
            f"<td style='text-align:left'><code>{html.escape(hit.doc_id)}</code></td>"
            f"<td style='text-align:left'>{html.escape(_short(hit))}</td></tr>"
            for hit in self
        )
        texts = "".join(f"<th style='text-align:left'>{name}</th>" for name in ("document", "best passage"))
        head = f"<tr><th>rank</th><th>was</th><th>score</th>{texts}</tr>"
        caption = f"{html.escape(self.system)}: {html.escape(self.query)}"
        return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{rows}</tbody></table>"


Candidates = Ranking | Mapping[Any, str] | Sequence[str]


def as_hits(candidates: Candidates) -> tuple[Hit, ...]:
    """Candidates as hits: a Ranking's own; one per text of a mapping, under its id as a string; or one per text of a
    list, its position as id.

    Raises `LabError` for anything else, and for texts that are not strings or hold a lone surrogate.

    >>> [hit.doc_id for hit in as_hits({17: "a text", "b": "another"})]
    ['17', 'b']
    """
    if isinstance(candidates, Ranking):
        return candidates.hits
    if isinstance(candidates, str) or not isinstance(candidates, Iterable):
        came = "a bare string" if isinstance(candidates, str) else type(candidates).__name__
        raise LabError(f"candidates must be {CANDIDATES}; got {came}.")
    named = candidates if isinstance(candidates, Mapping) else dict(enumerate(candidates))
    for name, text in named.items():
        check_text(text, f"candidate {name}", f"Candidates are {CANDIDATES}.")
    pairs = enumerate(named.items(), start=1)
    return tuple(Hit(str(name), rank, None, text=text, passages=(text,)) for rank, (name, text) in pairs)


def finite(score: float | None) -> float | None:
    """A score that JSON can hold; None where there is none or it is infinite."""
    return float(score) if score is not None and math.isfinite(score) else None


def _move(hit: Hit) -> str:
    if hit.previous_rank is None:
        return ""
    moved = hit.previous_rank - hit.rank
    return f"({hit.previous_rank}{'↑' if moved > 0 else '↓' if moved < 0 else '='})"


def score_text(score: float | None) -> str:
    """A score to three digits, which is what differs between machines least; ``"-"`` where there is none.

    >>> score_text(9.8237), score_text(0.40711), score_text(-float("inf")), score_text(None)
    ('9.82', '0.407', '-inf', '-')
    """
    if score is None:
        return "-"
    return f"{score:#.3g}".rstrip(".") if math.isfinite(score) else "-inf"


def _short(hit: Hit) -> str:
    return shortened(hit.text.removeprefix(hit.doc_id).lstrip(". "), TEXT_SHOWN)
