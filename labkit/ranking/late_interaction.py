"""Reranking by late interaction: every query token picks its best document token, and the picks are summed.

Source: Khattab and Zaharia, ColBERT, SIGIR 2020 (https://arxiv.org/abs/2004.12832), here as the second stage.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from labkit.encoding.index import open_index
from labkit.errors import LabError
from labkit.ranking.ranking import Hit
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import Scored, best, distinct, flat
from labkit.scoring.maxsim import load_loops, maxsim

if TYPE_CHECKING:
    from labkit.encoding.compress import Compressor
    from labkit.encoding.encoders import Encoder
    from labkit.encoding.index import Index
    from labkit.encoding.tokens import PackedTokens

NO_TOKENS = "the document has no tokens to match"


class _Encoding(Reranker):
    """A reranker that encodes its candidates; the model is loaded at the first question, not before."""

    def __init__(self, encoder: Encoder | str | None = None, progress: bool = False) -> None:
        self._given = encoder
        self.progress = progress

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder: the one given, the checkpoint named, or the default model."""
        from labkit.encoding.checkpoints import load_encoder

        return load_encoder(self._given) if self._given is None or isinstance(self._given, str) else self._given

    @property
    def model(self) -> str:
        return self.encoder.identity

    @property
    def configuration(self) -> dict[str, Any]:
        return {"name": self.name, "encoder": self.encoder.identity}

    def prepare(self) -> None:
        _ = self.encoder


class LateInteractionReranker(_Encoding):
    """MaxSim over token vectors.

    Parameters
    ----------
    encoder : from ``load_encoder()``; or a checkpoint's name or folder; or None for the default, which is zero-shot
        token MaxSim over all-MiniLM-L6-v2 and not a trained ColBERT
    progress : show a bar while candidates are encoded for the first time
    compression : a fitted `labkit.encoding.compress.Compressor`: documents and queries are scored as it leaves them
    index : from ``open_index``, or its folder: vectors come from there, as it compressed them; no document is encoded

    Raises `LabError` for both a compression and an index, and for a compression that is not fitted. When reranking: for
    an index of another encoder, and for a passage that it does not hold.
    """

    name = "late"
    scale = "MaxSim"

    def __init__(
        self, encoder: Encoder | str | None = None, progress: bool = False, compression: Compressor | None = None,
        index: Index | str | Path | None = None,
    ) -> None:  # fmt: skip
        super().__init__(encoder, progress)
        if compression is not None and index is not None:
            raise LabError("an index has its own compression; give one of the two.")
        if hasattr(compression, "fit"):
            raise LabError("a compression must be fitted first: Compression(...).fit(vectors of some documents).")
        self.index = open_index(index) if isinstance(index, str | Path) else index
        self.compression = compression if self.index is None else self.index.compressor

    @property
    def configuration(self) -> dict[str, Any]:
        own = {} if self.compression is None else {"compression": self.compression.configuration}
        return {**super().configuration, **own}

    def prepare(self) -> None:
        """Load the model and MaxSim's compiled loops, and check that the index is its own."""
        super().prepare()
        load_loops()
        if self.index is not None:
            self.index.require(self.encoder)

    def score(self, query: str, hits: Sequence[Hit]) -> Scored:
        passages, starts = flat(hits)
        encoded, cached = self.encoder.encoded, self.encoder.cached
        asked = self.encoder.encode_queries([query])
        cut = int(asked.lost[0])
        asked = asked if self.compression is None else self.compression.queries(asked)
        texts, which = distinct(passages)
        scores, lost = np.empty(len(texts), np.float32), np.empty(len(texts), np.int32)
        for documents, numbers, at in self._documents(texts):
            scores[at], lost[at] = maxsim(asked[0], documents, numbers), documents.lost[numbers]
        scores, lost = scores[which], lost[which]
        per_hit = np.maximum.reduceat(scores, starts)
        return Scored(
            per_hit,
            best(scores, starts),
            np.maximum.reduceat(lost, starts) > 0,
            dict.fromkeys(np.flatnonzero(np.isneginf(per_hit)).tolist(), NO_TOKENS),
            self.encoder.encoded - encoded,
            self.encoder.cached - cached if self.index is None else len(texts),
            note=f"the query's last {cut} wordpieces are beyond the encoder's limit: not read" if cut else "",
        )

    def _documents(self, passages: Sequence[str]) -> list[tuple[PackedTokens, np.ndarray, np.ndarray]]:
        """Packs, the documents to score in each, and which passages they are."""
        if self.index is not None:
            return self.index.parts(passages)
        documents = self.encoder.encode_documents(passages, progress=self.progress)
        everyone = np.arange(len(passages))
        return [(documents if self.compression is None else self.compression.documents(documents), everyone, everyone)]


class DenseReranker(_Encoding):
    """Cosine of the dense twin's vectors: the same forward pass, one vector a passage."""

    name = "twin"
    scale = "cosine"

    def score(self, query: str, hits: Sequence[Hit]) -> Scored:
        passages, starts = flat(hits)
        texts, which = distinct(passages)
        vectors = self.encoder.embed_documents(texts, progress=self.progress)
        scores = (vectors @ self.encoder.embed_queries([query])[0])[which]
        return Scored(np.maximum.reduceat(scores, starts), best(scores, starts))
