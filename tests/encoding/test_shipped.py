"""Shipped vectors are used for the very text, weights and length that made them, and for nothing else."""

import numpy as np
import pytest

import labkit as lk
from labkit import paths
from labkit.encoding import shipped

TEXTS = ["Sort the rows of a table.", "Read a CSV file.", "Sort the rows of a table."]


@pytest.fixture(scope="module")
def enc():
    return lk.load_encoder(store=False)


@pytest.fixture
def folder(enc, tmp_path, monkeypatch):
    shipped.write_shipped(enc, TEXTS, tmp_path / shipped.FILE)
    monkeypatch.setattr(paths, "data", lambda: tmp_path)
    return tmp_path


def test_a_shipped_vector_is_the_encoders_own_but_for_int8(enc, folder):
    before = enc.encoded
    given = shipped.embed_with_shipped(enc, TEXTS)
    assert enc.encoded == before  # nothing was encoded
    own = enc.embed_documents(TEXTS)
    assert given.dtype == np.float32
    assert np.linalg.norm(given, axis=1) == pytest.approx(1, abs=1e-6)
    assert (given * own).sum(axis=1).min() > 0.9999


def test_another_text_is_encoded(enc, folder):
    before = enc.encoded
    given = shipped.embed_with_shipped(enc, [*TEXTS, "Sort the rows of a table"])  # a full stop less
    assert enc.encoded == before + 1
    assert given[-1] == pytest.approx(enc.embed_documents(["Sort the rows of a table"])[0])


@pytest.mark.parametrize("field", ["weights", "tokenizer", "document_length"])
def test_vectors_of_another_model_are_not_used(enc, folder, monkeypatch, field):
    made_by = shipped._made_by(enc)
    monkeypatch.setattr(shipped, "_made_by", lambda _: {**made_by, field: "another"})
    before = enc.encoded
    shipped.embed_with_shipped(enc, TEXTS)
    assert enc.encoded > before


def test_pydocs_needs_no_encoding_for_dense_search_where_the_lock_is_installed(enc):
    known = shipped._load(paths.data() / shipped.FILE, enc)
    passages = lk.load_collection("pydocs").passages
    missing = [passage for passage in passages if shipped._key(passage) not in known]
    assert len(missing) <= len(passages) // 20
