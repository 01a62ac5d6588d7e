# %% [markdown]
# # A part of pydocs-raw was never read: who answered, then?
#
# **Tickets:** T7, T8, T12, T5. **You:** 45 minutes. **The machine:** about 90 seconds after `make warm`.
#
# **New names:** `lint`, `show_cut`, `soil`, `repair`, `compare`.
# **New terms:** *truncation*, *precision of a repair*, *recall of a repair*, *over-cleaning*.
#
# Most failures of a search trace back to messy or ambiguous input that nobody caught, says the lesson. Here you catch
# it, in the documents and in the questions, and you find out what each kind costs. Some costs less than it looks.

# %%
import re
from dataclasses import replace

import pandas as pd

import labkit as lk

c = lk.load_collection("pydocs", progress=True)
raw = lk.load_collection("pydocs-raw")
tickets = {info["ticket"]: q for q, info in c.query_info.items() if "ticket" in info}
right = {t: {doc for doc, grade in c.qrels[q].items() if grade == 3} for t, q in tickets.items()}
encoder, late = lk.load_encoder(), lk.LateInteractionReranker()

# %% [markdown]
# ## How much of a document does each system read?
#
# `pydocs-raw` is the same functions, questions and judgments as `pydocs`, but each document is its whole docstring, as
# somebody would load it on day one. BM25 counts every word of it. The encoder reads a text up to its limit, here 256
# word pieces (64 of a question), and drops the rest without a word: **truncation**.
#
# Two bets: of 100 characters, how many does the encoder never read? The second one is for later: six kinds of dirt at
# once (wrong encoding, misread letters, page headers, copies, invisible characters, HTML), so much that nearly every
# passage has some: by how many hundredths of nDCG@10 do they make BM25 worse? `lint` then looks for dirt, and changes
# nothing; for some of its rules it needs an encoder and a first stage.

# %% tags=["stub"]
print(lk.bet("03.unseen", ...))
print(lk.bet("03.dirt", ...))

# %% tags=["solution"]
print(lk.bet("03.unseen", 40))
print(lk.bet("03.dirt", 12))

# %%
report = lk.lint(raw, encoder=encoder, search=lk.system("bm25", raw), progress=True)
print(lk.settle("03.unseen", 100 * max(unseen.share for unseen in report.unseen)))
report

# %% [markdown]
# More than two thirds, and nobody was told: a search with truncated texts answers as fast and as surely as any other.
# The twin and MaxSim share one encoder, so they miss the same; a fusion reads all with one eye.
#
# Of a ticket's right answers, which share is out of sight? Guess for T7, whose one right answer is `read_csv`.

# %%
reads = dict(zip(raw.docs, encoder.characters_read(raw.passages), strict=True))
size = {doc: len(raw.docs[doc].passages[0]) for doc in raw.docs}
totals = {t: (sum(size[d] for d in docs), sum(reads[d] for d in docs)) for t, docs in right.items() if docs}
table = pd.DataFrame(totals, index=["characters", "the encoder reads"]).T
table["never read by dense, late"] = [f"{1 - seen / whole:.0%}" for whole, seen in totals.values()]
table.T

# %% [markdown]
# *To here: 8 minutes.*
#
# ## T7: who answered, then?
#
# *Read a csv file and skip lines that are malformed.* The answer is an argument of `read_csv`, `on_bad_lines`, far
# behind the cut. BM25 has `read_csv` first all the same; MaxSim, over these texts, has it second. Everybody knows why: BM25 read
# what the encoder could not. Do they know it?

# %%
lk.exercise("03.who")

# %% tags=["stub"]
# stub: 03.who

# %% tags=["solution"]
# solution: 03.who

# %% [markdown]
# So give BM25 the texts that the encoder reads, and not a character more. Below each ticket stands the rank of the first
# right answer. Which tickets will fall? Will one rise?

