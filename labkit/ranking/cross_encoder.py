"""Reranking by a cross-encoder: query and passage go through the model together, and one number comes out.

Source: Nogueira and Cho, Passage Re-ranking with BERT, 2019 (https://arxiv.org/abs/1901.04085). Nothing can be computed
before the query is known: the price is one forward pass for each passage and query.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from labkit.encoding.checkpoints import with_network
from labkit.encoding.encoders import BATCH_TOKENS
from labkit.errors import LabError, check_count, check_text
from labkit.ranking.offline_pair import NAME
from labkit.ranking.pair_model import KNOWN, PairModel, load_pair_model
from labkit.ranking.ranking import Hit, Ranking
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import Scored, best, flat
from labkit.ranking.shipped_scores import pair_key, shipped_scores

MAX_CANDIDATES = 200  # a slip such as k=10_000 would run for hours on a CPU
SCALE = "logit"


class CrossEncoderReranker(Reranker):
    """Raw logits of a one-label cross-encoder, in float32.

    No activation is applied: a sigmoid ties whatever it saturates. Logits compare within a query, not between queries
    or models. The query is read whole and only the passage is cut, as BGE's own rerankers do it; for queries that take
    at most half of the length this equals ``CrossEncoder.predict``. The model is loaded at the first question.

    Parameters
    ----------
    name : None takes the small one that ships (see `labkit.ranking.offline_pair`); else a hub name or a folder of a
        cross-encoder with safetensors, such as ``"cross-encoder/ms-marco-MiniLM-L6-v2"``,
        ``"BAAI/bge-reranker-base"`` or ``"BAAI/bge-reranker-v2-m3"``
    device : where torch runs it, such as ``"cpu"``, ``"cuda"`` or ``"mps"``
    batch_tokens : tokens of a batch, padding among them; scores move by at most 1e-5 with it
    max_candidates : most candidates for one query; more are refused
    max_length : most tokens of a pair, special ones among them; the model's own limit if None
    stored : take the scores that ship in ``data/`` where they are of this very model, query and passage

    Raises `LabError` for a name that is no string and counts below 1. At the first question: for a model that cannot be
    had or used.
    """

    name = "cross"
    scale = SCALE

    def __init__(
        self,
        name: str | None = None,
        device: str = "cpu",
        batch_tokens: int = BATCH_TOKENS,
        max_candidates: int = MAX_CANDIDATES,
        max_length: int | None = None,
        stored: bool = True,
    ) -> None:
        if name is not None and not (isinstance(name, str) and name):
            raise LabError(
                f"a cross-encoder is named by a string; got {name!r}. None takes the small one that ships; or give a "
                f"folder, {with_network(KNOWN)}"
            )
        self.stored = stored
        self.checkpoint = NAME if name is None else name
        self.device = str(device)
        self.batch_tokens = check_count(batch_tokens, "batch_tokens")
        self.max_candidates = check_count(max_candidates, "max_candidates")
        self.max_length = None if max_length is None else check_count(max_length, "max_length")

    def __repr__(self) -> str:
        return f"CrossEncoderReranker({self.checkpoint!r}, device={self.device!r})"

    @cached_property
    def _pairs(self) -> PairModel:
        return load_pair_model(self.checkpoint, self.device, self.max_length)

    @property
    def model(self) -> str:
        """Name and twelve digits of a sha256 over weights, tokenizer, settings, activation and max length."""
        return self._pairs.identity

    @property
    def configuration(self) -> dict[str, Any]:
        return {"name": self.name, "model": self.model}

    def prepare(self) -> None:
        _ = self._pairs

    def score(self, query: str, hits: Sequence[Hit]) -> Scored:
        """Logits [n], each hit's best passage, and whether the model's length cut any of its passages.

        ``encoded`` counts the pairs that were run, each different passage once; ``cached`` those whose scores ship.

        Raises `LabError` for more than ``max_candidates`` hits, and for a query that leaves no room for the document.
        """
        passages, starts = flat(hits)
        if len(hits) > self.max_candidates:
            raise LabError(
                f"a cross-encoder reads at most {self.max_candidates:,} candidates here, each passage with the query; "
                f"got {len(hits):,} with {len(passages):,} passages. Ask the first stage for fewer "
                f"(k={self.max_candidates}), or raise max_candidates and wait."
            )
        for number, text in enumerate(passages):
            check_text(text, f"passage {number}")
        known = self._known(query, passages)
        scores, lengths = self._pairs.logits(query, passages, self.batch_tokens, known)
        cut = np.maximum.reduceat(lengths, starts) > self._pairs.max_length
        run = len(set(passages)) - len(known)
        return Scored(np.maximum.reduceat(scores, starts), best(scores, starts), cut, encoded=run, cached=len(known))

    def _known(self, query: str, passages: Sequence[str]) -> dict[str, float]:
        """Passages whose score for this query ships."""
        stored = shipped_scores(self.model) if self.stored else {}
        keys = {text: pair_key(query, text) for text in passages} if stored else {}
        return {text: stored[key] for text, key in keys.items() if key in stored}

    @staticmethod
    def probabilities(logits: Ranking | Sequence[float] | np.ndarray) -> np.ndarray:
        """[n] the sigmoid of logits, or of a Ranking's scores in its order, float64 between 0 and 1.

        What a model trained with binary cross-entropy meant by its logits; calibrated only as far as its training data
        is like yours. Above a logit of about 36 the sigmoid is 1.0: sort by logits, not by these.

        Raises `LabError` for a Ranking whose scores are not logits: a sigmoid over probabilities or sums means nothing.
        """
        from scipy.special import expit

        if isinstance(logits, Ranking):
            if logits.scale != SCALE:
                raise LabError(f"probabilities need logits; the scores of {logits.system} are {logits.scale!r}.")
            logits = [hit.score for hit in logits]
        return expit(np.asarray(logits, np.float64))
