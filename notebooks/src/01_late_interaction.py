# %% [markdown]
# # Why did the wrong function beat the right one?
#
# **Tickets:** T1, T2 and T3. **You:** 60 minutes. **The machine:** about 40 seconds after `make warm`.
#
# **New names:** `maxsim`, `receipt`, `show_alignment`, `duel`, `eraser`.
# **New terms:** *token vector*, *receipt*, *function word*, *dead token*.
#
# T1 asks for the distances between two arrays of points. BM25 had a right function first; MaxSim put four wrong ones
# above it. Which word of the question did that? You wrote one down in notebook 00. If not, do it now.

# %%
import numpy as np
import pandas as pd
from transformers import AutoModel, AutoTokenizer

import labkit as lk
from labkit.encoding.default_model import find_default_model

c = lk.load_collection("pydocs", progress=True)
tickets = {info["ticket"]: q for q, info in c.query_info.items() if "ticket" in info}
bm25, late = lk.system("bm25", c), lk.LateInteractionReranker()
t1 = c.queries[tickets["T1"]]
before = bm25.search(t1, k=50)
after = late.rerank(t1, before, top_n=50)
print(t1, *(f"{hit.rank} {hit.score:.3f} {hit.doc_id}" for hit in after[:5]), sep="\n")

# %% [markdown]
# The fifth is the first right one: `pairwise_distances`. The first, `haversine_distances`, measures on a globe. Half a point
# lies between them. Who earned it? First see how a score is added up.
#
# ## What do you get by hand?
#
# Each token has a vector, so a question of `Lq` tokens and a document of `Ld` make a grid of dot products.

# %%
lk.exercise("01.grid")

# %% tags=["stub"]
# stub: 01.grid

# %% tags=["solution"]
# solution: 01.grid

# %% [markdown]
# ## Can you write it so plainly that it cannot be wrong?
#
# The same as a function, with loops and nothing else. It will be slow. It is the one that you trust when a fast one
# disagrees.

# %%
lk.exercise("01.loop")

# %% tags=["stub"]
# stub: 01.loop

# %% tags=["solution"]
# solution: 01.loop

# %% [markdown]
# Once more, without a loop. `np.einsum` makes the whole grid at once: you name the axes of both arrays with letters, and
# an axis whose letter is missing after the arrow is summed away.

# %%
print(lk.exercise("01.loop").check(maxsim_loop))
lk.exercise("01.einsum")

# %% tags=["stub"]
# stub: 01.einsum

# %% tags=["solution"]
# solution: 01.einsum

# %%
print(lk.exercise("01.einsum").check(maxsim_einsum))
loop = lk.exercise("01.loop").yours_or_ours(maxsim_loop)
einsum = lk.exercise("01.einsum").yours_or_ours(maxsim_einsum)

# %% [markdown]
# *To here: 22 minutes.*
#
# ## Where do the vectors come from?
#
# From the last layer of a transformer: its *hidden states*, one for each word piece. The two special tokens at the ends are
# dropped, the others are scaled to length 1 (`##wise` is a piece that continues the one before). That is a **token vector**. The next cell makes them with `transformers`
# alone; of labkit it only asks where the model lies. Will your functions give the reranker's 9.82?


# %%
tokenizer = AutoTokenizer.from_pretrained(find_default_model())
bert = AutoModel.from_pretrained(find_default_model())


def token_vectors(text):
    hidden = bert(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].detach().numpy()
    return hidden[1:-1] / np.linalg.norm(hidden[1:-1], axis=1, keepdims=True)


query, document = token_vectors(t1), token_vectors(after[0].text)
print(tokenizer.tokenize(t1))
print("question", query.shape, "first document", document.shape)
scores = {"loop": loop(query, document), "einsum": einsum(query, document), "maxsim": lk.maxsim(query, [document])[0]}
print({name: f"{score:.2f}" for name, score in scores.items()}, f"reranker: {after[0].score:.2f}")

# %% [markdown]
# All four agree. That is the whole method: a transformer that reads each side alone, and your two lines.
#
# ## Who earned the 9.824?
#
# A score that is a sum can be taken apart. A **receipt** has a row for each token of the question: its best partner, their
# similarity, its share of the score, and how far behind the second best partner is (*margin*). **Function words** carry
# grammar and no topic: in T1 *how, do, i, the, between, of*. Three bets before you see it: one on this receipt, two on what follows.

