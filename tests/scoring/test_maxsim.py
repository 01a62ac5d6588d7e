"""MaxSim: hand-computed cases, then equivalences, then properties, then errors."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.util import similarity

import labkit as lk
from labkit.encoding.tokens import PackedTokens, quantize_int8
from labkit.scoring.reference import maxsim_reference, maxsim_reference_all

# Two query tokens, three documents of 2, 1 and 3 tokens, d = 2. Each wrong reduction gives another number.
QUERY = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
DOCUMENTS = [
    np.array([[10.0, 0.0], [1.0, 100.0]], np.float32),  # 10 + 100
    np.array([[1000.0, -5.0]], np.float32),  # 1000 - 5
    np.array([[-3.0, -7.0], [-2.0, -9.0], [-8.0, -1.0]], np.float32),  # -2 - 1
]
EXPECTED = [110.0, 995.0, -3.0]


def random_pack(rng, lengths, d, dtype=np.float32):
    return lk.pack([rng.normal(size=(length, d)).astype(dtype) for length in lengths])


def bound(query, documents):
    """The design's bound on how far two float32 orders of summation may differ."""
    longest = max((np.linalg.norm(d, axis=1).max(initial=0) for d in documents), default=0)
    return 1e-6 * max(1, len(query)) * np.linalg.norm(query, axis=1).max(initial=0) * longest + 1e-12


def test_reference_by_hand():
    assert [maxsim_reference(QUERY, document) for document in DOCUMENTS] == EXPECTED


def test_maxsim_by_hand():
    assert lk.maxsim(QUERY, lk.pack(DOCUMENTS)).tolist() == EXPECTED


def test_all_negative_similarities_stay_negative():
    assert lk.maxsim(QUERY, lk.pack(DOCUMENTS[2:])).tolist() == [-3.0]


def test_a_document_without_tokens_scores_minus_infinity_and_moves_no_neighbour():
    empty = np.zeros((0, 2), np.float32)
    scores = lk.maxsim(QUERY, lk.pack([empty, DOCUMENTS[0], empty, empty, DOCUMENTS[1], empty]))
    assert scores.tolist() == [-np.inf, 110.0, -np.inf, -np.inf, 995.0, -np.inf]


def test_a_query_without_tokens_scores_zero_with_every_document():
    packed = lk.pack([*DOCUMENTS, np.zeros((0, 2), np.float32)])
    assert lk.maxsim(np.zeros((0, 2), np.float32), packed).tolist() == [0.0] * 4


def test_the_winner_is_planted_where_it_is_found():
    rng = np.random.default_rng(0)
    lengths, d = [7, 3, 11], 5
    arrays = [rng.normal(size=(n, d)).astype(np.float32) for n in lengths]
    query = rng.normal(size=(4, d)).astype(np.float32)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    arrays[2][9] = query[1] * 100  # query token 1's signal sits in document 2, token 9
    scores, winners = lk.maxsim(query, lk.pack(arrays), argmax=True)
    assert winners.shape == (3, 4)
    assert winners[2, 1] == 9
    assert int(scores.argmax()) == 2


def test_argmax_is_minus_one_where_there_is_no_token():
    _, winners = lk.maxsim(QUERY, lk.pack([np.zeros((0, 2)), DOCUMENTS[0]]), argmax=True)
    assert winners.tolist() == [[-1, -1], [0, 1]]


def test_candidates_are_scored_in_their_own_order_and_may_repeat():
    assert lk.maxsim(QUERY, lk.pack(DOCUMENTS), candidates=[2, 0, 2]).tolist() == [-3.0, 110.0, -3.0]


def test_several_queries_give_one_row_each():
    queries = lk.pack([QUERY, QUERY[:1]])
    assert lk.maxsim(queries, lk.pack(DOCUMENTS)).tolist() == [EXPECTED, [10.0, 1000.0, -2.0]]


def test_nothing_to_score_gives_an_empty_array_and_no_error():
    nothing = lk.pack([])
    assert lk.maxsim(QUERY, nothing).shape == (0,)
    assert lk.maxsim(lk.pack([]), lk.pack(DOCUMENTS)).shape == (0, 3)
    assert lk.maxsim(lk.pack([QUERY, QUERY]), nothing).shape == (2, 0)
    assert lk.maxsim(QUERY, lk.pack(DOCUMENTS), candidates=[]).shape == (0,)


