# %% [markdown]
# # Would you ship this reranker?
#
# **Tickets:** T2, T3 and T1. **You:** 15 minutes. **The machine:** about 90 seconds the first time, 25 after that.
#
# **New names:** `load_collection`, `system`, `LateInteractionReranker`, `slope_chart`, `scoreboard`.
# **New terms:** *first stage*, *candidate*, *MaxSim*, *dense twin*.
#
# Nothing here needs a key or a network. Below each cell you see what it gave on our machine. You are asked to predict
# some of it: choose *Edit → Clear Outputs of All Cells* first, and nothing gives the answer away.

# %% [markdown]
# ## You inherited a search that everyone wants to fix
#
# `ask-pydocs` searches the documentation of Python's data stack. It runs on BM25, which counts words, as search did for
# decades. Other systems were tried on the side, and twelve complaints are in the inbox. *Put a reranker behind it*,
# everyone says. You have one. Does it help?
#
# First, the machine. A line that begins with `[fail]` names its own fix; `[warn]` can wait.

# %% tags=["nbval-ignore-output"]
import labkit as lk

lk.doctor()

# %% [markdown]
# ## What is being searched?
#
# The documentation on *this* machine: the docstrings of the packages that you have just installed. Nobody wrote them
# for a course, and those of another Python than 3.11 differ here and there: so will some of your figures, a little.
# `make lab` has read them; else the next cell does, in about ten seconds. `make warm` in a terminal encodes them, in
# five minutes: then the next notebooks wait less.

# %%
c = lk.load_collection("pydocs", progress=True)
c

# %% [markdown]
# One document is one function, class or method: its name, its signature, what it does, its parameters. A long one is cut
# into passages of up to 200 word pieces (parts of words), and counts with its best passage. Here is the start of one that will matter.

# %%
print(c.docs["pandas.melt"].text[:330])

# %% [markdown]
# ## Twelve complaints: which of them is BM25's fault?
#
# For each ticket, judgments say which documents do the whole job: those of grade 3, on a scale from 0. In front of each
# question stands the rank at which BM25 has the first of them. `-` means that the collection has no answer at all.

# %%
tickets = {info["ticket"]: q for q, info in c.query_info.items() if "ticket" in info}
bm25 = lk.system("bm25", c)


def right(ticket):
    return {doc for doc, grade in c.qrels[tickets[ticket]].items() if grade == 3}


for name, q in tickets.items():
    rank = bm25.search(c.queries[q], k=len(c.docs)).rank_of(right(name))
    print(f"{name:>4} {rank or '-':>4}  {c.queries[q][:85]}")

# %% [markdown]
# ## Bet before you look
#
# Five times BM25 has a right answer first: nothing can beat that, only lose it. Two systems promise to do better elsewhere:
#
# - **MaxSim**, the reranker. It takes BM25's best fifty and compares them with the question token by token.
# - **Fusion.** It adds BM25's score and the cosine of one vector a passage, over everything. No reranker at all.
#
# On how many of the twelve does each of them have a right answer higher than BM25? An answer that never shows counts as
# lower; where there is none for anybody, nobody is higher. Put a number in place of each `...`.
# If you like, say how probable you think it is that your number is exactly right, `lk.bet("00.maxsim_wins", 4, sure=0.7)`:
# notebook 05 holds that against what came.

# %% tags=["stub"]
lk.bet("00.maxsim_wins", ...)

# %% tags=["solution"]
lk.bet("00.maxsim_wins", 4)

# %% tags=["stub"]
lk.bet("00.fusion_wins", ...)

# %% tags=["solution"]
lk.bet("00.fusion_wins", 4)

# %% [markdown]
# *To here: 5 minutes.*
#
# ## T2: what does a search see that counts words?
#
# *Reshape a table with many columns into one with many rows.* You have read the documentation of a function that does
# it. BM25 has it at rank 15. What stands above?
#
# BM25 is the **first stage**: it ranks everything and hands over its best `k`, the **candidates**.

# %%
t2 = c.queries[tickets["T2"]]
before = bm25.search(t2, k=50)
before.top(5)

# %% [markdown]
# All five share words with the question, and none does the job. Three of them do the opposite: they make rows into
# columns.
#
# ## Can a model that reads tokens bring it up?
#
# **MaxSim** encodes question and document apart and lets them meet late: each token of the question looks for its best
# partner in the document, and the similarities are added up. That is *late interaction*. The vectors come from a small
# model, 22.7 million parameters, which nobody trained for this. *ColBERT* is one that was (how to load it stands in the
# README, *Real ColBERT checkpoints*).
#
# It gets the fifty candidates and nothing else. Will a right answer come into the top five? Decide, then run.

# %%
late = lk.LateInteractionReranker(progress=True)
after = late.rerank(t2, before, top_n=50)
after.top(5)

# %% [markdown]
# In brackets is the rank that BM25 gave. The picture shows who moved, and how far: right answers are green and starred,
# blue lines rise, orange lines fall.

# %%
lk.slope_chart(before, after, right("T2"))

# %% [markdown]
# ## Did it understand, or was it lucky?
#
# Rank 1, from rank 15. Before you explain why, ask for the opposite. T3 is T2 with *columns* and *rows* exchanged, and
# the right answer is now `pivot`. Beside MaxSim stands its **dense twin**: the same weights and the same run through the
# model, but the token vectors are averaged into one vector, and it searches all documents. Which function will each of them put first?

