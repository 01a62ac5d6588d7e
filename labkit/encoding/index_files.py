"""The files of an index: its manifest, what its compression learned, and shards as memory maps."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from labkit.encoding.compress import Compression, Compressor
from labkit.encoding.default_model import sha256_of
from labkit.encoding.residual import ResidualCodec
from labkit.errors import LabError

VERSION = 2
MANIFEST, LEARNED = "manifest.json", "compressor.safetensors"
ARRAYS = {"vectors", "offsets", "lost", "keys"}  # that every shard has


def read_learned(folder: Path, manifest: dict[str, Any]) -> Compressor | None:
    """The compressor of an index with what it learned; None where that is not what the manifest says."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(folder / LEARNED) if (folder / LEARNED).is_file() else {}
        codec = ResidualCodec(*(arrays[n] for n in ("centroids", "bounds", "values"))) if "values" in arrays else None
    except (SafetensorError, KeyError, TypeError, ValueError):
        return None
    compressor = Compressor(Compression(**manifest["compression"]), arrays.get("matrix"), codec)
    return compressor if compressor.configuration["learned"] == manifest["learned"] else None


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """What an index says of itself, None where there is no manifest.

    Raises a `LabError` for one that is no JSON object or does not have its own hash, and for one of another version.
    """
    file = folder / MANIFEST
    if not file.is_file():
        return None
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        manifest = None
    if not isinstance(manifest, dict):
        raise LabError(f"{file} is damaged. Delete {folder} and build the index again.")
    if manifest.get("version") != VERSION:
        raise LabError(
            f"{folder} holds an index of version {manifest.get('version')}, and this labkit reads {VERSION}. "
            "Build the index again in another folder."
        )
    if manifest.get("sha256") != own_sha256(manifest):
        raise LabError(f"{file} is damaged: it does not have the sha256 that it says. Delete {folder} and build again.")
    return manifest


def own_sha256(manifest: dict[str, Any]) -> str:
    """sha256 of a manifest as canonical JSON without the hash itself."""
    body = {name: value for name, value in manifest.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def require_whole(folder: Path, manifest: dict[str, Any]) -> None:
    """Raise a `LabError` that names the first shard that is missing or whose bytes have changed."""
    for shard in manifest["shards"]:
        file = folder / shard["file"]
        if not file.is_file():
            raise LabError(f"{file} is missing. Run build_index again: it builds what is not there.")
        if not is_whole(folder, shard):
            raise LabError(
                f"{file} has changed since it was written: its sha256 is another one. Run build_index again: it builds "
                "what is damaged and keeps what is whole."
            )


def is_whole(folder: Path, shard: dict[str, Any]) -> bool:
    """Whether a shard is there with the bytes that it was written with."""
    file = folder / shard["file"]
    return file.is_file() and sha256_of(file) == shard["sha256"]


def mapped(file: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file as views into a memory map."""
    if not file.is_file():
        raise LabError(f"{file} is missing. Run build_index again: it builds what is not there.")
    try:
        raw = np.memmap(file, np.uint8, "r")
        size = int.from_bytes(raw[:8].tobytes(), "little")
        header = json.loads(raw[8 : 8 + size].tobytes())
        header.pop("__metadata__", None)
        arrays = {name: _view(raw, 8 + size, told) for name, told in header.items()}
        return {**arrays, **{name: arrays[name] for name in ARRAYS}}  # a KeyError where one has lost its name
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):  # whatever a changed header leads to
        raise LabError(f"{file} is cut off or has changed. Run build_index again: it builds what is damaged.") from None


def _view(raw: np.ndarray, start: int, told: dict[str, Any]) -> np.ndarray:
    begin, end = (start + offset for offset in told["data_offsets"])
    dtype = {"F32": "<f4", "F16": "<f2", "I8": "i1", "U8": "u1", "U16": "<u2", "U32": "<u4", "I32": "<i4", "I64": "<i8"}
    return raw[begin:end].view(dtype[told["dtype"]]).reshape(told["shape"])
