"""``lk.sweep``: a grid over the knobs of a pipeline, every cell measured on the same queries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from labkit.corpus.collection import Collection
from labkit.errors import LabError, check_count
from labkit.evaluation import metrics
from labkit.evaluation.grid import Grid, cells_of
from labkit.evaluation.sweep_bench import TIMED, Bench
from labkit.evaluation.sweep_cell import Cell
from labkit.evaluation.sweep_result import FORMAT, Sweep
from labkit.ranking.two_stage import Searcher, TwoStage
from labkit.records import code_hash

DEFAULT_GRID = (
    {"k": [10, 20, 50, 100], "reranker": ["late"], "dim": [None, 256, 128, 64, 32]},
    {"k": [10, 20, 50, 100], "reranker": ["late"], "dim": [128], "storage": ["residual2"]},
    {"k": [10, 20, 50, 100], "retriever": ["bm25", "dense", "fusion"], "reranker": ["late+fusion"],
     "weights": [(1, 1, 0.5), (1, 0, 0.5), (0, 1, 1)]},
)  # fmt: skip


def sweep(
    pipe: Searcher | TwoStage,
    collection: Collection,
    grid: Grid | Iterable[Grid] | None = None,
    split: str | None = None,
    seed: int = 0,
    n_jobs: int = 1,
    timed: int = TIMED,
    progress: bool = True,
) -> Sweep:
    """Measure a pipeline at every cell of a grid of its knobs.

    Cells share candidates and scores, so that quality costs little. Latency is that of the plain pipeline for queries
    that its encoder has not seen; cells that differ in weights alone share a timing. Where a cell compresses token
    vectors, those of all cells are read from indexes, which take room under `labkit.paths.cache`. Raises a LabError for
    a grid that `cells_of` refuses, for a system whose scores are a stand-in's, and for what `evaluate` refuses.

    Parameters
    ----------
    pipe : the base that the others are held against; measured too, and first
    collection : Collection
    grid : knob (see `labkit.evaluation.grid.KNOBS`) to the values to try; or several such grids, together; 60 cells of
        candidates, dimensions, bits, first stages and fusion weights if None
    split : ``"dev"`` where there is one, else ``"all"``, unless named
    seed : draws the queries that are timed
    n_jobs : threads that score queries
    timed : how many queries each cell's latency is measured on, one at a time, with nothing remembered
    progress : tell how long it will take, and show a bar
    """
    check_count(n_jobs, "n_jobs")
    check_count(timed, "timed")
    cells = cells_of(pipe, DEFAULT_GRID if grid is None else grid)
    bench = Bench(pipe, collection, seed, n_jobs, timed)
    bench.require_dims(cells)
    split = split or collection.default_split
    part = collection.split(split)
    return Sweep(
        collection.name, split, part.fingerprint, tuple(sorted(metrics.positive(part.qrels))),
        tuple(bench.run(cells, split, progress)), bench.configuration, code_hash(), bench=bench,
    )  # fmt: skip


def load_sweep(
    path: Path | str, pipe: Searcher | TwoStage | None = None, collection: Collection | None = None
) -> Sweep:
    """Read what `Sweep.save` wrote. With a pipeline and a collection, cells can be recomputed.

    Raises a LabError for a file that is not there or is no sweep.
    """
    try:
        given = json.loads(Path(path).read_text(encoding="utf-8"))
        if given.pop("format") != FORMAT:
            raise ValueError("another format")
        given |= {"cells": tuple(map(Cell.from_dict, given["cells"])), "queries": tuple(given["queries"])}
        sweep = Sweep(**{**given, "stored": tuple(given["stored"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabError(f"{str(path)!r} must be a sweep that Sweep.save wrote; it is none: {error}") from None
    if pipe is None or collection is None:
        return sweep
    return replace(sweep, bench=Bench(pipe, collection))
