"""The model under a cross-encoder: what decides its scores, which texts stay text, and which folders are refused."""

import json
import socket

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import CrossEncoder

import labkit as lk
from tests import tiny

QUERY = "ba ce di"
TEXTS = ["ba ce di", "ka le mi no", "", "fo gu", "ra se ti bo cu da fe gi ko lu", "di ce, ba!"]
LONG = "ba ce di fo gu ka le mi no pu " * 4


def own_logits(model, query, texts):
    return model.predict([(query, text) for text in texts], activation_fn=torch.nn.Identity())


@pytest.mark.parametrize("literal", ["[SEP]", "[CLS]", "[PAD]", "[MASK]", "</s>", "<s>", "<pad>", "<mask>", "<unk>"])
def test_names_of_special_tokens_stay_text(cross, literal):
    tokenizer = cross._pairs._model.tokenizer
    for text in (literal, f"ba {literal} ce", f"ba{literal}ce", f"{literal}{literal}"):
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert not set(ids) & (set(tokenizer.all_special_ids) - {tokenizer.unk_token_id})
    assert np.isfinite(cross.rerank(literal, [f"ba {literal} ce"])[0].score)


def test_a_planted_separator_does_not_score_as_a_real_one(tmp_path):
    folder = tiny.write_cross_xlmr(tmp_path / "cross")
    naive = own_logits(CrossEncoder(str(folder), device="cpu", max_length=32), QUERY, ["ka </s>"])
    ours = lk.CrossEncoderReranker(str(folder)).rerank(QUERY, ["ka </s>"])[0].score
    assert ours != pytest.approx(float(naive[0]), abs=1e-3)


def test_hiding_special_pieces_changes_no_other_token(tmp_path):
    folder = tiny.write_cross_xlmr(tmp_path / "cross")
    before = CrossEncoder(str(folder), device="cpu").tokenizer
    after = lk.CrossEncoderReranker(str(folder))._pairs._model.tokenizer
    texts = [*TEXTS, LONG, "ÄÖ ☃ x<y/z>s", "ba\tce\n di"]
    assert after(texts)["input_ids"] == before(texts)["input_ids"]
    assert after.decode(after("ba ce")["input_ids"]) == before.decode(before("ba ce")["input_ids"])


def test_a_tokenizer_that_cannot_split_them_is_refused():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    from labkit.encoding.literals import keep_literals

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "[SEP]": 1, "a": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", sep_token="[SEP]")
    with pytest.raises(lk.LabError, match=r"m cannot be used: its tokenizer takes '\[SEP\]' in a text for that token"):
        keep_literals(tokenizer, "m")


def test_the_identity_follows_weights_tokens_settings_and_length(tmp_path):
    first = tiny.write_cross_bert(tmp_path / "a")
    same = tiny.write_cross_bert(tmp_path / "same")
    others = [tiny.write_cross_bert(tmp_path / "seed", seed=1), tiny.write_cross_bert(tmp_path / "heads")]
    config = json.loads((others[1] / "config.json").read_text())
    (others[1] / "config.json").write_text(json.dumps({**config, "num_attention_heads": 4}))
    keys = [lk.CrossEncoderReranker(str(each)).model.split()[-1] for each in (first, same, *others)]
    keys += [lk.CrossEncoderReranker(str(first), max_length=20).model.split()[-1]]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    assert all(len(key) == 12 for key in keys)


def test_half_precision_weights_are_scored_in_single(tmp_path):
    folder = tiny.write_cross_bert(tmp_path / "half")
    weights = {name: tensor.half() for name, tensor in load_file(folder / "model.safetensors").items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _configure(folder, dtype="float16")
    model = lk.CrossEncoderReranker(str(folder))._pairs._model
    assert {p.dtype for p in model.parameters()} == {torch.float32}


def test_a_saved_prompt_is_read_and_counted(tmp_path, folder):
    CrossEncoder(str(folder), device="cpu", max_length=32, prompts={"q": "ka le "}, default_prompt_name="q").save(
        str(tmp_path / "prompted")
    )
    cross = lk.CrossEncoderReranker(str(tmp_path / "prompted"))
    plain = lk.CrossEncoderReranker(str(folder))
    assert cross.rerank(QUERY, ["fo gu"])[0].score == pytest.approx(
        plain.rerank(f"ka le {QUERY}", ["fo gu"])[0].score, abs=1e-5
    )
    with pytest.raises(lk.LabError, match="takes 32"):
        cross.rerank("ba " * (27 if "bert" in str(folder) else 26), ["ba"])


def _configure(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def _without_head(folder):
    weights = load_file(folder / "model.safetensors")
    del weights["classifier.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _pickled(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def _with_code(folder):
    (folder / "evil.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\nclass C: pass\nclass M: pass\n")
    _configure(folder, model_type="unheard-of", auto_map={"AutoConfig": "evil.C"})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_pickled, r"must hold safetensors weights.*Pickled weights are not loaded"),
        (_without_head, r"must hold its head's weights; classifier\.weight is missing, and would be random"),
        (_with_code, r"could not be loaded as a cross-encoder: "),
        (lambda f: _configure(f, architectures=["BertModel"]), r"config\.json says BertModel where.*would be random"),
        (lambda f: (f / "config.json").write_text("{"), r"config\.json must be JSON"),
        (lambda f: (f / "config.json").unlink(), r"config\.json says nothing where"),
    ],
)
def test_folders_that_would_score_at_random_or_run_code_are_refused(tmp_path, spoil, message):
    folder = tiny.write_cross_bert(tmp_path / "spoilt")
    spoil(folder)
    with pytest.raises(lk.LabError, match=message):
        lk.CrossEncoderReranker(str(folder)).rerank(QUERY, TEXTS)
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("writer", tiny.CROSS_WRITERS.values())
def test_several_labels_are_refused(tmp_path, writer):
    folder = writer(tmp_path / "two", labels=2)
    with pytest.raises(lk.LabError, match=r"must give one score a pair; .*two gives 2 labels"):
        lk.CrossEncoderReranker(str(folder)).prepare()


def test_a_head_of_dense_modules_is_a_cross_encoder_too(tmp_path):
    from sentence_transformers.base.modules import Dense, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling

    torch.manual_seed(5)
    head = Dense(tiny.HIDDEN, 1, activation_function=torch.nn.Identity(), module_output_name="scores")
    body = Transformer(str(tiny.write_backbone(tmp_path / "body")))
    CrossEncoder(modules=[body, Pooling(tiny.HIDDEN, "cls"), head], device="cpu").save(str(tmp_path / "modular"))
    theirs = CrossEncoder(str(tmp_path / "modular"), device="cpu")
    ranking = lk.CrossEncoderReranker(str(tmp_path / "modular")).rerank(QUERY, TEXTS, top_n=99)
    expected = own_logits(theirs, QUERY, TEXTS)
    assert [hit.score for hit in ranking] == pytest.approx(expected[[int(i) for i in ranking.ids]].tolist(), abs=1e-5)


def test_a_local_folder_opens_no_connection(tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("a connection was tried")

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(lk.CrossEncoderReranker(str(tiny.write_cross_bert(tmp_path / "local"))).rerank(QUERY, TEXTS)) == 5
