"""PackedTokens: the token vectors of many texts in one array, without padding.

Shape legend of the whole package: ``Nq`` queries, ``Nd`` documents, ``Lq`` and ``Ld`` tokens, ``d`` dimensions;
``T`` is the number of tokens of all documents together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.errors import LabError

if TYPE_CHECKING:
    import torch

    Array = np.ndarray | torch.Tensor

CHECKED = 16_384  # rows
DTYPES = ("float32", "float16", "int8", "bfloat16")


def is_torch(array: object) -> bool:
    """Whether ``array`` is a torch tensor, told without importing torch."""
    return type(array).__module__.split(".")[0] == "torch"


def dtype_name(array: Any) -> str:
    """The dtype's plain name for numpy and torch alike: ``"float32"``, ``"bfloat16"``, ..."""
    return str(array.dtype).removeprefix("torch.")


@dataclass(frozen=True, eq=False)
class PackedTokens:
    """Token vectors of ``Nd`` texts: text ``i`` owns rows ``offsets[i]:offsets[i + 1]`` of ``vectors``.

    Attributes
    ----------
    vectors : [T, d] float32, float16 or int8 (numpy), also bfloat16 (torch)
    offsets : [Nd + 1] int64, ascending from 0 to T
    scales : [T] float32 or None; with int8 storage, row ``t`` stands for ``vectors[t] * scales[t]``
    ids : [T] int32 or None; token ids of the encoder's vocabulary
    spans : [T, 2] int32 or None; character start and end in the text, -1 where a token has no place in it
    pooled : [Nd, d] float32 or None; the dense twin's unit vectors, from the same forward pass
    lost : [Nd] int32 or None; how many wordpieces the encoder's length limit cut off
    to_strings : function from a list of ids to token strings, or None
    finite : True once the vectors have been checked for NaN and infinity

    Example
    -------
    >>> import numpy as np
    >>> packed = pack([np.ones((2, 3)), np.ones((1, 3))])
    >>> len(packed), packed.dim, packed[1].shape, packed[0:1].offsets.tolist()
    (2, 3, (1, 3), [0, 2])
    """

    vectors: Array
    offsets: np.ndarray
    scales: Array | None = None
    ids: np.ndarray | None = None
    spans: np.ndarray | None = None
    pooled: np.ndarray | None = None
    lost: np.ndarray | None = None
    to_strings: Callable[[list[int]], list[str]] | None = None
    finite: bool = False

    def __post_init__(self) -> None:
        offsets = np.array(self.offsets, dtype=np.int64)  # a copy of its own: compiled loops trust what is checked here
        offsets.setflags(write=False)
        if not np.array_equal(offsets, self.offsets):
            raise LabError(f"offsets must be whole numbers; got {np.asarray(self.offsets)[:8]}.")
        object.__setattr__(self, "offsets", offsets)
        if self.vectors.ndim != 2:
            raise LabError(f"vectors must be [T, d]; got shape {tuple(self.vectors.shape)}.")
        if dtype_name(self.vectors) not in DTYPES:
            raise LabError(f"vectors must be one of {', '.join(DTYPES)}; got {dtype_name(self.vectors)}.")
        if offsets.ndim != 1 or len(offsets) < 1 or offsets[0] != 0 or np.any(offsets[1:] < offsets[:-1]):
            raise LabError("offsets must be [Nd + 1] and ascend from 0; got " + np.array2string(offsets, threshold=8))
        if offsets[-1] != len(self.vectors):
            raise LabError(f"offsets must end at T = {len(self.vectors)} tokens; got {offsets[-1]}.")
        self._check_scales()

    def _check_scales(self) -> None:
        name, scales = dtype_name(self.vectors), self.scales
        if name != "int8":
            if scales is not None:
                raise LabError(f"scales belong to int8 vectors; these are {name}. Leave scales out.")
        elif scales is None:
            raise LabError("int8 vectors need scales of shape [T]; got None.")
        elif tuple(scales.shape) != (len(self.vectors),) or dtype_name(scales) != "float32":
            got = f"{dtype_name(scales)} of shape {tuple(scales.shape)}"
            raise LabError(f"scales must be float32 [T], here [{len(self.vectors)}]; got {got}.")
        elif str(scales.device) != str(self.vectors.device):
            raise LabError(
                f"scales must be where the vectors are, on {self.vectors.device}; they are on {scales.device}."
            )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def dim(self) -> int:
        """``d``, the number of dimensions."""
        return int(self.vectors.shape[1])

    @property
    def lengths(self) -> np.ndarray:
        """[Nd] int64, the number of tokens of each text."""
        return np.diff(self.offsets)

    def __repr__(self) -> str:
        return f"PackedTokens({len(self)} texts, {len(self.vectors)} tokens, d={self.dim}, {dtype_name(self.vectors)})"

    def __getitem__(self, index: int | slice) -> Array | PackedTokens:
        if isinstance(index, slice):
            return self._slice(index)
        i = range(len(self))[index]  # negative indices and IndexError as lists have them
        return as_float32(self, int(self.offsets[i]), int(self.offsets[i + 1]))

    def __iter__(self) -> Iterator[Array]:
        return (self[i] for i in range(len(self)))  # type: ignore[misc]

    def tokens(self, i: int) -> list[str]:
        """Token strings of text ``i``; needs a pack that came from an encoder."""
        if self.ids is None or self.to_strings is None:
            raise LabError("this pack carries no tokens; encode texts with an encoder to have them.")
        return self.to_strings(self.ids[self.offsets[i] : self.offsets[i + 1]].tolist())

    def _slice(self, index: slice) -> PackedTokens:
        start, stop, step = index.indices(len(self))
        if step != 1:
            raise LabError(f"a pack is sliced in steps of 1; got a step of {step}.")
        stop = max(start, stop)
        first, last = int(self.offsets[start]), int(self.offsets[stop])
        return self.take(slice(first, last), self.offsets[start : stop + 1] - first, slice(start, stop))

    def take(self, rows: Any, offsets: np.ndarray, texts: slice = slice(None)) -> PackedTokens:
        """These rows of all that tokens have, under new ``offsets``, and these of what texts have. A slice gives views,
        an array of numbers or of booleans copies."""
        taken = {n: v[rows] for n in ("vectors", "scales", "ids", "spans") if (v := getattr(self, n)) is not None}
        taken |= {n: v[texts] for n in ("pooled", "lost") if (v := getattr(self, n)) is not None}
        return replace(self, offsets=offsets, **taken)


