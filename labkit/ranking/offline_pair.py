"""The cross-encoder that ships: the installed MiniLM, and a small change of its weights in ``data/``.

The change is of low rank (`labkit.encoding.low_rank`); the head is stored as it is. ``data/recipes`` trained it on the
documentation of packages that pydocs does not hold. It is small: what it loses against says little about BGE's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from labkit import paths
from labkit.encoding.default_model import find_default_model
from labkit.encoding.low_rank import changed, read_change

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

NAME = "labkit-cross-minilm"
FILE = "cross_encoder.safetensors"
SHA256 = "01b5402a9ac65cfe17ddf69595780a1477dc29394fd78176ae1d755a1a2c8fdf"
LENGTH = 320  # tokens of a pair: a query of 64 and what the other systems read of a document


def load_offline(device: str) -> CrossEncoder:
    """The shipped cross-encoder in float32.

    Raises `LabError` if the base model or the change is not there, or has another hash.
    """
    import torch
    from sentence_transformers import CrossEncoder
    from sentence_transformers.base.modules import Transformer

    change, base = read_change(paths.data() / FILE, SHA256, "the offline cross-encoder"), find_default_model()
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
