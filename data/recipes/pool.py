"""Pools for judging: for each unjudged query the union of the top 10 of every system, in random order, no scores.

python data/recipes/pool.py OUT.jsonl

A line a query: its text, and for each pooled document the id and its text up to 900 characters. The judge sees neither
who found a document nor at which rank. Judgments go to data/qrels.tsv by the guideline in data/README.md.
"""

import json
import random
import sys
from pathlib import Path

import labkit as lk

SYSTEMS = (
    "bm25",
    "dense",
    "fusion",
    "bm25+late",
    "dense+late",
    "fusion+late",
    "bm25+late+fusion",
    "fusion+late+fusion",
    "dense+late+fusion",
    "bm25+cross",
)
CANDIDATES = (50, 100)  # what rerankers are given in the course
DEPTH = 10
SHOWN = 900


def main(out: Path) -> None:
    collection = lk.load_collection("pydocs")
    systems = [lk.system(name, collection) for name in SYSTEMS]
    with out.open("w", encoding="utf-8") as file:
        for query_id, text in collection.queries.items():
            if query_id in collection.qrels:
                continue
            pool = sorted({doc_id for system in systems for k in CANDIDATES for doc_id in top(system, text, k)})
            random.Random(query_id).shuffle(pool)
            docs = [{"doc_id": doc_id, "text": collection.docs[doc_id].text[:SHOWN]} for doc_id in pool]
            file.write(json.dumps({"query_id": query_id, "query": text, "pool": docs}, ensure_ascii=False) + "\n")


def top(system, text: str, k: int) -> list[str]:
    if isinstance(system, lk.TwoStage):
        return system.search(text, k=k, top_n=DEPTH).ids
    return system.search(text, k=DEPTH).ids


if __name__ == "__main__":
    main(Path(sys.argv[1]))
