"""Small changes of a model's weights, as they ship in ``data/``: read, checked, applied. The adapter is one.

The change of a linear layer's weight W [out, in] is B A, with A [r, in] and B [out, r] (Hu et al., LoRA, 2021,
https://arxiv.org/abs/2106.09685); norms and biases are stored as they are.

``load_encoder("labkit-late-minilm")`` loads the adapter: a change of the default model's weights, trained for MaxSim
over its token vectors. ``data/recipes/train_adapter.py`` trained it on the documentation of packages that pydocs does
not hold, to rank as the sum of MaxSim, the dense twin and half of BM25 does. The data card says what it gains, and
where. The mean of its token vectors was not trained to search: it has no dense twin.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labkit import paths
from labkit.encoding.default_model import sha256_of
from labkit.errors import LabError

if TYPE_CHECKING:
    import torch

ADAPTER = "labkit-late-minilm"
ADAPTER_FILE = "adapter.safetensors"
ADAPTER_SHA256 = "a90e0e00fa4e4a00b99b30af3d87d21bc2fb4aec337e65a487ee29d4274c621a"


def adapt(model) -> None:
    """Apply the adapter to the default model, a transformers ``BertModel``, in place.

    Raises a `LabError` if the adapter is not there, or has another hash.
    """
    change = read_change(paths.data() / ADAPTER_FILE, ADAPTER_SHA256, "the trained adapter")
    model.load_state_dict(changed(model.state_dict(), change))


def changed(weights: dict[str, torch.Tensor], change: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Weights with a change applied: ``name.a`` and ``name.b`` add their product to ``name.weight``, others replace.

    >>> import torch
    >>> change = {"x.a": torch.tensor([[1.0, 2.0]]), "x.b": torch.tensor([[3.0]]), "x.bias": torch.tensor([9.0])}
    >>> changed({"x.weight": torch.zeros(1, 2), "x.bias": torch.zeros(1)}, change)
    {'x.weight': tensor([[3., 6.]]), 'x.bias': tensor([9.])}
    """
    answer = dict(weights)
    for name, tensor in change.items():
        if name.endswith(".a"):
            layer = name.removesuffix(".a")
            product = change[f"{layer}.b"].float() @ tensor.float()
            answer[f"{layer}.weight"] = weights[f"{layer}.weight"] + product
        elif not name.endswith(".b"):
            answer[name] = tensor.float()
    return answer


def read_change(file: Path, sha256: str, what: str) -> dict[str, torch.Tensor]:
    """The tensors of a file that ships. A `LabError` where it is missing or has another hash; ``what`` is its name."""
    from safetensors.torch import load_file

    if not file.is_file():
        raise LabError(f"{what} is not there: {file} is missing. Install labkit again.")
    if (found := sha256_of(file)) != sha256:
        raise LabError(f"{file} has sha256 {found[:12]}…, expected {sha256[:12]}…; install labkit again.")
    return load_file(file)
