"""The queries that moved most between two runs, each with the receipts of the document on top and of the right one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from labkit.evaluation.compare import compare
from labkit.scoring.receipt import Receipt, receipt

if TYPE_CHECKING:
    from labkit.corpus.collection import Collection
    from labkit.encoding.encoders import Encoder
    from labkit.evaluation.evaluate import Evaluation
    from labkit.ranking.ranking import Hit


@dataclass(frozen=True)
class Mover:
    """One query's change, and why.

    Attributes
    ----------
    right : the document of the highest grade that stands highest after, else before; None where neither run has one
    ranks : its rank before and after, None where it is absent
    top : the document on top after
    receipts : by document id, the receipts of ``top`` and ``right``, as far as MaxSim can see their texts
    """

    query_id: str
    query: str
    delta: float
    right: str | None
    ranks: tuple[int | None, int | None]
    top: str | None
    receipts: dict[str, Receipt] = field(repr=False)

    def __repr__(self) -> str:
        before, after = ("none" if rank is None else rank for rank in self.ranks)
        lines = [
            f"{self.delta:+.2f}  {self.query}",
            f"       {self.right or 'no right answer found'}: {before} → {after}",
        ]
        if self.top not in (None, self.right):
            lines.append(f"       on top now: {self.top}")
        return "\n".join(lines)


def movers(
    before: Evaluation, after: Evaluation, collection: Collection, n: int = 3, encoder: Encoder | None = None,
    measure: str = "nDCG@10",
) -> list[Mover]:  # fmt: skip
    """The ``n`` biggest wins, then the ``n`` biggest losses.

    Raises a LabError as `labkit.evaluation.compare.compare` does.

    Parameters
    ----------
    before, after : runs over the same queries
    collection : what they ran on
    encoder : whose token vectors the receipts are made of; the default model if None. Give the one that ranked, or the
        receipts are of other scores
    """
    found = compare(before, after, measure)
    return [_mover(before, after, collection, query, found.deltas[query], encoder) for query in found.biggest(n)]


def _mover(
    before: Evaluation, after: Evaluation, collection: Collection, query_id: str, delta: float, encoder: Encoder | None
) -> Mover:
    grades = collection.qrels[query_id]
    wanted = {doc for doc, grade in grades.items() if grade == max(grades.values())}
    old, new = (_hits(run, query_id) for run in (before, after))
    right = next((doc for hits in (new, old) for doc in hits if doc in wanted), None)
    top = next(iter(new), None)
    query = collection.queries[query_id]
    texts = {doc: (new.get(doc) or old[doc]).text for doc in (top, right) if doc is not None}
    receipts = {doc: receipt(query, text, encoder) for doc, text in texts.items()}
    ranks = tuple([*hits].index(right) + 1 if right in hits else None for hits in (old, new))
    return Mover(query_id, query, delta, right, ranks, top, receipts)  # type: ignore[arg-type]


def _hits(run: Evaluation, query_id: str) -> dict[str, Hit]:
    return {hit.doc_id: hit for hit in run.rankings.get(query_id, ())}
