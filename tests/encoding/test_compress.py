"""Compressed token vectors: by hand first, then what must be equal, then errors."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit as lk
from labkit.encoding.compress import Compressor
from labkit.encoding.pooling import pooled
from labkit.encoding.prune import content_words, kept
from labkit.encoding.residual import ResidualCodec, fit_codec, levels


def unit(rng, rows, d):
    vectors = rng.normal(size=(rows, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def packed():
    rng = np.random.default_rng(0)
    return lk.pack([unit(rng, rows, 12) for rows in (40, 1, 0, 90)])


def test_by_hand_a_residual_goes_into_its_bucket_and_comes_back_as_the_buckets_value():
    codec = ResidualCodec(
        np.array([[1.0, 0.0], [0.0, 1.0]], np.float32),
        bounds=np.array([-0.1, 0.0, 0.1], np.float32),
        values=np.array([-0.2, -0.05, 0.05, 0.2], np.float32),
    )
    numbers, codes = codec.encode(np.array([[0.96, 0.28], [-0.6, 0.8]], np.float32))
    assert numbers.tolist() == [0, 1]
    assert codes.tolist() == [[0b1101], [0b0000]]  # the first dimension stands in the lowest bits
    back = np.array([[1 - 0.05, 0.2], [-0.2, 1 - 0.2]])
    np.testing.assert_allclose(
        codec.decode(numbers, codes), back / np.linalg.norm(back, axis=1, keepdims=True), rtol=1e-6
    )
    assert (codec.bits, codec.bytes) == (2, 2 + 1)


def test_by_hand_two_like_tokens_become_one_and_the_order_stays():
    packed = lk.pack([np.array([[0.0, 1], [1, 0], [1, 0], [0, 1]])])
    half = pooled(packed, 2)
    np.testing.assert_allclose(half[0], [[0, 1], [1, 0]])
    assert pooled(packed, 4)[0].shape == (1, 2)


def test_by_hand_the_cap_keeps_the_first_tokens_that_the_mask_left():
    packed = lk.pack([np.arange(8.0).reshape(4, 2), np.ones((1, 2))])
    mask = np.array([False, True, True, True, False])
    short = kept(packed, mask, cap=2)
    assert short.offsets.tolist() == [0, 2, 2]
    assert short[0].tolist() == [[2, 3], [4, 5]]


def test_by_hand_a_pca_keeps_the_directions_of_the_largest_second_moments():
    packed = lk.pack([np.repeat(np.eye(3), [5, 1, 3], axis=0)])  # three axes, with moments 5, 1 and 3
    matrix = lk.Compression(dim=2, storage="float32").fit(packed).matrix
    np.testing.assert_allclose(matrix, [[1, 0], [0, 0], [0, 1]], atol=1e-6)


def test_a_pca_keeps_the_plane_in_which_the_tokens_lie():
    rng = np.random.default_rng(1)
    plane = unit(rng, 2, 6)
    packed = lk.pack([unit(rng, 50, 2) @ plane])
    packed = replace(packed, vectors=packed.vectors / np.linalg.norm(packed.vectors, axis=1, keepdims=True))
    flat = lk.Compression(dim=2, storage="float32").fit(packed)
    assert flat.documents(packed).dim == 2
    before, after = packed.vectors @ packed.vectors.T, flat.documents(packed).vectors
    np.testing.assert_allclose(after @ after.T, before, atol=1e-5)


def test_keeping_all_dimensions_in_float32_changes_nothing(packed):
    same = lk.Compression(storage="float32").fit(packed).documents(packed)
    np.testing.assert_array_equal(same.vectors, packed.vectors)


@pytest.mark.parametrize("projection", ["pca", "random"])
def test_all_dimensions_of_a_projection_keep_every_product(packed, projection):
    whole = lk.Compression(dim=12, projection=projection, storage="float32").fit(packed).documents(packed).vectors
    np.testing.assert_allclose(whole @ whole.T, packed.vectors @ packed.vectors.T, atol=1e-5)


def test_int8_is_off_by_at_most_half_a_step(packed):
    small = lk.Compression(storage="int8").fit(packed).documents(packed)
    assert small.vectors.dtype == np.int8
    for i in range(len(packed)):
        assert np.all(np.abs(small[i] - packed[i]) <= np.abs(packed[i]).max(axis=1, initial=0)[:, None] / 254 + 1e-7)


def test_more_bits_come_nearer(packed):
    def error(storage):
        found = lk.Compression(dim=8, storage=storage).fit(packed)
        return float(np.square(found.documents(packed).vectors - found.projected(packed).vectors).mean())

    assert error("residual4") < error("residual2") / 2


@given(st.sampled_from([2, 4]), st.integers(0, 2**31))
def test_buckets_of_least_error_beat_buckets_of_equal_counts(bits, seed):
    values = np.random.default_rng(seed).standard_t(4, size=4000)
    bounds, means = levels(values, bits)
    equal = np.quantile(values, (np.arange(2**bits) + 0.5) / 2**bits)
    at_equal = equal[np.digitize(values, np.quantile(values, np.arange(1, 2**bits) / 2**bits))]
    assert np.square(values - means[np.digitize(values, bounds)]).mean() < 0.9 * np.square(values - at_equal).mean()


def test_buckets_of_one_value_alone_hold_it():
    bounds, means = levels(np.full(50, 0.25), 2)
    assert means[np.digitize(0.25, bounds)] == 0.25


def test_bytes_a_token_count_what_pooling_and_the_cap_left_out(packed):
    def size(**knobs):
        return lk.Compression(**knobs).fit(packed).bytes_per_token(packed)

    assert size() == 24
    assert size(dim=8, storage="int8") == 12
    assert size(dim=8, storage="residual2") == 2 + 2
    assert size(cap=10) == pytest.approx(24 * (10 + 1 + 10) / 131)
    assert size(pool=2) == pytest.approx(24 * (20 + 1 + 45) / 131)


def test_the_same_sample_gives_the_same_compressor(packed):
    knobs = lk.Compression(dim=8, storage="residual2")
    assert knobs.fit(packed).configuration == knobs.fit(packed).configuration
    assert knobs.fit(packed[0:2]).configuration != knobs.fit(packed).configuration


def test_a_reranker_scores_what_the_compression_left():
    texts = ["Drop duplicate rows of a table.", "Read a file.", "Sort the rows.", ""]
    encoder = lk.load_encoder()
    fitted = lk.Compression(dim=8, storage="int8").fit(encoder.encode_documents(texts))
    late = lk.LateInteractionReranker(encoder, compression=fitted)
    ranking = late.rerank("remove repeated rows", texts, top_n=4)
    expected = lk.maxsim(
        fitted.queries(encoder.encode_queries(["remove repeated rows"]))[0],
        fitted.documents(encoder.encode_documents(texts)),
    )
    assert {hit.doc_id: hit.score for hit in ranking} == {str(i): s for i, s in enumerate(expected.tolist())}
    assert late.configuration["compression"]["dim"] == 8
    assert ranking[-1].reason


def test_function_words_go_by_their_strings():
    encoder = lk.load_encoder()
    packed = encoder.encode_documents(["the rows of the table"])
    assert kept(packed, content_words(packed)).tokens(0) == ["rows", "table"]
    fitted = lk.Compression(prune=("function words",)).fit(packed)
    assert fitted.documents(packed).tokens(0) == ["rows", "table"]
    assert fitted.documents(packed, mask=np.arange(5) != 1).tokens(0) == ["table"]
    assert fitted.bytes_per_token(packed) == pytest.approx(2 * 384 * 2 / 5)


@pytest.mark.parametrize(
    ("pieces", "stay"),
    [
        (["The", "a", "##ard", "of"], ["a", "##ard"]),  # a piece of a longer word is no article
        (["▁the", "▁a", "ard", "of", "▁of"], ["▁a", "ard", "of"]),
        (["Ġit", "Ġgo", "it", ",", "Ġa", "."], ["Ġgo", "it", ",", "."]),
    ],
)
def test_a_function_word_is_a_whole_word_in_any_vocabulary(pieces, stay):
    packed = replace(
        lk.pack([np.eye(len(pieces))], ids=[np.arange(len(pieces))]), to_strings=lambda ids: [pieces[i] for i in ids]
    )
    assert kept(packed, content_words(packed)).tokens(0) == stay


def test_a_word_does_not_go_on_in_the_next_text():
    names = ["a", "##b"]
    packed = lk.pack([np.eye(1), np.eye(1)], ids=[np.array([0]), np.array([1])])
    packed = replace(packed, to_strings=lambda ids: [names[i] for i in ids])
    assert content_words(packed).tolist() == [False, True]


def test_the_head_projects_where_it_is_for_the_encoder(packed, monkeypatch):
    from labkit.encoding import head

    columns = np.linalg.qr(np.random.default_rng(3).normal(size=(12, 4)))[0].astype(np.float32)
    monkeypatch.setattr(head, "head_projection", lambda dim: columns[:, :dim])
    knobs = lk.Compression(dim=3, projection="head", storage="float32")
    projected = packed.vectors @ columns[:, :3]
    expected = projected / np.linalg.norm(projected, axis=1, keepdims=True)
    np.testing.assert_allclose(knobs.fit(packed).documents(packed).vectors, expected, rtol=1e-6)
    with pytest.raises(lk.LabError, match="the head is for the default encoder's 12 dimensions; these vectors have 14"):
        knobs.fit(lk.pack([np.eye(14)]))


def test_a_head_that_is_not_there_is_said_to_be_missing(packed, monkeypatch, tmp_path):
    from labkit.encoding import head

    head._read.cache_clear()
    monkeypatch.setattr(head.paths, "data", lambda: tmp_path)
    with pytest.raises(lk.LabError, match=r"the trained head is not there: .*head.safetensors is missing"):
        lk.Compression(dim=128, projection="head").fit(lk.pack([np.ones((1, 384))]))
    with pytest.raises(lk.LabError, match="the head was trained for 128, 96, 64, 48 dimensions; got 100"):
        lk.Compression(dim=100, projection="head").fit(lk.pack([np.ones((1, 384))]))


def test_a_large_sample_is_drawn_from_and_the_same_each_time(packed, monkeypatch):
    from labkit.encoding import compress

    knobs = lk.Compression(dim=8, storage="residual2")
    whole = knobs.fit(packed).configuration
    monkeypatch.setattr(compress, "SAMPLE", 100)
    assert knobs.fit(packed).configuration == knobs.fit(packed).configuration != whole


def test_knobs_come_back_from_json():
    knobs = lk.Compression(np.int64(8), "random", "int8", 2, ["function words"], 30)
    told = {k: v for k, v in Compressor(knobs).configuration.items() if k != "learned"}
    assert lk.Compression(**json.loads(json.dumps(told))) == knobs


def test_a_system_with_a_compression_is_not_rebuilt_as_one_without(packed):
    from labkit.ranking.rebuild import rebuild

    told = {"name": "late", "encoder": "x 1", "compression": lk.Compression().fit(packed).configuration}
    with pytest.raises(lk.LabError, match="a hash of what a compression learned"):
        rebuild(told, lk.Collection("none", {}))


@given(st.integers(1, 4), st.integers(1, 30), st.integers(1, 6), st.integers(0, 2**31))
def test_pooling_never_makes_more_tokens_and_keeps_unit_length(texts, rows, factor, seed):
    rng = np.random.default_rng(seed)
    packed = lk.pack([unit(rng, rows, 5) for _ in range(texts)])
    small = pooled(packed, factor)
    assert np.all(small.lengths <= -(-packed.lengths // factor))
    np.testing.assert_allclose(np.linalg.norm(small.vectors, axis=1), 1, atol=1e-5)


@given(st.integers(1, 9), st.sampled_from([2, 4]), st.integers(0, 2**31))
def test_codes_are_decoded_to_the_buckets_they_came_from(d, bits, seed):
    vectors = unit(np.random.default_rng(seed), 120, d)
    codec = fit_codec(vectors, bits, seed=1)
    numbers, codes = codec.encode(vectors)
    plain = codec.centroids[numbers] + codec.values[np.digitize(vectors - codec.centroids[numbers], codec.bounds)]
    plain /= np.maximum(np.linalg.norm(plain, axis=1, keepdims=True), 1e-12)
    np.testing.assert_allclose(codec.decode(numbers, codes), plain, atol=1e-6)
    assert codes.shape[1] + numbers.itemsize == codec.bytes


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"dim": 0}, "dim must be"),
        ({"pool": 0}, "pool must be"),
        ({"cap": 0}, "cap must be"),
        ({"storage": "int4"}, "storage must be one of float32, float16, int8, residual2, residual4; got 'int4'"),
        ({"projection": "umap", "dim": 8}, "projection must be one of pca, random, head; got 'umap'"),
        ({"projection": "random"}, "projection='random' needs dim"),
        ({"projection": "head"}, "projection='head' needs dim"),
        ({"prune": "function words"}, "prune must be a tuple of names out of 'function words'; got 'function words'"),
        ({"prune": ("dead tokens",)}, r"got \('dead tokens',\). Other tokens are dropped by a mask"),
    ],
)
def test_a_knob_out_of_its_range_is_refused(knobs, message):
    with pytest.raises(lk.LabError, match=message):
        lk.Compression(**knobs)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda p: lk.Compression(dim=13).fit(p), "dim must be at most the encoder's 12; got 13"),
        (lambda p: lk.Compression(dim=8).fit(p[1:2]), "as many tokens; the sample has 1"),
        (lambda p: lk.Compression(storage="residual2").fit(p[1:2]), "at least 39 tokens; got 1"),
        (lambda p: lk.Compression(dim=4).fit(p).documents(lk.pack([np.eye(3)])), "fitted on 12 dimensions; got 3"),
        (lambda p: kept(p, np.ones(3, bool)), r"a mask must be \[T = 131\] bool"),
        (lambda p: content_words(p, []), "carries no tokens"),
        (
            lambda p: lk.LateInteractionReranker(compression=Compressor(lk.Compression()), index=object()),
            "give one of the two",
        ),
        (lambda p: lk.LateInteractionReranker(compression=lk.Compression(dim=8)), "must be fitted first"),
    ],
)
def test_what_does_not_fit_is_refused(packed, act, message):
    with pytest.raises(lk.LabError, match=message):
        act(packed)
