"""Late interaction as a first stage: what its indexes find, against the search that misses nothing."""

import importlib
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.encoding.tokens import pack, quantize_int8
from labkit.ranking.centroids import Centroids
from labkit.ranking.rebuild import rebuild

DIM = 6


class Words:
    """An encoder for cases by hand: a word that is a number n is axis n, any other a direction of its own."""

    dim, identity, name = DIM, "words 000000000000", "words"

    def _packed(self, texts, dtype):
        rows = [[self._vector(word) for word in text.split()] for text in texts]
        return pack([np.array(part, dtype).reshape(-1, DIM) for part in rows])

    def _vector(self, word):
        if word.isdigit():
            return np.eye(DIM)[int(word)]
        vector = np.random.default_rng(list(word.encode())).normal(size=DIM)
        return vector / np.linalg.norm(vector)

    def encode_documents(self, texts, progress=False):
        return self._packed(texts, np.float16)

    def encode_queries(self, texts):
        return self._packed(texts, np.float32)


def collection(**texts):
    return Collection("toy", {name: Document("", text) for name, text in texts.items()})


def random_collection(documents=60, seed=1):
    rng = np.random.default_rng(seed)
    words = [f"w{number}" for number in range(120)]
    return collection(**{f"d{i:02}": " ".join(rng.choice(words, rng.integers(1, 9))) for i in range(documents)})


TOY = collection(ab="0 1", bc="1 2", c="2", nothing="")
MANY = random_collection()
QUERIES = ["w3 w50", "w7", "w11 w90 w2 w5", "unseen word"]
METHODS = ["exhaustive", "centroids", "tokens"]


def retriever(over=MANY, method="centroids", **knobs):
    return lk.TokenRetriever(over, Words(), method, **knobs)


def everything(over=MANY, method="centroids", **knobs):
    """The index with every knob open: nothing can be missed."""
    wide = {"centroids": {"threshold": -1, "ncandidates": 10_000}, "tokens": {"ntokens": 10_000}}[method]
    return retriever(over, method, ncentroids=8, nprobe=8, **wide, **knobs)


@pytest.mark.parametrize("method", METHODS)
def test_maxsim_by_hand(method):
    # Query tokens on the axes 0 and 1: document ab has both, 1 + 1; bc has one, 1 + 0; c has neither.
    ranking = retriever(TOY, method).search("0 1")
    assert ranking.ids[:2] == ["ab", "bc"]
    assert [hit.score for hit in ranking][:2] == [2, 1]
    assert (ranking.scale, ranking.system) == ("MaxSim", f"late-{method}")


def test_centroid_interaction_by_hand():
    # Centroids on the axes 0, 1 and 2, and a query between 0 and 1, nearer to 0: similarities .8, .6 and 0.
    documents = pack([np.eye(3)[[0, 1]], np.eye(3)[[1, 2]], np.eye(3)[[2]]])
    index = Centroids(documents, np.eye(3, dtype=np.float32))
    query = np.array([[0.8, 0.6, 0]], np.float32)
    assert index.candidates(query, nprobe=1, threshold=-1, most=9).tolist() == [0]
    assert index.candidates(query, nprobe=2, threshold=-1, most=9).tolist() == [0, 1]
    assert index.candidates(query, nprobe=3, threshold=-1, most=9).tolist() == [0, 1, 2]
    assert index.candidates(query, nprobe=3, threshold=-1, most=1).tolist() == [0]
    assert index.candidates(query, nprobe=3, threshold=0.5, most=9).tolist() == [0, 1]
    assert index.candidates(query, nprobe=3, threshold=0.7, most=9).tolist() == [0]
    assert index.candidates(query, nprobe=3, threshold=0.9, most=9).tolist() == []


def test_centroids_know_their_passages_and_passages_their_centroids():
    documents = pack([np.eye(3)[[1, 0, 1]], np.zeros((0, 3)), np.eye(3)[[1]]])
    index = Centroids(documents, np.eye(3, dtype=np.float32))
    assert [part.tolist() for part in np.split(index.codes, index.code_starts[1:-1])] == [[0, 1], [], [1]]
    assert [part.tolist() for part in np.split(index.passages, index.passage_starts[1:-1])] == [[0], [0, 2], []]


@pytest.mark.parametrize("method", ["centroids", "tokens"])
@pytest.mark.parametrize("query", QUERIES)
def test_an_index_with_every_knob_open_is_exhaustive_search(method, query):
    truth = retriever(method="exhaustive").search(query, 100)
    found = everything(method=method).search(query, 100)
    assert found.ids == truth.ids
    np.testing.assert_allclose([hit.score for hit in found], [hit.score for hit in truth], atol=1e-6)