# %% tags=["stub"]
print(lk.bet("01.function_words", ...))
print(lk.bet("01.removed", ...))
print(lk.bet("01.shuffles", ...))

# %% tags=["solution"]
print(lk.bet("01.function_words", 15))
print(lk.bet("01.removed", 1))
print(lk.bet("01.shuffles", 8))

# %%
receipts = {hit.doc_id: lk.receipt(t1, hit.text) for hit in after}
winner, loser = after[0].doc_id, after[4].doc_id
earned = receipts[winner].share_of("function word")
print("function words, %:", lk.settle("01.function_words", 100 * earned))
receipts[winner]

# %% [markdown]
# Two fifths of the score come from words that say nothing about distances. *do* and *i* are paired with an opening
# bracket, and earn two thirds of *points*' pay. Did the small words put the wrong function first? Leave their rows out for all
# fifty candidates and sort again. Then leave out *distances* alone, then *points*.


# %%
def without(words):
    rows = {doc: [row for row in r.rows if row.query_token not in words] for doc, r in receipts.items()}
    score = {doc: sum(row.similarity for row in kept) for doc, kept in rows.items()}
    order = sorted(score, key=lambda doc: -score[doc])
    return next(rank for rank, doc in enumerate(order, start=1) if doc in right), order[0]


right = {doc for doc, grade in c.qrels[tickets["T1"]].items() if grade == 3}
small = {row.query_token for row in receipts[winner].rows if row.kind == "function word"}
left_out = {"nothing": {}, "function words": small, "distances": {"distances"}, "points": {"points"}}
pd.DataFrame({name: without(words) for name, words in left_out.items()}, index=["right answer at", "first"]).T

# %% [markdown]
# The small words decide which wrong function is first; without them the right answer rises by one place. *distances*
# decides nothing, though it earns nearly as much as *points*: without that, the right answer is second. A large share is not a large effect: what all documents get alike decides
# nothing.
#
# ## Where do the two documents differ?
#
# Where Python runs, point at a word, pin it, or edit the question; elsewhere you see a still picture. Find three things:
# what *points* matched in each document, what the small words add to the difference, and which words speak for the right
# function.

# %%
pair = {hit.doc_id: hit.text for hit in (after[0], after[4])}
lk.show_alignment(t1, pair, late)

# %% [markdown]
# *points* alone brings more than the whole lead: `pairwise_distances` speaks of features and samples, the other one of
# points on a sphere. The small words earn two fifths on both sides, and of the difference they make 0.01.
#
# ## How little would have to go?
#
# Now cut into the winner: delete token vectors of its document, encoding nothing anew, until the right one is above it. How
# few does it take, and which? You have bet on the number; think of the words.

# %%
found = lk.duel(t1, winner, loser, docs=pair)
print("tokens that have to go:", lk.settle("01.removed", len(found.removed)))
print("the winner begins:", pair[winner][:64])
found

# %% [markdown]
# Two, and *points* is not among them! Take it out, and the question's *points* moves on to *point*, nearly as good (0.053
# less: the receipt's *margin*). *pairwise* stands in the winner once, in the name of a module, and nothing replaces it. Which word makes the difference, and which one the lead hangs on, are two
# questions.
#
# *To here: 38 minutes.*
#
# ## What does a picture of matches not explain?
#
# If *points* made the difference, then asking without it should do what leaving out its row does. The lead of the wrong
# function, three times:

# %%
shorter = t1.removesuffix(" of points")


def lead(question, skip=()):
    ahead, behind = (lk.receipt(question, text).rows for text in pair.values())
    return sum(a.similarity - b.similarity for a, b in zip(ahead, behind, strict=True) if a.query_token not in skip)


print(f"all of T1                     {lead(t1):+.3f}")
print(f"rows of 'of points' left out  {lead(t1, skip=('of', 'points')):+.3f}")
print(f"asked without 'of points'     {lead(shorter):+.3f}")
kept = np.sum(token_vectors(shorter) * query[:-2], axis=1)
print("cosine to itself in T1:", *(f"{t} {x:.2f}" for t, x in zip(tokenizer.tokenize(shorter), kept, strict=True)))

# %% [markdown]
# The sign agrees, the number does not. A hidden state has read its neighbours: take a word away, and all the others move.
# A receipt adds up exactly what the sum was made of. It does not say what would happen if you asked differently.
#
# And what is a match worth? Compare with passages found for another question: T11's candidates. It asks about databases.

