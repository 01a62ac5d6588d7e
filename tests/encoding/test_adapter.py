"""The adapter that ships: what it is made of, an encoder like any other, and its training on a few texts."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import labkit as lk
from labkit import paths
from labkit.encoding.checkpoints import load_encoder
from labkit.encoding.default_model import find_default_model
from labkit.encoding.low_rank import ADAPTER, ADAPTER_FILE, ADAPTER_SHA256, adapt, changed, read_change

RECIPES = Path(__file__).parents[2] / "data" / "recipes"
TEXTS = ["Unpivot a DataFrame from wide to long format.", "Sort the rows.", ""]


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))
    return importlib.import_module("train_adapter")


def test_its_vectors_are_those_of_transformers_with_the_changed_weights():
    from transformers import AutoTokenizer, BertModel

    folder = str(find_default_model())
    model = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    change = read_change(paths.data() / ADAPTER_FILE, ADAPTER_SHA256, "")
    model.load_state_dict(changed(model.state_dict(), change))
    with torch.inference_mode():
        hidden = model(**AutoTokenizer.from_pretrained(folder)(TEXTS[0], return_tensors="pt")).last_hidden_state
    expected = torch.nn.functional.normalize(hidden[0, 1:-1], dim=1).numpy()
    encoder = load_encoder(ADAPTER, store=False)
    np.testing.assert_allclose(encoder.encode_queries(TEXTS[:1])[0], expected, atol=1e-5)


def test_it_is_an_encoder_of_its_own():
    encoder, default = load_encoder(ADAPTER, store=False), load_encoder(store=False)
    assert encoder.identity.startswith("labkit-late-minilm ")
    assert encoder.dim == default.dim
    assert encoder.key != default.key
    ranking = lk.LateInteractionReranker(encoder).rerank("make a wide table long", TEXTS)
    assert ranking.ids[0] == "0"
    with pytest.raises(lk.LabError, match="has no dense twin"):
        encoder.embed_queries(TEXTS)
    with pytest.raises(lk.LabError, match="the head was trained on the default model"):
        load_encoder(ADAPTER, head=128)


def test_the_change_is_small_and_another_one_is_refused(tmp_path, monkeypatch):
    file = paths.data() / ADAPTER_FILE
    assert file.stat().st_size <= 3_000_000
    monkeypatch.setattr(paths, "data", lambda: tmp_path)
    model = load_encoder(store=False).model[0].model
    with pytest.raises(lk.LabError, match=r"adapter\.safetensors is missing. Install labkit again"):
        adapt(model)
    (tmp_path / ADAPTER_FILE).write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(lk.LabError, match=r"has sha256 .*, expected .*; install labkit again"):
        adapt(model)


@pytest.mark.slow
def test_training_starts_at_the_base_and_goes_on_where_it_was_interrupted(recipe, tmp_path, monkeypatch):
    passages = [f"{verb} the {thing}." for verb in ("Sort", "Read", "Drop") for thing in ("rows", "files", "names")]
    queries = [f"how to {passage.lower()}" for passage in passages]
    lists = [[i, *(j for j in range(9) if j != i)][:8] for i in range(9)]
    (tmp_path / "texts.json").write_text(json.dumps({"queries": queries, "passages": passages}))
    np.savez(tmp_path / "teacher.npz", candidates=np.array(lists), scores=np.tile(np.arange(8.0)[::-1], (9, 1)))
    monkeypatch.setattr(recipe, "HELD_OUT", 1)
    monkeypatch.setattr(recipe, "QUERIES_A_STEP", 2)
    student, read = recipe.TokenStudent(), recipe.Lists(tmp_path)
    own = load_encoder(store=False).encode_queries(passages[:1])[0]
    np.testing.assert_allclose(student.vectors(read, passages[:1], 64, 1)[0].detach(), own, atol=1e-5)
    whole = recipe.train(tmp_path, 3, 1e-3)
    again = recipe.train(tmp_path, 3, 1e-3)  # nothing is left to do
    assert whole.keys() == again.keys()
    assert all(torch.equal(whole[name], again[name]) for name in whole)
    assert any(tensor.abs().max() > 0 for name, tensor in whole.items() if name.endswith(".b"))
