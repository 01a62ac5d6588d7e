"""A cross-encoder's model: found, checked, and run over (query, passage) pairs. Safetensors only, no remote code."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.encoding import recipe as recipes
from labkit.encoding.batches import batches
from labkit.encoding.checkpoints import find_folder, quiet, read_json, require_safetensors, with_network
from labkit.encoding.literals import keep_literals
from labkit.errors import LabError
from labkit.ranking import offline_pair

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

# Cross-encoders that the course names, as their cards describe them; any other hub name or folder is tried too.
KNOWN = {
    "cross-encoder/ms-marco-MiniLM-L6-v2": "23 M parameters, 512 tokens",
    "BAAI/bge-reranker-base": "278 M, 512 tokens",
    "BAAI/bge-reranker-v2-m3": "568 M, 8,192 tokens",
}


class PairModel:
    """A one-label cross-encoder.

    Attributes
    ----------
    max_length : tokens of a pair that it reads, special ones among them
    recipe : everything that decides the scores, ready to print
    identity : its name and the first twelve digits of the recipe's sha256
    """

    def __init__(self, model: CrossEncoder, name: str, max_length: int, config: dict[str, Any]) -> None:
        self.name, self.max_length = name, max_length
        self._model = model.eval()
        self._prompt = model.prompts.get(model.default_prompt_name) or None
        self._lock = threading.Lock()  # the tokenizer's truncation is state that calls change
        keep_literals(model.tokenizer, name)
        model.max_seq_length = max_length
        text = {**model[0].processing_kwargs.get("text", {}), "truncation": "only_second", "max_length": max_length}
        model[0].processing_kwargs = {**model[0].processing_kwargs, "text": text}
        self.recipe = recipes.describe(model, storage="float32") | {
            "max_length": max_length, "activation": "Identity", "truncation": "only_second", "prompt": self._prompt,
            "config": {key: value for key, value in config.items() if key != "_name_or_path"},
        }  # fmt: skip
        self.identity = f"{name} {recipes.recipe_key(self.recipe, 'pair')[:12]}"

    def logits(
        self, query: str, passages: Sequence[str], batch_tokens: int, known: Mapping[str, float] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """[n] logits, float32, and [n] the pairs' lengths in tokens before any cut.

        Each text is scored once, in batches that only the set of texts decides, so that equal texts have equal scores
        and the order of the passages changes nothing. Texts whose score is ``known`` are not run.
        """
        unique = sorted(set(passages))
        with self._lock:
            lengths = self._lengths(query, ["", *unique])
            self._require_room(lengths[0])
            scores = np.array([(known or {}).get(text, 0.0) for text in unique], np.float32)
            rest = [i for i, text in enumerate(unique) if text not in (known or {})]
            for places in batches([min(lengths[1 + i], self.max_length) for i in rest], batch_tokens):
                part = [rest[place] for place in places]
                scores[part] = self._forward(query, [unique[i] for i in part])
        if np.isnan(scores).any():
            raise LabError(f"{self.name} gave NaN for {query[:30]!r}: its weights must be finite. Get them again.")
        place = {text: i for i, text in enumerate(unique)}
        order = [place[text] for text in passages]
        return scores[order], np.array(lengths[1:])[order]

    def _lengths(self, query: str, passages: list[str]) -> list[int]:
        whole = {"text": {"truncation": False, "max_length": None, "padding": False, "verbose": False}}
        features = self._model.preprocess(
            [(query, text) for text in passages], prompt=self._prompt,
            processing_kwargs={**whole, "common": {"return_tensors": None}},
        )  # fmt: skip
        return [len(ids) for ids in features["input_ids"]]

    def _require_room(self, taken: int) -> None:
        """``taken`` is the length of the pair with an empty document."""
        if taken >= self.max_length:
            raise LabError(
                f"the query must leave room for the document: {self.name} reads {self.max_length} tokens of a pair, "
                f"and the query with the special tokens takes {taken}. Shorten the query."
            )

    def _forward(self, query: str, passages: list[str]) -> np.ndarray:
        return self._model.predict(
            [(query, text) for text in passages], batch_size=len(passages), prompt=self._prompt, show_progress_bar=False
        )


@cache
def load_pair_model(name: str, device: str = "cpu", max_length: int | None = None) -> PairModel:
    """Load a cross-encoder in float32; the same arguments give the same object.

    Raises `LabError` if it cannot be had, has no safetensors, is no cross-encoder (sentence-transformers would add a
    random head without a word), has several labels, or cannot read ``max_length`` tokens.
    """
    _require_device(device)
    quiet()
    if name == offline_pair.NAME:
        model, config, longest = offline_pair.load_offline(device), {}, offline_pair.LENGTH
    else:
        folder = find_folder(name, f"Give a folder, {with_network(KNOWN)}")
        model, config = _load(folder, name, device), dict(read_json(folder / "config.json"))
        longest = _longest(model)
    if max_length is not None and max_length > longest:
        raise LabError(f"max_length must be at most {longest}, what {name} can read; got {max_length}.")
    return PairModel(model, name, max_length or longest, config)


def _require_device(device: str) -> None:
    import torch

    try:
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise LabError(f"device must be one that torch has here, such as 'cpu'; got {device!r}.") from None


def _load(folder: Path, name: str, device: str) -> CrossEncoder:
    import torch
    from sentence_transformers import CrossEncoder

    require_safetensors(folder, name)
    _require_pair_head(folder, name)
    try:
        model = CrossEncoder(
            str(folder), device=device, local_files_only=True, trust_remote_code=False,
            model_kwargs={"use_safetensors": True, "dtype": torch.float32}, activation_fn=torch.nn.Identity(),
        )  # fmt: skip
    except (OSError, ValueError, RuntimeError, ImportError, KeyError) as error:
        raise LabError(f"{name} could not be loaded as a cross-encoder: {str(error).strip().splitlines()[0]}") from None
    if model.num_labels != 1:
        raise LabError(
            f"a reranker must give one score a pair; {name} gives {model.num_labels} labels. Give a cross-encoder that "
            "was trained to rank, with num_labels 1."
        )
    _require_trained_head(model, folder, name)
    return model


def _require_pair_head(folder: Path, name: str) -> None:
    """Refuse a folder that was not saved as a scorer of pairs."""
    architectures = read_json(folder / "config.json").get("architectures") or []
    settings, modules = read_json(folder / "config_sentence_transformers.json"), read_json(folder / "modules.json")
    dense = any(str(module.get("type", "")).endswith("Dense") for module in modules)
    if any(str(a).endswith("ForSequenceClassification") for a in architectures):
        return
    if settings.get("model_type") == "CrossEncoder" and dense:
        return
    raise LabError(
        f"{name} must be a cross-encoder; its config.json says {', '.join(map(str, architectures)) or 'nothing'} where "
        "a ...ForSequenceClassification is needed. Loaded anyway, its head and its scores would be random."
    )


def _require_trained_head(model: CrossEncoder, folder: Path, name: str) -> None:
    """Refuse weights without the head that the settings promise: transformers would draw it at random."""
    from safetensors import safe_open

    inner = model[0].model
    if not type(inner).__name__.endswith("ForSequenceClassification"):
        return
    stored: set[str] = set()
    for file in folder.glob("*.safetensors"):
        with safe_open(file, "pt") as weights:
            stored.update(weights.keys())
    head = [key for key in inner.state_dict() if not key.startswith(f"{inner.base_model_prefix}.")]
    if missing := sorted(set(head) - stored):
        raise LabError(f"{name} must hold its head's weights; {missing[0]} is missing, and would be random.")


def _longest(model: CrossEncoder) -> int:
    """Tokens of a pair that the model can read. RoBERTa and its kin number positions from padding_idx + 1, so their
    table of 514 holds 512."""
    import torch

    limits = [model.max_seq_length, model[0].processing_kwargs.get("text", {}).get("max_length")]
    for module in model.modules():
        table, padding = getattr(module, "position_embeddings", None), getattr(module, "padding_idx", None)
        if isinstance(table, torch.nn.Embedding) and isinstance(padding, int):
            limits.append(table.num_embeddings - padding - 1)
    return int(min(limit for limit in limits if limit is not None))
