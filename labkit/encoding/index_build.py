"""Building an index: shard by shard, each file written whole or not at all, the manifest after it.

A build that was stopped goes on after its last whole shard. With an encoder without a store it ends with the same bytes
as one that was not stopped.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit import paths
from labkit.encoding.compress import Compression, Compressor
from labkit.encoding.default_model import sha256_of
from labkit.encoding.index import LEARNED, MANIFEST, Index, load_compressor, open_index, read_manifest
from labkit.encoding.recipe import text_key
from labkit.encoding.tokens import PackedTokens
from labkit.errors import LabError, check_count, check_text
from labkit.progress import bar

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

VERSION = 1
SHARD = 2_048  # texts a shard
SAMPLE = 1_024  # texts that a compression is fitted on, taken evenly


def build_index(
    folder: str | Path, texts: Sequence[str], encoder: Encoder, compression: Compression | None = None,
    progress: bool = False, shard: int = SHARD,
) -> Index:  # fmt: skip
    """Encode texts into an index; what a stopped build left is kept.

    Parameters
    ----------
    folder : where it goes; empty, new, or with what an earlier build of the same left
    texts : passages; equal ones are stored once
    encoder : from ``load_encoder()``. One without a store encodes all anew, so that the bytes are always the same
    compression : float16 in all dimensions if None
    shard : texts a file

    Raises
    ------
    LabError
        If the folder holds an index of other texts, another encoder or another compression; nothing is overwritten.
    """
    folder, compression = Path(folder), compression or Compression()
    unique = list(dict.fromkeys(check_text(text, f"text {n}") for n, text in enumerate(texts)))
    wanted = {
        "version": VERSION, "encoder": encoder.identity, "recipe": encoder.key, "compression": asdict(compression),
        "texts": text_key("".join(map(text_key, unique))), "count": len(unique), "shard": check_count(shard, "shard"),
    }  # fmt: skip
    kept = _kept(folder, wanted)
    compressor = _learned(folder, compression, unique, encoder, kept.get("learned"))
    manifest = {**wanted, "dim": compression.dim or encoder.dim, "learned": compressor.configuration["learned"]}
    same = kept.get("learned", manifest["learned"]) == manifest["learned"]
    whole = {part["file"]: part for part in kept["shards"] if same and _is_whole(folder, part)}
    _save(folder, manifest, whole)
    for number in bar(range(0, len(unique), shard), what="index", unit="shard", show=progress):
        part, file = unique[number : number + shard], folder / f"vectors-{number // shard:05d}.safetensors"
        if file.name not in whole:
            _write(file, _arrays(compressor, encoder.encode_documents(part), part))
            whole[file.name] = {"file": file.name, "sha256": sha256_of(file), "texts": len(part)}
            _save(folder, manifest, whole)
    _save(folder, manifest, whole, complete=True)
    return open_index(folder)


def _kept(folder: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """The manifest of an earlier start, or a new one, written before all else; half-written files are removed."""
    kept = read_manifest(folder)
    if kept is not None:
        _require_same(folder, kept, wanted)
    elif folder.is_dir() and any(folder.iterdir()):
        raise LabError(f"{folder} holds files and no {MANIFEST}: give a new or an empty folder.")
    else:
        _save(folder, wanted, {})
    for file in [*folder.glob(".vectors-*"), *folder.glob(f".{LEARNED}.*"), *folder.glob(f".{MANIFEST}.*")]:
        file.unlink()
    return kept or {"shards": []}


def _require_same(folder: Path, kept: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        if kept.get(name) != value:
            raise LabError(
                f"{folder} holds an index with another {name} ({str(kept.get(name))[:60]}, wanted "
                f"{str(value)[:60]}). Nothing was changed; give another folder, or delete this one."
            )


def _learned(
    folder: Path, compression: Compression, texts: list[str], encoder: Encoder, known: str | None
) -> Compressor:
    """The compressor of an earlier start, if its hash is the ``known`` one, or one fitted now on texts taken evenly."""
    if compression.dim is None and not compression.storage.startswith("residual"):
        return Compressor(compression)
    file = folder / LEARNED
    if known and file.is_file() and (kept := load_compressor(compression, file)).configuration["learned"] == known:
        return kept
    sample = texts[:: max(1, len(texts) // SAMPLE)][:SAMPLE]
    compressor = compression.fit(encoder.encode_documents(sample))
    _write(file, compressor.arrays())
    return compressor


def _arrays(compressor: Compressor, documents: PackedTokens, texts: list[str]) -> dict[str, np.ndarray]:
    stored = compressor.stored(documents)
    arrays = {"vectors": np.asarray(stored.vectors)}
    if compressor.codec is not None:
        arrays["vectors"], arrays["codes"] = compressor.codec.encode(arrays["vectors"])
    if stored.scales is not None:
        arrays["scales"] = np.asarray(stored.scales)
    keys = np.frombuffer(b"".join(bytes.fromhex(text_key(text)) for text in texts), np.uint8).reshape(-1, 32)
    return {**arrays, "offsets": stored.offsets, "lost": np.asarray(documents.lost, np.int32), "keys": keys}


def _is_whole(folder: Path, shard: dict[str, Any]) -> bool:
    file = folder / shard["file"]
    return file.is_file() and sha256_of(file) == shard["sha256"]


def _save(folder: Path, manifest: dict[str, Any], shards: dict[str, dict], complete: bool = False) -> None:
    told = {**manifest, "shards": [shards[name] for name in sorted(shards)], "complete": complete}
    _whole_or_not(folder / MANIFEST, json.dumps(told, indent=1, sort_keys=True) + "\n")


def _write(file: Path, arrays: dict[str, np.ndarray]) -> None:
    from safetensors.numpy import save

    _whole_or_not(file, save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))


def _whole_or_not(file: Path, content: bytes | str) -> None:
    try:
        paths.write_atomic(file, content)
    except OSError as error:
        why = error.strerror or error
        raise LabError(f"{file} could not be written ({why}). Nothing is lost: build again, and it goes on.") from None
