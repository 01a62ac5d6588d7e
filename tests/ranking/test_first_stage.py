"""First stages and fusion: what they rank, how they tie, and how little they assume."""

import numpy as np
import pytest

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.ranking.scored import zscores


def collection(**texts):
    return Collection("toy", {name: Document("", text) for name, text in texts.items()})


TOY = collection(
    cats="cats chase mice",
    dogs="dogs chase cats chase dogs",
    birds="birds sing",
    twin_b="fish swim",
    twin_a="fish swim",
)


def test_bm25_ranks_by_rare_words_and_leaves_out_what_does_not_match():
    ranking = lk.BM25Retriever(TOY).search("mice chase", k=50)
    assert ranking.ids == ["cats", "dogs"]
    assert [hit.rank for hit in ranking] == [1, 2]
    assert ranking[0].score > ranking[1].score > 0


def test_bm25_by_hand():
    # One document, one word: idf = ln(1 + (1 - 1 + .5) / (1 + .5)), tf part = 1 / (1 + 1.2), as Lucene has it.
    score = lk.BM25Retriever(collection(a="fish")).search("fish")[0].score
    assert score == pytest.approx(np.log(1 + 0.5 / 1.5) / 2.2, rel=1e-5)


def test_equal_scores_stand_in_the_order_of_their_ids():
    assert lk.BM25Retriever(TOY).search("fish").ids == ["twin_a", "twin_b"]
    assert lk.BM25Retriever(TOY).search("fish", k=1).ids == ["twin_a"]


def test_a_query_that_matches_nothing_gives_an_empty_ranking():
    for query in ("", "the of", "zebra", "!!!"):
        assert lk.BM25Retriever(TOY).search(query).ids == []


def test_documents_without_words_are_no_obstacle():
    assert lk.BM25Retriever(collection(a="", b="fish")).search("fish").ids == ["b"]
    assert lk.BM25Retriever(collection(a="", b="")).search("fish").ids == []
    assert lk.BM25Retriever(collection()).search("fish").ids == []


def test_a_document_counts_with_its_best_passage():
    passages = ("nothing here", "the fish is in the second passage", "fish fish and more than that, much more of it")
    c = Collection("toy", {"long": Document("Long", "whole", passages), "short": Document("", "no match")})
    hit = lk.BM25Retriever(c).search("second fish")[0]
    assert (hit.doc_id, hit.text) == ("long", passages[1])


def test_more_than_there_is_returns_all():
    assert len(lk.BM25Retriever(TOY).search("fish cats birds", k=10_000)) == 5


def test_dense_finds_meaning_where_no_word_is_shared():
    c = collection(a="The cat sat on the mat.", b="Quarterly earnings rose sharply.", c="Rain is expected tomorrow.")
    dense = lk.DenseRetriever(c)
    assert dense.search("company profits", k=1).ids == ["b"]
    assert len(dense.search("company profits", k=50)) == 3


def test_dense_scores_are_the_cosines_of_the_twin():
    encoder = lk.load_encoder()
    c = collection(a="one thing", b="another thing")
    expected = encoder.embed_documents(c.passages) @ encoder.embed_queries(["a thing"])[0]
    np.testing.assert_allclose(lk.DenseRetriever(c).scores("a thing"), expected, atol=1e-5)


def test_a_graph_of_few_vectors_finds_what_the_flat_index_finds():
    for query in ("fish", "dogs chase", "a bird"):
        flat, graph = lk.DenseRetriever(TOY).search(query), lk.DenseRetriever(TOY, index="hnsw").search(query)
        assert graph.ids == flat.ids
        assert [hit.score for hit in graph] == pytest.approx([hit.score for hit in flat], abs=1e-6)


def test_a_graph_finds_at_most_as_many_passages_as_its_search_holds():
    c = collection(**{f"d{number:02}": f"text number {number}" for number in range(40)})
    narrow = lk.DenseRetriever(c, index="hnsw", M=4, efConstruction=8, efSearch=6)
    assert len(narrow.search("number", k=40)) == 6
    assert lk.DenseRetriever(c, index="hnsw", M=4, efConstruction=8, efSearch=6).search("number").ids == (
        narrow.search("number").ids
    )
    hits = lk.DenseRetriever(c).search("number", k=40).hits
    exact = [hit.score for hit in hits]
    assert narrow.score_hits("number", hits) == pytest.approx(exact, abs=1e-6)  # those it did not find too
    assert narrow.configuration.items() >= {"index": "hnsw", "M": 4, "efConstruction": 8, "efSearch": 6}.items()
    assert "index" not in lk.DenseRetriever(c).configuration


class Fixed(lk.BM25Retriever):
    """A retriever with given scores, for cases by hand."""

    def __init__(self, over, /, **scores):
        super().__init__(over)
        self.fixed = np.array([scores.get(doc_id, 0) for doc_id in over.doc_ids], np.float32)

    def passage_scores(self, query):
        return self.fixed


