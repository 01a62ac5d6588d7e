"""Rerankers and two stages: the same invariants for each, then nesting, then errors."""

import itertools

import numpy as np
import pytest

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.ranking.late_interaction import DenseReranker
from labkit.ranking.ranking import Hit
from labkit.ranking.systems import reranker
from labkit.scoring import kernel

TEXTS = [
    "Remove duplicate rows from a table.",
    "Read a comma-separated file into a table.",
    "Draw a histogram of values.",
    "",
    "Remove duplicate rows from a table.",
    "Sort the rows of a table by a column.",
]
C = Collection("toy", {f"d{i}": Document("", text) for i, text in enumerate(TEXTS)})
QUERY = "drop rows that occur twice in the table"


@pytest.fixture(scope="module", params=["late", "twin", "late+fusion", "cross", "cohere"])
def any_reranker(request):
    return DenseReranker() if request.param == "twin" else reranker(request.param, C)


@pytest.fixture(scope="module")
def candidates():
    hits = lk.BM25Retriever(C)
    ranking = hits.search(QUERY, k=50)
    assert len(ranking) >= 3
    return ranking


def fresh_encoder(folder):
    from labkit.encoding.encoders import Encoder
    from labkit.encoding.store import Store

    return Encoder(lk.load_encoder().model, "fresh", Store(folder / "s.sqlite"), twin=True)


def reordered(ranking, order):
    from dataclasses import replace

    return replace(ranking, hits=tuple(replace(ranking[i], rank=r) for r, i in enumerate(order, start=1)))


def test_the_order_of_candidates_changes_no_score(any_reranker, candidates):
    expected = {hit.doc_id: hit.score for hit in any_reranker.rerank(QUERY, candidates, top_n=50)}
    for order in itertools.islice(itertools.permutations(range(len(candidates))), 5):
        found = {hit.doc_id: hit.score for hit in any_reranker.rerank(QUERY, reordered(candidates, order), top_n=50)}
        assert found == pytest.approx(expected, abs=1e-5)


def test_equal_texts_score_alike_to_the_last_bit_wherever_they_stand(any_reranker, candidates):
    for count in range(2, 48, 5):
        places = np.random.default_rng(count).integers(0, len(candidates), count).tolist()
        found = any_reranker.rerank(QUERY, reordered(candidates, places), top_n=count)
        assert len({(hit.text, hit.score) for hit in found}) == len({candidates[i].text for i in places})


def test_output_is_sorted_strictly_ranked_and_loses_nothing(any_reranker, candidates):
    ranking = any_reranker.rerank(QUERY, candidates, top_n=1_000)
    assert [hit.rank for hit in ranking] == list(range(1, len(candidates) + 1))
    assert sorted(ranking.ids) == sorted(candidates.ids)
    scores = [hit.score for hit in ranking]
    assert scores == sorted(scores, reverse=True)


def test_each_hit_remembers_its_previous_rank(any_reranker, candidates):
    for hit in any_reranker.rerank(QUERY, candidates, top_n=50):
        assert candidates[hit.previous_rank - 1].doc_id == hit.doc_id


def test_ties_keep_the_order_of_the_candidates(any_reranker, candidates):
    ranking = any_reranker.rerank(QUERY, candidates, top_n=50)
    twins = [i for i in ranking.ids if i in ("d0", "d4")]
    assert twins == [i for i in candidates.ids if i in ("d0", "d4")]


def test_no_candidates_give_an_empty_ranking(any_reranker):
    empty = lk.BM25Retriever(C).search("zebra")
    assert any_reranker.rerank("zebra", empty).ids == []


BATCH = (QUERY, "draw a picture", "drop rows that occur twice in the table")


def test_a_batch_equals_its_single_rerankings(any_reranker, candidates):
    lists = [candidates, lk.BM25Retriever(C).search("draw a histogram"), candidates.top(0)]
    batch = any_reranker.rerank_batch(BATCH, lists, top_n=4)
    assert [len(ranking) for ranking in batch] == [min(4, len(some)) for some in lists]
    assert batch == [any_reranker.rerank(q, some, top_n=4) for q, some in zip(BATCH, lists, strict=True)]


def test_an_empty_batch_is_an_empty_list(any_reranker):
    assert any_reranker.rerank_batch([], []) == []


