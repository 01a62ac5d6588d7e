"""The fast path: pieces, threads, memory and the device's form all give what the plain form gives."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import labkit as lk
from labkit.encoding.tokens import PackedTokens, as_float32, quantize_int8
from labkit.scoring import kernel, threads
from labkit.scoring.device import winners_on_device
from labkit.scoring.loops import LANES, PIECE, ROWS, WIDE


@pytest.fixture(autouse=True, params=["torch's threads", "ours"])
def workers(request, monkeypatch):
    """Who does the work, on small packs too: the threads of torch's OpenMP, or a pool's where torch shares none."""
    monkeypatch.setattr(kernel, "ALONE", 0)
    if request.param == "ours":
        monkeypatch.setattr(threads, "team", lambda: None)
    elif threads.team() is None:
        pytest.skip("torch's library brings no GOMP_parallel here")
    return request.param


@pytest.fixture
def case():
    """A query of 5 tokens and 30 documents of 0 to 40 tokens, d = 7."""
    rng = np.random.default_rng(11)
    packed = lk.pack([rng.normal(size=(n, 7)).astype(np.float32) for n in rng.integers(0, 41, 30)])
    return rng.normal(size=(5, 7)).astype(np.float32), packed


@pytest.mark.parametrize("tokens", [ROWS - 1, ROWS, ROWS + 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 5])
@pytest.mark.parametrize("width", [1, LANES, LANES + 1, WIDE, WIDE + 1, 2 * WIDE + LANES])
def test_tiles_and_pieces_fit_together_at_every_edge(tokens, width):
    rng = np.random.default_rng(tokens * width)
    query, document = rng.normal(size=(width, 11)).astype(np.float32), rng.normal(size=(tokens, 11)).astype(np.float32)
    for form in (lk.pack([document]), quantize_int8(lk.pack([document]))):
        products = np.asarray(form[0], np.float64) @ query.T
        scores, winners = lk.maxsim(query, form, argmax=True)
        np.testing.assert_allclose(scores, [products.max(axis=0).sum()], rtol=1e-5)
        assert winners[0].tolist() == products.argmax(axis=0).tolist()
        np.testing.assert_array_equal(lk.maxsim(query, form), scores)


def test_a_score_does_not_depend_on_the_company_to_the_last_bit(case):
    query, packed = case
    for form in (packed, quantize_int8(packed), lk.pack([np.asarray(d, np.float16) for d in packed])):
        together = lk.maxsim(query, form)
        assert together.tolist() == [lk.maxsim(query, form[i : i + 1])[0] for i in range(len(form))]
        queries = lk.pack([query[:2], query, query[::-1]])
        assert lk.maxsim(queries, form)[1].tolist() == together.tolist()


def test_the_first_of_equal_tokens_wins():
    _, winners = lk.maxsim(np.eye(2, dtype=np.float32), lk.pack([np.ones((6, 2), np.float32)]), argmax=True)
    assert winners.tolist() == [[0, 0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_the_devices_form_gives_the_same_winners(case, dtype):
    query, packed = case
    there = PackedTokens(torch.from_numpy(packed.vectors).to(dtype), packed.offsets, finite=True)
    chosen = np.array([4, 5, 6, 0, 29, 4])
    best, winners = winners_on_device(query, there, chosen)
    ours, our_winners = kernel.winners_packed(query, there, chosen)
    np.testing.assert_allclose(best, ours, rtol=1e-5)
    assert (winners == our_winners).all()


def test_several_queries_at_once_equal_one_by_one(case, monkeypatch):
    query, packed = case
    queries = lk.pack([query, query[:0], query[2:3], query[::-1].copy()])
    monkeypatch.setattr(kernel, "COLUMNS", 6)  # two groups, a query never torn apart
    together = lk.maxsim(queries, packed)
    np.testing.assert_allclose(together, [lk.maxsim(queries[i], packed) for i in range(len(queries))], rtol=1e-6)
    assert (together[1] == 0).all()


def test_the_number_of_threads_changes_no_score_and_stays_as_it_was(case):
    query, packed = case
    before = torch.get_num_threads()
    many = lk.maxsim(query, packed)
    assert torch.get_num_threads() == before
    torch.set_num_threads(1)
    try:
        np.testing.assert_array_equal(lk.maxsim(query, packed), many)
    finally:
        torch.set_num_threads(before)


def test_calls_from_several_threads_at_once_do_not_mix(case):
    query, packed = case
    queries = [query * factor for factor in (1, 2, 3, 4)]
    expected = [lk.maxsim(q, packed) for q in queries]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(20):
            for got, wanted in zip(pool.map(lambda q: lk.maxsim(q, packed), queries), expected, strict=True):
                np.testing.assert_array_equal(got, wanted)


def test_candidates_apart_and_together_score_as_the_whole_pack_does(case):
    query, packed = case
    whole = lk.maxsim(query, packed)
    for candidates in ([3, 4, 5], [29, 0, 11, 12, 2], [6, 6, 6], [1]):
        np.testing.assert_allclose(lk.maxsim(query, packed, candidates), whole[candidates], rtol=1e-6)


@pytest.mark.parametrize("apart", [np.s_[:, ::2], np.s_[:, :7], np.s_[::-1], np.s_[:, ::-1]])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_vectors_that_do_not_stand_row_by_row_score_as_their_copy(case, apart, kind):
    _, packed = case
    wide = np.random.default_rng(2).normal(size=(len(packed.vectors), 14)).astype(np.float32)
    if kind == "torch" and min(np.empty((2, 2))[apart].strides) < 0:
        pytest.skip("torch has no negative strides")
    view = (torch.from_numpy(wide) if kind == "torch" else wide)[apart]
    query = np.random.default_rng(3).normal(size=(5, view.shape[1])).astype(np.float32)
    copy = PackedTokens(np.ascontiguousarray(view), packed.offsets, finite=True)
    scores = np.asarray(lk.maxsim(query, PackedTokens(view, packed.offsets, finite=True)))
    np.testing.assert_array_equal(scores, lk.maxsim(query, copy))


def test_every_form_of_storage_scores_as_its_float32_vectors_do(case):
    query, packed = case
    half = packed.vectors.astype(np.float16)
    half[:4] = np.array([[6e-8, -6e-8, 6e-5, -6e-5, 65504, -65504, -0.0]] * 4)  # subnormals, and the largest
    brain = torch.from_numpy(packed.vectors).bfloat16()
    forms = [quantize_int8(packed), *(PackedTokens(v, packed.offsets, finite=True) for v in (half, brain))]
    for form in forms:
        wide = PackedTokens(np.asarray(as_float32(form, 0, len(form.vectors))), form.offsets, finite=True)
        for candidates in (None, [3, 4, 5, 29, 0, 11]):
            scores = np.asarray(lk.maxsim(query, form, candidates))
            np.testing.assert_allclose(scores, lk.maxsim(query, wide, candidates), rtol=1e-5)


@pytest.mark.parametrize("half", [np.float16, torch.bfloat16])
def test_infinity_that_nobody_checked_for_stays_infinity(half):
    vectors = np.array([[np.inf, 1], [1, 1], [-np.inf, 1]], np.float32)
    stored = torch.from_numpy(vectors).to(half) if half is torch.bfloat16 else vectors.astype(half)
    scores = lk.maxsim(np.array([[1, 0]], np.float32), PackedTokens(stored, np.arange(4), finite=True))
    assert np.asarray(scores).tolist() == [np.inf, 1, -np.inf]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_torchs_default_dtype_changes_no_score(case, dtype):
    query, packed = case
    half = PackedTokens(packed.vectors.astype(np.float16), packed.offsets, finite=True)
    expected = lk.maxsim(query, half)
    torch.set_default_dtype(dtype)
    try:
        with ThreadPoolExecutor(1) as fresh:  # a thread without memory of its own yet
            np.testing.assert_array_equal(fresh.submit(lk.maxsim, query, half).result(), expected)
    finally:
        torch.set_default_dtype(torch.float32)


def test_winners_are_found_after_scores_in_inference_mode(case):
    query, packed = case
    with torch.inference_mode():
        expected = lk.maxsim(query, packed)
    np.testing.assert_allclose(lk.maxsim(query, packed, argmax=True)[0], expected, rtol=1e-6)


def test_where_no_product_is_a_number_the_first_token_wins():
    query = np.array([[1e30], [1]], np.float32)
    packed = lk.pack([np.array([[0], [0], [1]], np.float32), np.full((2, 1), -1e30, np.float32)])
    scores, winners = lk.maxsim(query, packed, argmax=True)
    assert scores.tolist() == [np.float32(1e30), -np.inf]
    assert [w.tolist() for w in winners] == [[2, 2], [0, 0]]


def test_every_float16_is_widened_to_itself_even_where_subnormals_count_as_0():
    bits = np.arange(2**16, dtype=np.uint16).view(np.float16)
    numbers = bits[np.isfinite(bits)][:, None]
    packed = PackedTokens(numbers, np.arange(len(numbers) + 1), finite=True)
    for flush in (False, True):
        torch.set_flush_denormal(flush)
        try:
            scores = lk.maxsim(np.full((1, 1), 2.0**30, np.float32), packed)
        finally:
            torch.set_flush_denormal(False)
        np.testing.assert_array_equal(scores, numbers[:, 0].astype(np.float32) * np.float32(2.0**30))


def test_torchs_lazy_minus_is_read():
    vectors = torch.tensor([[1 + 2j], [3 - 4j]]).conj().imag
    assert vectors.is_neg()
    packed = PackedTokens(vectors, np.arange(3), finite=True)
    assert lk.maxsim(np.ones((1, 1), np.float32), packed).tolist() == [-2, 4]


def test_vectors_without_dimensions_score_nothing():
    packed = lk.pack([np.zeros((3, 0), np.float32), np.zeros((2, 0), np.float32)])
    assert lk.maxsim(np.zeros((4, 0), np.float32), packed).tolist() == [0, 0]


MEMORY = """
import sys, numpy as np, psutil, labkit as lk
from labkit.encoding.tokens import PackedTokens
def anonymous():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
if sys.argv[2] == "ours":
    from labkit.scoring import threads
    threads.team = lambda: None
query = np.ones((32, 384), np.float32)
lk.maxsim(query, lk.pack([np.ones((100, 384), np.float16)] * 200))  # threads, buffers and compilation come first
rows = 400_000
vectors = np.memmap(sys.argv[1], np.float16, "w+", shape=(rows, 384)); vectors[::1000] = 1; vectors.flush()
stored = np.memmap(sys.argv[1], np.float16, "r", shape=(rows, 384))
packed = PackedTokens(stored, np.arange(0, rows + 1, 100), finite=sys.argv[2] == "ours")  # else looked through first
before = anonymous()
scores = lk.maxsim(query, packed)
assert scores.shape == (4_000,)
print((anonymous() - before) / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="RssAnon is Linux's")
def test_memory_does_not_grow_with_a_memory_mapped_pack(tmp_path, workers):
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path / "pack", workers], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 64  # MiB, beside a pack of 293
