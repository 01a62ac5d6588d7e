# %% [markdown]
# # Two in the morning: who answers when the reranker does not?
#
# **Tickets:** T3, T6, T10, T11. **You:** 50 minutes. **The machine:** about a minute after `make warm`.
#
# **New names:** `Trace`, `outcomes`, `replay`, `Guard`.
# **New terms:** *trace*, *fallback*, *deadline*, *circuit breaker*.
#
# A storm of refusals, a spent budget, one user with a wrong answer. You are on call, and the lesson's *production
# checklist* is on the wall: logs, edge cases, timeouts and cost, reasons, traffic. By the end you have run an answer to each.

# %%
import logging
from collections import Counter
from contextlib import suppress

import pandas as pd

import labkit as lk
from labkit.bars import bar

logging.getLogger("labkit.guard").setLevel("ERROR")  # it logs each fallback; here they are counted
c = lk.load_collection("pydocs", progress=True)
tickets = {info["ticket"]: q for q, info in c.query_info.items() if "ticket" in info}
night = lk.exercise("08.guard").given["night"]
asked, served = night.queries(c), night.deployed(c)  # the questions, and the collection that was live
print(len(asked), "questions,", len(set(asked)), "different ones")

# %% [markdown]
# ## What does a user see when the service says no?
#
# The search of pydocs is BM25 with a hosted reranker behind it, which gets 30 candidates. It worked in the demo, so it
# went live as it was. In one bad night, for twenty minutes, a question comes every six seconds.
#
# The service is a stand-in on this machine: its scores are not Cohere's, and its faults are laid out in advance. The
# client is Cohere's own. More than half of its calls go well. There is a storm of refusals that ask to wait a second
# (429), an outage (503), and a handful of other faults. `Trace` wraps the pipeline and writes a **trace**: one line a
# request, with what each stage got, gave, cost and took.
#
# `CohereReranker` switches the client's own retries off, and nothing catches an error. Bet: how many of the 200 users see
# an exception?

# %% tags=["stub"]
lk.bet("08.refused", ...)

# %% tags=["solution"]
lk.bet("08.refused", 60)

# %%
import tempfile
from pathlib import Path

log = Path(tempfile.mkdtemp()) / "trace.jsonl"
with lk.cohere_standin(night.faults) as url:
    service = lk.TwoStage(lk.system("bm25", served), lk.CohereReranker(base_url=url))
    traced = lk.Trace(log).wrap(service)
    for question in bar(asked, what="night", unit="question", show=True):
        with suppress(lk.LabError):  # the user sees it; the trace has it
            traced.search(question, k=night.k)
requests, torn = lk.Trace(log).read()  # torn: lines that a crash cut off
print(lk.settle("08.refused", sum(bool(line["error"]) for line in requests)))
lk.outcomes(requests)

# %%
for error, count in Counter(line["error"][14:90] for line in requests if line["error"]).most_common():
    print(f"{count:>3}  {error}")
spent = pd.Series([line["cost"].get("search_units", 0) for line in requests]).cumsum()
gone = int((spent > night.units).idxmax()) + 1
print(f"{spent.iloc[-1]:g} search units billed; the {night.units} for the night were gone at request {gone}")

# %% [markdown]
# 75 of 200, more than a third. An X is a user with a stack trace. From 41 to 80 the storm refuses three of four; from 101
# to 140 the service is down. Five errors are stranger: connections that broke, a reply that is no JSON, an index that
# no document has, a result that is missing. The SDK checks neither indices nor scores; `CohereReranker` does, and
# makes no ranking of such a reply.
#
# And the money. The service bills by the search unit: a question with up to 100 short passages is one. A document
# brings all of its passages, so 30 candidates cost one unit or two here. 160 were meant for this night, and nothing stopped
# at 160.
#
# ## Who logs a question logs a person. What may stay?
#
# A question can hold an address or a key. The trace has rules for that, and they run before the line is written. Of a
# document it keeps the id, score, rank, and a hash of the text.

# %%
line = requests[night.letter]
print(line["query"], line["redacted"])
print("a request:", *line)
print("a stage:  ", *line["stages"][1])

# %% [markdown]
# *To here: 9 minutes.*
#
# ## One user was answered, and wrongly. Was it the storm?
#
# In the morning there is a ticket: *a number of milliseconds since 1970 into a date and time* gave me nonsense.
# Everybody points at the storm. Commit yourself:

