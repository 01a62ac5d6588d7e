"""Pooled vectors that ship in ``data/``: the dense twin of pydocs, int8, so that dense search needs no encoding.

A vector is used only for the very text it was made from (its sha256 is stored beside it) and only with the very
weights, tokenizer and length that made it. Everything else is encoded here. What ships so is a table: rows of arrays
found by ``keys`` [n, 16] uint8, and metadata that say for which model they are valid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from labkit import paths
from labkit.encoding.tokens import PackedTokens, quantize_int8

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
    unique = list(dict.fromkeys(texts))
    vectors = encoder.embed_documents(unique, progress=True)
    small = quantize_int8(PackedTokens(vectors, np.array([0, len(unique)])))
    write_table(file, _made_by(encoder), map(_key, unique), vectors=small.vectors, scales=small.scales)


def read_table(file: Path, metadata: dict[str, str]) -> dict[str, np.ndarray]:
    """The arrays of a table; empty where there is no file, or where it has other metadata."""
    from safetensors import safe_open

    if not file.is_file():
        return {}
    with safe_open(file, "numpy") as stored:
        names = stored.keys() if stored.metadata() == metadata else ()
        return {name: stored.get_tensor(name) for name in names}


def write_table(file: Path, metadata: dict[str, str], keys: Iterable[bytes], **arrays: np.ndarray) -> None:
    """Write a table; each array has a row for each key."""
    from safetensors.numpy import save

    rows = np.frombuffer(b"".join(keys), np.uint8).reshape(-1, KEY_BYTES)
    paths.write_atomic(file, save({"keys": rows, **arrays}, metadata))


def _load(file: Path, encoder: Encoder) -> dict[bytes, np.ndarray]:
    table = read_table(file, _made_by(encoder))
    if not table:
        return {}
    wide = table["vectors"] * table["scales"][:, None]
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    return dict(zip(map(bytes, table["keys"]), wide, strict=True))


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8")).digest()[:KEY_BYTES]


def _made_by(encoder: Encoder) -> dict[str, str]:
    length = getattr(encoder.model[0], "document_length", None)
    return {
        "weights": encoder.recipe["weights_sha256"],
        "tokenizer": encoder.recipe["tokenizer_sha256"],
        "document_length": str(length),
    }
