"""Score BM25's candidates for the judged queries with the offline cross-encoder, into data/pydocs_cross.safetensors.

    python data/recipes/ship_cross_scores.py            # 100 a query: 30 minutes

What is done is kept every 20 queries, so that a stopped run goes on.
"""

from __future__ import annotations

from tqdm import tqdm

from labkit import paths
from labkit.corpus.load import load_collection
from labkit.ranking.cross_encoder import CrossEncoderReranker
from labkit.ranking.first_stage import BM25Retriever
from labkit.ranking.ranking import as_hits
from labkit.ranking.scored import flat
from labkit.ranking.shipped_scores import FILE, pair_key, shipped_scores, write_scores

DEPTHS = {"dev": 100, "test": 100}


def main() -> None:
    """Score, and keep."""
    c = load_collection("pydocs")
    bm25, cross = BM25Retriever(c), CrossEncoderReranker(stored=False, max_candidates=2_000)
    file = paths.data() / FILE
    scores = dict(shipped_scores(cross.model))
    asked = [(query, k) for split, k in DEPTHS.items() for query in c.split(split).queries.values()]
    for number, (query, k) in enumerate(tqdm(asked, unit="query"), start=1):
        passages = flat(bm25.search(query, k=k).hits)[0]
        missing = sorted({text for text in passages if pair_key(query, text) not in scores})
        if missing:
            found = cross.score_hits(query, as_hits(missing))
            scores.update({pair_key(query, text): float(score) for text, score in zip(missing, found, strict=True)})
        if number % 20 == 0 or number == len(asked):
            write_scores(cross.model, scores, file)
    print(f"{file}: {len(scores):,} pairs, {file.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