# %%
lk.exercise("08.suspect")

# %% tags=["stub"]
# stub: 08.suspect

# %% tags=["solution"]
# solution: 08.suspect

# %%
t10 = tickets["T10"]
right = {doc for doc, grade in c.qrels[t10].items() if grade == 3}
[line] = [line for line in requests if line["query"] == c.queries[t10]]
first, second = line["stages"]
print(f"request {requests.index(line) + 1}: {line['outcome']}, fallback {second['fallback']!r}, by {second['model']}")
print(*[hit["id"] for hit in second["out"]], sep=", ")
print("right answers among the candidates:", sum(hit["id"] in right for hit in first["out"]))

# %% [markdown]
# Not the storm: the request was answered, as planned. And not the reranker: no right answer was among its
# candidates. Yet BM25 has had one first for this question since notebook 00. What changed?
#
# `replay` builds the pipeline again from the line, asks again, and says what differs. Causes come before effects. Before
# you look: documents, settings, versions or model?

# %%
found = lk.replay(line, collection=c)
print(*(f"cause:  {cause}" for cause in found.causes), sep="\n")
print("effect:", found.effects[0])

name = "pandas.to_datetime"
changed = [doc for doc in c.docs if c.docs[doc] != served.docs[doc]]
print(f"{len(changed)} of {len(c.docs):,} documents differ, all of {'.'.join({doc.split('.')[0] for doc in changed})}")
pd.DataFrame(
    {when: [len(those.docs[name].passages)] for when, those in {"then": served, "now": c}.items()}, index=[name]
)

# %% [markdown]
# The documents. All 175 are of pandas, and of nine passages about `to_datetime` one was left: somebody's clean-up had
# kept the first passage of each. The milliseconds are in a later one, under `unit`. The trace stores no text; hashes
# are enough to say *that* it changed: of the whole collection, and of each hit that both runs have. Of those one has another
# text here, and it is not the culprit.
#
# Had the request fallen back, the first cause would have said so. If nothing differs but the scores, it says *none
# that the trace knows*. With a hosted model that is worth a thought: since August 2026 one provider answers requests
# for Cohere's 3.5 with another model ([Pinecone](https://docs.pinecone.io/models/cohere-rerank-4-fast)).
#
# In a shell the same three steps are `labkit trace list`, `show` and `replay`, each with the file that `log` names.
#
# *To here: 18 minutes.*
#
# ## timeout=0.5: what can still take seconds?
#
# Now the guard. The obvious first line of defence is the timeout of the client. Answer first:

# %%
lk.exercise("08.timeout")

# %% tags=["stub"]
# stub: 08.timeout

# %% tags=["solution"]
# solution: 08.timeout

# %% tags=["nbval-ignore-output"]
import time

import cohere
import httpx

for fault in ("slow:2", "drip:0.1", "429:2"):
    with lk.cohere_standin([fault]) as url:
        plain = httpx.Client(trust_env=False)  # no proxy between us and this machine
        client = cohere.ClientV2("any key", base_url=url, timeout=0.5, httpx_client=plain)
        began = time.perf_counter()
        with suppress(Exception):
            client.rerank(model="rerank-v3.5", query="melt", documents=["melt a table", "pivot a table"])
        print(f"{fault:9} timeout 0.5 s, took {time.perf_counter() - began:.1f} s")

# %% [markdown]
# The slow answer is cut off. The other two take about two seconds each: every piece starts the timeout anew, and the
# client, left alone, sleeps between its attempts as long as the service asks it to. Under a guard its retries must be off,
# or they multiply.
#
# `Guard` owns time and retries. A worker does the asking, and when the **deadline** comes the caller leaves with a
# **fallback**: the first stage's order, and the reason on the ranking. No exception, and no silence. One fault at a
# time, with two seconds each: which are repaired by asking again?

# %%
bm25 = lk.system("bm25", c)
candidates = bm25.search("reshape a table with many columns into one with many rows", k=night.k)
rows = []
for fault in ("503", "reset", "malformed", "wrong_index", "nan_score", "429:1", "429:9", "drip:0.2"):
    with lk.cohere_standin([fault]) as url:
        guard = lk.Guard(lk.CohereReranker(base_url=url), deadline=2.0)
        answer = guard.rerank(candidates.query, candidates)
    rows.append((fault, answer.attempts, answer.fallback or "reranked", len(answer)))
