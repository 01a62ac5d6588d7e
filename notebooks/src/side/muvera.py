# %% [markdown]
# # Can one long vector stand in for MaxSim?
#
# *A side room of notebook 02.* **You:** 25 minutes. **The machine:** about four minutes after `make warm`.
#
# **New names:** `TokenRetriever`, `recall_against`, `Retriever`.
# **New terms:** *fixed-dimensional encoding*, *SimHash*, *repetition*, *count sketch*.
#
# Search over single vectors is everywhere. MaxSim over all documents needs an index of its own. MUVERA makes one long
# vector of all token vectors of a text, such that the product of two of them comes close to MaxSim. Then the usual
# index will do, and MaxSim reranks what it finds. How long must the vector be here?

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.sparse import csr_array

import labkit as lk
from labkit.evaluation.statistics import interval
from labkit.ranking.first_stage import Retriever

c, enc = lk.load_collection("pydocs"), lk.load_encoder()
queries = list(c.split("dev").queries.values())
asked = enc.encode_queries(queries)

# %% [markdown]
# ## What is to be found?
#
# The truth is the slow way: MaxSim with every passage. Its ten best documents for each dev query are what a first stage should
# hand over. No judgment is needed for that, so queries without an answer count too. A first stage may offer a hundred.

# %%
exact = lk.TokenRetriever(c, enc, "exhaustive")
truth = [exact.search(query, k=10) for query in queries]
print(exact.packed, "for", len(queries), "queries")


def recall(system):
    """[Nq] for each query the share of the truth's ten in the system's first hundred."""
    return lk.recall_against([system.search(query, k=100) for query in queries], truth, top=10, k=100)


# %% [markdown]
# ## A query token should meet only tokens that are near it
#
# If each query token met its best match alone, sums of products would be MaxSim. So cut the space into cells. **SimHash**
# does it with k random planes through the origin: the k signs are the number of a cell, and near vectors have like signs.
#
# Each text gets a vector for every cell, laid end to end. A query *sums* its tokens there. A document takes their *mean*,
# since only one of them is to be met.


# %%
def cells(vectors, planes):
    """[T] the number of the cell of each vector: a bit for each plane."""
    return (vectors @ planes > 0) @ (1 << np.arange(planes.shape[1]))


def nearest(cell, starts, count):
    """[n, count] for each text and each cell the text's token whose cell differs from it in the fewest bits."""
    apart = np.array([[(a ^ b).bit_count() for b in range(count)] for a in range(count)])
    keys = apart[cell] * len(cell) + np.arange(len(cell))[:, None]  # the first one of equals
    return np.minimum.reduceat(keys, starts, axis=0) % len(cell)


# %% [markdown]
# Like signs, but how like? Take each dev query and its best passage. How many of the query's tokens share one of eight
# cells with the token that MaxSim picks for them?

# %%
row = {text: number for number, text in enumerate(c.passages)}
planes, kept = np.random.default_rng(0).normal(size=(enc.dim, 3)), []
for tokens, ranking in zip(asked, truth, strict=True):
    passage = exact.packed[row[ranking[0].text]]
    picked = passage[(tokens @ passage.T).argmax(1)]
    kept.append(cells(tokens, planes) == cells(picked, planes))
print(f"{np.concatenate(kept).mean():.0%} of {sum(map(len, kept)):,} tokens")

# %% [markdown]
# Two in five; eight equal cells would give one in eight by chance. The others meet a mean of tokens that are not theirs.
#
# A cell without a token of the document would score 0 for every query token there, although MaxSim gives it some best
# match. So an empty cell of a document takes the token that lies nearest to it, by the number of planes in between. A query's
# empty cells stay empty.


# %%
def encoded(part, planes, shrink, document):
    """[n, cells * d'] one repetition for some texts: sums of queries, means of documents."""
    vectors, count = part.vectors.astype(np.float32), 2 ** planes.shape[1]
    cell, small = cells(vectors, planes), vectors @ shrink
    slot = np.repeat(np.arange(len(part)), part.lengths) * count + cell
    ones = csr_array((np.ones(len(slot), np.float32), (slot, np.arange(len(slot)))), (len(part) * count, len(slot)))
    if not document:
        return (ones @ small).reshape(len(part), -1)
    filled = np.bincount(slot, minlength=len(part) * count)[:, None].astype(np.float32)
    spare = small[nearest(cell, part.offsets[:-1], count).ravel()]
    return np.where(filled, ones @ small / np.maximum(filled, 1), spare).reshape(len(part), -1)


