"""Cross-encoders on tiny random checkpoints: the model's own logits, what all rerankers keep, and what is refused."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from sentence_transformers import CrossEncoder

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.ranking.ranking import Hit
from tests import tiny

QUERY = "ba ce di"
TEXTS = ["ba ce di", "ka le mi no", "", "fo gu", "ba ce di", "ra se ti bo cu da fe gi ko lu", "di ce, ba!"]
LONG = "ba ce di fo gu ka le mi no pu " * 4


@pytest.fixture(scope="module")
def theirs(folder):
    return CrossEncoder(str(folder), device="cpu", max_length=32)


def own_logits(model, query, texts):
    return model.predict([(query, text) for text in texts], activation_fn=torch.nn.Identity())


def by_id(ranking):
    return {hit.doc_id: hit.score for hit in ranking}


def test_scores_are_the_models_own_logits(cross, theirs):
    ranking = cross.rerank(QUERY, TEXTS, top_n=99)
    expected = own_logits(theirs, QUERY, TEXTS)
    assert by_id(ranking) == pytest.approx({str(i): score for i, score in enumerate(expected)}, abs=1e-5)
    assert np.ptp(expected) > 0.1  # else equality would say little
    assert ranking.scale == "logit"
    assert cross.score(QUERY, [Hit("0", 1, None, text="ba")]).scores.dtype == np.float32


def test_cut_pairs_too_score_as_the_models_own(cross, theirs):
    ours = cross.rerank(QUERY, [LONG, LONG + LONG], top_n=2)
    assert [hit.score for hit in ours] == pytest.approx(own_logits(theirs, QUERY, [LONG, LONG]).tolist(), abs=1e-5)


def test_probabilities_are_the_sigmoid_of_the_logits(cross, theirs):
    ranking = cross.rerank(QUERY, TEXTS, top_n=99)
    expected = sorted(theirs.predict([(QUERY, text) for text in TEXTS]), reverse=True)
    np.testing.assert_allclose(cross.probabilities(ranking), expected, atol=1e-6)
    assert cross.probabilities([0.0, -800.0, 800.0]).tolist() == [0.5, 0.0, 1.0]


def test_probabilities_of_what_are_no_logits_are_refused(cross):
    ranking = replace(cross.rerank(QUERY, TEXTS), scale="MaxSim", system="late")
    with pytest.raises(lk.LabError, match="probabilities need logits; the scores of late are 'MaxSim'"):
        cross.probabilities(ranking)


@pytest.mark.parametrize("batch_tokens", [1, 20, 100_000])
def test_a_batch_scores_as_each_pair_alone(cross, folder, batch_tokens):
    batched = lk.CrossEncoderReranker(str(folder), batch_tokens=batch_tokens).rerank(QUERY, TEXTS, top_n=99)
    alone = {str(i): cross.rerank(QUERY, [text])[0].score for i, text in enumerate(TEXTS)}
    assert by_id(batched) == pytest.approx(alone, abs=1e-5)


def test_the_order_of_candidates_changes_no_bit_of_a_score(cross):
    hits = [Hit(str(i), i + 1, None, text=text) for i, text in enumerate(TEXTS)]
    expected = dict(zip(range(len(hits)), cross.score(QUERY, hits).scores, strict=True))
    order = random.Random(3).sample(range(len(hits)), len(hits))
    assert dict(zip(order, cross.score(QUERY, [hits[i] for i in order]).scores, strict=True)) == expected


def test_batches_depend_on_the_set_of_texts_alone(folder, monkeypatch):
    cross = lk.CrossEncoderReranker(str(folder), batch_tokens=24)
    cross.prepare()
    forward, seen = cross._pairs._forward, []
    monkeypatch.setattr(cross._pairs, "_forward", lambda query, texts: seen.append(texts) or forward(query, texts))
    for texts in (TEXTS, TEXTS[::-1], TEXTS + TEXTS):
        cross.rerank(QUERY, texts)
    count = len(seen) // 3
    assert count > 1
    assert seen[:count] == seen[count : 2 * count] == seen[2 * count :]


def test_nothing_is_lost_duplicates_tie_in_their_order_and_empty_documents_survive(cross):
    ranking = cross.rerank(QUERY, TEXTS, top_n=99)
    assert sorted(ranking.ids) == [str(i) for i in range(len(TEXTS))]
    assert [hit.rank for hit in ranking] == list(range(1, len(TEXTS) + 1))
    scores = [hit.score for hit in ranking]
    assert scores == sorted(scores, reverse=True)
    assert ranking.ids.index("4") == ranking.ids.index("0") + 1
    assert np.isfinite(by_id(ranking)["2"])
    assert all(hit.previous_rank == int(hit.doc_id) + 1 for hit in ranking)
    assert (ranking.encoded, ranking.cached) == (len(set(TEXTS)), 0)


def test_no_candidates_give_an_empty_ranking(cross):
    assert cross.rerank(QUERY, []).ids == []


def test_an_empty_query_is_scored(cross, theirs):
    assert cross.rerank("", ["ba"])[0].score == pytest.approx(float(own_logits(theirs, "", ["ba"])[0]), abs=1e-5)


def test_a_document_counts_with_its_best_passage(cross):
    passages = ("ka le mi", "ba ce di", "fo gu")
    alone = by_id(cross.rerank(QUERY, passages, top_n=3))
    hit = cross.rerank(QUERY, lk.BM25Retriever(_one_document(passages)).search("ba"))[0]
    assert hit.score == pytest.approx(max(alone.values()), abs=1e-5)
    assert hit.text == passages[int(max(alone, key=alone.get))]


def _one_document(passages):
    return Collection("toy", {"d": Document("", " ".join(passages), passages), "e": Document("", "ka")})


def test_two_stages_take_it_and_name_its_model(cross, folder):
    pipe = lk.TwoStage(lk.BM25Retriever(_one_document(("ba ce", "di"))), cross)
    ranking = pipe.search("ba ka", top_n=2)
    assert (pipe.name, ranking.system) == ("bm25+cross", "bm25+cross")
    assert ranking.model == cross.model
    assert cross.model.startswith(f"{folder} ")
    assert pipe.configuration["reranker"] == {"name": "cross", "model": cross.model}


@pytest.mark.parametrize(("writer", "marks"), [("bert", 3), ("xlmr", 4)])
def test_a_pair_is_marked_as_cut_when_it_has_one_token_too_many(writer, marks, tmp_path):
    cross = lk.CrossEncoderReranker(str(tiny.CROSS_WRITERS[writer](tmp_path / "cross")))
    room = 32 - marks - len(QUERY.split())
    ranking = cross.rerank(QUERY, ["ba " * room, "ba " * (room + 1)], top_n=2)
    assert {hit.doc_id: hit.truncated for hit in ranking} == {"0": False, "1": True}
    assert ranking[0].score == pytest.approx(ranking[1].score, abs=1e-5)  # what was cut off is not read


def test_a_document_is_marked_when_any_of_its_passages_was_cut(cross):
    ranking = cross.rerank(QUERY, lk.BM25Retriever(_one_document(("ba", LONG))).search("ba ka"), top_n=2)
    assert {hit.doc_id: hit.truncated for hit in ranking} == {"d": True, "e": False}


def test_only_the_document_is_cut_and_never_the_query(cross, folder):
    query = "ka le mi no pu ra se ti bo cu da fe gi ko lu ba ce di fo gu"
    assert cross.rerank(query, [LONG])[0].score != pytest.approx(cross.rerank(query[:-3], [LONG])[0].score, abs=1e-5)


def test_a_query_that_leaves_no_room_is_refused_with_the_lengths(cross):
    with pytest.raises(lk.LabError, match=r"leave room for the document.* reads 32 tokens.*takes (43|44)\. Shorten"):
        cross.rerank(LONG, ["ba"])


def test_a_shorter_max_length_cuts_sooner(folder):
    text = "ba ce di fo gu ka le mi no pu ra se ti bo"
    short, full = (lk.CrossEncoderReranker(str(folder), max_length=length) for length in (16, None))
    assert short.rerank(QUERY, [text])[0].truncated
    assert not full.rerank(QUERY, [text])[0].truncated


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda f: lk.CrossEncoderReranker(""),
            r"named by a string; got ''. None takes the small one that ships.*ms-marco-MiniLM-L6-v2",
        ),
        (lambda f: lk.CrossEncoderReranker("no/such").prepare(), r"no model 'no/such'.*BAAI/bge-reranker-base"),
        (lambda f: lk.CrossEncoderReranker(f, device="gpu0").prepare(), "device must be one that torch has.*'gpu0'"),
        (lambda f: lk.CrossEncoderReranker(f, max_length=33).prepare(), r"max_length must be at most 32.*got 33"),
        (lambda f: lk.CrossEncoderReranker(f, batch_tokens=0), "batch_tokens must be a whole number of at least 1"),
        (lambda f: lk.CrossEncoderReranker(f, max_candidates=0), "max_candidates must be"),
        (lambda f: lk.CrossEncoderReranker(f).rerank(QUERY, ["\udc80"]), "candidate 0 must be valid Unicode"),
        (lambda f: lk.CrossEncoderReranker(f).score(QUERY, [Hit("0", 1, None, text="\udc80")]), "passage 0 must be"),
        (lambda f: lk.CrossEncoderReranker(f).rerank(QUERY, TEXTS, top_n=0), "top_n must be"),
    ],
)
def test_bad_input_is_named(folder, call, message):
    with pytest.raises(lk.LabError, match=message):
        call(str(folder))


def test_too_many_candidates_are_refused_before_any_is_read(folder):
    cross = lk.CrossEncoderReranker(str(folder), max_candidates=2)
    assert len(cross.rerank(QUERY, ["ba", "ce"])) == 2
    hits = tuple(Hit(str(i), i + 1, None, passages=("ba", "ce")) for i in range(3))
    with pytest.raises(lk.LabError, match=r"at most 2 candidates.*got 3 with 6 passages.*k=2.*raise max_candidates"):
        cross.rerank(QUERY, lk.Ranking(QUERY, hits))
    with pytest.raises(lk.LabError, match=r"at most 200 candidates"):
        lk.CrossEncoderReranker(str(folder)).rerank(QUERY, ["ba"] * 201)


def test_its_text_shows_the_device_and_loads_nothing():
    cross = lk.CrossEncoderReranker("BAAI/bge-reranker-base", device="cuda")
    assert repr(cross) == "CrossEncoderReranker('BAAI/bge-reranker-base', device='cuda')"


def test_it_is_a_system_by_name_with_any_checkpoint(folder):
    c = Collection("toy", {"a": Document("", "ba ce"), "b": Document("", "ba di")})
    pipe = lk.system("bm25+cross", c, encoder=str(folder))
    assert (pipe.name, pipe.reranker.checkpoint) == ("bm25+cross", str(folder))
    assert lk.system("bm25+cross", c).reranker.checkpoint == "labkit-cross-minilm"
