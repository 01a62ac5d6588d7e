"""Texts that the offline cross-encoder learns from: docstrings of installed packages that pydocs does not hold.

Read from source files, never imported. A text that shares a sentence with pydocs is left out. The set depends on the
installed versions: `constraints.txt` pins them.

    python data/recipes/cross_texts.py      # counts, by package
"""

from __future__ import annotations

import ast
import random
import re
import sysconfig
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from labkit.corpus.docstrings import Sections, parse
from labkit.corpus.load import load_collection

# Name of the package's folder and how many of its objects to take at most: transformers repeats itself.
PACKAGES = {
    "transformers": 2600, "sympy": 4000, "networkx": 1500, "huggingface_hub": 500, "numba": 500, "setuptools": 400,
    "fontTools": 500, "IPython": 500, "sentence_transformers": 400, "pydantic": 350, "_pytest": 350, "faiss": 300,
    "tornado": 350, "hypothesis": 350, "prompt_toolkit": 250, "mpmath": 269, "rich": 250, "PIL": 245, "fsspec": 227,
    "pygments": 150, "jinja2": 189, "babel": 188, "coverage": 150, "anyio": 150, "click": 173, "bs4": 169,
    "jupyter_server": 150, "jedi": 100, "packaging": 100, "pyparsing": 135, "zmq": 132, "joblib": 122, "urllib3": 115,
    "jupyter_client": 110, "datasketch": 107, "traitlets": 104, "psygnal": 101, "sortedcontainers": 93, "bleach": 88,
    "tqdm": 60, "nbconvert": 150, "nbformat": 60, "requests": 80, "lark": 80, "attr": 60, "regex": 20, "tomlkit": 60,
    "websocket": 60, "ftfy": 60, "httpx": 80, "markdown_it": 60, "psutil": 80, "filelock": 20, "narwhals": 300,
}  # fmt: skip
SENTENCE_WORDS = 8  # shared sentences of at least so many words count as overlap
_WORD = re.compile(r"[a-z0-9]+")
_STOP = re.compile(r"(?<=[.!?:;])\s+|\n+")


@dataclass(frozen=True)
class Source:
    """One documented object: its package, its dotted name, and its docstring in sections."""

    package: str
    name: str
    sections: Sections


def sentences(text: str) -> set[str]:
    """The sentences of a text that are long enough to tell a copy, as words in lower case.

    >>> sentences("Short one. The quick brown fox jumps over the lazy dog, twice!")
    {'the quick brown fox jumps over the lazy dog twice'}
    """
    found = (" ".join(_WORD.findall(part.lower())) for part in _STOP.split(text))
    return {part for part in found if part.count(" ") >= SENTENCE_WORDS - 1}


@cache
def pydocs_sentences() -> frozenset[str]:
    """Every sentence of pydocs and of its queries."""
    texts = []
    for name in ("pydocs", "pydocs-raw"):
        collection = load_collection(name)
        texts += [text for doc in collection.docs.values() for text in (doc.text, *doc.passages)]
    return frozenset().union(*map(sentences, [*texts, *collection.queries.values()]))


@cache  # reading them takes most of a minute
def sources(forbidden: frozenset[str]) -> tuple[Source, ...]:
    """The documented objects of `PACKAGES`, at most so many of each, without any that shares a forbidden sentence."""
    site = Path(sysconfig.get_paths()["purelib"])
    chosen = []
    for package, most in PACKAGES.items():
        found = list(_unlike(_documented(site / package, package), forbidden))
        chosen += random.Random(package).sample(found, min(most, len(found)))
    return tuple(chosen)


def _unlike(found: Iterator[Source], forbidden: frozenset[str]) -> Iterator[Source]:
    """Each text once, none that shares a sentence with what is forbidden."""
    seen: set[str] = set()
    for source in found:
        text = source.sections.body
        known = sentences(source.sections.text)
        if text not in seen and not known & forbidden:
            seen.add(text)
            yield source


def _documented(folder: Path, package: str) -> Iterator[Source]:
    for file in sorted(folder.rglob("*.py")):
        if {"tests", "test", "testing", "_vendor", "vendor"} & set(file.parts[len(folder.parts) :]):
            continue
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError):
            continue
        yield from _named(tree, package, ())


def _named(node: ast.AST, package: str, path: tuple[str, ...]) -> Iterator[Source]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            docstring = ast.get_docstring(child)
            if docstring and 20 <= len(docstring.split()) <= 2_000:
                name = ".".join([package, *path, child.name])
                sections = _parsed(docstring, child)
                if sections is not None and len(sections.body.split()) >= 15:
                    yield Source(package, name, sections)
            yield from _named(child, package, (*path, child.name))


def _parsed(docstring: str, node: ast.AST) -> Sections | None:
    signature = f"{node.name}({ast.unparse(node.args)})" if isinstance(node, ast.FunctionDef) else ""
    try:
        return parse(docstring, node.name, signature if len(signature) < 200 else "")
    except (ValueError, IndexError, RecursionError):
        return None


if __name__ == "__main__":
    by_package = Counter(source.package for source in sources(pydocs_sentences()))
    for package, number in by_package.most_common():
        print(f"{number:6,}  {package}")
    print(f"{by_package.total():6,}  objects of {len(by_package)} packages")