# %% [markdown]
# One draw of planes cuts some good pairs apart. So it is done several times with other planes, and each **repetition**
# adds its cells. To keep that short, a random matrix of signs shrinks the tokens first.


# %%
def encoding(packed, document, planes=3, repeat=20, small=32, seed=0):
    """[n, repeat * 2 ** planes * small] the fixed-dimensional encodings of texts; small=None shrinks nothing."""
    rng, d = np.random.default_rng(seed), packed.dim
    draws = []
    for _ in range(repeat):
        signs = rng.choice(np.float32([-1, 1]), (d, small or d)) / np.float32(np.sqrt(small or d))
        draws.append((rng.normal(size=(d, planes)).astype(np.float32), signs if small else np.eye(d, dtype=np.float32)))
    parts = [packed[start : start + 512] for start in range(0, len(packed), 512)]
    return np.vstack([np.hstack([encoded(part, *draw, document) for draw in draws]) for part in parts])


# %% [markdown]
# That is the whole **fixed-dimensional encoding**. A check that could fail: without shrinking, what a query token meets is
# a mean of the document's tokens, or one of them. A mean is never above the best. So the product may be too low, and
# never too high.

# %%
sizes = {"8 cells, whole": (3, 1, None), "8 cells of 32, 20 times": (3, 20, 32)}
one, scores = exact.encoder.encode_queries([queries[0]]), exact.passage_scores(queries[0])
fig, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
for ax, (name, knobs) in zip(axes, sizes.items(), strict=True):
    guess = encoding(exact.packed, True, *knobs) @ encoding(one, False, *knobs)[0] / knobs[1]
    print(
        f"{name}: minus MaxSim at most {(guess - scores).max():.2f}, correlation {np.corrcoef(guess, scores)[0, 1]:.2f}"
    )
    ax.scatter(scores, guess, s=3, color="0.6")
    ax.scatter(scores[scores >= np.sort(scores)[-10]], guess[scores >= np.sort(scores)[-10]], s=14, color="C3")
    ax.set(title=name, xlabel="MaxSim", ylabel="product of two encodings")
plt.show()

# %% [markdown]
# Both are too low by far: the mean of a cell is far below the best in it. That would not matter if the order stayed. It
# stays roughly. The ten best passages, in red, are high up, but others overtake them, and passages of equal MaxSim differ
# by one and more.
#
# What counts is whether the ten are among the first hundred. The twin is the rival that costs nothing: one vector, of the same
# run through the encoder. The bet: how many hundreds of dimensions does an encoding below need to find as much as the twin?

# %%
lk.bet("side.fde", ...)


# %%
class Encoded(Retriever):
    """A first stage over fixed-dimensional encodings, all of them compared."""

    name, scale = "encoding", "product"

    def __init__(self, documents, asked):
        super().__init__(c)
        self.documents, self.asked = documents, dict(zip(queries, asked, strict=True))

    def passage_scores(self, query):
        return self.documents @ self.asked[query]


# %%
bm25, twin = lk.BM25Retriever(c), lk.DenseRetriever(c, enc)
tokens = lk.TokenRetriever(c, enc, packed=exact.packed)
counts = bm25._bm25.scores  # a sparse matrix: three arrays
sizes = {"BM25": sum(counts[part].nbytes for part in ("data", "indices", "indptr"))}
sizes |= {"twin": 4 * len(c.passages) * enc.twin_dim, "all tokens": exact.packed.vectors.nbytes}
found = {"BM25": recall(bm25), "twin": recall(twin), "all tokens": recall(tokens)}

# %%
shapes = {"1 cell": (0, 1, None), "8 cells, whole, once": (3, 1, None), "8 cells, whole, 4 times": (3, 4, None)}
shapes |= {"the same, other planes": (3, 4, None, 1)}
shapes |= {"8 cells of 16, 20 times": (3, 20, 16), "8 cells of 32, 20 times": (3, 20, 32)}
shapes |= {"16 cells of 32, 20 times": (4, 20, 32), "16 cells of 64, 20 times": (4, 20, 64)}
for name, knobs in shapes.items():
    long, long_asked = encoding(exact.packed, True, *knobs), encoding(asked, False, *knobs)
    found[name], sizes[name] = recall(Encoded(long, long_asked)), long.nbytes

