"""The cross-encoder that ships: what it is made of, what it never saw, and that its stored scores are its own."""

import importlib
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch

import labkit as lk
from labkit import paths
from labkit.corpus.collection import Collection, Document
from labkit.encoding import low_rank
from labkit.encoding.default_model import find_default_model
from labkit.ranking import offline_pair
from labkit.ranking import shipped_scores as stored_scores
from labkit.ranking.ranking import as_hits
from labkit.ranking.shipped_scores import pair_key, shipped_scores, write_scores

RECIPES = Path(__file__).parents[2] / "data" / "recipes"
QUERY = "turn a wide table into a long one"
TEXTS = ["Unpivot a DataFrame from wide to long format.", "Sort the rows.", "", "Sort the rows."]


@pytest.fixture(scope="module")
def cross():
    return lk.CrossEncoderReranker(stored=False)


@pytest.fixture
def recipe(monkeypatch):
    monkeypatch.syspath_prepend(str(RECIPES))
    return importlib.import_module("cross_texts")


def test_it_is_the_default_and_says_so(cross):
    assert repr(cross) == "CrossEncoderReranker('labkit-cross-minilm', device='cpu')"
    assert cross.model.startswith("labkit-cross-minilm ")


def test_it_loads_without_a_word_about_a_head_that_the_change_brings(caplog):
    from transformers.utils import logging

    level, logger = logging.get_verbosity(), logging.get_logger("transformers")
    logging.set_verbosity_warning()
    logger.addHandler(caplog.handler)
    offline_pair.load_offline("cpu")
    logger.removeHandler(caplog.handler)
    assert caplog.text == ""
    assert logging.get_verbosity() == logging.WARNING
    logging.set_verbosity(level)


def test_a_weight_is_the_base_models_plus_the_product_of_the_two_small_matrices():
    weights = {
        "x.weight": torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]),
        "x.bias": torch.zeros(3),
        "y": torch.ones(1),
    }
    change = {"x.a": torch.tensor([[1.0, 2.0]]), "x.b": torch.tensor([[1.0], [0.0], [3.0]]), "x.bias": torch.ones(3)}
    changed = low_rank.changed(weights, change)
    assert changed["x.weight"].tolist() == [[2.0, 2.0], [0.0, 1.0], [3.0, 6.0]]
    assert changed["x.bias"].tolist() == [1.0, 1.0, 1.0]
    assert changed["y"].tolist() == [1.0]
    assert weights["x.weight"][0].tolist() == [1.0, 0.0]  # the base stays what it was


def test_its_logits_are_those_of_transformers_with_the_changed_weights(cross):
    from safetensors.torch import load_file
    from transformers import AutoTokenizer, BertForSequenceClassification

    folder = str(find_default_model())
    model = BertForSequenceClassification.from_pretrained(folder, num_labels=1).eval()
    change = load_file(paths.data() / offline_pair.FILE)
    model.load_state_dict(low_rank.changed(model.state_dict(), change))
    tokens = AutoTokenizer.from_pretrained(folder)([QUERY] * 2, TEXTS[:2], padding=True, return_tensors="pt")
    with torch.inference_mode():
        expected = model(**tokens).logits[:, 0].numpy()
    np.testing.assert_allclose(cross.score_hits(QUERY, as_hits(TEXTS[:2])), expected, atol=1e-4)
    assert expected[0] - expected[1] > 1  # it tells them apart


def test_the_change_is_small_and_another_one_is_refused(tmp_path, monkeypatch):
    file = paths.data() / offline_pair.FILE
    assert file.stat().st_size <= 3_000_000
    monkeypatch.setattr(paths, "data", lambda: tmp_path)
    with pytest.raises(lk.LabError, match=r"cross_encoder\.safetensors is missing. Install labkit again"):
        offline_pair.load_offline("cpu")
    (tmp_path / offline_pair.FILE).write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(lk.LabError, match=r"has sha256 .*, expected .*; install labkit again"):
        offline_pair.load_offline("cpu")


def test_a_pair_longer_than_it_reads_is_refused_or_cut(cross):
    with pytest.raises(lk.LabError, match="max_length must be at most 320"):
        lk.CrossEncoderReranker(max_length=512).rerank(QUERY, TEXTS)
    assert cross.rerank("table", ["row " * 400])[0].truncated


def test_stored_scores_are_found_by_model_query_and_passage(tmp_path):
    file = tmp_path / "scores.safetensors"
    write_scores("model 1", {pair_key("q", "a"): 1.5, pair_key("q", "b"): -2.0}, file)
    assert dict(shipped_scores("model 1", file)) == {pair_key("q", "a"): 1.5, pair_key("q", "b"): -2.0}
    assert shipped_scores("model 2", file) == {}
    assert shipped_scores("model 1", tmp_path / "none") == {}
    assert len({pair_key("q", "ab"), pair_key("qa", "b"), pair_key("ab", "q")}) == 3


@pytest.fixture
def stored_for_toys(cross, tmp_path, monkeypatch):
    """A toy collection, the cross-encoder's own scores of its only query in a file, and that file in use."""
    docs = {str(i): Document("", text) for i, text in enumerate(TEXTS[:2])}
    c = Collection("toys", docs, {"q": QUERY}, {"q": {"0": 1}})
    scores = zip(TEXTS[:2], cross.score_hits(QUERY, as_hits(TEXTS[:2])), strict=True)
    write_scores(cross.model, {pair_key(QUERY, text): float(score) for text, score in scores}, tmp_path / "toys")
    monkeypatch.setattr(stored_scores, "FILE", str(tmp_path / "toys"))
    shipped_scores.cache_clear()
    yield c
    shipped_scores.cache_clear()


def test_stored_scores_stand_in_for_a_live_run_and_say_so(stored_for_toys):
    stored, live = (lk.CrossEncoderReranker(stored=stored).rerank(QUERY, TEXTS[:2]) for stored in (True, False))
    assert (stored.encoded, stored.cached, live.encoded, live.cached) == (0, 2, 2, 0)
    assert (stored.looked_up, live.looked_up) == (True, False)
    assert stored.ids == live.ids == ["0", "1"]
    np.testing.assert_allclose([hit.score for hit in stored], [hit.score for hit in live], atol=1e-4)
    mixed = lk.CrossEncoderReranker().rerank(QUERY, TEXTS)
    assert (mixed.encoded, mixed.cached) == (1, 2)  # the empty text was not stored


def test_a_run_over_stored_scores_has_no_latency(stored_for_toys):
    result = lk.evaluate(lk.TwoStage(lk.DenseRetriever(stored_for_toys), lk.CrossEncoderReranker()), stored_for_toys)
    assert result.metrics["nDCG@10"] == 1.0
    assert result.latency_ms == {"p50": None, "p95": None}
    assert result.seconds_per_1000 is None


@pytest.mark.slow
def test_no_text_it_learned_from_overlaps_with_pydocs(recipe):
    packages = {entry["name"] for entry in tomllib.loads((paths.data() / "pydocs.toml").read_text())["package"]}
    assert "pandas" in packages
    assert not packages & recipe.PACKAGES.keys()
    forbidden = recipe.pydocs_sentences()
    assert len(forbidden) > 10_000
    sources = recipe.sources(forbidden)
    assert len(sources) > 10_000
    learned = set().union(*(recipe.sentences(source.sections.text) for source in sources))
    assert len(learned) > 20_000
    assert not learned & forbidden
