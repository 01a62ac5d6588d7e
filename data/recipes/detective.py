"""The ledger of notebook 06's exercise: twelve real runs, one of them over other data than its note lets on.

python data/recipes/detective.py

Writes data/exercises/detective.jsonl. Every figure in it is what `lk.evaluate` gave; the story is made up. Run 10 drops
the dev queries that BM25's first hundred cannot answer, as somebody does who "cleans" a query set.
"""

import os
import shutil
import tempfile
from pathlib import Path

import labkit as lk

OUT = Path(__file__).parent.parent / "exercises" / "detective.jsonl"


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["LABKIT_HOME"] = home
        tell_the_story(lk.load_collection("pydocs"))
        shutil.copy(Path(home) / "ledger.jsonl", OUT)
    print(lk.ledger(OUT))


def tell_the_story(c: lk.Collection) -> None:
    bm25, flat = lk.BM25Retriever(c), lk.BM25Retriever(c, b=0.3)
    late = lk.LateInteractionReranker()
    mixed = lk.system("bm25+late+fusion", c).reranker
    cleaned = without_the_hard_ones(c, bm25)
    story = [
        (bm25, c, 100, "start"),
        (lk.BM25Retriever(c, k1=0.9), c, 100, "k1 = 0.9, as in Anserini"),
        (lk.system("dense", c), c, 100, "twin instead of BM25"),
        (lk.TwoStage(bm25, late), c, 100, "MaxSim on top of BM25"),
        (lk.TwoStage(bm25, late), c, 50, "half the candidates, to save time"),
        (lk.TwoStage(bm25, mixed), c, 100, "MaxSim, twin and half of BM25, added up, on top of BM25"),
        (lk.TwoStage(lk.system("dense", c), late), c, 100, "MaxSim alone, on the twin's candidates"),
        (lk.TwoStage(lk.system("dense", c), mixed), c, 100, "MaxSim and half of BM25 added to the twin"),
        (lk.TwoStage(lk.system("dense", c), mixed), c, 200, "more of them"),
        (lk.TwoStage(flat, mixed), cleaned, 100, "run 6 with less length normalisation, b = 0.3"),
        (lk.TwoStage(flat, mixed), c, 100, "b = 0.3 once more, for the record"),
        (lk.TwoStage(lk.system("fusion", c), mixed), c, 100, "candidates from the fusion"),
    ]
    for system, collection, k, note in story:
        lk.evaluate(system, collection, "dev", k=k, note=note)


def without_the_hard_ones(c: lk.Collection, bm25: lk.BM25Retriever) -> lk.Collection:
    """The dev queries for which BM25's first hundred hold a document of grade 3."""
    from dataclasses import replace

    def easy(query_id: str) -> bool:
        grades = c.qrels.get(query_id, {})
        return any(grades.get(doc_id) == 3 for doc_id in bm25.search(c.queries[query_id], k=100).ids)

    kept = [query_id for query_id in c.splits["dev"] if easy(query_id)]
    return replace(c, splits={"dev": kept})


if __name__ == "__main__":
    main()
