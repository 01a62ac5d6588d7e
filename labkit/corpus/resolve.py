"""Public names become objects, docstrings and short signatures. Only the standard library is imported here."""

from __future__ import annotations

import builtins
import hashlib
import inspect
import warnings
from importlib import import_module
from types import ModuleType

_SIGNATURE_LENGTH = 160  # characters


def resolve(name: str) -> object:
    """The object that a public dotted name stands for, e.g. ``"pandas.Series.str.split"`` or ``"str.split"``.

    Raises a ``LookupError`` if this installation has no such name, or its package cannot be imported.
    """
    root, *parts = name.split(".")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = getattr(builtins, root) if hasattr(builtins, root) else import_module(root)
            for depth, part in enumerate(parts, start=2):
                found = _member(found, part, ".".join(name.split(".")[:depth]))
    except Exception as error:  # a broken package may raise anything on import
        raise LookupError(f"{name} is not in this installation: {type(error).__name__}: {error}") from error
    return found


def _member(owner: object, part: str, path: str) -> object:
    try:
        return getattr(owner, part)
    except AttributeError:
        if not isinstance(owner, ModuleType):
            raise
        return import_module(path)


def docstring(found: object) -> str:
    """The object's own docstring, indentation cleaned; empty if it has none."""
    text = getattr(found, "__doc__", None)
    return inspect.cleandoc(text) if isinstance(text, str) else ""


def short_signature(found: object, name: str) -> str:
    """``name(parameters)`` with short defaults, at most about 160 characters; empty where introspection has none.

    >>> short_signature(sorted, "sorted")
    'sorted(iterable, /, *, key=None, reverse=False)'
    """
    try:
        parameters = list(inspect.signature(found).parameters.values())  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    if parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    shown = _shown(parameters, defaults=True)
    if len(name) + len(", ".join(shown)) > _SIGNATURE_LENGTH:
        shown = _shown(parameters, defaults=False)
    while len(name) + len(", ".join(shown)) > _SIGNATURE_LENGTH:
        shown = [*shown[: -2 if shown[-1] == "..." else -1], "..."]
    return "" if shown == ["*args", "**kwargs"] else f"{name}({', '.join(shown)})"


def _shown(parameters: list[inspect.Parameter], defaults: bool) -> list[str]:
    """Parameters as they would be written, without annotations; a default that is no plain constant is an ellipsis."""
    shown: list[str] = []
    kinds = [parameter.kind for parameter in parameters]
    for i, parameter in enumerate(parameters):
        if parameter.kind is parameter.KEYWORD_ONLY and not {parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY} & {
            *kinds[:i]
        }:
            shown.append("*")
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        shown.append(stars + parameter.name + (_default(parameter.default) if defaults else ""))
        if parameter.kind is parameter.POSITIONAL_ONLY and kinds[i + 1 : i + 2] != [parameter.kind]:
            shown.append("/")
    return shown


def _default(value: object) -> str:
    if value is inspect.Parameter.empty:
        return ""
    plain = value is None or type(value) in (bool, int, float, str)
    return f"={value!r}" if plain and len(repr(value)) <= 20 else "=…"


def words_hash(text: str) -> str:
    """16 hexadecimal digits of the sha256 of ``text`` with its white space normalised."""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8", "surrogatepass")).hexdigest()[:16]