def test_fusion_by_hand():
    # z over the union {a, b}: (3, 1) and (0, 4) become (1, -1) and (-1, 1); both sum to 0, the first side decides.
    c = collection(a="x", b="x", c="x")
    fused = lk.FusionRetriever([Fixed(c, a=3, b=1), Fixed(c, b=4)])
    ranking = fused.search("q")
    assert ranking.ids == ["a", "b"]
    assert [hit.score for hit in ranking] == pytest.approx([0, 0])
    weighted = lk.FusionRetriever([Fixed(c, a=3, b=1), Fixed(c, b=4)], weights=[1, 2])
    assert weighted.search("q").ids == ["b", "a"]


@pytest.mark.parametrize("method", ["z", "rrf"])
def test_fusion_is_what_the_searches_of_its_sides_say(method):
    draw = np.random.default_rng(3)
    c = collection(**{f"d{number}": "a text" for number in draw.permutation(1_300)})
    sides = [Fixed(c), Fixed(c)]
    for side in sides:  # few different scores, so that many tie; each side finds some that the other does not
        side.fixed = draw.integers(-1, 40, 1_300).astype(np.float32)
    found = [side.search("q", k=1_000) for side in sides]
    place = {hit.doc_id: (0, hit.rank) for hit in found[0]}
    union = {hit.doc_id: hit for ranking in found for hit in ranking}
    ordered = sorted(union, key=lambda doc_id: (place.get(doc_id, (1, 0)), doc_id))
    if method == "z":
        total = sum(zscores(side.score_hits("q", [union[i] for i in ordered])) for side in sides)
    else:
        ranks = [{hit.doc_id: hit.rank for hit in ranking} for ranking in found]
        total = np.array([sum(1 / (60 + own[i]) for own in ranks if i in own) for i in ordered])
    best = np.argsort(-total, kind="stable")[:200]
    fused = lk.FusionRetriever(sides, method).search("q", k=200)
    assert fused.ids == [ordered[i] for i in best]
    np.testing.assert_allclose([hit.score for hit in fused], total[best], rtol=1e-12)


def test_the_passage_shown_is_the_best_of_the_first_side_that_found_the_document():
    c = Collection("two", {"a": Document("", "x y", ("x", "y")), "b": Document("", "z", ("z",))})
    one, other = Fixed(c), Fixed(c)
    one.fixed, other.fixed = np.array([0, 0, 1], np.float32), np.array([1, 2, 0], np.float32)
    assert {hit.doc_id: hit.text for hit in lk.FusionRetriever([one, other]).search("q")} == {"a": "y", "b": "z"}


def test_reciprocal_rank_fusion_by_hand():
    c = collection(a="x", b="x", c="x")
    fused = lk.FusionRetriever([Fixed(c, a=3, b=2, c=1), Fixed(c, c=9)], method="rrf")
    ranking = fused.search("q")
    assert ranking.ids == ["c", "a", "b"]
    assert ranking[0].score == pytest.approx(1 / 63 + 1 / 61)


def test_zscores_leave_out_what_is_not_finite():
    assert zscores(np.array([5.0, 5.0])).tolist() == [0, 0]
    assert zscores(np.array([-np.inf, -np.inf])).tolist() == [-np.inf, -np.inf]
    assert zscores(np.array([])).tolist() == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lk.BM25Retriever(TOY).search("fish", k=0), "k must be a whole number of at least 1; got 0"),
        (lambda: lk.BM25Retriever(TOY).search("fish", k=2.5), "k must be a whole number"),
        (lambda: lk.BM25Retriever(TOY).search(None), "query must be a string; got NoneType"),
        (lambda: lk.BM25Retriever(TOY).search("\ud800"), "query must be valid Unicode"),
        (lambda: lk.FusionRetriever([lk.BM25Retriever(TOY)], method="max"), "method must be 'z' or 'rrf'; got 'max'"),
        (lambda: lk.FusionRetriever([]), "at least one retriever"),
        (
            lambda: lk.FusionRetriever([lk.BM25Retriever(TOY), lk.BM25Retriever(collection(a="x"))]),
            "the same documents",
        ),
        (lambda: lk.FusionRetriever([lk.BM25Retriever(TOY)], weights=[1, 2]), "weights must be one a part, 1; got 2"),
        (lambda: lk.FusionRetriever([lk.BM25Retriever(TOY)]).search("fish", k=-1), "k must be"),
        (lambda: lk.DenseRetriever(TOY, index="ivf"), "index must be 'flat' or 'hnsw'; got 'ivf'"),
        (lambda: lk.DenseRetriever(TOY, index="hnsw", efSearch=0), "efSearch must be a whole number of at least 1"),
        (lambda: lk.DenseRetriever(TOY, index="hnsw", M=1), "M must be at least 2"),
        (lambda: lk.DenseRetriever(TOY, efSearch=9), "efSearch only with index='hnsw'; a flat index"),
        (lambda: lk.system("bm26", TOY), "no retriever 'bm26'; there is bm25, dense, fusion"),
        (lambda: lk.system("bm25+magic", TOY), "no reranker 'magic'; there is late, late"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(lk.LabError, match=message):
        call()