pd.DataFrame(rows, columns=["the first attempt meets", "attempts", "outcome", "hits"]).set_index(
    "the first attempt meets"
)

# %% [markdown]
# Five hits in every row: the user sees a ranking, always. A fault that may be gone in a second is tried again, and so is a
# reply that cannot be right. `429:9` asks for nine seconds that are not there, so nobody sleeps: it falls back at once. The drip
# costs the user the whole deadline, and not a moment more. The call behind it may run on: it is billed, and the guard lets
# only so many run (`concurrency`).
#
# Each further attempt can also be a further charge. Which brings us to the money.
#
# ## A budget that is checked after the call is a bill
#
# So the guard sets aside *before* a call what it may cost at most, and puts back afterwards what was not billed. It
# is kept on disk, for all processes together. Four questions and four search units: how many are reranked?

# %%
from uuid import uuid4

rows = []
with lk.cohere_standin() as url:
    guard = lk.Guard(lk.CohereReranker(base_url=url), budget=4, account=f"demo {uuid4().hex}")
    for question in list(dict.fromkeys(asked))[:4]:
        candidates, left = bm25.search(question, k=night.k), guard.budget.limit - guard.budget.spent
        most = guard.most_cost(question, candidates.hits)["search_units"]
        answer = guard.rerank(question, candidates)
        rows.append((left, most, answer.fallback or "reranked", answer.cost.get("search_units", 0.0)))
pd.DataFrame(rows, columns=["left", "may cost", "outcome", "billed"])

# %% [markdown]
# Three of four. The second might have cost three with two left, so BM25 answered it, and nothing was asked. *May cost* is a
# bound: a long passage can be billed as several, and here it seldom is. The two after it were cheap enough. A 429 costs nothing; an attempt that ends in a 503 or a broken reply counts in full,
# for nobody knows whether it was billed.
#
# ## The same night, with the guard as it comes: does it survive?
#
# The last part is the **circuit breaker**: after so many failed requests in a row none is made for a while. Then one
# may try. The drill sends the night through the guard. It counts pauses as waiting and does not sleep through them. Three
# promises to keep: no user waits longer than 3 s, at least 150 are answered by the reranker, 160 search units are enough.
# Which break?

# %%
night.drill()

# %% [markdown]
# Nobody sees an exception any more. Inside the outage the breaker saved most calls. The dots there are questions that
# were asked before: the guard keeps its answers (`cache`), and a kept one costs nothing.
#
# But one user waited longer than 3 s, because the deadline is 5. And 235 units of 160. The 195 above were what the service
# said that it billed; a guard also counts what it may have billed, each 503 of the outage. And nobody gave it a budget. Two
# of three promises are broken. A library's defaults know neither your page nor your purse.
#
# So tune them. `attempts` is the most calls for one question. After `failures` failed questions in a row the breaker
# opens, for `cooldown` seconds. `max_candidates` go to the reranker, of the 30 that BM25 offers, the rest keep their order
# behind them: cheaper, and not free (notebook 06); 20 is the least that counts. `budget` is in search units. A night takes a few seconds. The check names one broken promise, or
# what broke it: try.

# %%
lk.exercise("08.guard")

# %% tags=["stub"]
# stub: 08.guard

# %% tags=["solution"]
# solution: 08.guard

# %%
print(lk.exercise("08.guard").check(settings))
night.drill(**settings)

# %% [markdown]
# No setting has all 200 reranked. In the outage only kept answers are, and a few questions in the storm are refused each time.
# What you choose is who gets less: those who wait, those who pay, or those who ask next. All of them get BM25's order, and a
# reason in the trace. Have somebody woken when the share of fallbacks grows.
#
# In your pipeline the guard stands where the reranker stood, and the trace goes around both:
# `lk.Trace().wrap(lk.TwoStage(bm25, lk.Guard(reranker, **settings)))`.
#
# *To here: 35 minutes.*
#
# ## T3, T6, T11: does it read *not*?
#
# A guard answers for time and money. What the answers are worth is another test, and a mean over many queries hides it:
# edge cases. Each but T10 and T11 is a question with a right answer and a trap, and passes if a right answer stands
# above every trap. Turned around, they change places. Last night's complaint is a case now: T10 passes if a right
# answer is among the hundred. T11 passes if its best score is below that of every other ticket. *dense+late+fusion* won
# in notebook 06: how many of the seven cases, the six of the next cell and T11, does it pass?