# %%
cut = replace(raw, docs={doc: replace(d, passages=(d.passages[0][: reads[doc]],)) for doc, d in raw.docs.items()})
bm25 = {
    "whole": lk.BM25Retriever(raw),
    "cut": lk.BM25Retriever(cut),
    "passages": lk.BM25Retriever(c),
}  # passages: later


def ranks(system):
    return [system.search(c.queries[q], k=len(c.docs)).rank_of(right[t]) for t, q in tickets.items()]


pd.DataFrame({name: ranks(bm25[name]) for name in ("whole", "cut")}, index=tickets).astype("Int64").T

# %%
runs = {name: lk.evaluate(system, raw, split="dev", k=100, progress=True) for name, system in bm25.items()}


def told(before, after):
    d = lk.compare(runs[before], runs[after])
    means = f"nDCG@10 {d.means[0]:.3f} -> {d.means[1]:.3f}, {d.delta:+.3f} [{d.low:+.3f}, {d.high:+.3f}]"
    return f"{before} -> {after}: {means}, {d.wins} up and {d.losses} down of {d.queries}, p {d.p:.3f}: {d.verdict}"


print(told("cut", "whole"))

# %% [markdown]
# It is true of T7, and more so of T10 and T12: the answer falls when BM25 loses what lies behind the cut. Eight tickets
# fall. Two rise: T1 and T8 were better off without. Over all queries the hidden part is worth 0.068, and the brackets
# hold the 95 % interval of `compare`, which says *better* or *worse* where its test's p is below 0.05. Notebook 05 is
# about both.
#
# ## Drag the cut: when is the answer in sight?
#
# One document as a bar. BM25 reads it up to the cut. MaxSim does, too, in windows of the encoder's length, and the best
# one counts: the bluer, the better. All other documents stay whole, so BM25's
# rank is not the one above. Where a kernel runs, drag the cut, or press
# the arrow keys. First guess: at which share of the bar will MaxSim have `read_csv` first?

# %%
bar = lk.show_cut(c.queries[tickets["T7"]], "pandas.read_csv", raw, mark="on_bad_lines", progress=True)
bar

# %%
slider = bar.widget()
for slider.read in (9, 10, 19):  # windows before the cut
    state = slider.picture
    print(state.headline(), f"{state.answer()}\n    best window: {state.score:.3f}, {state.excerpt()[:110]}")
slider.read = 1

# %% [markdown]
# At 36 %, half way to the answer, MaxSim has it: a window about lines to skip at the start of a file is enough to pass the best
# rival, which has 7.041. The answer's own window would do it as well, with 7.081, but is not the best one. The right
# function, for a reason that is not the answer. And BM25? It has `read_csv` first at 36 %, loses it at 39 %, has it
# again at 71 %: every paragraph brings words, and makes the document longer.
#
# *To here: 20 minutes.*
#
# ## Passages: is T7 solved, and who pays?
#
# Now fairly, for all documents. pydocs cuts each one into passages that the encoder reads whole, each with the
# function's name in front. MaxSim gets the same twenty candidates twice: cut by the encoder, then in passages. On how
# many tickets will passages help, and on how many will they hurt?


# %%
class Whole(lk.BM25Retriever):
    def search(self, query, k=50):  # ranks whole documents, and hands over their passages
        found = super().search(query, k)
        return replace(found, hits=tuple(replace(h, passages=c.docs[h.doc_id].passages) for h in found))


whole = Whole(raw)
first = {"cut": bm25["whole"], "passages": whole}
twenty = {what: {t: b.search(c.queries[q], k=20) for t, q in tickets.items()} for what, b in first.items()}
encoder.warm([hit.text for hits in twenty["cut"].values() for hit in hits], progress=True)
ranked = {what: {t: late.rerank(hits.query, hits, 20) for t, hits in row.items()} for what, row in twenty.items()}
rows = {"bm25, whole": twenty["cut"]} | {f"MaxSim, {what}": row for what, row in ranked.items()}
table = {name: [hits.rank_of(right[t]) for t, hits in row.items()] for name, row in rows.items()}
pd.DataFrame(table, index=tickets).astype("Int64").T

