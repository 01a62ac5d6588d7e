"""Pooled vectors that ship in ``data/``: the dense twin of pydocs, int8, so that dense search needs no encoding.

A vector is used only for the very text it was made from (its sha256 is stored beside it) and only with the very
weights, tokenizer and length that made it. Everything else is encoded here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from labkit import paths

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

FILE = "pydocs_twin.safetensors"
KEY_BYTES = 16


def embed_with_shipped(encoder: Encoder, texts: Sequence[str], progress: bool = False) -> np.ndarray:
    """Pooled vectors [n, d] float32 of texts: shipped ones where they are valid, the rest from the encoder."""
    shipped = _load(paths.data() / FILE, encoder)
    vectors = np.zeros((len(texts), encoder.twin_dim), np.float32)
    rest = []
    for i, text in enumerate(texts):
        known = shipped.get(_key(text))
        if known is None:
            rest.append(i)
        else:
            vectors[i] = known
    if rest:
        vectors[rest] = encoder.embed_documents([texts[i] for i in rest], progress=progress)
    return vectors


def write_shipped(encoder: Encoder, texts: Sequence[str], file: Path) -> None:
    """Write the pooled vectors of texts as int8 with one scale each; used by ``data/recipes``."""
    from safetensors.numpy import save_file

    unique = list(dict.fromkeys(texts))
    vectors = encoder.embed_documents(unique, progress=True)
    scales = np.abs(vectors).max(axis=1) / 127
    arrays = {
        "vectors": np.rint(vectors / scales[:, None]).astype(np.int8),
        "scales": scales.astype(np.float32),
        "keys": np.frombuffer(b"".join(_key(text) for text in unique), np.uint8).reshape(-1, KEY_BYTES).copy(),
    }
    save_file(arrays, file, metadata=_made_by(encoder))


def _load(file: Path, encoder: Encoder) -> dict[bytes, np.ndarray]:
    from safetensors import safe_open

    if not file.is_file():
        return {}
    with safe_open(file, "numpy") as stored:
        if stored.metadata() != _made_by(encoder):
            return {}
        wide = stored.get_tensor("vectors") * stored.get_tensor("scales")[:, None]
        keys = [row.tobytes() for row in stored.get_tensor("keys")]
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    return dict(zip(keys, wide.astype(np.float32), strict=True))


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8")).digest()[:KEY_BYTES]


def _made_by(encoder: Encoder) -> dict[str, str]:
    length = getattr(encoder.model[0], "document_length", None)
    return {
        "weights": encoder.recipe["weights_sha256"],
        "tokenizer": encoder.recipe["tokenizer_sha256"],
        "document_length": str(length),
    }