def test_a_batch_encodes_each_passage_once_and_then_finds_it_stored(tmp_path):
    late = lk.LateInteractionReranker(fresh_encoder(tmp_path))
    first, second = late.rerank_batch(["rows", "tables"], [TEXTS, TEXTS[:3]])
    assert late.encoder.encoded == len(set(TEXTS))
    assert (first.encoded, first.cached, second.encoded, second.cached) == (len(set(TEXTS)), 0, 0, 3)


@pytest.mark.parametrize(
    ("queries", "lists", "message"),
    [
        ("one", [TEXTS], "a batch takes a list of queries"),
        (["one"], "a text", "a batch takes a list of queries"),
        (["one", "two"], [TEXTS], "got 2 queries and 1 lists"),
        (["one", "lone \ud800"], [TEXTS, TEXTS], "query 1"),
        (["one", "two"], [TEXTS, [None]], "candidate 0"),
    ],
)
def test_a_bad_batch_is_refused_before_any_work(queries, lists, message):
    class Counting(DenseReranker):
        def score(self, query, hits):
            raise AssertionError("it worked before it looked")

    with pytest.raises(lk.LabError, match=message):
        Counting().rerank_batch(queries, lists)


def test_a_list_of_texts_is_ranked_by_position():
    ranking = lk.LateInteractionReranker().rerank(QUERY, TEXTS, top_n=6)
    assert ranking.ids[:2] == ["0", "4"]  # duplicates survive, in their order
    assert ranking[0].text == TEXTS[0]


def test_a_document_without_tokens_comes_last_and_says_why():
    last = lk.LateInteractionReranker().rerank(QUERY, TEXTS, top_n=6)[-1]
    assert (last.doc_id, last.score) == ("3", -np.inf)
    assert last.reason == "the document has no tokens to match"
    assert last.to_dict()["score"] is None
    assert last.to_dict()["reason"] == last.reason


def test_a_cut_document_is_marked():
    ranking = lk.LateInteractionReranker().rerank(QUERY, ["short", "word " * 400], top_n=2)
    assert {hit.doc_id: hit.truncated for hit in ranking} == {"0": False, "1": True}


def test_the_score_is_maxsim_and_the_text_is_the_best_passage():
    encoder = lk.load_encoder()
    passages = ("Draw a histogram.", "Drop rows that occur twice.", "Read a file.")
    c = Collection("toy", {"long": Document("", "whole", passages)})
    hit = lk.LateInteractionReranker().rerank(QUERY, lk.DenseRetriever(c).search(QUERY), top_n=1)[0]
    expected = lk.maxsim(encoder.encode_queries([QUERY])[0], encoder.encode_documents(passages))
    assert hit.score == pytest.approx(float(expected.max()))
    assert hit.text == passages[1]


def test_cold_and_cached_give_the_same_scores_and_are_counted(tmp_path):
    late = lk.LateInteractionReranker(fresh_encoder(tmp_path))
    cold, warm = (late.rerank(QUERY, TEXTS[:3], top_n=3) for _ in range(2))
    assert (cold.encoded, cold.cached) == (3, 0)
    assert (warm.encoded, warm.cached) == (0, 3)
    assert [hit.score for hit in cold] == [hit.score for hit in warm]


def test_two_stages_equal_search_then_rerank():
    bm25, late = lk.BM25Retriever(C), lk.LateInteractionReranker()
    pipe = lk.TwoStage(bm25, late)
    by_hand = late.rerank(QUERY, bm25.search(QUERY, k=4), top_n=2)
    assert pipe.search(QUERY, k=4, top_n=2) == by_hand
    assert pipe.name == by_hand.system == "bm25+late"


def test_two_stages_nest_and_the_outer_k_is_the_inner_top_n():
    class Spy(lk.LateInteractionReranker):
        given = ()

        def rerank(self, query, candidates, top_n=5):
            self.given = (*self.given, (len(candidates), top_n))
            return super().rerank(query, candidates, top_n)

    inner, outer = Spy(), Spy()
    nested = lk.TwoStage(lk.TwoStage(lk.BM25Retriever(C), inner, k=4), outer)
    ranking = nested.search(QUERY, k=3, top_n=2)
    assert inner.given == ((4, 3),)
    assert outer.given == ((3, 2),)
    assert len(ranking) == 2
    assert nested.name == "bm25+late+late"


