"""Tiny random checkpoints that tests write: cross-encoders, and multi-vector ones in the three formats people have."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
    XLMRobertaTokenizer,
)

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused0]", "[unused1]", "[Q]", "[D]", ".", ",", "!"] + [
    f"{a}{b}" for a in "bcdfgklmnprst" for b in "aeiou"
]
HIDDEN, DIM = 16, 6
SIZES = {"hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
SPREAD = {"initializer_range": 0.5}  # with the usual 0.02 all pairs would score alike


def write_backbone(folder: Path, seed: int = 0) -> Path:
    """A BERT of two layers with random weights and a word-level tokenizer."""
    torch.manual_seed(seed)
    _write_bert_tokenizer(folder)
    BertModel(BertConfig(vocab_size=len(WORDS), max_position_embeddings=64, **SIZES)).save_pretrained(folder)
    return folder


def write_cross_bert(folder: Path, seed: int = 0, labels: int = 1) -> Path:
    """A cross-encoder as ms-marco-MiniLM is saved: BERT with a classifier, 32 tokens a pair."""
    torch.manual_seed(seed)
    _write_bert_tokenizer(folder)
    config = BertConfig(vocab_size=len(WORDS), max_position_embeddings=32, num_labels=labels, **SIZES, **SPREAD)
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def write_cross_xlmr(folder: Path, seed: int = 0, labels: int = 1) -> Path:
    """A cross-encoder as BGE is saved: XLM-R with a unigram vocabulary that lists its special tokens, 32 tokens a pair.

    The tokenizer names no length, and the table of 34 positions begins at 2.
    """
    torch.manual_seed(seed)
    words = [(f"▁{word}", -3.0) for word in WORDS[9:]] + [(letter, -6.0) for letter in "▁<>/abcdefgiklmnoprstu[]SEP"]
    vocabulary = [*((name, 0.0) for name in ("<s>", "<pad>", "</s>", "<unk>")), *words, ("<mask>", 0.0)]
    XLMRobertaTokenizer(vocab=vocabulary).save_pretrained(folder)
    config = XLMRobertaConfig(
        vocab_size=len(vocabulary), max_position_embeddings=34, type_vocab_size=1, num_labels=labels, **SIZES, **SPREAD
    )
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)
    return folder


def _write_bert_tokenizer(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)


def write_native(folder: Path) -> Path:
    """As sentence-transformers 6 saves one."""
    backbone = write_backbone(folder.with_name(folder.name + "-backbone"))
    torch.manual_seed(1)
    modules = [
        Transformer(str(backbone), query_length=12, document_length=20),
        Dense(HIDDEN, DIM, bias=False, activation_function=torch.nn.Identity(),
              module_input_name="token_embeddings", module_output_name="token_embeddings"),
        MultiVectorMask([".", ",", "!"]),
        Normalize(module_input_name="token_embeddings"),
    ]  # fmt: skip
    MultiVectorEncoder(modules=modules, device="cpu").save(str(folder))
    return folder


def write_pylate(folder: Path) -> Path:
    """As PyLate 1 saves one: two modules, prefixes and lengths in the settings."""
    write_backbone(folder)
    torch.manual_seed(2)
    (folder / "1_Dense").mkdir()
    save_file({"linear.weight": torch.randn(DIM, HIDDEN)}, folder / "1_Dense" / "model.safetensors")
    _write(folder / "1_Dense" / "config.json", {
        "in_features": HIDDEN, "out_features": DIM, "bias": False,
        "activation_function": "torch.nn.modules.linear.Identity", "use_residual": False,
    })  # fmt: skip
    _write(folder / "modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Dense", "type": "pylate.models.Dense.Dense"},
    ])  # fmt: skip
    _write(folder / "sentence_bert_config.json", {"max_seq_length": 19, "do_lower_case": False})
    _write(folder / "config_sentence_transformers.json", {
        "model_type": "ColBERT", "query_prefix": "[Q] ", "document_prefix": "[D] ", "query_length": 14,
        "document_length": 19, "attend_to_expansion_tokens": False, "do_query_expansion": True,
        "skiplist_words": [".", ","], "prompts": {}, "similarity_fn_name": "MaxSim",
    })  # fmt: skip
    return folder


def write_stanford(folder: Path) -> Path:
    """As Stanford's ColBERT saves one: the projection beside the encoder's weights, settings in artifact.metadata."""
    write_backbone(folder)
    torch.manual_seed(3)
    weights = {f"bert.{name}": tensor for name, tensor in load_file(folder / "model.safetensors").items()}
    weights["linear.weight"] = torch.randn(DIM, HIDDEN)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    _write(folder / "config.json", {**config, "architectures": ["HF_ColBERT"]})
    _write(folder / "artifact.metadata", {
        "query_token_id": "[unused0]", "doc_token_id": "[unused1]", "query_maxlen": 10, "doc_maxlen": 18,
        "mask_punctuation": True, "attend_to_mask_tokens": False,
    })  # fmt: skip
    return folder


def _write(file: Path, value: object) -> None:
    file.write_text(json.dumps(value))


CROSS_WRITERS = {"bert": write_cross_bert, "xlmr": write_cross_xlmr}
