"""Smaller token vectors: fewer tokens, fewer dimensions, fewer bits; each step applied here, learned from a sample.

The steps, in their order: a mask drops tokens, a cap keeps the first ones, pooling merges like ones, a projection keeps
fewer dimensions, a storage keeps fewer bits. Query expansion belongs to a checkpoint that was trained with it, and is
part of its recipe.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from labkit.encoding.residual import ResidualCodec, fit_codec
from labkit.encoding.tokens import PackedTokens, as_float32, quantize_int8
from labkit.errors import LabError, check_count

PROJECTIONS = ("pca", "random")
STORAGES = ("float32", "float16", "int8", "residual2", "residual4")
SEED = 20_200_427  # of the random projection and of the centroids
SAMPLE = 200_000  # tokens that a PCA is fitted on


@dataclass(frozen=True)
class Compression:
    """What is to be kept of token vectors.

    Parameters
    ----------
    dim : dimensions after the projection; None keeps all
    projection : ``"pca"`` of the sample, or ``"random"`` (orthonormal columns)
    storage : ``"float32"``, ``"float16"``, ``"int8"`` with a scale a token, or ``"residual2"`` and ``"residual4"``: the
        nearest centroid and 2 or 4 bits for each dimension of what is left (Santhanam et al., ColBERTv2, 2022,
        https://arxiv.org/abs/2112.01488)
    pool : keep one vector for so many tokens of a document, the mean of a cluster (Clavié et al., 2024,
        https://arxiv.org/abs/2409.14683); 1 pools nothing
    cap : most tokens kept of a document, its first ones; None keeps all

    Raises
    ------
    LabError
        For a knob out of its range, and for a projection other than the default without ``dim``.
    """

    dim: int | None = None
    projection: str = "pca"
    storage: str = "float16"
    pool: int = 1
    cap: int | None = None

    def __post_init__(self) -> None:
        if self.dim is not None:
            check_count(self.dim, "dim")
        if self.cap is not None:
            check_count(self.cap, "cap")
        check_count(self.pool, "pool")
        for value, known, what in ((self.projection, PROJECTIONS, "projection"), (self.storage, STORAGES, "storage")):
            if value not in known:
                raise LabError(f"{what} must be one of {', '.join(known)}; got {value!r}.")
        if self.dim is None and self.projection != "pca":
            raise LabError(f"projection={self.projection!r} needs dim, the number of dimensions to keep.")

    def fit(self, sample: PackedTokens) -> Compressor:
        """Learn what the steps need from the token vectors of some documents; the same sample gives the same.

        Raises
        ------
        LabError
            For a ``dim`` above the sample's and for a sample with fewer tokens than PCA or centroids need.
        """
        matrix = None if self.dim is None else _projection(self, sample)
        fitted = Compressor(self, matrix)
        if not self.storage.startswith("residual"):
            return fitted
        bits = int(self.storage.removeprefix("residual"))
        return replace(fitted, codec=fit_codec(fitted.projected(sample).vectors, bits, SEED))


@dataclass(frozen=True, eq=False)
class Compressor:
    """A compression with all that it learned.

    Attributes
    ----------
    compression : what was asked for
    matrix : [d, dim] float32, or None where all dimensions stay
    codec : centroids and buckets of the residual storages, or None
    """

    compression: Compression
    matrix: np.ndarray | None = None
    codec: ResidualCodec | None = None

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """What decides its vectors, for the ledger and for an index: the knobs, and a hash of what was learned."""
        digest = hashlib.sha256()
        for array in self.arrays().values():
            digest.update(np.ascontiguousarray(array).tobytes())
        return {**asdict(self.compression), "learned": digest.hexdigest()[:12] if self.arrays() else ""}

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learned, by name."""
        own = {} if self.matrix is None else {"matrix": self.matrix}
        return own if self.codec is None else {**own, **self.codec.arrays()}

    def queries(self, packed: PackedTokens) -> PackedTokens:
        """Queries in the documents' dimensions, float32: they are short, and nothing else of them is cut."""
        return self.projected(packed)

    def documents(self, packed: PackedTokens, mask: np.ndarray | None = None) -> PackedTokens:
        """Documents as a search would score them: the residual storages are decoded again, to float16.

        Parameters
        ----------
        packed : documents as the encoder gives them
        mask : [T] bool, which tokens to keep, such as `content_words`; None keeps all. A document may lose all.
        """
        stored = self.stored(packed, mask)
        if self.codec is None:
            return stored
        vectors = self.codec.decode(*self.codec.encode(np.asarray(stored.vectors)))
        return replace(stored, vectors=vectors.astype(np.float16))

    def stored(self, packed: PackedTokens, mask: np.ndarray | None = None) -> PackedTokens:
        """Documents as they would be stored; float32 where a codec is still to turn them into codes."""
        packed = kept(packed, mask, self.compression.cap)
        if self.compression.pool > 1:
            from labkit.encoding.pooling import pooled

            packed = pooled(packed, self.compression.pool)
        packed = self.projected(packed)
        storage = self.compression.storage
        if storage == "int8":
            return quantize_int8(packed)
        dtype = np.float16 if storage == "float16" else np.float32
        return replace(packed, vectors=np.asarray(packed.vectors).astype(dtype))

    def bytes_per_token(self, packed: PackedTokens, mask: np.ndarray | None = None) -> float:
        """Bytes stored for each token of the text: tokens that were dropped or pooled make it smaller."""
        stored = self.stored(packed, mask)
        dim = stored.dim
        each = {"float32": 4 * dim, "float16": 2 * dim, "int8": dim + 4}.get(self.compression.storage)
        return (each or self.codec.bytes) * len(stored.vectors) / max(1, len(packed.vectors))  # type: ignore[union-attr]

    def projected(self, packed: PackedTokens) -> PackedTokens:
        """Vectors in fewer dimensions and of unit length again, float32.

        MaxSim compares directions; a token that a projection shortens would count less for no reason of its own.
        """
        wide = np.asarray(as_float32(packed, 0, len(packed.vectors)))
        if self.matrix is None:
            return replace(packed, vectors=wide, scales=None)
        if wide.shape[1] != len(self.matrix):
            raise LabError(f"this compression was fitted on {len(self.matrix)} dimensions; got {wide.shape[1]}.")
        return replace(packed, vectors=_unit(wide @ self.matrix), scales=None)


def kept(packed: PackedTokens, mask: np.ndarray | None, cap: int | None = None) -> PackedTokens:
    """The same texts with the tokens of a mask [T], and at most ``cap`` of each, the first ones."""
    keep = np.ones(len(packed.vectors), bool) if mask is None else np.asarray(mask)
    if keep.shape != (len(packed.vectors),) or keep.dtype != bool:
        raise LabError(f"a mask must be [T = {len(packed.vectors)}] bool; got {keep.dtype} {keep.shape}.")
    running = np.concatenate([[0], np.cumsum(keep)])
    if cap is not None:
        begins = np.repeat(running[packed.offsets[:-1]], packed.lengths)
        keep = keep & (running[:-1] - begins < cap)
        running = np.concatenate([[0], np.cumsum(keep)])
    per_token = {n: v[keep] for n in ("vectors", "scales", "ids", "spans") if (v := getattr(packed, n)) is not None}
    return replace(packed, offsets=running[packed.offsets], **per_token)


def content_words(packed: PackedTokens, dropped: Sequence[str]) -> np.ndarray:
    """[T] bool: tokens whose string is none of ``dropped``, such as a list of function words; needs tokens.

    >>> from labkit.encoding.tokens import pack
    >>> packed = pack([np.eye(3)], ids=[np.array([0, 1, 2])])
    >>> content_words(replace(packed, to_strings=lambda ids: [["the", "rows", "of"][i] for i in ids]), ["the", "of"])
    array([False,  True, False])
    """
    if packed.ids is None or packed.to_strings is None:
        raise LabError("this pack carries no tokens; encode texts with an encoder to have them.")
    numbers, places = np.unique(packed.ids, return_inverse=True)
    names = packed.to_strings(numbers.tolist())
    return np.array([name not in set(dropped) for name in names], bool)[places]


def _projection(compression: Compression, sample: PackedTokens) -> np.ndarray:
    """[d, dim] float32. The PCA is not centred: MaxSim's products are with the vectors, not with their deviations."""
    dim, d = compression.dim, sample.dim
    if dim > d:  # type: ignore[operator]
        raise LabError(f"dim must be at most the encoder's {d}; got {dim}.")
    if compression.projection == "random":
        return np.linalg.qr(np.random.default_rng(SEED).normal(size=(d, d)))[0][:, :dim].astype(np.float32)
    step = max(1, len(sample.vectors) // SAMPLE)
    rows = np.asarray(as_float32(sample, 0, len(sample.vectors)))[::step].astype(np.float64)
    if len(rows) < dim:  # type: ignore[operator]
        raise LabError(f"a PCA to {dim} dimensions needs as many tokens; the sample has {len(rows)}. Give more texts.")
    values, vectors = np.linalg.eigh(rows.T @ rows)
    columns = vectors[:, np.argsort(-values, kind="stable")[:dim]]
    return (columns * np.where(columns.sum(axis=0) < 0, -1, 1)).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