def test_torch_in_gives_torch_out_with_the_same_numbers():
    packed = lk.pack([torch.from_numpy(document) for document in DOCUMENTS])
    scores = lk.maxsim(torch.from_numpy(QUERY), packed)
    assert isinstance(scores, torch.Tensor)
    assert scores.dtype == torch.float32
    assert scores.tolist() == EXPECTED


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_storage_dtype_is_widened_before_the_product(dtype):
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=(n, 8)).astype(dtype) for n in (3, 5)]
    query = rng.normal(size=(4, 8)).astype(np.float32)
    expected = [maxsim_reference(query, array.astype(np.float64)) for array in arrays]
    np.testing.assert_allclose(lk.maxsim(query, lk.pack(arrays)), expected, atol=bound(query, arrays))


def test_bfloat16_on_torch_is_widened_too():
    rng = np.random.default_rng(2)
    arrays = [torch.from_numpy(rng.normal(size=(n, 8)).astype(np.float32)).bfloat16() for n in (3, 5)]
    query = rng.normal(size=(4, 8)).astype(np.float32)
    expected = [maxsim_reference(query, array.double().numpy()) for array in arrays]
    np.testing.assert_allclose(lk.maxsim(query, lk.pack(arrays)).numpy(), expected, rtol=1e-5)


shapes = st.tuples(
    st.integers(0, 40), st.lists(st.integers(0, 30), max_size=7), st.sampled_from([1, 3, 8, 17]), st.integers(0, 2**31)
)


@settings(max_examples=1_000)
@given(shapes)
def test_packed_equals_the_reference_and_sentence_transformers(shape):
    query_tokens, lengths, d, seed = shape
    rng = np.random.default_rng(seed)
    packed = random_pack(rng, lengths, d)
    query = rng.normal(size=(query_tokens, d)).astype(np.float32)
    documents = [np.asarray(document) for document in packed]
    scores = lk.maxsim(query, packed)
    expected = maxsim_reference_all([query], documents).reshape(-1)
    limit = bound(query, documents)
    np.testing.assert_allclose(scores, expected, atol=limit)
    if lengths and query_tokens and any(lengths):
        filled = [i for i, n in enumerate(lengths) if n]  # for no tokens sentence-transformers says -1e9, we -inf
        theirs = similarity.maxsim([query], [documents[i] for i in filled]).numpy()[0]
        np.testing.assert_allclose(scores[filled], theirs, atol=10 * limit)


@given(shapes)
def test_int8_stays_within_its_stated_bound(shape):
    query_tokens, lengths, d, seed = shape
    rng = np.random.default_rng(seed)
    packed = random_pack(rng, lengths, d)
    query = rng.normal(size=(query_tokens, d)).astype(np.float32)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    small = quantize_int8(packed)
    filled = [i for i, n in enumerate(lengths) if n]
    allowed = query_tokens * small.scales.max(initial=0) / 2 * np.sqrt(d) + bound(query, list(packed)) + 1e-5
    apart = np.abs(lk.maxsim(query, small)[filled] - lk.maxsim(query, packed)[filled])
    assert apart.max(initial=0) <= allowed


@given(shapes)
def test_permuted_tokens_give_the_same_score(shape):
    query_tokens, lengths, d, seed = shape
    rng = np.random.default_rng(seed)
    packed = random_pack(rng, lengths, d)
    query = rng.normal(size=(query_tokens, d)).astype(np.float32)
    shuffled = lk.pack([rng.permutation(np.asarray(document)) for document in packed])
    documents = list(packed)
    np.testing.assert_allclose(lk.maxsim(query, shuffled), lk.maxsim(query, packed), atol=bound(query, documents))


@given(shapes)
def test_one_more_token_never_lowers_a_score(shape):
    query_tokens, lengths, d, seed = shape
    rng = np.random.default_rng(seed)
    packed = random_pack(rng, lengths, d)
    query = rng.normal(size=(query_tokens, d)).astype(np.float32)
    longer = lk.pack([np.concatenate([np.asarray(x), rng.normal(size=(1, d)).astype(np.float32)]) for x in packed])
    slack = bound(query, list(longer))
    assert (lk.maxsim(query, longer) >= lk.maxsim(query, packed) - slack).all()


def test_a_unit_query_scores_its_own_length_against_itself():
    rng = np.random.default_rng(5)
    query = rng.normal(size=(9, 12)).astype(np.float32)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    assert lk.maxsim(query, lk.pack([query]))[0] == pytest.approx(9, abs=1e-5)


def test_one_document_token_is_a_plain_sum_of_dot_products():
    rng = np.random.default_rng(6)
    query, token = rng.normal(size=(4, 7)), rng.normal(size=(1, 7))
    assert lk.maxsim(query, lk.pack([token]))[0] == pytest.approx((query @ token.T).sum(), rel=1e-5)


