"""The head that ships: nested, checked, an encoder like any other. Its training, on vectors with a planted signal."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

import labkit as lk
from labkit import paths
from labkit.encoding import head
from labkit.encoding.head import head_projection
from labkit.encoding.tokens import pack

RECIPES = Path(__file__).parents[2] / "data" / "recipes"
TEXTS = ["Sort the rows of a table.", "Read a CSV file into a table.", "", "Solve a linear system of equations."]


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))
    return importlib.import_module("train_head")


@pytest.fixture
def fresh():
    """The file is read once a process; here it is read anew."""
    head._read.cache_clear()
    yield
    head._read.cache_clear()


def test_smaller_heads_are_the_first_columns_of_the_larger_one():
    whole = head_projection(128)
    assert (whole.shape, whole.dtype) == ((384, 128), np.float32)
    for dim in (96, 64, 48):
        assert np.array_equal(head_projection(dim), whole[:, :dim])
    assert np.linalg.matrix_rank(whole) == 128


def test_the_head_is_read_only():
    with pytest.raises(ValueError, match="read-only"):
        head_projection(64)[0, 0] = 1


def test_the_file_is_small_and_tells_how_it_was_trained():
    file = paths.data() / head.FILE
    assert file.stat().st_size < 250_000
    with safe_open(file, "numpy") as stored:
        told = stored.metadata()
    curve = json.loads(told["curve"])
    assert np.mean(curve["loss"][-50:]) < 0.86 * np.mean(curve["loss"][:20])
    for dim in (128, 64, 48):
        assert curve["held_out"][f"end {dim}"] > curve["held_out"][f"start {dim}"]


@pytest.mark.parametrize("dim", [0, 32, 384, None, "64"])
def test_other_dimensions_are_refused(dim):
    with pytest.raises(lk.LabError, match="the head was trained for 128, 96, 64, 48 dimensions; got"):
        head_projection(dim)


def test_a_missing_head_and_an_altered_one_are_refused(tmp_path, monkeypatch, fresh):
    content = bytearray((paths.data() / head.FILE).read_bytes())
    monkeypatch.setattr(paths, "data", lambda: tmp_path)
    with pytest.raises(lk.LabError, match=r"head\.safetensors is missing\. Install labkit again"):
        head_projection(128)
    content[-1] ^= 1
    (tmp_path / head.FILE).write_bytes(content)
    with pytest.raises(lk.LabError, match=r"has sha256 .*, expected .*; install labkit again"):
        head_projection(128)


@pytest.mark.parametrize("dim", [128, 48])
def test_an_encoder_with_the_head_gives_the_full_vectors_projected_and_normalised(dim):
    full, small = lk.load_encoder(store=False), lk.load_encoder(store=False, head=dim)
    assert (small.dim, small.name) == (dim, f"{full.name}+head{dim}")
    for encode, within in (("encode_queries", 1e-5), ("encode_documents", 2e-3)):  # documents are kept as float16
        before, after = getattr(full, encode)(TEXTS), getattr(small, encode)(TEXTS)
        projected = before.vectors.astype(np.float32) @ head_projection(dim)
        projected /= np.linalg.norm(projected, axis=1, keepdims=True)
        np.testing.assert_allclose(after.vectors, projected, atol=within)
        assert np.array_equal(after.offsets, before.offsets)
        assert np.array_equal(after.ids, before.ids)


def test_the_head_leaves_the_twin_as_it_was():
    full, small = lk.load_encoder(store=False), lk.load_encoder(store=False, head=48)
    np.testing.assert_allclose(small.embed_documents(TEXTS), full.embed_documents(TEXTS), atol=1e-6)
    np.testing.assert_allclose(small.embed_queries(TEXTS), full.embed_queries(TEXTS), atol=1e-6)
    assert small.encode_documents(TEXTS).pooled.shape == (4, 384)
    assert small.embed_documents([]).shape == (0, 384)


def test_each_head_has_vectors_of_its_own_in_the_store():
    encoders = [lk.load_encoder(store=False, head=dim) for dim in (None, 128, 64)]
    assert len({encoder.key for encoder in encoders}) == 3
    assert len({encoder.recipe["head_sha256"] for encoder in encoders}) == 3
    assert len({encoder.recipe["weights_sha256"] for encoder in encoders}) == 1


def test_an_encoder_with_a_head_is_found_by_its_name():
    small = lk.load_encoder(store=False, head=64)
    assert lk.load_encoder(small.identity.rpartition(" ")[0], store=False).identity == small.identity


def test_a_head_on_another_model_or_under_another_name_is_refused():
    with pytest.raises(lk.LabError, match=r"trained on the default model; leave head=64 or 'some/model' out"):
        lk.load_encoder("some/model", head=64)
    with pytest.raises(lk.LabError, match=r"leave head=64 or 'sentence.*\+head48' out"):
        lk.load_encoder("sentence-transformers/all-MiniLM-L6-v2+head48", head=64)


def test_a_query_tokens_best_similarity_is_summed_over_its_query(recipe):
    queries, documents = torch.eye(3), torch.tensor([[10.0, 0, 1], [1, 100, 1], [2, 2, 2]])
    best = recipe.best(queries, documents, [2, 1])
    assert best.tolist() == [[10, 2], [100, 2], [1, 2]]
    assert recipe.summed(best, [2, 1]).tolist() == [[110, 4], [1, 2]]


def test_pca_finds_the_direction_of_most_variance(recipe):
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    vectors = (rng.normal(size=(500, 6)) * [9, 5, 1, 1, 1, 1]) @ directions.T + 20 * directions[:, 5]
    found = recipe.pca(pack([vectors]), 2)
    assert abs(found[:, 0] @ directions[:, 0]) > 0.99
    assert abs(found[:, 1] @ directions[:, 1]) > 0.99


@pytest.fixture
def planted(recipe):
    """Texts whose tokens tell by three directions of small variance who belongs together; the others are noise."""
    rng = np.random.default_rng(1)
    meaning = rng.normal(size=(120, 3))

    def side(tokens, noise):
        rows = [
            np.concatenate([np.tile(m, (tokens, 1)), noise * rng.normal(size=(tokens, 9))], axis=1) for m in meaning
        ]
        unit = [(row / np.linalg.norm(row, axis=1, keepdims=True)).astype(np.float16) for row in rows]
        packed = pack(unit)
        return type(packed)(packed.vectors, packed.offsets, pooled=meaning.astype(np.float32), finite=True)

    return recipe.Vectors(side(3, 0.0), side(5, 1.0))


def test_training_turns_the_head_to_what_tells_passages_apart(recipe, planted, monkeypatch):
    monkeypatch.setattr(recipe, "RATE", 0.05)
    monkeypatch.setattr(recipe, "TOKEN_WEIGHT", 1.0)
    head, curve = recipe.train(planted, steps=120, held=20, dims=(3, 2))
    assert head.shape == (12, 3)
    assert np.abs(head[:3, :2]).sum() > 0.9 * np.abs(head[:, :2]).sum()
    assert curve["held_out"]["start 3"] < 0.5
    assert curve["held_out"]["end 3"] > curve["held_out"]["start 3"] + 0.3
    assert np.mean(curve["loss"][-20:]) < 0.7 * np.mean(curve["loss"][:20])


def test_training_again_with_the_same_seed_gives_the_same_head(recipe, planted):
    first, again, other = (recipe.train(planted, steps=5, seed=seed, held=0, dims=(4, 2))[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_held_out_texts_are_not_learned_from(recipe, planted):
    changed = planted.passages.vectors.copy()
    changed[: planted.passages.offsets[20]] = changed[:1]
    passages = type(planted.passages)(changed, planted.passages.offsets, pooled=planted.passages.pooled, finite=True)
    other = recipe.Vectors(planted.queries, passages)
    first, again = (recipe.train(vectors, steps=5, held=20, dims=(4,))[0] for vectors in (planted, other))
    assert np.array_equal(first, again)


@pytest.mark.slow
def test_no_text_that_the_head_learned_from_shares_a_sentence_with_pydocs(recipe):
    from cross_texts import pydocs_sentences, sentences

    queries, passages = recipe.texts()
    assert len(queries) == len(passages) == recipe.DOCSTRINGS + recipe.SALADS
    learned = set().union(*map(sentences, [*queries, *passages]))
    assert len(learned) > 4_000
    assert not learned & pydocs_sentences()