# %% [markdown]
# T7 is solved: first. Passages help on four tickets (T1, T2, T7, T10), and hurt on two (T8, T12).
#
# Two questions before you praise them. Which passage of `read_csv` won T7? And BM25, which read everything before: do
# passages help it or hurt it? Bet on a sign.

# %%
best = ranked["passages"]["T7"][0]
scores = lk.maxsim(encoder.encode_queries([c.queries[tickets["T7"]]])[0], encoder.encode_documents(list(best.passages)))
order = [text for _, text in sorted(zip(-scores, best.passages, strict=True))]
place = next(n for n, text in enumerate(order, start=1) if "on_bad_lines" in text)
print(f"of {len(order)} passages, T7's answer has score number {place}; the best one ends: {best.text[-82:]}")
for name, stage in (("passages + late", bm25["passages"]), ("whole, then passages", whole)):
    runs[name] = lk.evaluate(lk.TwoStage(stage, late), raw, split="dev", k=20, progress=True)
print(told("whole", "passages"), told("passages + late", "whole, then passages"), sep="\n")
pd.DataFrame({name: run.metrics for name, run in runs.items()}).T.round(3)

# %% [markdown]
# The passage that won T7 says *malformed file*, about another argument; the one with `on_bad_lines` is second. Hand a
# language model the best passage only, and it will not have the answer.
#
# And they hurt BM25: over whole documents it is better by 0.034, although fewer of its first ten were judged (0.71
# against 0.99), and what nobody judged counts as wrong. It may be the cutting, or what pydocs leaves out, such as
# examples; this table cannot tell. To ask again, with `raw` cut and nothing left out: `from labkit.corpus.chunks import
# chunked`, `from labkit.corpus.pydocs import count_wordpieces`, and `lk.BM25Retriever(chunked(raw, count_wordpieces))`
# is the system to evaluate on `raw`. Either way, give each what it reads best: candidates from whole documents, MaxSim
# over passages. That gains 0.029 over the index that this course uses elsewhere. One k, one collection: try `k=100`.
# (These two rows hand over twenty documents, so their R@100 is no loss.)
#
# *To here: 26 minutes.*
#
# ## T8 and T12: what if the dirt is in the question?
#
# *standart deviaton ignoring nan*, and a long story about customers and a newsletter with one need in it. Lint looks at
# questions, too:

# %%
queries = report.to_frame().query("kind == 'query'").set_index("id")
mine = queries[queries.index.isin(tickets.values())]
print(*(f"{c.query_info[q]['ticket']}  {row.rule}: {row.evidence}" for q, row in mine.iterrows()), sep="\n")

# %% [markdown]
# It finds T12, and T9 (*split*), whose ten best lie close together. It has no rule for spelling, so T8 is your part.
# Repair the question, not the corpus: the documents are right. A word that no document has can match nothing in BM25.
# Which words may be changed?

# %%
lk.exercise("03.spell")

# %% tags=["stub"]
# stub: 03.spell

# %% tags=["solution"]
# solution: 03.spell

# %%
print(lk.exercise("03.spell").check(spell))
mend = lk.exercise("03.spell").yours_or_ours(spell)
known = set(re.findall(r"\w+", " ".join(c.passages).lower()))


def spelled(question):
    return " ".join(mend(re.findall(r"\w+", question), known))


print(len(known), "words are known;", spelled(c.queries[tickets["T8"]]), "|", spelled(c.queries[tickets["T12"]]))

# %%
need = "left join two tables on a shared key"  # put your own words here
asked = [("T8", c.queries[tickets["T8"]]), ("T8", spelled(c.queries[tickets["T8"]]))]
asked += [("T12", c.queries[tickets["T12"]]), ("T12", need)]
rows = []
for ticket, question in asked:
    hits = bm25["passages"].search(question, k=50)
    sides = (hits, late.rerank(question, hits, top_n=50), lk.system("dense", c).search(question, k=50))
    rows.append((ticket, question[:44], *(side.rank_of(right[ticket]) or "none" for side in sides)))