def test_a_score_does_not_depend_on_batch_mates():
    rng = np.random.default_rng(7)
    packed = random_pack(rng, [5, 50, 1, 0, 20], 6)
    query = rng.normal(size=(3, 6)).astype(np.float32)
    alone = np.concatenate([lk.maxsim(query, packed[i : i + 1]) for i in range(len(packed))])
    np.testing.assert_allclose(lk.maxsim(query, packed), alone, atol=bound(query, list(packed)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: lk.maxsim(QUERY[0], lk.pack(DOCUMENTS)), r"query must be \[Lq, d\]; got shape \(2,\)"),
        (lambda: lk.maxsim(np.ones((1, 3)), lk.pack(DOCUMENTS)), "share d; the query has 3, they have 2"),
        (lambda: lk.maxsim(QUERY, lk.pack(DOCUMENTS), candidates=[3]), "from 0 to Nd - 1 = 2; got 3"),
        (lambda: lk.maxsim(QUERY, lk.pack(DOCUMENTS), candidates=[0.5]), "whole numbers"),
        (lambda: lk.maxsim(QUERY * np.nan, lk.pack(DOCUMENTS)), "query row 0 holds NaN or infinity"),
        (lambda: lk.pack([np.ones((1, 2)), np.array([[1, np.inf]])]), "row 1 holds NaN or infinity"),
        (lambda: lk.pack([np.ones((1, 2)), np.ones((1, 3))]), "array 0 has 2, array 1 3"),
        (lambda: lk.pack([np.ones(3)]), r"array 0 must be \[Ld, d\]; got shape \(3,\)"),
        (lambda: PackedTokens(np.ones((3, 2), np.float32), [0, 2, 1, 3]), "ascend from 0"),
        (lambda: PackedTokens(np.ones((3, 2), np.float32), [0, 2**63 - 1, -(2**63), -1, 3]), "ascend from 0"),
        (lambda: PackedTokens(np.ones((3, 2), np.float32), [0.0, 1.9, 3.0]), "whole numbers"),
        (lambda: PackedTokens(np.ones((3, 2), np.float32), [0, 2]), "end at T = 3 tokens; got 2"),
        (lambda: PackedTokens(np.ones((3, 2), np.int64), [0, 3]), "one of float32, float16, int8, bfloat16; got int64"),
        (lambda: PackedTokens(np.ones((3, 2), np.int8), [0, 3]), "int8 vectors need scales"),
        (
            lambda: PackedTokens(np.ones((3, 2), np.int8), [0, 3], np.ones(2, np.float32)),
            r"scales must be float32 \[T\], here \[3\]; got float32 of shape \(2,\)",
        ),
        (lambda: PackedTokens(np.ones((3, 2), np.int8), [0, 3], np.ones(3)), "got float64 of shape"),
        (
            lambda: PackedTokens(np.ones((3, 2), np.int8), [0, 3], torch.ones(3, device="meta")),
            "scales must be where the vectors are, on cpu; they are on meta",
        ),
        (
            lambda: lk.maxsim(QUERY, PackedTokens(np.ones((3, 2), np.int8), [0, 3], np.float32([1, 1, np.nan]))),
            "the scale of document row 2 holds NaN",
        ),
        (
            lambda: PackedTokens(np.ones((3, 2), np.float32), [0, 3], np.ones(3, np.float32)),
            "scales belong to int8 vectors; these are float32",
        ),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(lk.LabError, match=message):
        call()


def test_infinity_in_a_pack_that_nobody_checked_is_found_before_scoring():
    vectors = np.ones((3, 2), np.float32)
    vectors[1, 0] = np.nan
    with pytest.raises(lk.LabError, match="document row 1"):
        lk.maxsim(QUERY, PackedTokens(vectors, [0, 3]))


def test_a_pack_keeps_the_offsets_that_were_checked():
    offsets = np.array([0, 3])
    packed = PackedTokens(np.ones((3, 2), np.float32), offsets, finite=True)
    offsets[1] = 1_000_000
    assert lk.maxsim(QUERY, packed).shape == (1,)
    assert packed.offsets.tolist() == [0, 3]
    with pytest.raises(ValueError, match="read-only"):
        packed.offsets[1] = 1_000_000


def test_a_float32_document_is_a_view_and_a_slice_is_a_pack():
    packed = lk.pack(DOCUMENTS)
    assert np.shares_memory(packed[1], packed.vectors)
    part = packed[1:3]
    assert isinstance(part, PackedTokens)
    assert part.lengths.tolist() == [1, 3]
    assert lk.maxsim(QUERY, part).tolist() == EXPECTED[1:]
    assert packed[-1].tolist() == DOCUMENTS[2].tolist()
    with pytest.raises(IndexError):
        packed[3]
