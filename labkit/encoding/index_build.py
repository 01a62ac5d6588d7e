"""Building an index: shard by shard, each file written whole or not at all, the manifest after it.

A build that was stopped goes on after its last whole shard. With an encoder without a store it ends with the same bytes
as one that was not stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from labkit import paths
from labkit.bars import bar
from labkit.corpus.collection import Collection
from labkit.encoding.checkpoints import load_encoder
from labkit.encoding.compress import Compression, Compressor
from labkit.encoding.default_model import sha256_of
from labkit.encoding.index import Index, open_index
from labkit.encoding.index_files import LEARNED, MANIFEST, VERSION, is_whole, own_sha256, read_learned, read_manifest
from labkit.encoding.recipe import text_key
from labkit.encoding.tokens import PackedTokens
from labkit.errors import LabError, check_count, check_text

if TYPE_CHECKING:
    from labkit.encoding.encoders import Encoder

SHARD = 1_024  # texts a shard: at 254 tokens each and 384 dimensions, about 1.5 GB of memory while it is made
SAMPLE = 1_024  # texts that a compression is fitted on, taken evenly
LOCK = ".lock"
OTHER = {  # what to call a difference
    "encoder": "another encoder", "recipe": "another encoder", "compression": "another compression",
    "fitted": "a compression that was fitted on something else", "texts": "other texts", "count": "other texts",
    "shard": "another number of texts a shard",
}  # fmt: skip


def build_index(
    folder: str | Path, texts: Sequence[str] | Collection, encoder: Encoder | str,
    compression: Compression | Compressor | None = None, progress: bool = False, shard: int = SHARD,
) -> Index:  # fmt: skip
    """Encode texts into an index; what a stopped build left is kept.

    Parameters
    ----------
    folder : where it goes; empty, new, or with what an earlier build of the same left
    texts : passages, or a collection for its passages; equal ones are stored once
    encoder : from ``load_encoder()``, or a name that it takes. One without a store encodes all anew, so that the bytes
        are always the same
    compression : float16 in all dimensions if None. A `Compression` is fitted on 1,024 of the texts; a `Compressor`,
        fitted on whatever it was, is taken as it is
    shard : texts a file

    Raises a `LabError` if the folder holds an index of other texts, another encoder or another compression, or another
    build is at work in it; nothing is overwritten. Where the disk is full: what is written stays, and a second call
    goes on.
    """
    if isinstance(texts, str):
        raise LabError(f"give a list of texts or a collection, not a bare string: [{texts[:30]!r}].")
    if isinstance(texts, Mapping):
        raise LabError("give a list of texts or a collection, not a mapping, of which only the keys would count.")
    encoder = load_encoder(encoder) if isinstance(encoder, str) else encoder
    given = compression if isinstance(compression, Compressor) else None
    wish = given.compression if given else compression or Compression()
    folder, texts = Path(folder), texts.passages if isinstance(texts, Collection) else texts
    unique = list(dict.fromkeys(check_text(text, f"text {n}") for n, text in enumerate(texts)))
    knobs = {**Compressor(wish).configuration}
    del knobs["learned"]
    wanted = {
        "version": VERSION, "encoder": encoder.identity, "recipe": encoder.key, "compression": knobs,
        "fitted": "on its own texts" if given is None else given.configuration["learned"],
        "texts": text_key("".join(map(text_key, unique))), "count": len(unique), "shard": check_count(shard, "shard"),
    }  # fmt: skip
    _require_room(folder, wanted)
    with _alone(folder):
        _fill(folder, wanted, unique, encoder, given or wish, progress)
    return open_index(folder, verify=False)  # each shard was written now, or its hash compared


def _fill(
    folder: Path, wanted: dict[str, Any], unique: list[str], encoder: Encoder, wish: Compression | Compressor,
    progress: bool,
) -> None:  # fmt: skip
    """Learn, then write what is not there yet: the manifest first, what was learned, then shard after shard."""
    kept, shard = read_manifest(folder), wanted["shard"]
    for file in _leftovers(folder):
        file.unlink()
    known = read_learned(folder, kept) if kept else None  # by an earlier start
    # where fitting fails, the folder stays free
    compressor = wish if isinstance(wish, Compressor) else known or _fitted(wish, unique, encoder)
    learned = compressor.configuration["learned"]
    manifest = {**wanted, "dim": compressor.compression.dim or encoder.dim, "learned": learned}
    shards = kept["shards"] if kept and kept["learned"] == learned else []  # others are of another compressor
    whole = {part["file"]: part for part in shards if is_whole(folder, part)}
    if known and kept["complete"] and len(whole) == len(kept["shards"]):
        return
    _save(folder, manifest, whole)
    if learned and not known:
        _write(folder / LEARNED, compressor.arrays())
    for number in bar(range(0, len(unique), shard), what="index", unit="shard", show=progress):
        part, file = unique[number : number + shard], folder / f"vectors-{number // shard:05d}.safetensors"
        if file.name not in whole:
            _write(file, _arrays(compressor, encoder.encode_documents(part), part))
            whole[file.name] = {"file": file.name, "sha256": sha256_of(file), "texts": len(part)}
            _save(folder, manifest, whole)
    _save(folder, manifest, whole, complete=True)


def _require_room(folder: Path, wanted: dict[str, Any]) -> None:
    """Raise a `LabError` for a folder with other files, or with an index of something else."""
    kept = read_manifest(folder)
    if kept is None:
        own = {*_leftovers(folder), folder / LOCK}
        if folder.exists() and (not folder.is_dir() or set(folder.iterdir()) - own):
            raise LabError(f"{folder} holds files and no {MANIFEST}: give a new or an empty folder.")
        return
    for name, value in wanted.items():
        if kept.get(name) != value:
            raise LabError(
                f"{folder} holds an index with {OTHER[name]} ({str(kept.get(name))[:80]}, wanted {str(value)[:80]}). "
                "Nothing was changed; give another folder, or delete this one."
            )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While no other build is at work in the folder."""
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise LabError(f"another build is at work in {folder}. Wait until it has ended; then build again.") from None
    except OSError as error:
        raise LabError(f"{folder} cannot be written to ({error.strerror or error}). Give another folder.") from None
    try:
        yield
    finally:
        lock.release()


