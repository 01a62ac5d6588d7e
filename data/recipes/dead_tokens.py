"""What dead tokens are worth: documents without the tokens that hardly ever win, over BM25's 100 candidates.

    python data/recipes/dead_tokens.py [FOLDER ...]     # pydocs alone, if none

Half of the queries is the log: each of its tokens chooses its best token in every passage, and the choices are counted.
The other half is the judge. No judgment decides what is dropped. A share of tokens is kept in each passage, those with
the most choices, and beside it as many drawn at random. ``difference`` is the mean paired difference in nDCG@10 to all
tokens, with its 95 % interval.
"""

import sys

import numpy as np

import labkit as lk
from labkit.encoding.prune import content_words, kept
from labkit.encoding.tokens import PackedTokens
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import Scored

K = 100
SHARES = (0.75, 0.5, 0.25)
SEED = 0


class Pruned(Reranker):
    """MaxSim over packed passages that lack some tokens; a document counts as its best passage."""

    scale = "MaxSim"

    def __init__(self, name: str, encoder, c: lk.Collection, packed: PackedTokens) -> None:  # type: ignore[no-untyped-def]
        self.name, self.encoder, self.packed = name, encoder, packed
        self.numbers = dict(zip(c.docs, map(range, c.offsets, c.offsets[1:]), strict=False))

    def score(self, query: str, hits) -> Scored:  # type: ignore[no-untyped-def]
        """[n] each candidate's best passage."""
        numbers = [self.numbers[hit.doc_id] for hit in hits]
        found = lk.maxsim(self.encoder.encode_queries([query])[0], self.packed, candidates=np.concatenate(numbers))
        starts = np.cumsum([0, *map(len, numbers)][:-1])
        return Scored(np.maximum.reduceat(found, starts))


def wins(queries: PackedTokens, packed: PackedTokens) -> np.ndarray:
    """[T] int: how many query tokens choose each token of its passage."""
    counts = np.zeros(len(packed.vectors), np.int64)
    for query in queries:
        _, winners = lk.maxsim(query, packed, argmax=True)
        places = packed.offsets[:-1, None] + winners
        counts += np.bincount(places[winners >= 0], minlength=len(counts))
    return counts


def best(values: np.ndarray, packed: PackedTokens, share: float) -> np.ndarray:
    """[T] bool: of each passage that share of its tokens, rounded up, with the largest values."""
    mask = np.zeros(len(values), bool)
    for start, end in zip(packed.offsets, packed.offsets[1:], strict=False):
        keep = int(np.ceil(share * (end - start)))
        mask[start + np.argsort(-values[start:end], kind="stable")[:keep]] = True
    return mask


def main(source: str) -> None:
    c = lk.load_collection(source)
    names = sorted(q for q in c.queries if any(c.qrels[q].values()))
    log, judges = names[::2], c.with_queries(names[1::2])
    first, encoder = lk.BM25Retriever(c), lk.load_encoder()
    packed = encoder.encode_documents(c.passages, progress=True)
    counts, drawn = wins(encoder.encode_queries([c.queries[q] for q in log]), packed), np.random.default_rng(SEED)
    masks = {"all": np.ones(len(counts), bool), "that ever won": counts > 0, "no function words": content_words(packed)}
    masks |= {f"best {share:.0%}": best(counts, packed, share) for share in SHARES}
    masks |= {f"random {share:.0%}": best(drawn.random(len(counts)), packed, share) for share in SHARES}
    print(f"\n{c}: {len(log)} queries as log, {len(judges.queries)} as judges, {len(counts):,} tokens", flush=True)
    full = None
    for name, mask in masks.items():
        reranker = Pruned(name, encoder, c, kept(packed, mask))
        run = lk.evaluate(lk.TwoStage(first, reranker), judges, split="all", k=K)
        full = full or run
        found = None if run is full else lk.compare(full, run)
        difference = f"{found.delta:+.4f} [{found.low:+.4f}, {found.high:+.4f}]" if found else ""
        print(f"{name:20} {mask.mean():5.0%} kept {run.metrics['nDCG@10']:8.4f}  {difference}", flush=True)


if __name__ == "__main__":
    for source in sys.argv[1:] or ["pydocs"]:
        main(source)