pd.DataFrame(rows, columns=["ticket", "asked", "bm25", "MaxSim", "dense"]).set_index("ticket")

# %% [markdown]
# Two letters repaired, and all three have T8's answer first; nobody touched the index. No spelling helps a long story:
# somebody has to say what is needed, a person, a form, or a language model. T12's need in eight words is first for both
# neural ones, and second for BM25.
#
# It worked on T8. Is it safe on all the other questions? Guess how many of the 125 it changes (8 of them
# have no answer).


# %%
class Tidied(lk.BM25Retriever):
    """BM25 that tidies each question first."""

    def passage_scores(self, query):
        return super().passage_scores(self.tidy(query))


mending = Tidied(c)
mending.name, mending.tidy = "bm25, spelled", spelled
runs["bm25"] = lk.evaluate(bm25["passages"], c, split="dev", k=100, progress=True)
runs["spelled"] = lk.evaluate(mending, c, split="dev", k=100, progress=True)
print(told("bm25", "spelled"))

# %%
words = {q: re.findall(r"\w+", c.queries[q]) for q in c.splits["dev"]}
changed = {q: [(a, b) for a, b in zip(words[q], mend(words[q], known), strict=True) if a != b] for q in words}
kinds = pd.Series({q: c.query_info[q]["kind"] for q, pairs in changed.items() if pairs})
healthy = [f"{a} -> {b}" for q in kinds.index[kinds != "typo"] for a, b in changed[q]]
print(f"{len(kinds)} of {len(words)} questions changed, {(kinds == 'typo').sum()} of them of the kind *typo*")
print(*healthy[:12], sep=", ")
print("with a typo:", *(f"{a} -> {b}" for q in kinds.index[kinds == "typo"] for a, b in changed[q]), sep="  ")

# %% [markdown]
# It changes 26 questions. Only 5 of them had a typo, and not each of those is right now. Of the others some lost their meaning: *losing* became *closing*,
# *bill* became *bfill*. Five queries win, five lose. The interval just leaves 0 out, but p is above 0.05, and the verdict goes
# by p: it cannot tell. Before you repair a question, know that it is ill. If you cannot, ask with both, and show what was
# changed.
#
# *To here: 34 minutes.*
#
# ## What does dirt cost, and does a repair give it back?
#
# Nobody knows where all real dirt is. So plant it in `pydocs`: `soil` spoils documents by six dials (*mojibake*: read in a
# wrong encoding; *ocr*: misread letters; *duplicates*: copied documents; *zero_width*: invisible characters). Each goes from
# 0 to 1. It remembers each change.
# `repair` is not told. How much of it will it find, and how much will it break that was clean? The last lines show how
# the first document begins now.

# %%
dials = dict.fromkeys(("mojibake", "boilerplate", "duplicates", "zero_width", "ocr", "html"), 0.5)
dirty = lk.soil(c, **dials, progress=True)
repaired = lk.repair(dirty, progress=True)
texts = [(c.docs[d], dirty.docs[d], repaired.docs[d]) for d in c.docs if d in repaired.docs]
passages = [triple for three in texts for triple in zip(*(one.passages for one in three), strict=True)]
mended = [was == now for was, spoilt, now in passages if was != spoilt]
print(f"{len(mended):,} of {len(passages):,} soiled; repaired, {sum(mended) / len(mended):.1%} equal the original")
print("clean passages that were changed:", sum(was == spoilt != now for was, spoilt, now in passages))
print(dirty.docs["numpy.unique"].passages[0][:300])

# %%
for name, texts in (("dirty", dirty), ("repaired", repaired)):
    runs[name] = lk.evaluate(lk.BM25Retriever(texts), c, split="dev", k=100, progress=True)
print("hundredths:", lk.settle("03.dirt", -100 * lk.compare(runs["bm25"], runs["dirty"]).delta))
print(told("bm25", "dirty"), told("dirty", "repaired"), told("bm25", "repaired"), sep="\n")

