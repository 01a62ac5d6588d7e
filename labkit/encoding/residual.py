"""Residual codes: a token vector as its nearest centroid and a few bits a dimension for what is left.

Source: Santhanam et al., ColBERTv2, 2022 (https://arxiv.org/abs/2112.01488), section 3.3: centroids by k-means, and the
residual of each dimension in one of 2**bits buckets. Theirs hold as many values each; ours have the least squared error
(Lloyd, Least squares quantization in PCM, 1982), which costs no byte and keeps more of the ranking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from labkit.errors import LabError

ROUNDS = 4  # of k-means, as ColBERTv2 has it
TOKENS_PER_CENTROID, TOKENS_A_CENTROID = 39, 64  # what faiss asks for at least, and what k-means reads at most
MOST_CENTROIDS = 4_096  # so that the number of one fits uint16
LEVEL_ROUNDS, LEVEL_TOKENS = 40, 8_192  # of Lloyd's algorithm, and the tokens that it reads at most
BLOCK = 65_536  # tokens encoded or decoded at a time


@dataclass(frozen=True, eq=False)
class ResidualCodec:
    """Centroids [C, d] float32, bucket bounds [2**bits - 1] and bucket values [2**bits], shared by all dimensions."""

    centroids: np.ndarray
    bounds: np.ndarray
    values: np.ndarray

    @property
    def bits(self) -> int:
        """Bits a dimension."""
        return len(self.values).bit_length() - 1

    @property
    def bytes(self) -> int:
        """Bytes a token: the centroid's number in 2, then the packed buckets."""
        return 2 + -(-self.centroids.shape[1] * self.bits // 8)

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learned, by name."""
        return {"centroids": self.centroids, "bounds": self.bounds, "values": self.values}

    def encode(self, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numbers of the nearest centroids, uint16 [T], and buckets packed into uint8 [T, bytes - 2]; of unit vectors
        [T, d]."""
        numbers, packed = [np.zeros(0, np.uint16)], [np.zeros((0, self.bytes - 2), np.uint8)]
        for begin in range(0, len(vectors), BLOCK):
            part = vectors[begin : begin + BLOCK]
            numbers.append(self._nearest(part))
            packed.append(self._packed(part - self.centroids[numbers[-1]]))
        return np.concatenate(numbers), np.concatenate(packed)

    def decode(self, numbers: np.ndarray, packed: np.ndarray) -> np.ndarray:
        """Unit vectors [T, d] float32: each centroid with its token's bucket values added."""
        places = 8 // self.bits
        buckets = (np.arange(256)[:, None] >> np.arange(places) * self.bits) & (len(self.values) - 1)
        answer = np.empty((len(numbers), self.centroids.shape[1]), np.float32)
        decode_rows(self.centroids, self.values[buckets], numbers, packed, answer)
        return answer

    def _nearest(self, vectors: np.ndarray) -> np.ndarray:
        """The centroid with the largest product, as ColBERTv2 has it: vectors and centroids are of unit length."""
        return (vectors @ self.centroids.T).argmax(axis=1).astype(np.uint16)

    def _packed(self, residuals: np.ndarray) -> np.ndarray:
        buckets = np.searchsorted(self.bounds, residuals, side="right").astype(np.uint8)
        places = 8 // self.bits
        buckets = np.pad(buckets, ((0, 0), (0, -buckets.shape[1] % places)))
        shifts = np.arange(places, dtype=np.uint8) * self.bits
        return np.bitwise_or.reduce(buckets.reshape(len(buckets), -1, places) << shifts, axis=2).astype(np.uint8)


def fit_codec(vectors: np.ndarray, bits: int, seed: int) -> ResidualCodec:
    """Learn a codec from unit vectors [T, d]: spherical k-means by faiss, then the buckets of the residuals.

    There is about one centroid for 39 tokens, a power of two, 4,096 at most.

    Raises a `LabError` for fewer tokens than one centroid needs.
    """
    most = len(vectors) // TOKENS_PER_CENTROID
    if not most:
        raise LabError(f"centroids need at least {TOKENS_PER_CENTROID} tokens; got {len(vectors)}. Give more texts.")
    means = kmeans(vectors, min(MOST_CENTROIDS, 2 ** (most.bit_length() - 1)), seed)
    codec = ResidualCodec(means, np.zeros(2**bits - 1, np.float32), np.zeros(2**bits, np.float32))
    read = vectors[:: -(-len(vectors) // LEVEL_TOKENS)]
    return ResidualCodec(means, *levels((read - means[codec._nearest(read)]).ravel(), bits))


def levels(residuals: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Bounds [2**bits - 1] and values [2**bits], float32: each value the mean of its bucket, each bound between two.

    >>> bounds, values = levels(np.array([-3.0, -3, 0, 0, 1, 1, 8, 8]), bits=2)
    >>> values.tolist(), bounds.tolist()
    ([-3.0, 0.0, 1.0, 8.0], [-1.5, 0.5, 4.5])
    """
    values = np.quantile(residuals, (np.arange(2**bits) + 0.5) / 2**bits)
    for _ in range(LEVEL_ROUNDS):
        buckets = np.searchsorted(_halfway(values), residuals, side="right")
        counts = np.bincount(buckets, minlength=2**bits)
        values = np.where(counts, np.bincount(buckets, residuals, 2**bits) / np.maximum(counts, 1), values)
    return _halfway(values).astype(np.float32), values.astype(np.float32)


def _halfway(values: np.ndarray) -> np.ndarray:
    return (values[1:] + values[:-1]) / 2


def kmeans(vectors: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Centroids [count, d] float32 of unit length of vectors [T, d], by faiss; it reads at most 64 a centroid."""
    import faiss

    faiss.omp_set_num_threads(1)  # two OpenMP runtimes in one process have crashed macOS
    means = faiss.Kmeans(
        vectors.shape[1], count, niter=ROUNDS, seed=seed, spherical=True, min_points_per_centroid=1,
        max_points_per_centroid=TOKENS_A_CENTROID,
    )  # fmt: skip
    means.train(np.ascontiguousarray(vectors, np.float32))
    return means.centroids


@njit(nogil=True, cache=True, fastmath={"reassoc"})  # so that the sum of squares is vectorised
def decode_rows(centroids, table, numbers, packed, answer):  # type: ignore[no-untyped-def]
    """Fill ``answer`` [T, d] float32; ``table`` [256, values a byte] is what each byte of ``packed`` stands for."""
    places, d = table.shape[1], centroids.shape[1]
    for token in range(len(numbers)):
        centroid, row = centroids[numbers[token]], answer[token]
        for byte in range(packed.shape[1]):
            values, first = table[packed[token, byte]], byte * places
            for i in range(min(places, d - first)):
                row[first + i] = centroid[first + i] + values[i]
        length = np.float32(0)
        for i in range(d):
            length += row[i] * row[i]
        scale = np.float32(1) / max(np.sqrt(length), np.float32(1e-12))
        for i in range(d):
            row[i] *= scale
