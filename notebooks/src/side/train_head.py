# %% [markdown]
# # Can 128 numbers be taught what 384 know?
#
# *A side room of notebook 04.* **You:** 25 minutes. **The machine:** three minutes to encode, once; then about four, of which
# the training takes half of one.
#
# **New names:** `stored`, `distance`, `train`, `found`, `Compressor`.
# **New terms:** *head*, *teacher*, *nested heads*, *held out*.
#
# Notebook 04 cut token vectors to 128 numbers by their main directions, and hardly lost. A main direction is where
# vectors vary. What MaxSim needs is where matches differ. Is that worth a training?

# %%
import sys
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

import labkit as lk
from labkit import paths
from labkit.encoding.compress import Compressor
from labkit.encoding.head import head_projection

sys.path.insert(0, str(paths.data() / "recipes"))
import train_head as recipe  # the script that made the head that ships

# %% [markdown]
# ## What may it learn from? Not from pydocs
#
# A **head** is one matrix, here of 384 rows and 128 columns, that every token vector is multiplied by. The encoder stays
# as it is, so its vectors can be computed once and stored.
#
# They come from docstrings of installed packages that pydocs does not read, with queries made out of the same
# docstrings, and from texts of random words, which belong to no subject. No sentence of eight words or more is shared with
# pydocs, and nothing was judged by anybody.

# %%
vectors = recipe.stored()
print("queries: ", vectors.queries)
print("passages:", vectors.passages)

# %% [markdown]
# The **teacher** is MaxSim itself, in all 384 dimensions. For some queries and passages the head is to give the scores
# that the teacher gives. So MaxSim is a part of the loss, and its maximum is a part of the gradient. When one query is
# scored against one passage, how many of the passage's tokens learn something?

# %%
q, d = (torch.from_numpy(side[0]) for side in (vectors.queries, vectors.passages))
d.requires_grad_()
recipe.best(q, d, [len(d)]).sum().backward()
print(f"{len(q)} query tokens, {len(d)} passage tokens, {int((d.grad != 0).any(1).sum())} of them with a gradient")

# %% [markdown]
# Only those that some query token picked. All others could be anywhere, as far as this loss can tell. In training, a
# query meets some sixty passages in each step, so that who is picked changes with the passage.
#
# The loss adds two distances: between the two distributions over the passages, and between the best similarities of each
# query token. Here it is for sixteen queries, with three heads that nobody trained.

# %%
dims, scales = recipe.DIMS, torch.zeros(len(recipe.DIMS))
held = recipe.HELD_OUT
outside = vectors.passages[held:]
pca = lk.Compression(dim=128).fit(outside).matrix
words = recipe.pca(vectors.passages[recipe.DOCSTRINGS :])  # the PCA of the random words alone
draws = [np.random.default_rng(seed).normal(size=(384, 384)) for seed in range(3)]
random = [np.linalg.qr(draw)[0][:, :128].astype(np.float32) for draw in draws]
numbers = np.arange(held, held + 16)
rivals = {"the first 128": np.eye(384, 128, dtype=np.float32), "random": random[0], "PCA": pca, "PCA, words": words}
for name, matrix in rivals.items():
    loss = recipe.distance(vectors, numbers, numbers, torch.from_numpy(matrix), scales, dims)
    print(f"{name:14}{loss.item():6.2f}")

# %% [markdown]
# It is a sum over four **nested heads**: the first 128 columns, and within them the first 96, 64 and 48. So the most useful
# directions must come first. In a PCA they do; the training starts at that of the random words.
#
# Now 300 steps of sixteen queries. The first 200 are **held out**.

# %% tags=["nbval-ignore-output"]
torch.set_num_threads(1)  # sums in one order, so that two runs give one head
began = time.perf_counter()
head, curve = recipe.train(vectors, start=words)
apart = np.abs(head - head_projection(128)).max() / np.abs(head).max()
print(
    f"{time.perf_counter() - began:.0f} seconds; entries differ from the head that ships by at most {apart:.0%} of the largest"
)

# %%
loss = pd.Series(curve["loss"])
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.plot(loss, color="0.75", lw=1, label="one step")
ax.plot(loss.rolling(40, center=True).mean(), color="C0", lw=2, label="mean of 40 steps")
ax.set(xlabel="step", ylabel="loss, summed over four heads", ylim=(0, None))
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Each step draws other queries, hence the noise. The mean falls by about a seventh, much of it at the end.
#
# So the head agrees better with its teacher. Does it search better? Each held-out query has to find its own passage among
# the sixty nearest others; a rank of 1 counts 1, lower ranks less.

# %%
compared = {"head": head, "PCA": pca, "PCA, words": words, "random": random[0]}
first = recipe.found(vectors, held, compared, dims)
print("all 384:", round(first["full"], 2))
pd.DataFrame({name: {n: first[f"{name} {n}"] for n in dims} for name in compared}).round(2)

# %% [markdown]
# The head is ahead of the PCA at each width, by three or four hundredths, and with 128 numbers it finds as much as all 384. But
# the PCA of the random words, which learned nothing, is level with it at 128 and 96 and a hundredth behind below. And random
# directions, which nobody chose, are nowhere behind the first PCA, and mostly ahead of it.
#
# But these are texts like those it learned from. Pydocs is documentation too, by other authors on other subjects, with
# queries that people might ask. The bet: how far is the head ahead of the PCA there, at 128, in thousandths of nDCG@10?

# %%
lk.bet("side.head", ...)

# %%
c, enc = lk.load_collection("pydocs"), lk.load_encoder()
bm25 = lk.BM25Retriever(c)


