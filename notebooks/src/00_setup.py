# %% [markdown]
# # Would you ship this reranker?
#
# **Tickets:** T2, then T1. **You:** 15 minutes. **The machine:** about 90 seconds the first time, 20 after that.
#
# **New names:** `load_collection`, `system`, `LateInteractionReranker`, `slope_chart`, `scoreboard`.
# **New terms:** *first stage*, *candidate*, *MaxSim*, *dense twin*.
#
# Nothing here needs a key or a network. If a cell waits, it says for what.

# %% [markdown]
# ## You inherited a search that everyone wants to fix
#
# `ask-pydocs` searches the documentation of Python's data stack. It counts words, as search did for decades, and twelve
# complaints are in its inbox. *Put a reranker behind it*, everyone says. You have one. Does it help?
#
# First, the machine. A line that begins with `[fail]` names its own fix; `[warn]` can wait.

# %% tags=["nbval-ignore-output"]
import labkit as lk

lk.doctor()

# %% [markdown]
# ## What is being searched?
#
# The documentation on *this* machine: the docstrings of the packages that you have just installed. Nobody wrote them for
# a course. The first call reads them, in about ten seconds.

# %%
c = lk.load_collection("pydocs", progress=True)
c

# %% [markdown]
# One document is one function, class or method: its name, its signature, what it does, its parameters. Here is the start
# of one. It will matter in a moment.

# %%
print(c.docs["pandas.melt"].text[:330])

# %% [markdown]
# ## Twelve complaints: what is wrong with each?
#
# Read them as you would read an inbox. For each one, somebody searched, and was not happy.

# %%
tickets = {info["ticket"]: q for q, info in c.query_info.items() if "ticket" in info}
for name, q in tickets.items():
    print(f"{name:>4}  {c.queries[q][:90]}")

# %% [markdown]
# ## Bet before you look
#
# Two systems promise to rank right answers higher than BM25, the word counter:
#
# - **MaxSim**, a reranker. It takes BM25's best fifty and compares them with the question token by token.
# - **Fusion**: BM25's score plus the cosine of one vector a text. No reranker at all.
#
# On how many of the twelve does each beat BM25? One of the twelve has no answer, so eleven is the most.
# Put a number in place of each `...` and run the cell.

# %% tags=["stub"]
lk.bet("00.maxsim_wins", ...)

# %% tags=["solution"]
lk.bet("00.maxsim_wins", 6)

# %% tags=["stub"]
lk.bet("00.fusion_wins", ...)

# %% tags=["solution"]
lk.bet("00.fusion_wins", 4)

# %% [markdown]
# Your bets stay in a file on this machine. Notebook 05 opens them again.
#
# *To here: 5 minutes.*

# %% [markdown]
# ## T2: what does a search see that counts words?
#
# The ticket: *reshape a table with many columns into one with many rows.* You know what it wants, the function whose
# documentation you read above. Does a search that counts words know it too?
#
# The **first stage** ranks everything and hands over its best `k`: the **candidates**.

# %%
t2 = c.queries[tickets["T2"]]
bm25 = lk.system("bm25", c)
before = bm25.search(t2, k=50)
before.top(5)

# %% [markdown]
# All five share words with the question, and none does the job. Three of them do the opposite: they make rows into
# columns.
#
# Where is the right answer? Judgments say which documents do the whole job (grade 3); the next cell looks them up.


# %%
def right(ticket):
    return {doc for doc, grade in c.qrels[tickets[ticket]].items() if grade == 3}


print(sorted(right("T2")))
print("first of them at rank", before.rank_of(right("T2")), "of", len(before))

# %% [markdown]
# ## Can a model that reads tokens bring it up?
#
# **MaxSim** gives each token of the question its best partner in the document, and adds up how similar the pairs are.
# The model is a small one of 22.7 million parameters. Nobody trained it for this; a real ColBERT takes its place by name.
#
# It gets the fifty candidates and nothing else. Will the right answer come into the top five? Decide, then run.

# %%
late = lk.LateInteractionReranker()
after = late.rerank(t2, before, top_n=50)
after.top(5)

# %% [markdown]
# Rank 1, from rank 15. In brackets is the rank before. The picture shows who moved, and how far: the right answer is
# green, blue lines rise, orange lines fall.

# %%
lk.slope_chart(before, after, right("T2"))

# %% [markdown]
# ## Is it the model, or is it the tokens?
#
# Take the same model, the same weights, the same forward pass, and keep one vector a text instead of one a token: the
# mean of them all. That is the **dense twin**. It searches the whole collection, not only fifty candidates.
#
# So it knows all that MaxSim knows. Will it also find the answer?