# %%
unrelated = bm25.search(c.queries[tickets["T11"]], k=50)
elsewhere = [row for hit in unrelated for row in lk.receipt(t1, hit.text).rows]
rows = {"winner": receipts[winner].rows, "right one": receipts[loser].rows, "T11's fifty": elsewhere}
table = {name: pd.DataFrame(part).groupby("query_token", sort=False).similarity.mean() for name, part in rows.items()}
table |= {"partner in the winner": pd.DataFrame(receipts[winner].rows).set_index("query_token").document_token}
print(f"mean score of T11's fifty for T1: {sum(row.similarity for row in elsewhere) / len(unrelated):.2f}")
pd.DataFrame(table).round(2)

# %% [markdown]
# Something always matches: passages found for a question about databases collect 3.1, a third of the winner's score. Read from that level, not
# from 0. And *do* gets 0.26 there, but 0.63 from a bracket in the winner. The word is the same, but its vector has read the
# whole question, the bracket's the whole document, and those are about one thing. A link tells which vectors met, not
# which words mean the same.
#
# ## Can the user repair it?
#
# Type a better question: in the view above, or here. The rules: change three words of T1 at most, name no function, and do
# not use *rows* or *vectors*, which notebook 00 tried. (*samples* alone did not help there.)

# %%
lk.exercise("01.question")

# %% tags=["stub"]
# stub: 01.question

# %% tags=["solution"]
# solution: 01.question

# %% [markdown]
# Which word helped? A user cannot know that ahead, and who knows the documentation's words hardly needs the search.
#
# ## T2 and T3: does the order of words count?
#
# The sum knows no order: shuffle the vectors and it stays. But the encoder read the words in order before. T3 is T2 with
# *columns* and *rows* exchanged; and the next cell also shuffles all of T2's words, twenty times. Your bet is placed.

# %%
t2, t3 = (c.queries[tickets[name]] for name in ("T2", "T3"))
fifty, deal = bm25.search(t2, k=50), np.random.default_rng(1)
shuffled = [" ".join(deal.permutation(t2.split())) for _ in range(20)]
tops = [late.rerank(text, fifty, top_n=5).ids for text in (t2, t3, *shuffled)]
print("T2:", *tops[0], "\nT3 has the same five in the same order:", tops[1] == tops[0])
first = sum(top[0] == tops[0][0] for top in tops[2:])
print("melt is first in so many of 20 shuffles:", lk.settle("01.shuffles", first))
print("one of them:", shuffled[0])

# %% [markdown]
# All twenty, and T3 gets T2's five. This model hardly reads the direction. One trained on questions and answers may do
# better; ask any model the opposite before you believe it.
#
# *To here: 47 minutes.*
#
# ## What does one vector lose?
#
# The dense twin averages a text's token vectors. The dot product of two averages is the average of the grid: option *d*
# of the first exercise, divided; the twin then scales both averages to length 1. Let `melt` be a longer and longer document: append the token vectors of passages that
# have nothing to do with it. What will happen to each score?


# %%
def cosine_of_means(one, other):
    one, other = one.mean(axis=0), other.mean(axis=0)
    return one @ other / np.linalg.norm(one) / np.linalg.norm(other)


melt = next(hit.text for hit in late.rerank(t2, fifty, top_n=50) if hit.doc_id == "pandas.melt")
asked, about, *others = map(token_vectors, (t2, melt, *(hit.text for hit in unrelated[:27])))
longer = {count: np.concatenate([about, *others[:count]]) for count in (0, 1, 3, 9, 27)}
rows = [(n, len(d), f"{einsum(asked, d):.3f}", f"{cosine_of_means(asked, d):.3f}") for n, d in longer.items()]
pd.DataFrame(rows, columns=["passages appended", "tokens", "MaxSim", "cosine of the means"]).set_index("tokens")

# %% [markdown]
# One appended passage takes most of the cosine, and MaxSim does not notice. It cannot fall: a maximum over more tokens
# is never smaller. That is its strength with long texts, and its weakness: what is long has more chances.
#
# ## How much of the time is MaxSim?
#
# People write fast code, kernels, for it. What share of a rerank's time is MaxSim: with nothing stored, and with the
# documents' vectors kept on disk? Write down two numbers. The cell first encodes fifty documents without a store: some
# seconds, more on a busy machine.

# %% tags=["nbval-ignore-output"]
from time import perf_counter