# %%
dense = lk.system("dense", c)
for name in ("T2", "T3"):
    asked = c.queries[tickets[name]]
    reranked = late.rerank(asked, bm25.search(asked, k=50), top_n=50)
    for who, top in (("MaxSim", reranked[0].doc_id), ("twin", dense.search(asked, k=1)[0].doc_id)):
        print(f"{name}  {who:7} {top:23} {'right' if top in right(name) else 'wrong'}")

# %% [markdown]
# Each gives one answer to both questions. MaxSim always says `melt`, so it is right on T2; the twin always says `pivot`,
# so it is right on T3. Neither noticed the direction. T2 looked like understanding because we only asked one way.
#
# *To here: 9 minutes.*

# %% [markdown]
# ## T1: would you have shipped it after T2?
#
# The next ticket asks for *the pairwise distances between two arrays of points*. Several functions do that, and BM25 has
# one of them first. So a reranker can only keep it there or make it worse.

# %%
t1 = c.queries[tickets["T1"]]
before = bm25.search(t1, k=50)
after = late.rerank(t1, before, top_n=50)
lk.slope_chart(before, after, right("T1"))

# %% [markdown]
# It made it worse. Four wrong functions stand above the first right one. The first, `haversine_distances`, only works for places on
# a globe; the second and third look for the nearest point alone; the fourth boils everything down to one distance.
#
# Which word of the question did that? Write it down before you read the next cell. It puts three other words in the place of
# one suspect, and reranks the same fifty. For a suspect of your own, change the word there.

# %%
for word in ("points", "rows", "vectors", "samples"):
    again = late.rerank(t1.replace("points", word), before, top_n=50)
    print(f"two arrays of {word:8} right answer at {again.rank_of(right('T1'))}, first: {again[0].doc_id}")

# %% [markdown]
# One word of twelve decides whether a right answer is first or fifth, though all four ask for the same thing. How much
# each word earned, and for whom, is what a *receipt* shows: `labkit ask "…" --explain` prints the winner's in a terminal,
# and notebook 01 is about reading them.
#
# *To here: 12 minutes.*

# %% [markdown]
# ## Your own question
#
# Put something that you looked up last week in place of `mine`. First BM25's five, then MaxSim's, with BM25's rank in brackets. Which of the two
# would you have wanted?

# %%
mine = "sort a list without changing the original"
found = bm25.search(mine, k=50)
found.top(5)

# %%
late.rerank(mine, found, top_n=5)

# %%
lk.exercise("00.direction")

# %% tags=["stub"]
# stub: 00.direction

# %% tags=["solution"]
# solution: 00.direction

# %% [markdown]
# ## The scoreboard: who answers which ticket?
#
# The rank of the first right answer, by ticket and system. Bold (a star, in plain text) is a rank among the first five,
# which is what a reader or a language model gets to see. `dense` is the twin; `bm25+late` is MaxSim over BM25's fifty;
# `fusion` is the one of your bet; `bm25+late+fusion` adds to MaxSim's score the twin's and half of BM25's, all brought to one
# scale first. `bm25+cross`, a
# *cross-encoder*, reads question and passage together; notebook 02 meets it again. *none*: no right answer was among the fifty.
#
# Look for three tickets: one that only MaxSim has first, one that MaxSim drops out of the five, and one that it never sees.

# %%
board = lk.scoreboard()
board

# %% [markdown]
# ## What did you bet?

# %%
for bet, name in (("00.maxsim_wins", "bm25+late"), ("00.fusion_wins", "fusion")):
    print(f"{name}: higher than BM25 on {board.wins(name)}, lower on {board.losses(name)}")
    print(" ", lk.settle(bet, board.wins(name)))

# %% [markdown]
# Notebook 05 keeps a record of how good your bets are. Against BM25 the fusion lost no ticket, and MaxSim lost more than it
# won. The last row of the board is kinder to MaxSim: nine tickets with a right answer among the five, for the fusion, both
# forms of MaxSim and the cross-encoder, eight for BM25 and the twin. Two ways to count, two verdicts. Which one would your users agree with?
#
# ## Twelve tickets prove nothing
#
# Somebody chose these twelve, each because it shows something. They say what *can* happen. How often it happens is a
# question for many queries that nobody picked, for a metric, and for a test: notebooks 02 and 05.

# %% [markdown]
# ## Take away
#
# - A first stage ranks everything, a reranker sorts candidates. What is not handed over stays lost.
# - A reranker can lose an answer that you had. A right answer can be right by luck: ask the opposite, too.
# - The simple systems are the rivals to beat: the twin, and the twin with BM25. One vector a passage, no second stage.
# - Would you ship it? Not yet: ask for the table over all queries, with the simple rivals in it. That is notebook 02.

# %% [markdown]
# **Notation.** `k`: candidates handed to the reranker; `top_n`: how many it returns. A *right answer* is a document of
# grade 3. The graded documents were pooled from every system in the table; `data/README.md` says how, and by whom.
#
# **Sources.** MaxSim: Khattab and Zaharia, [ColBERT](https://arxiv.org/abs/2004.12832), SIGIR 2020. The model:
# [all-MiniLM-L6-v2](https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2). BM25 by
# [bm25s](https://github.com/xhluca/bm25s).
#
# **Next:** [01_late_interaction](01_late_interaction.ipynb): why did the wrong function beat the right one?
