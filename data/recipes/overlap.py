"""How many of a query's words stand in the text of its answers, by kind: what BM25 could match.

python data/recipes/overlap.py                        a line a kind, over pydocs as it ships
python data/recipes/overlap.py QUERY DOC_ID [DOC_ID]  the words of one query that are found in these documents

Words are BM25's own: lower case, English stop words left out, no stemming. A word counts as found when any answer of
grade 3 has it (of the highest grade, where no answer is a 3).
"""

from __future__ import annotations

import sys
from collections import defaultdict
from statistics import fmean

import bm25s

import labkit as lk


def main(arguments: list[str]) -> None:
    collection = lk.load_collection("pydocs")
    if arguments:
        query, *answers = arguments
        asked, found = found_words(collection, query, answers)
        print(f"{len(found)} of {len(asked)} words found: {', '.join(sorted(found)) or '-'}")
        return
    for kind, shares in sorted(shares_by_kind(collection).items()):
        print(f"{kind:<20} {len(shares):>3} queries {fmean(shares):>5.0%}")


def shares_by_kind(collection: lk.Collection) -> dict[str, list[float]]:
    """Kind to the share of found words of each of its queries that have an answer."""
    shares = defaultdict(list)
    for query_id, grades in collection.qrels.items():
        best = max(grades.values(), default=0)
        if best > 0:
            answers = [doc_id for doc_id, grade in grades.items() if grade == best]
            asked, found = found_words(collection, collection.queries[query_id], answers)
            shares[collection.query_info[query_id]["kind"]].append(len(found) / max(1, len(asked)))
    return dict(shares)


def found_words(collection: lk.Collection, query: str, answers: list[str]) -> tuple[set[str], set[str]]:
    """The query's words, and those of them that any answer has."""
    asked = words(query)
    return asked, asked & set().union(*(words(" ".join(collection.docs[doc_id].passages)) for doc_id in answers))


def words(text: str) -> set[str]:
    """The words of a text, as BM25 counts them."""
    return set(bm25s.tokenize([text], stopwords="en", return_ids=False, show_progress=False)[0])


if __name__ == "__main__":
    main(sys.argv[1:])
