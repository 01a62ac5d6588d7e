"""Encoders: text in, token vectors out, each text encoded once and stored.

The default is zero-shot token MaxSim over all-MiniLM-L6-v2 (not a ColBERT: nothing was trained for it). Any
multi-vector checkpoint that sentence-transformers loads (Stanford, PyLate, native) is the same class.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.bars import bar
from labkit.encoding import recipe as recipes
from labkit.encoding.batches import batches
from labkit.encoding.forward import Forward
from labkit.encoding.store import Entry, Store
from labkit.encoding.tokens import PackedTokens
from labkit.errors import LabError, check_text

if TYPE_CHECKING:
    from sentence_transformers import MultiVectorEncoder

BATCH_TOKENS = 2_048  # padded; more do not fit a core's cache, fewer leave it idle
WINDOW = 2_048  # texts tokenized at a time
STORE_TOKENS_UP_TO = 20_000


class Encoder:
    """A multi-vector encoder with a store.

    Parameters
    ----------
    model : sentence_transformers.MultiVectorEncoder
    name : what people call it; shown in rankings
    store : where document vectors are kept, or None to keep nothing
    twin : whether the mean of the raw token vectors is a trained single vector, as it is for the default model

    Attributes
    ----------
    recipe : everything that decides the vectors, ready to print
    dim : d
    twin_dim : dimensions of the twin's vectors: the model's own, whatever a head makes of its token vectors
    encoded, cached : how many documents were encoded and how many came from the store, counted since loading
    """

    def __init__(self, model: MultiVectorEncoder, name: str, store: Store | None = None, twin: bool = False) -> None:
        self.model = model.eval()
        self.name = name
        self.twin = twin
        self.store = store
        self._forward = Forward(self.model, twin)
        self.recipe: dict[str, Any] = recipes.describe(model, storage="float16")
        self.key = recipes.recipe_key(self.recipe, "document")
        self.dim = int(model.get_embedding_dimension())
        self.twin_dim = int(model[0].get_embedding_dimension())
        self.encoded = self.cached = 0
        self._cap = getattr(model[0], "document_length", None) or model[0].max_seq_length or BATCH_TOKENS
        self._query = lru_cache(1024)(self._encode_query)

    def __repr__(self) -> str:
        return f"Encoder({self.name!r}, d={self.dim})"

    @property
    def identity(self) -> str:
        """Its name and the first twelve digits of its recipe's hash: two encoders that differ never share it."""
        return f"{self.name} {self.key[:12]}"

    def encode_queries(self, texts: Sequence[str]) -> PackedTokens:
        """Token vectors of queries, float32, with ``pooled``; one forward pass a query, so batches change nothing.

        Raises a `LabError` for a bare string, and for a text that is not a string or holds a lone surrogate.
        """
        entries = [self._query(text) for text in _checked(texts, "query")]
        return self._packed(entries, np.float32)

    def encode_documents(self, texts: Sequence[str], progress: bool = False) -> PackedTokens:
        """Token vectors of documents, float16 as the store keeps them, with ``pooled`` and ``lost``.

        Whether a text came from the store or was encoded now, its vectors are the same bits.
        """
        keys = [recipes.text_key(text) for text in _checked(texts, "document")]
        found = self.store.get(self.key, list(dict.fromkeys(keys)), self.dim) if self.store else {}
        found = {key: entry for key, entry in found.items() if entry.vectors is not None}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        for batch in self._encode(missing, progress):
            self._keep(batch)
            found.update(batch)
        self.cached += len(set(keys)) - len(missing)
        return self._packed([found[key] for key in keys], np.float16)

    def characters_read(self, texts: Sequence[str], task: str = "document") -> list[int]:
        """How many characters of each text come before the length limit's cut; tokenized, not encoded.

        Of a long text only the start is tokenized, 200 characters for each token of the limit; where that holds fewer
        tokens than the limit, all of it is.
        """
        limit = getattr(self.model[0], f"{task}_length", None) or self.model[0].max_seq_length
        texts = _checked(texts, task)
        if not limit:
            return [len(text) for text in texts]
        reads = []
        for text, (spans, total) in zip(
            texts, self._forward.places([t[: 200 * limit] for t in texts], task), strict=True
        ):
            if total <= limit and len(text) > 200 * limit:
                spans, total = self._forward.places([text], task)[0]
            reads.append(int(spans[limit - 1, 0]) if total > limit else len(text))
        return reads

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        """The dense twin's query vectors, [Nq, twin_dim] float32, unit length."""
        self._require_twin()
        return np.stack([self._query(text).pooled for text in _checked(texts, "query")])

    def embed_documents(self, texts: Sequence[str], progress: bool = False) -> np.ndarray:
        """The dense twin's document vectors, [Nd, twin_dim] float32: mean over all tokens, unit length.

        Token vectors come out of the same forward pass. They are stored too while at most 20,000 texts are missing;
        beyond that they would fill the disk (about 75 kB for 100 tokens) and only the pooled vectors are kept.
        """
        self._require_twin()
        keys = [recipes.text_key(text) for text in _checked(texts, "document")]
        unique = list(dict.fromkeys(keys))
        found = self.store.get(self.key, unique, self.dim, pooled_only=True) if self.store else {}
        pooled = {key: entry.pooled for key, entry in found.items()}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in pooled}
        for batch in self._encode(missing, progress):
            if len(missing) > STORE_TOKENS_UP_TO:
                batch = {key: Entry(None, None, None, e.pooled, e.lost) for key, e in batch.items()}
            self._keep(batch)
            pooled.update({key: entry.pooled for key, entry in batch.items()})
        self.cached += len(unique) - len(missing)
        return np.stack([pooled[key] for key in keys]) if keys else np.zeros((0, self.twin_dim), np.float32)

    def warm(self, texts: Sequence[str], progress: bool = False) -> int:
        """Encode into the store what it lacks and return how many texts that were. Killed, it resumes where it was."""
        missing = {recipes.text_key(text): text for text in self.missing(texts)}
        for batch in self._encode(missing, progress):
            self._keep(batch)
        return len(missing)

    def missing(self, texts: Sequence[str]) -> list[str]:
        """The texts that `warm` would encode: the store lacks their token vectors. Each once, in the order given."""
        if self.store is None:
            raise LabError("this encoder has no store to warm; load it with store=True.")
        by_key = {recipes.text_key(text): text for text in _checked(texts, "document")}
        return [by_key[key] for key in self.store.missing(self.key, list(by_key))]

    def _require_twin(self) -> None:
        if not self.twin:
            raise LabError(f"{self.name} has no dense twin: the mean of its token vectors was never trained to search.")

    def _keep(self, batch: dict[str, Entry]) -> None:
        if self.store is not None:
            self.store.put(self.key, batch.items())

    def _encode(self, missing: dict[str, str], progress: bool) -> Iterator[dict[str, Entry]]:
        """Encode texts in batches of like length, longest first, so that a batch that does not fit fails first."""
        keys = sorted(missing, key=lambda key: -len(missing[key]))
        with bar(total=len(keys), what="encoding", unit="text", show=progress) as told:
            for start in range(0, len(keys), WINDOW):
                window = keys[start : start + WINDOW]
                places = self._forward.places([missing[key] for key in window], "document")
                for part in batches([min(total, self._cap) for _, total in places], BATCH_TOKENS):
                    texts = [missing[window[i]] for i in part]
                    entries = self._forward.entries(texts, [places[i] for i in part], "document")
                    yield {window[i]: entry for i, entry in zip(part, entries, strict=True)}
                    self.encoded += len(part)
                    told.update(len(part))

    def _encode_query(self, text: str) -> Entry:
        return self._forward.entries([text], self._forward.places([text], "query"), "query")[0]

    def _packed(self, entries: list[Entry], dtype: type) -> PackedTokens:
        offsets = np.concatenate([[0], np.cumsum([len(e.vectors) for e in entries], dtype=np.int64)])
        empty = np.zeros((0, self.dim), dtype)
        return PackedTokens(
            np.concatenate([empty, *(e.vectors for e in entries)]),
            offsets,
            ids=np.concatenate([np.zeros(0, np.int32), *(e.ids for e in entries)]),
            spans=np.concatenate([np.zeros((0, 2), np.int32), *(e.spans for e in entries)]),
            pooled=np.array([e.pooled for e in entries], np.float32).reshape(-1, self.twin_dim) if self.twin else None,
            lost=np.array([e.lost for e in entries], np.int32),
            to_strings=self.model.tokenizer.convert_ids_to_tokens,
            finite=True,
        )


def _checked(texts: Sequence[str], what: str) -> Sequence[str]:
    if isinstance(texts, str):
        raise LabError(f"give a list of texts, not a bare string: [{texts[:30]!r}].")
    for number, text in enumerate(texts):
        check_text(text, f"{what} {number}")
    return texts