# %%
rights = [{d for d, g in c.qrels[tickets[t]].items() if g == 3} for t in ("T2", "T3", "T6", "T10")]
melt, pivot, without, dated = rights
again, once = {"random.choices"}, {"random.sample"}  # with replacement, and without
text = {t: c.queries[q] for t, q in tickets.items()}
edges = {
    "T3 direction": (text["T3"], pivot, melt),
    "T3 turned around": (text["T2"], melt, pivot),
    "T6 negation": (text["T6"], without, again),
    "T6 turned around": ("pick 5 items at random with replacement", again, once),
    "T6 in other words": ("pick 5 items at random, the same one may come up twice", again, once),
    "T10 after the clean-up": (text["T10"], dated, set()),
}


# %%
def ran(system, k=100):
    tops = {t: system.search(question, k=k, top_n=k) for t, question in text.items()}
    below = [t for t, top in tops.items() if top[0].score < tops["T11"][0].score]
    print(f"T11's best score is above that of {len(below)} other tickets")
    results = {"T11 no answer": not below}
    for case, (question, right, trap) in edges.items():
        ranking = system.search(question, k=k, top_n=k)
        results[case] = (ranking.rank_of(right) or k + 1) < (ranking.rank_of(trap) or k + 1)
    return results


results = {name: ran(lk.system(name, c)) for name in ("bm25+late", "dense+late+fusion")}
pd.DataFrame(results).replace({True: "passes", False: "FAILS"}).sort_index()

# %% [markdown]
# Four of seven. T3 passes, and turned around it fails; with *bm25+late* it is the other way round. Each has nearly one
# order for both directions, and is right for one of them by luck. A test without its opposite would have called that
# reading.
#
# T6 passes both ways here. The documentation says *with* and *without replacement* in these words, which helps, and *bm25+late*
# fails one way all the same. Say it in other words, and both fail. T11 fails too, with *bm25+late* by two tickets, with the
# fusion by ten: its scores are scaled question by question, so the best of a bad lot looks like a good one. It stays, so that
# nobody promises a threshold.
#
# A gate that is red every day is switched off. One that skips its failures is worth nothing. So known failures stand
# on a list, each with its reason. Three things stop a deploy: a failure that is not on the list, a case that did not
# run, and a name on the list that is not failing.

# %%
lk.exercise("08.gate")

# %% tags=["stub"]
# stub: 08.gate

# %% tags=["solution"]
# solution: 08.gate

# %%
print(lk.exercise("08.gate").check(gate))
stops = lk.exercise("08.gate").yours_or_ours(gate)
known = {
    "T3 turned around": "MaxSim hardly reads word order (notebook 01). The page shows five hits, never one.",
    "T6 in other words": "the documentation says *with replacement*, the question does not. As for T3.",
    "T11 no answer": "no threshold separates (notebook 05). The page says under all hits: *perhaps none fits*.",
}
for name, those in results.items():
    print(f"{name}: stopped by {stops(those, list(known)) or 'nothing'}")

# %% [markdown]
# *dense+late+fusion* may go out: it fails in three cases, each with a reason and with what the page does about it. (Whether the
# page does it, no test here checks.) Today it must pass, for the list was written from its failures; the gate begins to work
# with the next change. The other is stopped, by two new failures, and by a name on the list that passes. A list of known
# failures belongs to one system.
#
# *To here: 43 minutes.*
#
# ## Is it fast enough at your traffic, not at the demo's?
#
# The night brought one question every six seconds. In an **open loop** questions arrive when they like, and not when
# the last one is done: waiting counts. Our own pipeline, without a service: at one question a second, then at thirty, for
# four seconds. Suppose a question takes 50 ms, so that twenty a second are done. How long does the median user wait at
# thirty?

# %% tags=["nbval-ignore-output"]
ship = lk.system("dense+late+fusion", c)
report = lk.load_test(ship, asked[:20], rates=[1, 30], seconds=4, k=100, progress=True)  # as notebook 06 measured it
print(*report.text.splitlines()[:13], sep="\n")

# %%
prices = pd.DataFrame(report.data["cost"]["prices"]).query("unit != 'hour'").set_index("name")
names = {"per_1000": "per 1,000 questions", "unit": "billed by"}
prices[["per_1000", "currency", "unit", "date", "verified"]].round(2).rename(columns=names)

