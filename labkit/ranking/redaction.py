"""What may not reach a log: personal data by rules, keys always, and a salted hash that stands for a text."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from filelock import FileLock

from labkit import paths
from labkit.errors import LabError
from labkit.ranking.cohere import KEYS
from labkit.text import with_texts

SALT_FILE = "trace.salt"
# Applied in this order, each in linear time: a pattern begins where a word begins, or is bounded. They hide too much
# rather than too little: a timestamp in milliseconds is a "number".
RULES: tuple[tuple[str, str], ...] = (
    ("key", r"(?i:\bbearer\s+[\w.~+/=-]{16,})"
            r"|(?i:\b(?:api[_-]?key|token|secret|password)\s*[:=]\s*\S{6,})"
            r"|\b(?:sk|pk|ghp|gho|hf|xox[abp]|AKIA)[-_]?[A-Za-z0-9_-]{16,}"
            r"|(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*"
            r"|\b(?=\w*[a-z])(?=\w*[A-Z])(?=\w*\d)\w{32,}"),
    ("email", r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    ("ip", r"\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)\b"
           r"|(?i:\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b|\b(?:[0-9a-f]{1,4}:){2,6}(?::[0-9a-f]{1,4}){1,5}\b"
           r"|\bfe80:(?::[0-9a-f]{1,4}){1,4}\b)"),
    ("number", r"(?<![\w.+])(?:\d(?:[ -]?\d){12,18}|\d{9,})(?!\w)"
               r"|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ("phone", r"(?<![\w.])\+\d(?:[ ()/.-]{0,2}\d){6,14}"
              r"|(?<![\w.])\(?\d{2,5}\)?[ /.-]{1,2}\d{3,4}[ .-]?\d{3,4}(?![\w.])"),
)  # fmt: skip


class Redaction:
    """Rules that replace what they match by their name in brackets, and count.

    Parameters
    ----------
    rules : (name, regular expression) pairs, applied in order; add your own to `RULES`

    Raises `LabError` for a rule that is no such pair, or whose expression does not compile.

    >>> counts = Counter()
    >>> Redaction().clean("refund ann@example.org, card 4111 1111 1111 1111", counts), dict(counts)
    ('refund [email], card [number]', {'email': 1, 'number': 1})
    """

    def __init__(self, rules: Sequence[tuple[str, str]] = RULES) -> None:
        try:
            self._rules = [(name.strip() or "rule", re.compile(pattern)) for name, pattern in rules]
        except (re.error, TypeError, ValueError, AttributeError) as error:
            raise LabError(
                f"rules must be (name, regular expression) pairs, such as ('customer', r'C-\\d+'): {error}."
            ) from None

    def clean(self, text: str, counts: Counter[str]) -> str:
        """The text after keys and rules; ``counts`` is told how often each rule matched."""
        if not text:
            return text
        text = without_keys(text, counts)
        for name, pattern in self._rules:
            text, found = pattern.subn(f"[{name}]", text)
            if found:
                counts[name] += found
        return text


def without_keys(value: Any, counts: Counter[str]) -> Any:
    """Plain data without the keys that the environment holds now, in whatever string they stand."""
    keys = {os.environ.get(name, "").strip() for name in KEYS} - {""}

    def hidden(text: str) -> str:
        for key in sorted(keys, key=len, reverse=True):
            if key in text:
                counts["key"] += text.count(key)
                text = text.replace(key, "[key]")
        return text

    return with_texts(value, hidden) if keys else value


class Salt:
    """A secret of this machine, ``trace.salt`` in `labkit.paths.home`, so that no log alone can be guessed back."""

    @cached_property
    def _secret(self) -> bytes:
        path = paths.home() / SALT_FILE
        with FileLock(f"{path}.lock", timeout=5):
            if not path.is_file():
                paths.write_atomic(path, secrets.token_bytes(32))  # readable by its owner only
        return path.read_bytes()

    @property
    def name(self) -> str:
        """Eight digits that tell salts apart and give nothing away."""
        return hashlib.sha256(self._secret).hexdigest()[:8]

    def hash(self, text: str) -> str:
        """32 digits of HMAC-SHA256 over the text."""
        return hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:32]