def test_late_fusion_sums_three_opinions():
    from labkit.ranking.scored import zscores

    bm25, late, twin = lk.BM25Retriever(C), lk.LateInteractionReranker(), DenseReranker()
    candidates = bm25.search(QUERY, k=50)
    sides = [part.score_hits(QUERY, candidates.hits) for part in (late, twin, bm25)]
    expected = sum(weight * zscores(side) for weight, side in zip((1, 1, 0.5), sides, strict=True))
    ranking = lk.system("bm25+late+fusion", C).search(QUERY, k=50, top_n=50)
    assert [hit.score for hit in ranking] == pytest.approx(sorted(expected, reverse=True), abs=1e-5)


def test_rankings_print_the_same_text_twice_and_escape_html(candidates):
    ranking = lk.LateInteractionReranker().rerank("<b>", ["<script>alert(1)</script>"])
    assert "<script>" not in ranking._repr_html_()
    assert "&lt;script&gt;" in ranking._repr_html_()
    assert repr(candidates) == repr(lk.BM25Retriever(C).search(QUERY, k=50))


def test_a_mapping_of_texts_keeps_its_ids_and_scores_the_texts(any_reranker):
    named = {doc_id: doc.text for doc_id, doc in C.docs.items()}
    hits = [
        Hit(doc_id, n, None, text=text, passages=(text,)) for n, (doc_id, text) in enumerate(named.items(), start=1)
    ]
    same = any_reranker.rerank(QUERY, lk.Ranking(QUERY, tuple(hits)), top_n=6)
    assert any_reranker.rerank(QUERY, named, top_n=6).hits == same.hits


def test_candidates_without_a_text_are_told():
    bare = lk.Ranking(QUERY, (Hit("a", 1, 9.0), Hit("b", 2, 8.0, text=TEXTS[0])))
    ranking = lk.LateInteractionReranker().rerank(QUERY, bare)
    assert ranking.note == "1 of 2 candidates came without a text"
    assert ranking.ids == ["b", "a"]


def test_a_query_beyond_the_encoders_limit_is_told():
    late = lk.LateInteractionReranker()
    assert late.rerank(QUERY, TEXTS).note == "1 of 6 candidates came without a text"
    assert (
        late.rerank("word " * 100, TEXTS[:2]).note
        == "the query's last 38 wordpieces are beyond the encoder's limit: not read"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda r: r.rerank(QUERY, TEXTS, top_n=0), "top_n must be a whole number of at least 1; got 0"),
        (
            lambda r: r.rerank(QUERY, "bare"),
            "a Ranking, a list of texts, or a mapping from id to text, best first; got a bare string",
        ),
        (lambda r: r.rerank(QUERY, None), "a mapping from id to text, best first; got NoneType"),
        (lambda r: r.rerank(QUERY, [("d1", 0.5)]), "candidate 0 must be a string; got tuple. Candidates are a Ranking"),
        (lambda r: r.rerank(QUERY, ["a", 3]), "candidate 1 must be a string; got int"),
        (lambda r: r.rerank(QUERY, ["\udc80"]), "candidate 0 must be valid Unicode"),
        (lambda r: r.rerank(7, TEXTS), "query must be a string; got int"),
        (lambda r: lk.TwoStage(lk.BM25Retriever(C), r, k=0), "k must be"),
        (lambda r: lk.TwoStage(lk.BM25Retriever(C), r).search(QUERY, k=0), "k must be"),
        (lambda r: lk.TwoStage(lk.BM25Retriever(C), r).search(QUERY, top_n=0), "top_n must be"),
        (
            lambda r: lk.TwoStage(r, lk.BM25Retriever(C)),
            "Reranker must be a first stage, .* no collection and no search",
        ),
        (lambda r: lk.TwoStage(lk.BM25Retriever(C), "late"), "str must be a reranker, .* it has no name and no rerank"),
        (lambda r: lk.FusionReranker([]), "first part must be a reranker"),
        (lambda r: lk.FusionReranker([r, lk.BM25Retriever(C)]).rerank(QUERY, TEXTS), "documents of toy; got id '0'"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(lk.LabError, match=message):
        call(lk.LateInteractionReranker())


def test_what_is_prepared_is_not_loaded_at_the_first_question():
    kernel.compiled.cache_clear()
    lk.LateInteractionReranker().prepare()
    assert kernel.compiled.cache_info().currsize == 1