# %% [markdown]
# These are your machine's figures. Where *load* is 1 or more, a row is saturated: questions come faster than they are
# done, and the queue grows until they stop. At 50 ms it grows by ten a second, and the median user waits about a
# second. Run it twice as long, and that doubles: it measures the test, not the system. A guard would not help, its
# deadline begins when it is called. Only more workers do, or saying no early. The line of the floor is about the
# machine: a fixed piece of work is timed before each rate, and the slow tenth of those times may be 1.3 times the fast
# tenth. Above that it says VOID: too busy to tell, run it again.
#
# The prices are US dollars for 1,000 questions with up to a hundred whole documents each, times 1,000 for a million. None is
# verified: each is somebody's word on some day. Put yours into `data/prices.toml`.
#
# ## Why was it built like this? Will anybody know?
#
# A decision that nobody wrote down is undone by the next person who tidies up. Four lines, and beside them what the
# machine can hold against what runs: the configuration.

# %%
import json

decision = {
    "decision": "dense+late+fusion on our own machine; no hosted reranker",
    "because": "ahead of bm25+late+fusion on the test queries (notebook 06); nobody refuses or bills",
    "against it": "no live figure of the service was ever measured; known failures below",
    "look again": "when a live run of the service beats it on queries that did not choose it",
    "leave alone": ship.configuration, "known failures": known,
}  # fmt: skip
(note := log.with_name("decision.json")).write_text(json.dumps(decision, indent=1), encoding="utf-8")
for name in ("dense+late+fusion", "bm25+late+fusion"):
    same = json.loads(note.read_text(encoding="utf-8"))["leave alone"] == lk.system(name, c).configuration
    print(f"{name}: {'as decided' if same else 'NOT what was decided'}")

# %% [markdown]
# The record speaks up when somebody tidies up the first stage, before a user does. *Against it* and *look again* are
# the lines that the next engineer needs most, and that most records lack. Notebook 07 is about such memos.
#
# ## The checklist on the wall: what did you run?

# %%
ticked = {
    "logged inputs and outputs": f"{len(requests)} lines, {torn} torn; one replayed, {len(found.causes)} causes",
    "an eval set of edge cases": f"{sum(results['dense+late+fusion'].values())} of {len(edges) + 1} pass",
    "timeout, retry, cost": night.drill(**settings).note,
    "why this approach": f"{len(decision)} entries, held against the configuration",
    "cost and latency at your traffic": f"{len(report.data['rates'])} rates, {len(prices)} prices, none verified",
}
pd.Series(ticked).to_frame("what you ran")

# %% [markdown]
# ## The scoreboard: is a guarded answer a right one?

# %%
lk.scoreboard(["bm25", "dense", "fusion", "bm25+late", "bm25+late+fusion", "bm25+cross", ship], k=100)

# %% [markdown]
# The guard is in no column: it decides who answers, not how well. What a fallback serves is the first stage's column,
# here eight tickets of twelve within five. Choose your first stage as if it stood alone. Some night it will. (A first stage
# that needs the reranker's encoder falls with it. BM25 does not.)
#
# ## Take away
#
# - Read the line of the request before the curve of the night. A replay names the first difference.
# - A timeout is per read. A deadline is for the user: it ends in an answer, with the reason.
# - A budget stops before the call, or it is a bill.
# - Test an edge case together with its opposite, and keep the list of known failures honest.
# - Offer load in an open loop, and write down what would change your mind.
#
# **Notation.** Search unit: a query with up to 100 chunks of documents; here each passage is one document or more.
# `429:1`: refused, asks for 1 s. `drip:0.2`: twenty pieces, 0.2 s apart. p50, p95: half, and 95 of 100, wait at most
# this.
#
# **Sources.** Circuit breaker: Nygard, *Release It!*, 2007. Retries with jitter:
# [AWS](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/). Open loop: Schroeder, Wierman and
# Harchol-Balter, [NSDI 2006](https://www.usenix.org/conference/nsdi-06/open-versus-closed-cautionary-tale). The
# checklist: *ColBERT and Late Interaction*, Lilly Tech Systems.
#
# **Next:** your own documents (README, *Your own documents*). Wrap your pipeline in
# `lk.Trace`, and run `labkit bench load` at your rate.
