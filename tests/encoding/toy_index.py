"""An encoder that needs no model, and a build with it, for a process that tests can kill."""

from pathlib import Path

import numpy as np

from labkit.encoding.compress import Compression
from labkit.encoding.index_build import build_index
from labkit.encoding.recipe import text_key
from labkit.encoding.tokens import PackedTokens, pack

TEXTS = [f"text {number}" for number in range(600)]
SMALL = Compression(dim=8, storage="residual2")


class ToyEncoder:
    """Unit vectors that the text alone decides, [5, 12] each."""

    identity, key, dim = "toy 1", "toy recipe", 12

    def encode_documents(self, texts):
        packed = pack([self._vectors(text) for text in texts])
        return PackedTokens(packed.vectors, packed.offsets, lost=np.arange(len(texts), dtype=np.int32) % 2)

    def encode_queries(self, texts):
        return self.encode_documents(texts)

    def _vectors(self, text):
        vectors = np.random.default_rng(int(text_key(text)[:8], 16)).normal(size=(5, 12)).astype(np.float16)
        return vectors / np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True).astype(np.float16)


def contents(folder):
    """File names to bytes."""
    return {file.name: file.read_bytes() for file in sorted(Path(folder).iterdir())}


def build_small(folder):
    """A build in shards small enough that there are many moments to be killed at."""
    build_index(folder, TEXTS, ToyEncoder(), SMALL, shard=7)