def only(packed: PackedTokens, positions: Sequence[int]) -> PackedTokens:
    """Text 0 with some of its tokens, in this order; the vectors stay what they are, nothing is encoded again."""
    rows = int(packed.offsets[0]) + np.asarray(positions, np.int64)
    return packed.take(rows, np.array([0, len(rows)]), slice(1))


def as_float32(packed: PackedTokens, start: int, stop: int) -> Array:
    """Rows ``start:stop`` as float32 ``[stop - start, d]``: a view where they are stored so, else converted."""
    rows = packed.vectors[start:stop]
    if dtype_name(rows) == "float32":
        return rows
    wide = rows.float() if is_torch(rows) else rows.astype(np.float32)
    return wide if packed.scales is None else wide * packed.scales[start:stop, None]


def pack(arrays: Iterable[Array], ids: Sequence[np.ndarray] | None = None) -> PackedTokens:
    """Pack arrays ``[Ld, d]`` into one, checking once that they are finite.

    Parameters
    ----------
    arrays : arrays of one dtype and one ``d``, all numpy or all torch; other number types become float32.
        An array may have no rows.
    ids : token ids of each array, optional

    Raises a `LabError` for an array that is not ``[Ld, d]``, for two values of ``d``, and for NaN or infinity (names
    the row).
    """
    parts = [array if hasattr(array, "ndim") else np.asarray(array, dtype=np.float32) for array in arrays]
    for number, part in enumerate(parts):
        if part.ndim != 2:
            raise LabError(f"array {number} must be [Ld, d]; got shape {tuple(part.shape)}.")
        if part.shape[1] != parts[0].shape[1]:
            raise LabError(f"all arrays must share d; array 0 has {parts[0].shape[1]}, array {number} {part.shape[1]}.")
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    if not parts:
        vectors: Array = np.zeros((0, 0), np.float32)
    elif is_torch(parts[0]):
        import torch

        vectors = torch.cat(list(parts))
        vectors = vectors if dtype_name(vectors) in DTYPES[:2] + DTYPES[3:] else vectors.float()
    else:
        kept = parts[0].dtype if parts[0].dtype == np.float16 else np.float32
        vectors = np.concatenate([part.astype(kept, copy=False) for part in parts])
    check_finite(vectors, "row")
    return PackedTokens(
        vectors, offsets, ids=None if ids is None else np.concatenate(ids).astype(np.int32), finite=True
    )


def check_finite(vectors: Array, what: str) -> None:
    """Raise a `LabError` that names the first row with NaN or infinity; some rows at a time, so that memory stays."""
    bad: list[int] = []
    for start in range(0, len(vectors), CHECKED):
        part = vectors[start : start + CHECKED]
        if is_torch(part):
            bad += [start + row for row in (~part.isfinite().all(dim=1)).nonzero().flatten().tolist()]
        elif not np.isfinite(part).all():
            bad += [start + row for row in np.flatnonzero(~np.isfinite(part).all(axis=1)).tolist()]
    if bad:
        raise LabError(f"vectors must be finite; {what} {bad[0]} holds NaN or infinity ({len(bad)} such).")


def quantize_int8(packed: PackedTokens) -> PackedTokens:
    """The same tokens stored as int8 with one float32 scale a token (its largest absolute value over 127).

    Each component is off by at most half a scale, so a similarity with a unit query vector is off by at most
    ``scale / 2 * sqrt(d)``.
    """
    wide = np.asarray(as_float32(packed, 0, len(packed.vectors)))
    scales = np.maximum(np.abs(wide).max(axis=1, initial=0.0), np.finfo(np.float32).tiny).astype(np.float32) / 127
    return replace(packed, vectors=np.rint(wide / scales[:, None]).astype(np.int8), scales=scales)