# %%
lk.system("dense", c).search(t2, k=5)

# %% [markdown]
# The twin's favourite is `pivot`, which does the *opposite*: it makes rows into columns. The average of a text says
# "about reshaping tables" and loses which way. The tokens still carried enough of it.
#
# At least here. Keep a doubt: T3 asks for the opposite of T2 in the same words, and you will see what becomes of it.
#
# *To here: 9 minutes.*

# %% [markdown]
# ## T1: would you have shipped it after T2?
#
# One success is an anecdote. The next ticket asks for *the pairwise distances between two arrays of points*. BM25 has
# the right answer first, so a reranker can only leave it there or make it worse.

# %%
t1 = c.queries[tickets["T1"]]
before = bm25.search(t1, k=50)
after = late.rerank(t1, before, top_n=50)
lk.slope_chart(before, after, right("T1"))

# %% [markdown]
# It made it worse. Four functions stand above the right one. The first, `haversine_distances`, only works for places on
# a globe; the second and third look for the nearest point alone; the fourth boils everything down to one distance.
#
# Which word of the question did that? Write it down before you go on. Then test a suspect: the next cell puts three
# other words in the place of *points* and reranks the same fifty. Put your own suspect there afterwards.

# %%
for word in ("points", "rows", "vectors", "samples"):
    again = late.rerank(t1.replace("points", word), before, top_n=50)
    print(f"two arrays of {word:8} right answer at {again.rank_of(right('T1'))}, first: {again[0].doc_id}")

# %% [markdown]
# With *rows* or *vectors* a right answer is first; with *samples* it is fifth again. `haversine_distances` speaks of
# *points*, `pairwise_distances` of *features*, and one good match outweighs what the two functions really do.
#
# `labkit ask "…" --explain` in a terminal prints the receipt of a score, token by token. Notebook 01 is about nothing else.
#
# *To here: 12 minutes.*

# %% [markdown]
# ## Your own question
#
# Something that you looked up last week. First BM25's five, then MaxSim's, with BM25's rank in brackets. Which of the two
# would you have wanted?

# %%
mine = "sort a list without changing the original"
found = bm25.search(mine, k=50)
found.top(5)

# %%
late.rerank(mine, found, top_n=5)

# %% [markdown]
# ## What does the reranker never see?

# %%
lk.exercise("00.direction")

# %% tags=["stub"]
# stub: 00.direction

# %% tags=["solution"]
# solution: 00.direction

# %% [markdown]
# ## The scoreboard: who answers which ticket?
#
# For each ticket and system, the rank of the first right answer; a star marks the first five, which is what a reader or a
# language model gets to see. *late* is MaxSim, *late+fusion* adds the twin's cosine and half of BM25 to it. Rerankers
# get fifty candidates; *none* means that the right answer was not among them.
#
# Look for three things: a ticket that only MaxSim answers, one that MaxSim loses, and one that no reranker can win.

# %%
board = lk.scoreboard()
board

# %%
for name in ("dense", "fusion", "bm25+late", "bm25+late+fusion"):
    print(f"{name:17} higher than BM25 on {board.wins(name)} tickets, lower on {board.losses(name)}")

# %% [markdown]
# ## Twelve tickets prove nothing
#
# Somebody chose these twelve, each because it shows something. They say what *can* happen. How often it happens is a
# question for many queries that nobody picked, for a metric, and for a test: notebooks 02 and 05.
#
# Still, two things are settled. A reranker can lose an answer that you had. And adding two scores that you already have
# is a rival, not a footnote: it costs almost nothing.

# %% [markdown]
# ## Take away
#
# - A first stage ranks everything, a reranker sorts candidates. What is not handed over stays lost.
# - MaxSim compares tokens. That saved T2, where one vector lost the needle, and it cost T1, where one word misled it.
# - Would you ship it? Not on two anecdotes. Ask for the table first.

# %% [markdown]
# **Notation.** `k`: candidates handed to the reranker; `top_n`: how many it returns. A *right answer* is a document of
# grade 3. The graded documents were pooled from every system in the table; `data/README.md` says how, and by whom.
#
# **Sources.** MaxSim: Khattab and Zaharia, [ColBERT](https://arxiv.org/abs/2004.12832), SIGIR 2020. The model:
# [all-MiniLM-L6-v2](https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2). BM25 by
# [bm25s](https://github.com/xhluca/bm25s).
#
# **Next:** [02_two_stage](02_two_stage.ipynb): is MaxSim worth more than adding two scores?
