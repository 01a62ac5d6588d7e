"""Two rankings beside each other as text, for terminals and logs."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from labkit.ranking.ranking import Hit, Ranking, score_text

NO_MATCH = "none has a word of the question, stop words left out (the dense twin needs no common word)"
WIDE = 100  # columns from which two lists fit beside each other


def ranking_lines(ranking: Ranking) -> list[str]:
    """A ranking as lines: rank, where it was before, score, document; marks what the encoder cut."""
    head = f"{ranking.system} ({ranking.scale})"
    if not ranking.hits:
        return [head, f"  no document matches: {NO_MATCH}"]
    return [head, *(_line(hit) for hit in ranking)]


def side_by_side(before: Ranking, after: Ranking, width: int | None = None) -> str:
    """The first stage's list and the reranked one, beside each other where ``width`` columns allow, else stacked."""
    left, right = ranking_lines(before), ranking_lines(after)
    gap = max(len(line) for line in left) + 3
    width = width or shutil.get_terminal_size((120, 40)).columns
    if width < max(WIDE, gap + max(len(line) for line in right)):
        return "\n".join([*left, "", *right])
    rows = max(len(left), len(right))
    left, right = left + [""] * (rows - len(left)), right + [""] * (rows - len(right))
    return "\n".join(f"{a:<{gap}}{b}".rstrip() for a, b in zip(left, right, strict=True))


def reasons(hits: Sequence[Hit]) -> list[str]:
    """One line for each hit that could not be scored or was cut."""
    said = [f"{hit.doc_id}: {hit.reason}" for hit in hits if hit.reason]
    cut = [hit.doc_id for hit in hits if hit.truncated]
    return said + ([f"cut by the encoder, so read only in part: {', '.join(cut)}"] if cut else [])


def _line(hit: Hit) -> str:
    score = score_text(hit.score)
    if hit.previous_rank is None:
        return f"{hit.rank:>3}  {score:>8}  {hit.doc_id}"
    moved = hit.previous_rank - hit.rank
    arrow = "↑" if moved > 0 else "↓" if moved < 0 else "="
    return f"{hit.rank:>3} {arrow} was {hit.previous_rank:>3}  {score:>8}  {hit.doc_id}"