def timed(work):
    began = perf_counter()
    return work(), 1000 * (perf_counter() - began)


texts = [hit.text for hit in before]
_, encode = timed(lambda: [token_vectors(text) for text in texts])
stored, read = timed(lambda: late.encoder.encode_documents(texts))
asked, ask = timed(lambda: token_vectors("how far is each point of one array from each point of another"))
_, score = timed(lambda: lk.maxsim(asked, stored))
rows = {"cold": (encode, ask, score), "cached": (read, ask, score)}
table = pd.DataFrame(rows, index=["documents, ms", "question, ms", "MaxSim, ms"]).T.round(0)
table.assign(share=[f"{score / sum(row):.1%}" for row in rows.values()])

# %% [markdown]
# Cold, it is well under a hundredth: whatever a kernel wins there, nobody will notice. Cached, it is a part that one
# can see, and the encoding of the question is a larger one. (One run each: on a busy machine the numbers swing.) Kernels pay for many thousands of candidates, not for fifty.
#
# ## A bonus: which tokens of the document does nobody choose?
#
# A token that never wins is a **dead token**: it could go, and no score would change. Guess the share of them in the
# winner's document: for T1 alone, for the twelve tickets, and for all questions of the collection.

# %%
for questions in ([t1], [c.queries[q] for q in tickets.values()], list(c.queries.values())):
    erased = lk.eraser(questions, pair[winner])
    print(f"{len(questions):>3} questions: {len(erased.dead):>3} of {len(erased.tokens)} tokens never win")
share, kept = erased.curve[1]
print(f"for all of them, the best {share:.0%} of the tokens keep {kept:.0%} of the score")
lk.eraser([t1], pair[winner])

# %% [markdown]
# For one question nearly all are dead, for many questions hardly any. Still, a fifth of them does nine tenths of the work;
# indexes that prune live on that. Click tokens off and watch the score, where Python runs.
#
# ## Would you have noticed?
#
# Thirteen kernels, each with a bug that was reported in public. A test takes a kernel, `maxsim(query, documents)`, sends
# one query `[Lq, d]` and a list of documents `[Ld, d]` of any length, or a 3-D array of equally long ones, and asserts what
# must come out: a score for each, minus infinity for one without tokens; a NaN must raise an `lk.LabError`. `by_hand` is given, and finds one.

# %%
lk.exercise("01.gauntlet")

# %% tags=["stub"]
# stub: 01.gauntlet

# %% tags=["solution"]
# solution: 01.gauntlet

# %%
print(lk.exercise("01.gauntlet").check(tests))
lk.gauntlet(tests)

# %% [markdown]
# The lines at the end tell what your tests have not noticed: each is a hint for another one. Whoever uses somebody else's
# MaxSim should keep these tests.
#
# ## The scoreboard: is MaxSim better than its average?
#
# *dense* averages a text's token vectors; *bm25+late* compares the same vectors one by one. Compare the columns on T1, T2
# and T3.

# %%
lk.scoreboard(["bm25", "dense", "fusion", "bm25+late", "bm25+late+fusion", "bm25+cross"])

# %% [markdown]
# On T2 MaxSim finds what the average loses. On T1 and T3 the average is ahead. It ranks everything, MaxSim only BM25's
# fifty. Which is better over all queries is the question of notebook 02.
#
# ## Take away
#
# - MaxSim is two lines: the best of each row, added. What is hard is to keep padding, order and lengths out of it.
# - A receipt balances, and so it tells the truth about the sum. Share is not effect: look at the difference to a rival.
# - A link is a meeting of two vectors that have read their neighbours: no cause, and no meaning. To learn what a word does,
#   remove it and ask again.
# - Order hardly counts here, a long document loses nothing by its length and may gain, and the time goes into encoding.
#
# **Notation.** `Lq`, `Ld`: tokens of question and document; `d`: dimensions of a vector. MaxSim: the sum over `Lq` of the
# maximum over `Ld` of the dot product. `##wise`: a word piece that continues the one before.
#
# **Sources.** MaxSim: Khattab and Zaharia, [ColBERT](https://arxiv.org/abs/2004.12832), SIGIR 2020. What single tokens earn
# in trained models: [multi-vector encoders](https://huggingface.co/blog/multi-vector-encoder). The bugs are named in the
# table.
#
# **Next:** [02_two_stage](02_two_stage.ipynb): is MaxSim worth more than adding two scores?