# %% [markdown]
# The last of these is the longest of all. A **count sketch** makes it shorter: every number goes to one of a few places, drawn at
# random, with a random sign, and what meets there is added. Products stay right on average.

# %%
rng, d = np.random.default_rng(1), long.shape[1]
for size in (5_120, 1_280):
    entries = rng.choice(np.float32([-1, 1]), d), (np.arange(d), rng.integers(size, size=d))
    sketch = csr_array(entries, (d, size))
    name, short = f"that, sketched to {size:,}", long @ sketch
    found[name], sizes[name] = recall(Encoded(short, long_asked @ sketch)), short.nbytes

# %%
rows = {
    name: (sizes[name] / len(c.passages), hits.mean(), *interval(hits - found["twin"])) for name, hits in found.items()
}
table = pd.DataFrame(rows, index=["bytes", "recall", "low", "high"]).T
dense = table.index.difference(["BM25", "all tokens"], sort=False)
table.insert(0, "dims", (table.bytes[dense] / 4).astype("Int64"))
enough = [table.dims[name] for name in shapes if table.recall[name] >= table.recall["twin"]]
print("hundreds of dimensions:", lk.settle("side.fde", min(enough, default=0) / 100))
table.astype({"bytes": int}).round(3)

# %% [markdown]
# The first to reach the twin is an encoding of 12,288 numbers, and with other planes it lands right beside it. All shorter
# ones find less, with intervals below 0. To cut once into eight cells is worse than not to cut: tokens that belong together
# are parted. Repetitions mend that, and they are what makes the vector long. A sketch takes the gain back.
#
# One cell is the surprise: the sum of a query's tokens, times the mean of a passage's, is nearly the twin. One vector holds
# most of what MaxSim's first ten need, on these texts and with these weights.

# %%
fig, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
for names, color, label in ((dense[1:], "C0", "encodings"), (["BM25", "twin", "all tokens"], "C3", "rivals")):
    ax.scatter(table.bytes[names], table.recall[names], color=color, label=label)
for name in ("BM25", "twin", "all tokens", "1 cell"):
    ax.annotate(
        name, (table.bytes[name], table.recall[name]), (6, -14 if name == "1 cell" else 5), textcoords="offset points"
    )
ax.axhline(table.recall["twin"], color="0.8", lw=1, zorder=0)
ax.set(xscale="log", xlim=(200, 400_000), xlabel="bytes a passage", ylabel="recall of MaxSim's ten", ylim=(0.55, 1.04))
ax.legend(loc="lower right", frameon=False)
plt.show()

# %% [markdown]
# The longest encoding takes more than four fifths of the bytes of all token vectors, which are kept at two bytes a number.
# Those, searched by centroids, find nearly everything. Their index is not counted here, nor is BM25's vocabulary.
#
# So here the answer is no: whoever wants MaxSim's ten takes the twin's hundred, or the tokens. That is no verdict on
# MUVERA. Its authors measured vectors that were trained to be matched token by token, on collections more than a thousand times
# larger, and packed the encodings to a thirty-second. None of that was run here. Here the twin is a strong rival, because
# it is the mean of the very vectors that MaxSim compares.
#
# ## Take away
#
# - One long vector instead of many is a trade: an ordinary index, for a length that you have to measure.
# - Ask what the simplest single vector finds before you build a clever one.
# - Random planes are a draw. Draw twice, or a lucky one will look like a method.
#
# **Notation.** *8 cells of 32, 20 times*: three planes, tokens shrunk to 32 numbers, 20 repetitions. *recall*: share of exact
# MaxSim's ten in the first hundred. *low*, *high*: 95 % interval of the difference to the twin's, query by query.
#
# **Sources.** Dhulipala et al., [MUVERA](https://arxiv.org/abs/2405.19504), 2024. Centroids: Santhanam et al.,
# [PLAID](https://arxiv.org/abs/2205.09707).
#
# **Next:** back to [02_two_stage](../02_two_stage.ipynb), or to the other side room, [train_head](train_head.ipynb).
