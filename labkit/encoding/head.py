"""The head that ships: a projection of the default model's token vectors to fewer dimensions, and smaller ones in it.

Its first 96, 64 and 48 columns are heads of their own (Kusupati et al., Matryoshka Representation Learning, 2022,
https://arxiv.org/abs/2205.13147). ``data/recipes/train_head.py`` trained it on the documentation of packages that
pydocs does not hold. A token vector times the head is not of unit length: normalise it.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from labkit import paths
from labkit.encoding.low_rank import read_change
from labkit.errors import LabError

FILE = "head.safetensors"
SHA256 = "64b3bbc3cf444e9ea6a9e0eb0877df96b44749d3850c7c26736fb605be0670e2"
DIMS = (128, 96, 64, 48)


def head_projection(dim: int = 128) -> np.ndarray:
    """The head's first ``dim`` columns, float32 [384, dim], read only.

    Raises a `LabError` for a ``dim`` that the head was not trained for, and for a file that is missing or was altered.
    """
    if dim not in DIMS:
        raise LabError(f"the head was trained for {', '.join(map(str, DIMS))} dimensions; got {dim!r}.")
    return _read()[:, :dim]


@cache
def _read() -> np.ndarray:
    projection = read_change(paths.data() / FILE, SHA256, "the trained head")["projection"].numpy().copy()
    projection.flags.writeable = False
    return projection
