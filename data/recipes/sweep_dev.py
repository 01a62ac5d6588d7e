"""The sweep that notebook 04 reads: BM25 and MaxSim on pydocs dev, eight knobs, into data/sweep_dev.json.

    python data/recipes/sweep_dev.py        # about 15 minutes on 2 idle cores; a stopped run goes on

One knob at a time, dimensions by storage, and all of k, first stage and reranker for six forms of the vectors. The
latencies are those of the machine that ran it.
"""

from __future__ import annotations

import labkit as lk
from labkit import paths

ALONE = (
    {"k": [10, 20, 100, 200]}, {"retriever": ["dense", "fusion"]}, {"reranker": ["late+fusion"]},
    {"b": [0.3, 0.5, 1.0]}, {"dim": [192, 128, 64, 48, 32]}, {"storage": ["int8", "residual4", "residual2"]},
    {"pool": [2, 3, 4]}, {"cap": [32, 64, 128]},
)  # fmt: skip
SIZES = ({"dim": [128, 64, 48], "storage": ["int8", "residual4", "residual2"]},)
AROUND = {"k": [20, 50, 100], "retriever": ["bm25", "dense", "fusion"], "reranker": ["late", "late+fusion"]}
FORMS = (
    {}, {"dim": [128, 64], "storage": ["int8", "residual2"]}, {"dim": [128], "storage": ["int8"], "pool": [2]},
)  # fmt: skip


def main() -> None:
    """Sweep, and keep."""
    c = lk.load_collection("pydocs")
    pipe = lk.TwoStage(lk.BM25Retriever(c), lk.LateInteractionReranker(), k=50)
    found = lk.sweep(pipe, c, [*ALONE, *SIZES, *({**AROUND, **form} for form in FORMS)], split="dev", timed=10)
    found.save(paths.data() / "sweep_dev.json")
    print(found)


if __name__ == "__main__":
    main()
