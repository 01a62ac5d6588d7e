"""Smaller token vectors: fewer tokens, fewer dimensions, fewer bits; each step applied here, learned from a sample.

The steps, in their order: masks drop tokens, a cap keeps the first ones, pooling merges like ones, a projection keeps
fewer dimensions, a storage keeps fewer bits. Query expansion belongs to a checkpoint that was trained with it, and is
part of its recipe.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from labkit.encoding.prune import MASKS, content_words, kept
from labkit.encoding.residual import ResidualCodec, fit_codec
from labkit.encoding.tokens import PackedTokens, as_float32, quantize_int8
from labkit.errors import LabError, check_count

PROJECTIONS = ("pca", "random", "head")
STORAGES = ("float32", "float16", "int8", "residual2", "residual4")
SEED = 20_200_427  # of the sample, of the random projection and of the centroids
SAMPLE = 100_000  # tokens at most that a PCA and centroids are learned from


@dataclass(frozen=True)
class Compression:
    """What is to be kept of token vectors.

    Parameters
    ----------
    dim : dimensions after the projection; None keeps all
    projection : ``"pca"`` of the sample, ``"random"`` (orthonormal columns), or ``"head"``, which was trained for the
        default encoder (`labkit.encoding.head`)
    storage : ``"float32"``, ``"float16"``, ``"int8"`` with a scale a token, or ``"residual2"`` and ``"residual4"``: the
        nearest centroid and 2 or 4 bits for each dimension of what is left (Santhanam et al., ColBERTv2, 2022,
        https://arxiv.org/abs/2112.01488)
    pool : keep one vector for so many tokens of a document, the mean of a cluster (Clavié et al., 2024,
        https://arxiv.org/abs/2409.14683); 1 pools nothing
    prune : which tokens to drop: ``("function words",)``, English ones, or none. Any other mask goes to
        `Compressor.documents`
    cap : most tokens kept of a document, its first ones; None keeps all

    Raises a `LabError` for a knob out of its range, and for a projection other than the default without ``dim``.
    """

    dim: int | None = None
    projection: str = "pca"
    storage: str = "float16"
    pool: int = 1
    prune: tuple[str, ...] = ()
    cap: int | None = None

    def __post_init__(self) -> None:
        for name in ("dim", "pool", "cap"):
            if (value := getattr(self, name)) is not None or name == "pool":
                object.__setattr__(self, name, check_count(value, name))
        object.__setattr__(self, "prune", _prune(self.prune))
        for value, known, what in ((self.projection, PROJECTIONS, "projection"), (self.storage, STORAGES, "storage")):
            if value not in known:
                raise LabError(f"{what} must be one of {', '.join(known)}; got {value!r}.")
        if self.dim is None and self.projection != "pca":
            raise LabError(f"projection={self.projection!r} needs dim, the number of dimensions to keep.")

    def fit(self, sample: PackedTokens) -> Compressor:
        """Learn what the steps need from the token vectors of some documents; the same sample gives the same.

        Raises a `LabError` for a ``dim`` above the sample's or one that the head does not have, for a head of another
        encoder, and for a sample with fewer tokens than PCA or centroids need.
        """
        coded = self.storage.startswith("residual")
        rows = _rows(sample) if coded or (self.dim and self.projection == "pca") else np.zeros((0, sample.dim))
        fitted = Compressor(self, None if self.dim is None else _projection(self, sample.dim, rows))
        if not coded:
            return fitted
        vectors = rows if fitted.matrix is None else _unit(rows @ fitted.matrix)
        return replace(fitted, codec=fit_codec(vectors, int(self.storage.removeprefix("residual")), SEED))


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
        knobs = {**asdict(self.compression), "prune": [*self.compression.prune]}  # as JSON gives it back
        return {**knobs, "learned": digest.hexdigest()[:12] if self.arrays() else ""}

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learned, by name."""
        own = {} if self.matrix is None else {"matrix": self.matrix}
        return own if self.codec is None else {**own, **self.codec.arrays()}

    def queries(self, packed: PackedTokens) -> PackedTokens:
        """Queries in the documents' dimensions, float32: they are short, and nothing else of them is cut."""
        return self.projected(packed)

    def documents(self, packed: PackedTokens, mask: np.ndarray | None = None) -> PackedTokens:
        """Documents as a search would score them: the residual storages are decoded again, to float32.

        Parameters
        ----------
        packed : documents as the encoder gives them
        mask : [T] bool, which tokens to keep beside what ``prune`` drops, such as those that ever won; None keeps all.
            A document may lose all.
        """
        stored = self.stored(packed, mask)
        if self.codec is None:
            return stored
        return replace(stored, vectors=self.codec.decode(*self.codec.encode(np.asarray(stored.vectors))))

    def stored(self, packed: PackedTokens, mask: np.ndarray | None = None) -> PackedTokens:
        """Documents as they would be stored; float32 where a codec is still to turn them into codes."""
        for name in self.compression.prune:
            content = content_words(packed, MASKS[name])
            mask = content if mask is None else content & mask
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


def _prune(names: Any) -> tuple[str, ...]:
    if isinstance(names, str) or any(name not in MASKS for name in names):
        raise LabError(
            f"prune must be a tuple of names out of {', '.join(map(repr, MASKS))}; got {names!r}. "
            "Other tokens are dropped by a mask: documents(packed, mask=...)."
        )
    return tuple(names)


def _rows(sample: PackedTokens) -> np.ndarray:
    """[n, d] float32: at most SAMPLE token vectors, drawn at random, in their order."""
    total = len(sample.vectors)
    if total <= SAMPLE:
        return np.asarray(as_float32(sample, 0, total))
    chosen = np.sort(np.random.default_rng(SEED).choice(total, SAMPLE, replace=False))
    return np.asarray(as_float32(sample.take(chosen, np.array([0, SAMPLE]), slice(1)), 0, SAMPLE))


def _projection(compression: Compression, d: int, rows: np.ndarray) -> np.ndarray:
    """[d, dim] float32. The PCA is not centred: MaxSim's products are with the vectors, not with their deviations."""
    dim: int = compression.dim  # type: ignore[assignment]
    if dim > d:
        raise LabError(f"dim must be at most the encoder's {d}; got {dim}.")
    if compression.projection == "head":
        from labkit.encoding.head import head_projection

        head = head_projection(dim)
        if len(head) != d:
            raise LabError(f"the head is for the default encoder's {len(head)} dimensions; these vectors have {d}.")
        return head
    if compression.projection == "random":
        return np.linalg.qr(np.random.default_rng(SEED).normal(size=(d, d)))[0][:, :dim].astype(np.float32)
    if len(rows) < dim:
        raise LabError(f"a PCA to {dim} dimensions needs as many tokens; the sample has {len(rows)}. Give more texts.")
    values, vectors = np.linalg.eigh((rows.T @ rows).astype(np.float64))
    columns = vectors[:, np.argsort(-values, kind="stable")[:dim]]
    return (columns * np.where(columns.sum(axis=0) < 0, -1, 1)).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
