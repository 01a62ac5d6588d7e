"""An index on disk: the token vectors of many texts, compressed, memory-mapped, and checked by hash.

A folder holds ``manifest.json``, ``compressor.safetensors`` where something was learned, and shards of vectors as
safetensors. `labkit.encoding.index_build` makes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.encoding.compress import Compressor
from labkit.encoding.index_files import LEARNED, MANIFEST, mapped, read_learned, read_manifest, require_whole
from labkit.encoding.recipe import text_key
from labkit.encoding.tokens import PackedTokens
from labkit.errors import LabError, check_text

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder


class Index:
    """The token vectors of texts, by text.

    Attributes
    ----------
    manifest : what the index is of: encoder, compression, shards with their hashes
    compressor : how queries get into its dimensions
    """

    def __init__(self, folder: Path, manifest: dict[str, Any], compressor: Compressor) -> None:
        self.folder, self.manifest, self.compressor = folder, manifest, compressor
        shards = [mapped(folder / shard["file"]) for shard in manifest["shards"]]
        keys = np.concatenate([np.zeros((0, 32), np.uint8), *(shard["keys"] for shard in shards)])
        self._shards = shards
        self._packs = [_pack(shard) for shard in shards] if compressor.codec is None else []
        self._starts = np.cumsum([0, *(len(shard["lost"]) for shard in shards)])
        self._places = {key.tobytes(): place for place, key in enumerate(keys)}

    def __len__(self) -> int:
        return len(self._places)

    def __repr__(self) -> str:
        return f"Index({self.folder.name!r}, {len(self):,} texts, {self.bytes / 1e6:,.1f} MB of vectors)"

    @property
    def bytes(self) -> int:
        """Bytes of the token vectors, without ids and spans."""
        return sum(shard[n].nbytes for shard in self._shards for n in ("vectors", "scales", "codes") if n in shard)

    def parts(self, texts: Sequence[str]) -> list[tuple[PackedTokens, np.ndarray, np.ndarray]]:
        """Where the vectors of texts are: packs, the numbers of documents in each, and the positions in ``texts``.

        A pack is a whole shard as it is mapped, so nothing is copied. Codes are decoded, to one pack in float32.

        Raises a `LabError` for a text that the index does not hold.
        """
        places = np.array([self._place(text) for text in texts], np.int64)
        shards = np.searchsorted(self._starts, places, side="right") - 1
        if self.compressor.codec is not None:
            return [(self._decoded(places, shards), np.arange(len(places)), np.arange(len(places)))]
        positions = [np.flatnonzero(shards == shard) for shard in np.unique(shards)]
        return [(self._packs[shards[at[0]]], places[at] - self._starts[shards[at[0]]], at) for at in positions]

    def require(self, encoder: Encoder) -> None:
        """Raise a `LabError` unless the index was built with this encoder's recipe."""
        if encoder.key != self.manifest["recipe"]:
            raise LabError(
                f"{self.folder} was built with {self.manifest['encoder']}, and the encoder here is {encoder.identity}: "
                "their vectors do not compare. Load that encoder, or build another index."
            )

    def verify(self) -> None:
        """Read every shard and compare its hash.

        Raises a `LabError` that names the first shard whose bytes have changed.
        """
        require_whole(self.folder, self.manifest)

    def _place(self, text: str) -> int:
        place = self._places.get(bytes.fromhex(text_key(check_text(text, "text"))))
        if place is None:
            raise LabError(
                f"the index {self.folder.name!r} does not hold the text {text[:40]!r}; it was built from other texts. "
                "Build it from these."
            )
        return place

    def _decoded(self, places: np.ndarray, shards: np.ndarray) -> PackedTokens:
        at = list(zip((self._shards[shard] for shard in shards), places - self._starts[shards], strict=True))
        rows = [slice(*shard["offsets"][i : i + 2]) for shard, i in at]
        if not rows:
            return PackedTokens(np.zeros((0, self.manifest["dim"]), np.float32), np.zeros(1, np.int64), finite=True)
        numbers, codes = (
            np.concatenate([s[n][r] for (s, _), r in zip(at, rows, strict=True)]) for n in ("vectors", "codes")
        )
        offsets = np.cumsum([0, *(r.stop - r.start for r in rows)])
        lost = np.array([shard["lost"][i] for shard, i in at], np.int32)
        return PackedTokens(self.compressor.codec.decode(numbers, codes), offsets, lost=lost, finite=True)


def open_index(folder: str | Path, encoder: Encoder | None = None, verify: bool = True) -> Index:
    """Open an index; its vectors are mapped into memory, not loaded.

    Parameters
    ----------
    folder : what `build_index` filled
    encoder : refuse the index now, not at the first question, unless it was built with this encoder's recipe
    verify : read every shard once and compare its hash; False trusts the disk, and opens gigabytes at once

    Raises a `LabError` for a folder without an index, one that is half built, one of another version, a shard that is
    missing, cut off or changed, and with ``encoder`` for one of another recipe.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest is None:
        raise LabError(f"{folder} holds no index: {MANIFEST} is not there. Build one with build_index.")
    if not manifest.get("complete"):
        done, count = sum(shard["texts"] for shard in manifest["shards"]), manifest["count"]
        raise LabError(f"{folder} is half built, {done:,} of {count:,} texts. Run build_index again: it goes on there.")
    if verify:
        require_whole(folder, manifest)
    compressor = read_learned(folder, manifest)
    if compressor is None:
        file = folder / LEARNED
        raise LabError(f"{file} has changed since the index was built. Delete {folder} and build the index again.")
    index = Index(folder, manifest, compressor)
    if encoder is not None:
        index.require(encoder)
    return index


def _pack(shard: dict[str, np.ndarray]) -> PackedTokens:
    return PackedTokens(shard["vectors"], shard["offsets"], shard.get("scales"), lost=shard["lost"], finite=True)
