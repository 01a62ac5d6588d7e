"""Metrics: by hand, then equal to pytrec_eval, then what must not change them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.evaluation.metrics import false_accepts, measure


def test_by_hand():
    # Ranked b, a, x; a is 3, b is 1, c is 2 and missing.
    values = measure({"q": ["b", "a", "x"]}, {"q": {"a": 3, "b": 1, "c": 2}})["q"]
    dcg = 1 / math.log2(2) + 3 / math.log2(3)
    ideal = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)
    assert values == pytest.approx({"nDCG@10": dcg / ideal, "RR@10": 1, "R@100": 2 / 3, "Judged@10": 2 / 3})


def test_a_missing_ranking_counts_zero_and_stays_in():
    values = measure({"q1": ["a"]}, {"q1": {"a": 1}, "q2": {"a": 1}})
    assert values["q2"] == dict.fromkeys(["nDCG@10", "RR@10", "R@100", "Judged@10"], 0.0)


def test_an_empty_ranking_counts_zero():
    assert measure({"q1": []}, {"q1": {"a": 1}})["q1"]["nDCG@10"] == 0


def test_a_query_without_a_positive_judgment_is_left_out():
    assert set(measure({"q1": ["a"], "q2": ["a"]}, {"q1": {"a": 1}, "q2": {"a": 0}})) == {"q1"}


def test_rr_looks_no_deeper_than_ten():
    ranking = [f"x{i}" for i in range(10)] + ["a"]
    assert measure({"q": ranking}, {"q": {"a": 1}})["q"]["RR@10"] == 0


@given(st.integers(0, 2**31))
def test_each_query_equals_pytrec_eval(seed):
    rng = np.random.default_rng(seed)
    ids = [f"d{i}" for i in range(30)]
    run = {f"q{i}": rng.permutation(ids)[: rng.integers(1, 30)].tolist() for i in range(3)}
    qrels = {q: {d: int(rng.integers(0, 4)) for d in rng.choice(ids, 12, replace=False)} | {"d0": 2} for q in run}
    scored = {q: {d: float(-r) for r, d in enumerate(docs)} for q, docs in run.items()}
    cut = {q: dict(list(docs.items())[:10]) for q, docs in scored.items()}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "recall.100"}).evaluate(scored)
    reciprocal = pytrec_eval.RelevanceEvaluator(qrels, {"recip_rank"}).evaluate(cut)
    for query_id, values in measure(run, qrels).items():
        assert values["nDCG@10"] == pytest.approx(theirs[query_id]["ndcg_cut_10"], abs=1e-6)
        assert values["R@100"] == pytest.approx(theirs[query_id]["recall_100"], abs=1e-6)
        assert values["RR@10"] == pytest.approx(reciprocal[query_id]["recip_rank"], abs=1e-6)


@given(st.integers(0, 2**31))
def test_renamed_documents_change_nothing(seed):
    rng = np.random.default_rng(seed)
    ids = [f"d{i}" for i in range(12)]
    new = dict(zip(ids, rng.permutation([f"e{i}" for i in range(12)]).tolist(), strict=True))
    run, qrels = {"q": rng.permutation(ids).tolist()}, {"q": {d: int(rng.integers(0, 3)) for d in ids[:6]} | {"d0": 1}}
    renamed = measure({"q": [new[d] for d in run["q"]]}, {"q": {new[d]: g for d, g in qrels["q"].items()}})
    assert renamed == measure(run, qrels)


def test_a_repeated_document_is_refused():
    with pytest.raises(lk.LabError, match="query 'q' repeats one"):
        measure({"q": ["a", "a"]}, {"q": {"a": 1}})


C = Collection(
    "toy",
    {"a": Document("", "red fish"), "b": Document("", "blue fish"), "c": Document("", "green bird")},
    {"q1": "red fish", "q2": "bird", "q3": "zebra", "q4": "unjudged"},
    {"q1": {"a": 1, "b": 0}, "q2": {"c": 2}, "q3": {"a": 0}},
    {"dev": ["q1", "q3"]},
)


def test_evaluate_runs_the_judged_queries_of_a_split():
    bm25 = lk.BM25Retriever(C)
    dev = lk.evaluate(bm25, C)
    assert (dev.split, dev.queries, dev.unanswerable) == ("dev", 1, 1)
    everything = lk.evaluate(bm25, C, split="all")
    assert everything.queries == 2
    assert everything.metrics["nDCG@10"] == 1.0
    assert set(everything.to_dict()) == {"collection", "system", "queries", "metrics", "latency_ms", "failures"}
    assert set(everything.to_dict()["latency_ms"]) == {"p50", "p95"}


def test_a_two_stage_system_is_measured_with_top_n_equal_to_k():
    pipe = lk.system("bm25+late", C)
    assert lk.evaluate(pipe, C, split="all", k=3).metrics["R@100"] == 1.0


def test_a_stand_in_is_run_and_timed_but_never_measured():
    before = lk.evaluate(lk.BM25Retriever(C), C, split="all")
    for pipe in (lk.system("bm25+cohere", C), lk.TwoStage(lk.system("bm25+cohere", C), lk.LateInteractionReranker())):
        result = lk.evaluate(pipe, C, split="all")
        assert set(result.metrics.values()) == {None}
        assert {value for values in result.per_query.values() for value in values.values()} == {None}
        assert result.latency_ms["p50"] > 0
        assert "no quality figure: a stand-in scored" in repr(result)
        with pytest.raises(lk.LabError, match=r"bm25\+cohere.* has no quality figure to compare"):
            lk.compare(before, result)
    assert [run.told["system"] for run in lk.ledger(collection="toy") if "cohere" in run.told["system"]] == []


def test_rankings_that_fell_back_are_counted():
    with lk.cohere_standin(faults="503") as url:
        guarded = lk.Guard(lk.CohereReranker(base_url=url), attempts=1)
        inner = lk.TwoStage(lk.BM25Retriever(C), guarded)
        assert "1 FELL BACK" in repr(lk.evaluate(inner, C, split="dev"))
        outer = lk.TwoStage(inner, lk.LateInteractionReranker()).search("red fish")
    assert "not reranked, the order is the first stage's (" in outer.note


def test_a_failing_query_is_counted_apart_and_scores_zero():
    class Shaky(lk.BM25Retriever):
        def search(self, query, k=50):
            if query == "bird":
                raise RuntimeError("no birds today")
            return super().search(query, k)

    result = lk.evaluate(Shaky(C), C, split="all")
    assert result.failures == {"q2": "RuntimeError: no birds today"}
    assert result.per_query["q2"]["nDCG@10"] == 0
    assert result.metrics["nDCG@10"] == 0.5
    assert result.to_dict()["failures"] == 1
    assert "1 FAILED" in repr(result)


def test_nothing_to_measure_is_said():
    bare = Collection("bare", C.docs, {"q4": "unjudged"})
    with pytest.raises(lk.LabError, match="no query with a positive judgment in 'all'"):
        lk.evaluate(lk.BM25Retriever(bare), bare)
    with pytest.raises(lk.LabError, match="no split 'test'; there is dev, all"):
        lk.evaluate(lk.BM25Retriever(C), C, split="test")
    with pytest.raises(lk.LabError, match="k must be"):
        lk.evaluate(lk.BM25Retriever(C), C, k=0)


@pytest.mark.cranfield
@pytest.mark.slow
def test_cranfield_reaches_the_published_development_figures(cranfield):
    c = lk.load_collection(str(cranfield))
    floors = {"bm25": 0.490, "dense": 0.495, "fusion": 0.550, "bm25+late": 0.530, "bm25+late+fusion": 0.560}
    for name, floor in floors.items():
        assert lk.evaluate(lk.system(name, c), c, split="all", k=100).metrics["nDCG@10"] >= floor, name


@pytest.mark.parametrize("grade", [-1, 1.5, True, "2"])
def test_a_grade_that_is_no_whole_number_from_0_is_refused(grade):
    with pytest.raises(lk.LabError, match=r"a grade must be a whole number from 0; got .* for 'q', 'a'"):
        measure({"q": ["a"]}, {"q": {"a": grade}})


def test_a_score_that_is_nan_is_a_failure_and_no_zero():
    class Broken(lk.BM25Retriever):
        def search(self, query, k=50):
            ranking = super().search(query, k)
            hits = tuple(replace(hit, score=math.nan) for hit in ranking.hits)
            return replace(ranking, hits=hits) if query == "bird" else ranking

    result = lk.evaluate(Broken(C), C, split="all")
    assert result.failures == {"q2": "LabError: a score is NaN, so the order means nothing."}


def test_false_accepts_by_hand():
    # 8 of 10 answerable queries pass 3; of the four others 5 and 3 do.
    assert false_accepts([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [5, 3, 2.9, -math.inf], recall=0.8) == 0.5
    assert false_accepts([1, 2], [0.5, 0.9], recall=1) == 0


@pytest.mark.parametrize(
    ("answerable", "others", "recall"), [([], [1], 0.9), ([1], [], 0.9), ([1], [1], 0), ([1], [1], 2)]
)
def test_false_accepts_of_nothing_are_refused(answerable, others, recall):
    with pytest.raises(lk.LabError, match=r"false accepts need|recall must be"):
        false_accepts(answerable, others, recall)


def test_a_system_with_other_ids_is_not_measured_and_one_with_other_texts_is():
    docs = {"a": Document("", "sort the rows"), "b": Document("", "draw a line")}
    c = Collection("toy", docs, {"q": "sort rows"}, {"q": {"a": 1}})
    prefixed = replace(c, docs={f"doc-{name}": doc for name, doc in docs.items()})
    with pytest.raises(lk.LabError, match=r"bm25 ranks documents that toy does not have: it says 'doc-a', .* 'a'"):
        lk.evaluate(lk.BM25Retriever(prefixed), c)
    mended = replace(c, docs=docs | {"b": Document("", "draw a curve")})
    assert lk.evaluate(lk.BM25Retriever(mended), c).metrics["nDCG@10"] == 1


def test_passages_are_a_tuple_and_a_path_is_as_good_as_a_name(tmp_path):
    with pytest.raises(lk.LabError, match="passages must be a tuple of texts, not a bare string"):
        Document("t", "text", "a passage")
    (tmp_path / "corpus.jsonl").write_text('{"_id": "1", "text": "a text"}\n')
    assert list(lk.load_collection(tmp_path).docs) == ["1"]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"docs": {1: Document("", "a")}}, r"ids must be strings; docs has 1\. Write str\(id\)"),
        ({"qrels": {"q": {1: 2}}}, "ids must be strings; q has 1"),
        ({"queries": ["how"]}, "queries must be a dict by id; got list"),
        ({"qrels": ["q"]}, "qrels must be a dict by id; got list"),
        ({"queries": {"docs": "q"}, "qrels": {"docs": {}}, "docs": {2: Document("", "a")}}, "docs has 2"),
        ({"qrels": {"q": ["a"]}}, "q must be a dict by id; got list"),
    ],
)
def test_a_collection_by_anything_but_strings_is_refused(more, message):
    with pytest.raises(lk.LabError, match=message):
        Collection(**{"name": "toy", "docs": {"a": Document("", "a")}, **more})
