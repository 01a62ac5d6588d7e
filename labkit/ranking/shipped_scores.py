"""Scores of the offline cross-encoder that ship in ``data/``, so that a table of the course need not wait for it.

A score is used only for the very query and passage that it was computed from, and only with the very weights, tokenizer
and length. Everything else is computed here. It stands beside a live score to within the 1e-5 that batches move.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from labkit import paths
from labkit.encoding.shipped import KEY_BYTES, read_table, write_table

FILE = "pydocs_cross.safetensors"


def pair_key(query: str, passage: str) -> bytes:
    """What a stored score is found by: 16 bytes of a sha256 over both texts, the query's hash first."""
    texts = (hashlib.sha256(text.encode("utf-8")).digest() for text in (query, passage))
    return hashlib.sha256(b"".join(texts)).digest()[:KEY_BYTES]


@cache
def shipped_scores(identity: str, file: Path | None = None) -> Mapping[bytes, float]:
    """Pair keys to scores of the model with this identity; empty where none are stored."""
    table = read_table(file or paths.data() / FILE, {"model": identity})
    return dict(zip(map(bytes, table["keys"]), table["scores"].tolist(), strict=True)) if table else {}


def write_scores(identity: str, scores: Mapping[bytes, float], file: Path) -> None:
    """Write scores by pair key; used by ``data/recipes``."""
    keys = sorted(scores)
    write_table(file, {"model": identity}, keys, scores=np.array([scores[key] for key in keys], np.float32))