# %% [markdown]
# It looks dreadful, and it costs BM25 under four hundredths. The repair gives all of that back, though one soiled passage in
# ten still differs from the original. It breaks no passage that stayed clean, but those are few. Before you order a clean-up, look at what the dirt costs; before you trust one, at what it breaks. The same
# for MaxSim takes a while, since every soiled text is encoded: `data/recipes/soil_and_repair.py pydocs --late`.
#
# ## Can a text be too clean?
#
# Names like `StratifiedKFold` are no English, and a helpful cleaner takes them apart. That is **over-cleaning**.

# %%
lk.exercise("03.sides")

# %% tags=["stub"]
# stub: 03.sides

# %% tags=["solution"]
# solution: 03.sides


# %%
def split_names(text):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)


tidy = replace(c, docs={doc: replace(d, passages=tuple(map(split_names, d.passages))) for doc, d in c.docs.items()})
both = Tidied(tidy)
both.name, both.tidy = "bm25, both split", split_names
t5 = c.queries[tickets["T5"]]
for name, system in {"index split": lk.BM25Retriever(tidy), "both split": both}.items():
    runs[name] = lk.evaluate(system, c, split="dev", k=100, progress=True)
    print(f"T5 at {system.search(t5, k=50).rank_of(right['T5']) or 'no rank'}.", told("bm25", name))

# %% [markdown]
# With a tidy index T5 is nowhere, and a mean over many queries falls by 0.030. The remedy that everybody proposes is to
# tidy the question as well. Then T5 is second, where it was first, and the mean is still lower, by 0.013. An identifier
# is exact because it is one word.
#
# ## Your cleaner, three rounds
#
# Write one function from a text to a text. Each round soils the tickets' documents in another way; the third adds
# documents that only look dirty. **Precision of a repair**: which share of your changes are right. **Recall of a
# repair**: which share of the planted dirt is gone. Both count, and nDCG@10. Three samples, the last one clean:

# %%
print(*map(ascii, lk.exercise("03.cleaner").given["samples"]), sep="\n")
lk.exercise("03.cleaner")

# %% tags=["stub"]
# stub: 03.cleaner

# %% tags=["solution"]
# solution: 03.cleaner

# %%
lk.exercise("03.cleaner").check(clean)

# %% [markdown]
# In which round was it lost? What looks like dirt in one text is the content of another. In your
# own code, `lk.score_repair` counts, and `lk.repair` takes a function like yours as one of its rules.
#
# *To here: 44 minutes.*
#
# ## The scoreboard: who reads whole documents?

# %%
whole = lk.BM25Retriever(raw)
whole.name = "bm25, whole"
lk.scoreboard([whole, "bm25", "dense", "fusion", "bm25+late", "bm25+late+fusion"])

# %% [markdown]
# The tickets say *passages*: eight within the first five, against six for whole documents. The 117 queries said *whole*,
# with an interval that leaves 0 out. Twelve tickets were chosen because each shows something. Which do you believe?
#
# ## Take away
#
# - Ask of every system which share of the text it never reads. None tells you by itself.
# - What did it? Take it away from the system that had it, and ask again.
# - Passages are for the encoder. BM25 may be better off with whole documents; a pipeline can have both.
# - Repair the question where the question is dirty, and look at the healthy questions that you changed.
# - Measure what dirt costs before you clean, and what cleaning costs after.
#
# **Notation.** *whole*: one text a document, all of it; *cut*: what the encoder reads of that; *passages*: pieces of up
# to 200 word pieces. `[a, b]`: 95 % interval of a mean difference. Precision: right changes / all changes. Recall: dirt
# undone / dirt planted.
#
# **Sources.** The lesson, *ColBERT and Late Interaction* by Lilly Tech Systems. Broken encodings are mended by
# [ftfy](https://ftfy.readthedocs.io), near copies found by [datasketch](https://ekzhu.com/datasketch/). For documents of
# your own: `labkit lint FOLDER` in a shell, and `lk.chunk` to cut them.
#
# **Next:** [04_hyperparameters](04_hyperparameters.ipynb) gives you twenty evaluations to spend.