@pytest.mark.parametrize(
    ("method", "fixed", "knob", "values"),
    [
        ("centroids", {"threshold": -1, "ncandidates": 10_000}, "nprobe", (1, 2, 4, 8)),
        ("centroids", {"nprobe": 8, "threshold": -1}, "ncandidates", (1, 5, 20, 60)),
        ("centroids", {"nprobe": 8, "threshold": 0.3}, "ncandidates", (1, 5, 20, 60)),
        ("tokens", {"ntokens": 10_000}, "nprobe", (1, 2, 4, 8)),
        ("tokens", {"nprobe": 8}, "ntokens", (1, 5, 20, 100)),
    ],
)
def test_a_wider_knob_never_loses_a_candidate(method, fixed, knob, values):
    for query in QUERIES:
        sets = [set(retriever(method=method, ncentroids=8, **fixed, **{knob: value}).candidates(query))
                for value in values]  # fmt: skip
        assert all(less <= more for less, more in pairwise(sets))
        assert len(sets[0]) < len(sets[-1])


def test_the_scores_of_what_is_found_are_exact():
    few = retriever(ncentroids=8, nprobe=1, ncandidates=5).search(QUERIES[0], 100)
    truth = {hit.doc_id: hit.score for hit in retriever(method="exhaustive").search(QUERIES[0], 100)}
    assert 0 < len(few) <= 5
    assert [hit.score for hit in few] == pytest.approx([truth[hit.doc_id] for hit in few], abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_a_document_without_tokens_is_never_found(method):
    over = collection(empty="", full="0")
    assert retriever(over, method).search("0").ids == ["full"]
    assert retriever(collection(empty=""), method).search("0").ids == []
    assert retriever(collection(), method).search("0").ids == []


@pytest.mark.parametrize("method", METHODS)
def test_a_query_without_tokens_finds_nothing(method):
    assert retriever(method=method).search("").ids == []


@pytest.mark.parametrize("method", METHODS)
def test_equal_scores_stand_in_the_order_of_their_ids(method):
    assert retriever(collection(b="0 1", c="0 1", a="0 1"), method).search("0").ids == ["a", "b", "c"]


@pytest.mark.parametrize("method", METHODS)
def test_a_document_counts_with_its_best_passage(method):
    over = Collection("toy", {"x": Document("", "", ("2 3", "0 4")), "y": Document("", "1 4")})
    hit = retriever(over, method).search("0")[0]
    assert (hit.doc_id, hit.text, hit.score) == ("x", "0 4", 1)


@pytest.mark.parametrize("method", ["centroids", "tokens"])
def test_the_same_seed_gives_the_same_candidates(method):
    one, two = (retriever(method=method, ncentroids=8, nprobe=2, seed=7) for _ in range(2))
    assert all(one.candidates(query).tolist() == two.candidates(query).tolist() for query in QUERIES)


def test_given_documents_are_scored_exactly_though_no_search_found_them():
    narrow = retriever(ncentroids=8, nprobe=1, ncandidates=1)
    hits = retriever(method="exhaustive").search(QUERIES[2], 100).hits
    np.testing.assert_allclose(narrow.score_hits(QUERIES[2], hits), [hit.score for hit in hits], atol=1e-6)


def test_it_is_a_first_stage_of_two():
    bm25 = lk.FusionReranker([lk.LateInteractionReranker(), lk.BM25Retriever(TOY)])
    pipe = lk.TwoStage(retriever(TOY), bm25)
    assert pipe.name == "late-centroids+fused"
    assert pipe.configuration["first"]["nprobe"] == retriever(TOY).knobs["nprobe"]


def test_a_run_names_the_knobs_that_made_it():
    judged = Collection("toy", TOY.docs, {"q": "0 1"}, {"q": {"ab": 1}})
    run = lk.evaluate(retriever(judged, ncentroids=3, nprobe=2, threshold=0.1, ncandidates=7), judged, k=10)
    assert run.metrics["nDCG@10"] == 1
    knobs = {"ncentroids": 3, "nprobe": 2, "threshold": 0.1, "ncandidates": 7, "seed": 0}
    assert run.configuration["first"] == {
        "name": "late-centroids",
        "encoder": Words.identity,
        "method": "centroids",
        **knobs,
    }


def test_other_knobs_need_no_other_index():
    for method, knobs in (("centroids", {"nprobe": 1, "ncandidates": 5}), ("tokens", {"nprobe": 1, "ntokens": 5})):
        wide = everything(method=method)
        narrow, built = wide.tuned(**knobs), retriever(method=method, ncentroids=8, threshold=None, **knobs)
        assert wide.knobs == everything(method=method).knobs
        built = built.tuned(threshold=-1) if method == "centroids" else built
        assert narrow.configuration == built.configuration
        assert [narrow.search(q).ids for q in QUERIES] == [built.search(q).ids for q in QUERIES]


def test_vectors_at_hand_are_used_as_they_are_and_named_where_they_are_no_float16():
    packed = quantize_int8(retriever().packed)
    small = retriever(method="exhaustive", packed=packed)
    assert small.packed is packed
    assert small.configuration["storage"] == "int8"
    truth = lk.maxsim(Words().encode_queries(["w3 w50"])[0], packed)
    assert small.search("w3 w50", k=1)[0].score == truth.max()


def test_by_default_there_are_never_more_centroids_than_tokens():
    knobs = retriever(collection(a="0 1", b="2")).knobs
    assert (knobs["ncentroids"], knobs["nprobe"]) == (3, 3)


def test_what_does_not_fit_the_index_is_named():
    with pytest.raises(lk.LabError, match="ncentroids is built into the index; make a new TokenRetriever"):
        retriever(TOY).tuned(ncentroids=2)
    with pytest.raises(lk.LabError, match="nprobe must be at most ncentroids, 3; got 4"):
        retriever(TOY, ncentroids=3).tuned(nprobe=4)
    with pytest.raises(lk.LabError, match=r"packed must hold 60 passages in 6 dimensions; got PackedTokens\(4 texts"):
        retriever(packed=retriever(TOY).packed)


@pytest.mark.parametrize(
    ("method", "knobs", "message"),
    [
        ("plaid", {}, "method must be one of 'centroids', 'tokens', 'exhaustive'; got 'plaid'"),
        ("exhaustive", {"nprobe": 2}, "method 'exhaustive' has no knob nprobe; its knobs: none"),
        ("tokens", {"threshold": 0.5}, "method 'tokens' has no knob threshold; its knobs: ncentroids"),
        ("centroids", {"ntokens": 5}, "has no knob ntokens"),
        ("centroids", {"nprobe": 0}, "nprobe must be a whole number of at least 1; got 0"),
        ("centroids", {"ncandidates": 2.5}, "ncandidates must be a whole number"),
        ("centroids", {"threshold": 1.5}, r"threshold must be a cosine from -1 \(prune nothing\) to 1; got 1.5"),
        ("centroids", {"threshold": float("nan")}, "threshold must be a cosine"),
        ("centroids", {"seed": -1}, "seed must be a whole number from 0"),
        ("centroids", {"ncentroids": 6}, "ncentroids must be at most the number of tokens, 5; got 6"),
        ("centroids", {"ncentroids": 3, "nprobe": 4}, "nprobe must be at most ncentroids, 3; got 4"),
        ("tokens", {"nprobe": 6}, "nprobe must be at most ncentroids, 5; got 6"),
    ],
)
def test_knobs_out_of_range_or_of_another_method_are_named(method, knobs, message):
    with pytest.raises(lk.LabError, match=message):
        retriever(TOY, method, **knobs)


@pytest.mark.parametrize("method", METHODS)
def test_a_system_is_built_again_from_what_the_ledger_says_of_it(method):
    knobs = {"centroids": {"nprobe": 2, "threshold": 0.1}, "tokens": {"ntokens": 9}, "exhaustive": {}}[method]
    c = collection(a="sort an array", b="join two tables")
    first = lk.TokenRetriever(c, method=method, **knobs)
    again = rebuild(first.configuration, c)
    assert again.configuration == first.configuration
    assert again.search("merge tables").ids == first.search("merge tables").ids


def test_a_graph_is_built_again_from_what_the_ledger_says_of_it():
    told = lk.DenseRetriever(collection(a="sort an array"), index="hnsw", M=8).configuration
    assert rebuild(told, collection(a="sort an array")).configuration == told


def ranked(query, *ids):
    return lk.Ranking(query, tuple(SimpleNamespace(doc_id=doc_id) for doc_id in ids))


def test_recall_by_hand():
    truth = [ranked("q", "a", "b", "c"), ranked("r", "x")]
    found = [ranked("q", "z", "b", "a"), ranked("r", "y")]
    assert lk.recall_against(found, truth, top=2, k=3).tolist() == [1, 0]
    assert lk.recall_against(found, truth, top=2, k=2).tolist() == [0.5, 0]
    assert lk.recall_against(found, truth, top=3, k=3) == pytest.approx([2 / 3, 0])


@pytest.mark.parametrize(
    ("found", "truth", "message"),
    [
        ([ranked("q", "a")], [ranked("r", "a")], "rankings of the same queries in the same order"),
        ([ranked("q", "a")], [], "rankings of the same queries"),
        ([ranked("q", "a")], [ranked("q")], "the truth must have hits; it has none for 'q'"),
    ],
)
def test_recall_refuses_what_cannot_be_compared(found, truth, message):
    with pytest.raises(lk.LabError, match=message):
        lk.recall_against(found, truth)


def test_the_measured_collection_is_pydocs_and_then_chunks_of_other_docstrings(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "data" / "recipes")
    recipe, texts = map(importlib.import_module, ("centroid_search", "cross_texts"))
    told = "Give the shortest path between two nodes of a graph, as a list of nodes. " * 20
    others = tuple(
        texts.Source("networkx", f"networkx.path{i}", texts.parse(f"{told} {i}", f"path{i}")) for i in range(3)
    )
    monkeypatch.setattr(recipe, "sources", lambda forbidden: others)
    pydocs = lk.load_collection("pydocs").split("dev")
    known = set(pydocs.passages)
    small, large = recipe.collection(len(known)), recipe.collection(len(known) + 5)
    assert {doc.text for doc in small.docs.values()} == known
    added = [doc.text for doc in large.docs.values()][len(known) :]
    assert len(added) == 5
    assert all("networkx.path" in text and "shortest path" in text for text in added)
    assert large.queries == pydocs.queries
