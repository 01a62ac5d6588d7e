"""Loading encoders: the default one, a folder, or a name on the Hugging Face hub. Safetensors only, no remote code."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from labkit import paths
from labkit.bars import waiting
from labkit.encoding import default_model, low_rank
from labkit.encoding.head import DIMS, head_projection
from labkit.encoding.store import Store
from labkit.errors import LabError

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

# Checkpoints known to load; any other hub name or folder is tried too.
KNOWN = {
    "lightonai/colbertv2.0": "110 M parameters, 128 dims",
    "answerdotai/answerai-colbert-small-v1": "33 M, 96 dims",
    "mixedbread-ai/mxbai-edge-colbert-v0-17m": "17 M, 48 dims",
    "lightonai/GTE-ModernColBERT-v1": "149 M, 128 dims",
    "lightonai/LateOn": "149 M, 128 dims",
}
QUERY_LENGTH, DOCUMENT_LENGTH = 64, 256
# Weights come as safetensors; pickled .bin files are not even downloaded.
HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.metadata"]
# Keys that only a multi-vector save has in config_sentence_transformers.json.
MULTI_VECTOR_KEYS = {"query_prefix", "document_prefix", "query_length", "do_query_expansion"}
HEADS = {f"{default_model.NAME}+head{dim}": dim for dim in DIMS}  # the default model's names with a head


@cache
def load_encoder(name: str | None = None, device: str = "cpu", store: bool = True, head: int | None = None) -> Encoder:
    """Load a multi-vector encoder; the same arguments give the same object.

    Parameters
    ----------
    name : nothing for the default (all-MiniLM-L6-v2's own token vectors, nothing trained on top), a folder with a
        multi-vector recipe, a hub name such as ``"answerdotai/answerai-colbert-small-v1"``, or
        ``"labkit-late-minilm"``: the default model with the change that ships (`labkit.encoding.low_rank`)
    device : where torch runs it, such as ``"cpu"``, ``"cuda"`` or ``"mps"``
    store : keep document vectors in the store under ``LABKIT_CACHE``
    head : dimensions of the shipped head (`labkit.encoding.head`) on top of the default model: 128, 96, 64 or 48

    Raises a `LabError` if the model cannot be had, has no multi-vector recipe (sentence-transformers would add a random
    projection without a word), or has no safetensors; for a head on another model or of other dimensions.
    """
    if name in HEADS and head in (None, HEADS[name]):
        return load_encoder(None, device, store, HEADS[name])
    if name is not None and head is not None:
        raise LabError(f"the head was trained on the default model; leave head={head} or {name!r} out.")
    with waiting("loading the model"):
        return _load(name, device, store, head)


def _load(name: str | None, device: str, store: bool, head: int | None) -> Encoder:
    from sentence_transformers import MultiVectorEncoder

    from labkit.encoding.encoders import Encoder

    quiet()
    kept = Store(paths.cache() / "vectors.sqlite") if store else None
    if name is None:
        called = default_model.NAME if head is None else f"{default_model.NAME}+head{head}"
        return Encoder(_default(device, head), called, kept, twin=True)
    if name == low_rank.ADAPTER:
        model = _default(device, None)
        low_rank.adapt(model[0].model)
        return Encoder(model, name, kept)
    folder = find_folder(name, f"Leave the name out for the default, give a folder, {with_network(KNOWN)}")
    require_safetensors(folder, name)
    _require_recipe(folder, name)
    model = MultiVectorEncoder(
        str(folder), device=device, local_files_only=True, trust_remote_code=False,
        model_kwargs={"use_safetensors": True},
    )  # fmt: skip
    return Encoder(model, name, kept)


def _default(device: str, head: int | None):
    """The default encoder's modules. `Normalize` without its argument would do nothing, and without splitting special
    tokens a literal "[SEP]" in a text would become the real one."""
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask

    folder = str(default_model.find_default_model())
    modules = [
        Transformer(
            folder, query_length=QUERY_LENGTH, document_length=DOCUMENT_LENGTH,
            processor_kwargs={"split_special_tokens": True},
        ),
        *([] if head is None else [_head(head)]),
        MultiVectorMask(["[CLS]", "[SEP]"], skiplist_tasks=["query", "document"]),
        Normalize(module_input_name="token_embeddings"),
    ]  # fmt: skip
    return MultiVectorEncoder(modules=modules, device=device)


def _head(dim: int):
    """The shipped head as a module that projects token vectors."""
    import torch
    from sentence_transformers.base.modules import Dense

    weight = torch.from_numpy(head_projection(dim).T.copy())
    return Dense(
        weight.shape[1], dim, bias=False, activation_function=torch.nn.Identity(), init_weight=weight,
        module_input_name="token_embeddings", module_output_name="token_embeddings",
    )  # fmt: skip


def find_folder(name: str, advice: str) -> Path:
    """The folder of a checkpoint: itself one, or from the hub's cache or the network; never its pickled weights.

    Raises a `LabError` if the hub cannot give it; the message ends in ``advice``.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    try:
        return Path(snapshot_download(name, allow_patterns=HUB_FILES))
    except (HfHubHTTPError, LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise LabError(
            f"no model {name!r}: it is no folder, and the hub could not give it ({type(error).__name__}). {advice}"
        ) from None


def with_network(known: Iterable[str]) -> str:
    """How advice names the checkpoints that a network would bring."""
    return f"or with a network one of {', '.join(known)}."


def require_safetensors(folder: Path, name: str) -> None:
    """Refuse a folder without safetensors, or with pickled weights that have none beside them."""
    if not any(folder.rglob("*.safetensors")):
        raise LabError(f"{name} must hold safetensors weights; {folder} has none. Pickled weights are not loaded.")
    pickled = [
        path
        for path in folder.rglob("*.bin")
        if not path.with_name("model.safetensors").is_file() and path.parent.name != "openvino"  # those are no pickles
    ]
    if pickled:
        raise LabError(f"{name} must hold safetensors weights only; {pickled[0].name} has no safetensors beside it.")


def _require_recipe(folder: Path, name: str) -> None:
    """Refuse a folder that is not a multi-vector checkpoint."""
    settings, modules = read_json(folder / "config_sentence_transformers.json"), read_json(folder / "modules.json")
    architectures = read_json(folder / "config.json").get("architectures") or []
    if (
        settings.get("model_type") in ("MultiVectorEncoder", "ColBERT")
        or MULTI_VECTOR_KEYS & set(settings)
        or any("multi_vector" in str(m.get("type", "")) or "pylate" in str(m.get("type", "")) for m in modules or [])
        or "HF_ColBERT" in architectures
    ):
        return
    raise LabError(
        f"{name} has no multi-vector recipe (no MultiVectorEncoder, PyLate or Stanford ColBERT settings in {folder}). "
        "Loaded anyway, it would get a random projection and random scores. Give a ColBERT checkpoint."
    )


def read_json(path: Path) -> dict | list:
    """A settings file's content, empty if there is none; a `LabError` names one that is not JSON."""
    if not path.is_file():
        return {}
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise LabError(f"{path} must be JSON; {error}.") from None


def quiet() -> None:
    """Keep weight-loading bars out of terminals and notebooks."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    logging.getLogger("sentence_transformers").setLevel(logging.ERROR)
