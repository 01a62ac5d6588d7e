"""The recipe of an encoder: everything that decides which vectors a text gets, as one plain dictionary.

It is printed for people and hashed for the store, so that vectors of one recipe are never read as another's.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentence_transformers import MultiVectorEncoder

RECIPE_VERSION = 1


def describe(model: MultiVectorEncoder, storage: str) -> dict[str, Any]:
    """What decides the vectors: weights, tokenizer, modules, prompts, lengths, skip list, storage dtype."""
    return {
        "recipe_version": RECIPE_VERSION,
        "weights_sha256": _weights_hash(model, head=False),
        "head_sha256": _weights_hash(model, head=True),
        "tokenizer_sha256": _tokenizer_hash(model.tokenizer),
        "modules": [[type(module).__name__, _plain(module.get_config_dict())] for module in model],
        "prompts": dict(model.prompts),
        "split_special_tokens": bool(getattr(model.tokenizer, "split_special_tokens", False)),
        "storage": storage,
    }


def recipe_key(recipe: dict[str, Any], side: str) -> str:
    """sha256 of the recipe as canonical JSON, with the side (``"query"`` or ``"document"``) in it."""
    canonical = json.dumps({**recipe, "side": side}, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def text_key(text: str) -> str:
    """sha256 of the exact UTF-8 input."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _weights_hash(model: MultiVectorEncoder, head: bool) -> str:
    """sha256 over names, shapes and values: of the Dense heads, or of everything else."""
    digest = hashlib.sha256()
    for number, module in enumerate(model):
        if (type(module).__name__ == "Dense") != head:
            continue
        for name, tensor in sorted(module.state_dict().items()):
            digest.update(f"{number}.{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
            digest.update(tensor.detach().cpu().float().contiguous().numpy().data)
    return digest.hexdigest()


def _tokenizer_hash(tokenizer: Any) -> str:
    """sha256 of the fast tokenizer's JSON without its truncation and padding, which calls change as they go."""
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    state.pop("truncation", None)
    state.pop("padding", None)
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    """The value as JSON would give it back, whatever objects a configuration holds."""
    return json.loads(json.dumps(value, sort_keys=True, default=str))
