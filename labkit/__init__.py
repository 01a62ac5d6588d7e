"""labkit: late interaction, its rivals and its measurement. ``import labkit as lk``.

Names are loaded on first use (PEP 562): ``import labkit`` alone loads neither numpy nor torch.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

_ROOM_OF = {
    "Collection": "corpus.collection",
    "Document": "corpus.collection",
    "load_collection": "corpus.load",
    "lint": "corpus.lint",
    "repair": "corpus.repair",
    "Repair": "corpus.repair",
    "soil": "corpus.soil",
    "score_repair": "corpus.soil_score",
    "chunk": "corpus.chunks",
    "load_encoder": "encoding.checkpoints",
    "PackedTokens": "encoding.tokens",
    "pack": "encoding.tokens",
    "Compression": "encoding.compress",
    "build_index": "encoding.index_build",
    "open_index": "encoding.index",
    "maxsim": "scoring.maxsim",
    "maxsim_reference": "scoring.reference",
    "receipt": "scoring.receipt",
    "duel": "views.duel",
    "eraser": "views.eraser",
    "Ranking": "ranking.ranking",
    "BM25Retriever": "ranking.first_stage",
    "DenseRetriever": "ranking.dense",
    "TokenRetriever": "ranking.token_retriever",
    "FusionRetriever": "ranking.fusion",
    "FusionReranker": "ranking.fusion",
    "LateInteractionReranker": "ranking.late_interaction",
    "CohereReranker": "ranking.cohere",
    "cohere_standin": "ranking.standin",
    "CrossEncoderReranker": "ranking.cross_encoder",
    "Guard": "ranking.guard",
    "TwoStage": "ranking.two_stage",
    "system": "ranking.systems",
    "Trace": "ranking.trace",
    "evaluate": "evaluation.evaluate",
    "compare": "evaluation.compare",
    "sweep": "evaluation.sweep",
    "load_sweep": "evaluation.sweep",
    "recall_against": "evaluation.metrics",
    "smallest_effect": "evaluation.statistics",
    "ledger": "evaluation.ledger",
    "movers": "evaluation.movers",
    "replay": "evaluation.replay",
    "load_test": "evaluation.load",
    "show_alignment": "views.show_alignment",
    "show_cut": "views.cut",
    "slope_chart": "views.slope_chart",
    "scoreboard": "views.scoreboard",
    "deltas": "views.deltas",
    "chain": "views.chain",
    "cockpit": "views.cockpit",
    "outcomes": "views.outcomes",
    "doctor": "course.doctor",
    "exercise": "course.checks",
    "gauntlet": "course.gauntlet",
    "bet": "course.commitments",
    "claim": "course.commitments",
    "settle": "course.settle",
    "calibration": "course.calibration",
    "share_bets": "course.room",
    "room_bets": "course.room",
    "progress": "course.progress",
    "catch_up": "course.catch_up",
    "LabError": "errors",
}

__version__ = "0.1.0"
__all__ = ["__version__", *_ROOM_OF]  # noqa: PLE0604

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _ROOM_OF:
            raise AttributeError(f"module 'labkit' has no attribute {name!r}; it has {', '.join(sorted(_ROOM_OF))}")
        value = getattr(import_module(f"labkit.{_ROOM_OF[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted([*globals(), *_ROOM_OF])

    if "ipykernel" in sys.modules:
        import_module("labkit.course.order").watch()
