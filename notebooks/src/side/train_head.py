# %% [markdown]
# # Can 128 numbers be taught what 384 know?
#
# *A side room of notebook 04.* **You:** 25 minutes. **The machine:** some minutes to encode, once; then about four, of
# which the training takes less than one.
#
# **New names:** `stored`, `distance`, `train`, `found`, `Compressor`.
# **New terms:** *head*, *teacher*, *nested heads*, *held out*.
#
# Notebook 04 cut token vectors to 128 numbers by their main directions, and hardly lost. A main direction is where
# vectors vary. What MaxSim needs is where matches differ. Is that worth a training?

# %%
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch

import labkit as lk
from labkit import paths
from labkit.encoding.compress import Compressor

sys.path.insert(0, str(paths.data() / "recipes"))
import train_head as recipe  # the script that made the head that ships

# %% [markdown]
# ## What may it learn from? Not from pydocs
#
# A **head** is one matrix, here of 384 rows and 128 columns, that every token vector is multiplied by. The encoder stays
# as it is, so its vectors can be computed once and stored.
#
# They come from docstrings of installed packages that pydocs does not read, with queries made out of the same
# docstrings, and from texts of random words. No text shares a sentence with pydocs, and nothing was judged by anybody.

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
draws = [np.random.default_rng(seed).normal(size=(384, 384)) for seed in range(3)]
random = [np.linalg.qr(draw)[0][:, :128].astype(np.float32) for draw in draws]
numbers = np.arange(held, held + 16)
for name, matrix in {"the first 128": np.eye(384, 128, dtype=np.float32), "random": random[0], "PCA": pca}.items():
    loss = recipe.distance(vectors, numbers, numbers, torch.from_numpy(matrix), scales, dims)
    print(f"{name:14}{loss.item():6.2f}")

# %% [markdown]
# It is a sum over four **nested heads**: the first 128 columns, and within them the first 96, 64 and 48, which are heads of
# their own. So the most useful directions must come first. That is also true of a PCA, which is therefore where the
# training starts.
#
# Now run it: 400 steps of sixteen queries. The first 200 queries and passages are **held out**.

# %%
torch.set_num_threads(1)  # sums in one order, so that two runs give one head
head, curve = recipe.train(vectors)

# %%
loss = pd.Series(curve["loss"])
fig, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.plot(loss, color="0.75", lw=1, label="one step")
ax.plot(loss.rolling(40, center=True).mean(), color="C0", lw=2, label="mean of 40 steps")
ax.set(xlabel="step", ylabel="loss, summed over four heads", ylim=(0, None))
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# TODO curve text. Each step draws other queries, hence the noise.
#
# The loss says that the head agrees better with its teacher. Does it search better? Each held-out query has to find the
# passage that it was made from, among the sixty nearest others; a rank of 1 counts 1, lower ranks less.

# %%
first = recipe.found(vectors, held, {"head": head, "PCA": pca, "random": random[0]}, dims)
print("all 384:", round(first["full"], 2))
pd.DataFrame({name: {n: first[f"{name} {n}"] for n in dims} for name in ("head", "PCA", "random")}).round(2)

# %% [markdown]
# TODO
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
    return lk.evaluate(lk.TwoStage(bm25, late), c, k=100)

# %%
full = run("all 384")
smaller = [run(f"head {n}", np.ascontiguousarray(head[:, :n])) for n in (128, 64, 48)]
smaller += [run("PCA 128", pca), *(run(f"random 128, draw {n}", draw) for n, draw in enumerate(random, start=1))]


def same_ten(small):
    """Mean share of the first ten by all 384 dimensions that are among the first ten after the projection."""
    pairs = [(small.rankings[q], ranking) for q, ranking in full.rankings.items() if len(ranking)]
    return lk.recall_against(*zip(*pairs, strict=True), top=10, k=10).mean()


# %%
frame = lk.compare(full, smaller).to_frame().set_index("after")[["delta", "low", "high", "p corrected", "verdict"]]
frame.insert(0, "nDCG@10", [small.metrics["nDCG@10"] for small in smaller])
frame.insert(1, "same ten", [same_ten(small) for small in smaller])
print(f"all 384: {full.metrics['nDCG@10']:.3f} for {full.queries} queries")
frame.round(3)

# %% [markdown]
# TODO

# %%
placed = lk.bet("side.head")
print("your bet, in thousandths:", getattr(placed, "value", "none"))
lk.compare(smaller[3], smaller[0])