def _leftovers(folder: Path) -> list[Path]:
    """Half-written files of a build that was killed."""
    return [file for name in ("vectors-*", f"{LEARNED}.*", f"{MANIFEST}.*") for file in folder.glob(f".{name}")]


def _fitted(wish: Compression, texts: list[str], encoder: Encoder) -> Compressor:
    """A compressor fitted on texts taken evenly, where there is something to learn."""
    if wish.dim is None and not wish.storage.startswith("residual"):
        return Compressor(wish)
    sample = [texts[len(texts) * i // SAMPLE] for i in range(SAMPLE)] if len(texts) > SAMPLE else texts
    return wish.fit(encoder.encode_documents(sample))


def _arrays(compressor: Compressor, documents: PackedTokens, texts: list[str]) -> dict[str, np.ndarray]:
    stored = compressor.stored(documents)
    arrays = {"vectors": np.asarray(stored.vectors)}
    if compressor.codec is not None:
        arrays["vectors"], arrays["codes"] = compressor.codec.encode(arrays["vectors"])
    if stored.scales is not None:
        arrays["scales"] = np.asarray(stored.scales)
    keys = np.frombuffer(b"".join(bytes.fromhex(text_key(text)) for text in texts), np.uint8).reshape(-1, 32)
    return {**arrays, "offsets": stored.offsets, "lost": np.asarray(documents.lost, np.int32), "keys": keys}


def _save(folder: Path, manifest: dict[str, Any], shards: dict[str, dict], complete: bool = False) -> None:
    told = {**manifest, "shards": [shards[name] for name in sorted(shards)], "complete": complete}
    told["sha256"] = own_sha256(told)
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