def run(name, matrix=None):
    """MaxSim on BM25's hundred, after a projection."""
    small = matrix if matrix is None else Compressor(lk.Compression(dim=matrix.shape[1]), matrix)
    late = lk.LateInteractionReranker(enc, compression=small)
    late.name = name
    return lk.evaluate(lk.TwoStage(bm25, late), c, k=100, progress=True)


# %%
full = run("all 384")
smaller = [run(f"head {n}", np.ascontiguousarray(head[:, :n])) for n in (128, 64, 48)]
smaller += [run(f"PCA {n}", np.ascontiguousarray(pca[:, :n])) for n in (128, 64)]
smaller += [run(f"PCA, words {n}", np.ascontiguousarray(words[:, :n])) for n in (128, 64)]
smaller += [run(f"random 128, draw {n}", draw) for n, draw in enumerate(random, start=1)]


def same_ten(small):
    """Mean share of the first ten by all 384 dimensions that are among the first ten after the projection."""
    pairs = [(small.rankings[q], ranking) for q, ranking in full.rankings.items() if len(ranking)]
    return lk.recall_against(*zip(*pairs, strict=True), top=10, k=10).mean()


# %% tags=["nbval-ignore-output"]
# not compared by the tests: a head trained on another processor differs in the third decimal
frame = lk.compare(full, smaller).to_frame().set_index("after")[["delta", "low", "high", "p corrected"]]
frame.insert(0, "nDCG@10", [small.metrics["nDCG@10"] for small in smaller])
frame.insert(1, "same ten", [same_ten(small) for small in smaller])
print(f"all 384: {full.metrics['nDCG@10']:.3f} for {full.queries} queries")
frame.round(3)

# %% [markdown]
# *same ten* is the share of the teacher's first ten that stay in the first ten. The head at 128 loses nothing that 117
# queries could show, and more than 0.021 is unlikely. But look at its rivals. The PCA keeps as many of the ten. The random
# draws keep fewer, and two of the three stand above the head: what they swap is worth about the same to these queries.
#
# So what did the training buy, against the PCA alone?

# %% tags=["nbval-ignore-output"]
pca_128, head_128 = smaller[3], smaller[0]
gain = lk.compare(pca_128, head_128)
print("thousandths:", lk.settle("side.head", 1000 * gain.delta))
gain

# %% [markdown]
# Less than a hundredth, and its interval has 0 in it. Three queries in five do not notice. What the head gained on its own
# kind of text is here too small to be told from luck.
#
# And further away? The head that ships comes from this very script. On Cranfield, abstracts about aerodynamics, it loses 0.008
# to all 384 dimensions, which may be luck. A head from before, which started at a PCA and learned from docstrings nearly
# alone, lost 0.020 there, for sure. But **the PCA of the random words loses no more than ours**. So it is the choice of
# texts that carries over, words of no subject, and not the training. The figures are in the
# [data card](../../data/README.md). They allow for a loss of two hundredths; that is why it is not the default.
#
# ## What if the encoder may learn, too?
#
# A head can only choose from what the encoder says. `labkit-late-minilm` is the same encoder after a training on the same
# kind of texts: a small change in each layer, 2 MB, all 384 dimensions. Its teacher was the fusion, not MaxSim. It wants
# vectors of its own, so here it gets the tickets alone, and fifty candidates each. Will it be ahead on most of them?

# %%
learned = lk.load_encoder("labkit-late-minilm")
asked = c.with_queries([q for q, info in c.query_info.items() if "ticket" in info])
late, changed = (lk.LateInteractionReranker(e) for e in (enc, learned))
changed.name = "late, changed"
before, after = (lk.evaluate(lk.TwoStage(bm25, reranker), asked, k=50, progress=True) for reranker in (late, changed))
both = {c.query_info[q]["ticket"]: [run.per_query[q]["nDCG@10"] for run in (before, after)] for q in before.per_query}
print(lk.compare(before, after))
pd.DataFrame(both, index=["as it came", "changed"]).round(2)

# %% [markdown]
# On seven of eleven, and by 0.038, which nobody can tell from nothing: take T9 away, and it is behind. Over whole sets of
# queries it is 0.026 ahead on pydocs dev and 0.013 on Cranfield, and on pydocs test 0.007 behind, which may be luck; the data
# card has the intervals. On dev, where the twin beats MaxSim, it beats the changed one too. Its vectors bear compression
# better: in 2 bits, 34 bytes a token, they are still 0.02 and 0.005 above the default's 768 bytes. So learning inside the
# encoder did more than a head can. It is no default either.
#
# ## Take away
#
# - A head is cheap to train, since the encoder stands still and its vectors are stored. That is a reason to try it, and no
#   reason to ship it.
# - Put a PCA and random directions beside anything that was trained. Draw the random ones more than once.
# - What it may learn from decides more than the learning. Measure on your texts, and on some that are far away.
# - A ColBERT learns its head together with its encoder, from judged pairs. This one had neither.
#
# **Notation.** A head is [384, 128]; a token vector times it is brought to unit length again. *delta*: nDCG@10 minus that of
# all 384. *low*, *high*: its 95 % interval. *p corrected*: after Holm, for all rows.
#
# **Sources.** Nested heads: Kusupati et al., [Matryoshka](https://arxiv.org/abs/2205.13147). The script:
# [train_head.py](../../data/recipes/train_head.py).
#
# **Next:** back to [04_hyperparameters](../04_hyperparameters.ipynb), or to the other side room, [muvera](muvera.ipynb).
