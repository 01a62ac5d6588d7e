"""A system from its configuration: the way back from what a trace says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labkit.corpus.collection import Collection
from labkit.encoding.checkpoints import load_encoder
from labkit.encoding.default_model import NAME as DEFAULT_MODEL
from labkit.errors import LabError
from labkit.ranking.cohere import CohereReranker
from labkit.ranking.cross_encoder import CrossEncoderReranker
from labkit.ranking.dense import DenseRetriever
from labkit.ranking.first_stage import BM25Retriever
from labkit.ranking.fusion import FusionReranker, FusionRetriever
from labkit.ranking.guard import Guard
from labkit.ranking.late_interaction import DenseReranker, LateInteractionReranker
from labkit.ranking.token_retriever import METHODS, TokenRetriever
from labkit.ranking.two_stage import TwoStage

STANDIN = "stand-in for "
REPLAY_SECONDS = 3600.0


def rebuild(told: Mapping[str, Any], c: Collection, live: bool = False) -> Any:
    """The system or the part of one that has this configuration, over a collection.

    Raises `LabError` for a part that cannot be built from its configuration, and for a live Cohere without ``live``.
    """
    if "first" in told:
        return TwoStage(rebuild(told["first"], c, live), rebuild(told["reranker"], c, live))
    try:
        return _part(told, c, live)
    except (KeyError, TypeError):
        raise LabError(
            f"the trace does not say how {told.get('name')!r} was built, so it cannot be built again. What can: bm25, "
            "dense, fusion, late-centroids, late-tokens, late-exhaustive, late, twin, late+fusion, cross, cohere and "
            "guards around them."
        ) from None


def _part(told: Mapping[str, Any], c: Collection, live: bool) -> Any:
    name, beside = told["name"], {key: value for key, value in told.items() if key not in ("name", "encoder")}
    if name == "bm25":
        return BM25Retriever(c, told["k1"], told["b"])
    if name == "dense":
        return DenseRetriever(c, load_encoder(_checkpoint(told["encoder"])), **beside)
    if name.removeprefix("late-") in METHODS:
        return TokenRetriever(c, load_encoder(_checkpoint(told["encoder"])), **beside)
    if name == "fusion":
        return FusionRetriever([rebuild(side, c) for side in told["sides"]], told["method"], told["weights"])
    if "parts" in told:
        return FusionReranker([rebuild(part, c, live) for part in told["parts"]], told["weights"], name)
    if name == "cross":
        return CrossEncoderReranker(_checkpoint(told["model"]))
    if name == "guard":  # its caps decide the order; its deadline, retries and budget belong to their moment
        caps = {cap: told[cap] for cap in ("max_candidates", "max_tokens")}
        return Guard(rebuild(told["reranker"], c, live), deadline=REPLAY_SECONDS, attempts=1, cache=0, **caps)
    if name == "cohere":
        return _cohere(told, live)
    if "compression" in told:
        raise LabError(
            "the trace holds a hash of what a compression learned, not what it learned, so it cannot be built again. "
            "Fit the same compression on the same texts and ask again."
        )
    return {"late": LateInteractionReranker, "twin": DenseReranker}[name](_checkpoint(told["encoder"]))


def _cohere(told: Mapping[str, Any], live: bool) -> CohereReranker:
    if told["model"].startswith(STANDIN):
        return CohereReranker(told["model"].removeprefix(STANDIN), max_tokens_per_doc=told["max_tokens_per_doc"])
    if not live:
        raise LabError(
            f"Cohere's {told['model']} answered this. Asking again sends query and passages to Cohere and costs money: "
            "pass --live (live=True) if you want that."
        )
    return CohereReranker(told["model"], live=True, max_tokens_per_doc=told["max_tokens_per_doc"])


def _checkpoint(identity: str) -> str | None:
    """The checkpoint of an identity, which is its name and a hash; None for the default."""
    name = identity.rpartition(" ")[0]
    return None if name == DEFAULT_MODEL else name


def timeless(told: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without the deadlines of guards, which a replay does not keep."""
    return {
        key: timeless(value) if isinstance(value, dict) else value for key, value in told.items() if key != "deadline"
    }
