"""Checkpoints: three formats load as they were saved, and what would give random scores is refused."""

import numpy as np
import pytest
import torch
from sentence_transformers import MultiVectorEncoder

import labkit as lk
from labkit.encoding import checkpoints, default_model
from tests import tiny

QUERIES = ["ba ce di", "fo. gu"]
DOCUMENTS = ["ba ce, di fo gu!", "ka", "ba ce di fo gu ka le mi no pu ra se ti bo cu da fe gi ko lu"]


@pytest.fixture(scope="module", params=["native", "pylate", "stanford"])
def checkpoint(request, tmp_path_factory):
    return getattr(tiny, f"write_{request.param}")(tmp_path_factory.mktemp(request.param) / "model")


@pytest.fixture(scope="module")
def encoder(checkpoint):
    return lk.load_encoder(str(checkpoint), store=False)


def test_vectors_equal_sentence_transformers_own(checkpoint, encoder):
    theirs = MultiVectorEncoder(str(checkpoint), device="cpu")
    for ours, reference in (
        (encoder.encode_queries(QUERIES), theirs.encode_query(QUERIES, convert_to_numpy=True)),
        (encoder.encode_documents(DOCUMENTS), theirs.encode_document(DOCUMENTS, convert_to_numpy=True)),
    ):
        assert ours.lengths.tolist() == [len(array) for array in reference]
        for mine, its in zip(ours, reference, strict=True):
            np.testing.assert_allclose(mine, its, atol=1e-3)  # documents are kept as float16


def test_the_recipe_printed_is_the_recipe_applied(checkpoint, encoder):
    lengths = dict(m for m in encoder.recipe["modules"])["Transformer"]
    documents = encoder.encode_documents(DOCUMENTS)
    assert documents.lost.tolist()[:2] == [0, 0]
    skipped = set(dict(encoder.recipe["modules"])["MultiVectorMask"]["skiplist_words"])
    assert {".", ","} <= skipped
    assert not skipped & set(documents.tokens(0))
    queries = encoder.encode_queries(QUERIES)
    expansion = lengths.get("query_expansion")
    assert ("[MASK]" in queries.tokens(0)) == bool(expansion)
    if expansion:
        assert queries.lengths.tolist() == [expansion["length"]] * 2
    cut = lengths["document_length"]
    full = len(encoder.model.tokenizer(encoder.recipe["prompts"]["document"] + DOCUMENTS[2])["input_ids"])
    assert documents.lost[2] == full - cut


def test_markers_come_before_the_text(checkpoint, encoder):
    marker = encoder.recipe["prompts"]["query"].strip()
    assert (marker in encoder.encode_queries(QUERIES).tokens(0)) == bool(marker)


def test_spans_point_into_the_text_and_not_at_markers_or_expansion(encoder):
    queries = encoder.encode_queries(QUERIES)
    for token, (start, end) in zip(queries.tokens(0), queries.spans.tolist(), strict=False):
        assert QUERIES[0][start:end] == token if start >= 0 else token.startswith("[")


def test_a_checkpoint_has_no_dense_twin(encoder):
    with pytest.raises(lk.LabError, match="has no dense twin"):
        encoder.embed_queries(["ba"])


def test_a_folder_without_a_multi_vector_recipe_is_refused(tmp_path):
    folder = tiny.write_backbone(tmp_path / "plain")
    with pytest.raises(lk.LabError, match=r"no multi-vector recipe.*random projection"):
        lk.load_encoder(str(folder))


def test_the_default_models_own_folder_is_refused_as_a_checkpoint():
    with pytest.raises(lk.LabError, match="no multi-vector recipe"):
        lk.load_encoder(str(default_model.find_default_model()))


def test_a_folder_without_safetensors_is_refused(tmp_path):
    folder = tiny.write_backbone(tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(lk.LabError, match=r"must hold safetensors weights.*Pickled weights are not loaded"):
        lk.load_encoder(str(folder))


def test_a_pickled_head_beside_safetensors_is_refused(tmp_path):
    folder = tiny.write_pylate(tmp_path / "head")
    (folder / "1_Dense" / "model.safetensors").unlink()
    torch.save({}, folder / "1_Dense" / "pytorch_model.bin")
    with pytest.raises(lk.LabError, match="has no safetensors beside it"):
        lk.load_encoder(str(folder))


def test_an_unknown_model_says_which_there_are():
    with pytest.raises(lk.LabError, match=r"no model 'no-such/model'.*answerai-colbert-small-v1"):
        lk.load_encoder("no-such/model")


def test_a_settings_file_that_is_not_json_is_named(tmp_path):
    folder = tiny.write_pylate(tmp_path / "torn")
    (folder / "config_sentence_transformers.json").write_text("{")
    with pytest.raises(lk.LabError, match=r"config_sentence_transformers\.json must be JSON"):
        lk.load_encoder(str(folder))


def test_changed_weights_are_refused(tmp_path, monkeypatch):
    real = default_model.find_default_model()
    fake = tmp_path / "model"
    fake.mkdir()
    (fake / "tokenizer.json").write_bytes((real / "tokenizer.json").read_bytes())
    (fake / "model.safetensors").write_bytes(b"other weights")
    monkeypatch.setenv("LABKIT_MODEL", str(fake))
    with pytest.raises(lk.LabError, match=r"known hashes; refused .*model\.safetensors has sha256 .*pip install"):
        default_model.find_default_model()


def test_pickled_files_are_never_asked_of_the_hub():
    assert not any(pattern.endswith((".bin", ".pt", ".pth", ".pkl", "*")) for pattern in checkpoints.HUB_FILES)
