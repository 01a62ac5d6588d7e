"""The cross-encoder that ships: the installed MiniLM, and a small change of its weights in ``data/``.

The change of a linear layer's weight W [out, in] is B A, with A [r, in] and B [out, r] (Hu et al., LoRA, 2021,
https://arxiv.org/abs/2106.09685); norms, biases and the head are stored as they are. ``data/recipes`` trained it on the
documentation of packages that pydocs does not hold. It is small: what it loses against says little about BGE's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from labkit import paths
from labkit.encoding.default_model import find_default_model, sha256_of
from labkit.errors import LabError

if TYPE_CHECKING:
    import torch
    from sentence_transformers import CrossEncoder

NAME = "labkit-cross-minilm"
FILE = "cross_encoder.safetensors"
SHA256 = "01b5402a9ac65cfe17ddf69595780a1477dc29394fd78176ae1d755a1a2c8fdf"
LENGTH = 320  # tokens of a pair: a query of 64 and what the other systems read of a document


def load_offline(device: str) -> CrossEncoder:
    """The shipped cross-encoder in float32.

    Raises
    ------
    LabError
        If the base model or the change is not there, or has another hash.
    """
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Transformer

    change, base = _change(paths.data() / FILE), find_default_model()
    with _unreported():
        transformer = Transformer(
            str(base), transformer_task="sequence-classification", config_kwargs={"num_labels": 1},
            model_kwargs={"dtype": torch.float32, "use_safetensors": True, "local_files_only": True},
        )  # fmt: skip
    transformer.model.load_state_dict(changed(transformer.model.state_dict(), change))
    return CrossEncoder(modules=[transformer], device=device, activation_fn=torch.nn.Identity())


@contextmanager
def _unreported() -> Iterator[None]:
    """Without transformers' warning that the base lacks a head: the change brings it."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


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


def _change(file: Path) -> dict[str, torch.Tensor]:
    from safetensors.torch import load_file

    if not file.is_file():
        raise LabError(f"the offline cross-encoder is not there: {file} is missing. Install labkit again.")
    if (found := sha256_of(file)) != SHA256:
        raise LabError(f"{file} has sha256 {found[:12]}…, expected {SHA256[:12]}…; install labkit again.")
    return load_file(file)
