"""The default encoder: exactly as composed, equal to sentence-transformers, told where it cuts."""

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

import labkit as lk
from labkit.encoding.default_model import find_default_model
from labkit.encoding.encoders import Encoder
from labkit.encoding.store import Store

TEXTS = ["How wide is the table?", "a [SEP] b [MASK] c", "naïve Straße — “quoted”", "", "word " * 400]
PLAIN = [TEXTS[0], "long division", TEXTS[4]]  # without special-token literals, which the single-vector recipe obeys


@pytest.fixture(scope="module")
def encoder():
    return lk.load_encoder()


def test_vectors_have_unit_length_and_no_special_tokens(encoder):
    documents = encoder.encode_documents(TEXTS[:3])
    assert np.linalg.norm(documents.vectors.astype(np.float32), axis=1) == pytest.approx(1, abs=1e-3)
    assert not {"[CLS]", "[SEP]", "[PAD]"} & {t for i in range(3) for t in documents.tokens(i)}


def test_vectors_equal_sentence_transformers_own(encoder):
    theirs = encoder.model.encode_document(TEXTS, convert_to_numpy=True)
    for ours, reference in zip(encoder.encode_documents(TEXTS), theirs, strict=True):
        np.testing.assert_allclose(ours, reference, atol=1e-3)
    queries = encoder.encode_queries(TEXTS[:2])
    for ours, reference in zip(queries, encoder.model.encode_query(TEXTS[:2], convert_to_numpy=True), strict=True):
        np.testing.assert_allclose(ours, reference, atol=1e-5)


def test_the_twin_equals_the_single_vector_model(encoder):
    single = SentenceTransformer(str(find_default_model()), device="cpu")
    np.testing.assert_allclose(encoder.embed_documents(PLAIN), single.encode(PLAIN), atol=1e-5)


def test_a_literal_special_token_stays_text(encoder):
    tokens = encoder.encode_documents([TEXTS[1]]).tokens(0)
    assert tokens == ["a", "[", "sep", "]", "b", "[", "mask", "]", "c"]


def test_spans_point_at_the_characters(encoder):
    documents = encoder.encode_documents([TEXTS[0]])
    words = [TEXTS[0][start:end].lower() for start, end in documents.spans.tolist()]
    assert words == documents.tokens(0) == ["how", "wide", "is", "the", "table", "?"]


def test_lengths_count_cls_and_sep_so_62_and_254_vectors_remain(encoder):
    assert encoder.encode_queries([TEXTS[4]]).lengths.tolist() == [62]
    documents = encoder.encode_documents([TEXTS[4], TEXTS[0]])
    assert documents.lengths.tolist() == [254, 6]
    assert documents.lost.tolist() == [400 - 254, 0]


def test_an_empty_text_has_no_tokens(encoder):
    assert encoder.encode_documents([""]).lengths.tolist() == [0]
    assert encoder.encode_queries([""]).lengths.tolist() == [0]
    assert len(encoder.encode_documents([])) == 0


def test_one_by_one_equals_together(tmp_path, encoder):
    together = Encoder(encoder.model, "together", Store(tmp_path / "a.sqlite"), twin=True).encode_documents(TEXTS)
    alone = Encoder(encoder.model, "alone", Store(tmp_path / "b.sqlite"), twin=True)
    for i, text in enumerate(TEXTS):
        np.testing.assert_allclose(alone.encode_documents([text])[0], together[i], atol=1e-3)


def test_stored_vectors_are_the_same_bits(tmp_path, encoder):
    fresh = Encoder(encoder.model, "fresh", Store(tmp_path / "s.sqlite"), twin=True)
    first = fresh.encode_documents(TEXTS)
    again = fresh.encode_documents(TEXTS)
    assert (fresh.encoded, fresh.cached) == (5, 5)
    for name in ("vectors", "offsets", "ids", "spans", "pooled", "lost"):
        assert np.array_equal(getattr(first, name), getattr(again, name)), name


def test_a_repeated_text_is_encoded_once(tmp_path, encoder):
    fresh = Encoder(encoder.model, "fresh", Store(tmp_path / "s.sqlite"), twin=True)
    twice = fresh.encode_documents(["same", "same"])
    assert fresh.encoded == 1
    assert np.array_equal(twice[0], twice[1])


def test_warm_encodes_what_is_missing_and_no_more(tmp_path, encoder):
    fresh = Encoder(encoder.model, "fresh", Store(tmp_path / "s.sqlite"), twin=True)
    fresh.encode_documents(TEXTS[:2])
    assert fresh.missing([*TEXTS, TEXTS[2]]) == TEXTS[2:]
    assert fresh.warm(TEXTS) == 3
    assert fresh.warm(TEXTS) == 0


def test_pooled_vectors_alone_do_not_count_as_tokens(tmp_path, encoder, monkeypatch):
    monkeypatch.setattr("labkit.encoding.encoders.STORE_TOKENS_UP_TO", 1)
    fresh = Encoder(encoder.model, "fresh", Store(tmp_path / "s.sqlite"), twin=True)
    pooled = fresh.embed_documents(TEXTS[:3])
    assert fresh.warm(TEXTS[:3]) == 3
    np.testing.assert_allclose(fresh.embed_documents(TEXTS[:3]), pooled, atol=1e-6)


def test_the_key_holds_what_decides_the_vectors(encoder):
    recipe = encoder.recipe
    assert recipe["split_special_tokens"] is True
    assert recipe["storage"] == "float16"
    assert dict(recipe["modules"])["Normalize"]["module_input_name"] == "token_embeddings"
    assert dict(recipe["modules"])["Transformer"]["query_length"] == 64


def test_characters_read_end_where_the_vectors_end(encoder):
    texts = ["Sort the rows.", "", "one two three four. " * 100, "x" * 60_000, "héllo \U0001f40d wörld, " * 90]
    packed = encoder.encode_documents(texts)
    reads = encoder.characters_read(texts)
    assert reads[:2] == [len(texts[0]), 0]
    for text, read, i in zip(texts, reads, range(len(texts)), strict=True):
        assert (packed.lost[i] > 0) == (read < len(text))
        assert encoder.encode_documents([text[:read]]).lost[0] == 0
    last = packed.spans[packed.offsets[3] - 1]
    assert last[1] <= reads[2] <= last[1] + 1  # a space may lie between
    question = "which rows are sorted? " * 30
    assert encoder.characters_read([question], "query")[0] < len(question)


def test_a_million_characters_are_cut_and_counted(encoder):
    documents = encoder.encode_documents(["long text " * 100_000])
    assert documents.lengths.tolist() == [254]
    assert documents.lost[0] == 200_000 - 254


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.encode_queries("bare"), "give a list of texts, not a bare string"),
        (lambda e: e.encode_documents(["fine", None]), "document 1 must be a string; got NoneType"),
        (lambda e: e.encode_documents(["a\ud800b"]), "document 0 must be valid Unicode; got a lone surrogate .* 1"),
        (lambda e: e.encode_queries(["\udfff"]), "query 0 must be valid Unicode"),
        (lambda e: Encoder(e.model, "none").warm(["a"]), "no store to warm"),
    ],
)
def test_bad_input_is_named(encoder, call, message):
    with pytest.raises(lk.LabError, match=message):
        call(encoder)
