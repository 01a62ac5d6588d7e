"""Measuring the cells of a sweep: shared scores for quality, the plain pipeline for latency.

A cell that was measured once is read from ``sweep.jsonl`` under `labkit.paths.home`, so a sweep that was killed goes
on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from functools import cached_property
from typing import Any

from labkit.bars import bar
from labkit.corpus.collection import Collection
from labkit.encoding.head import head_projection
from labkit.errors import LabError
from labkit.evaluation import bench, ledger, metrics
from labkit.evaluation.evaluate import Evaluation, ask, configuration, evaluate, latency, measured, per_1000
from labkit.evaluation.grid import Knobs, late_of, told
from labkit.evaluation.grid_systems import Workshop, squeezed
from labkit.evaluation.load_drive import Fresh
from labkit.evaluation.statistics import interval
from labkit.evaluation.sweep_cell import SHOWN, Cell
from labkit.ranking.prices import read_prices
from labkit.ranking.ranking import Ranking
from labkit.records import append_line, code_hash, read_lines

FILE = "sweep.jsonl"
WEIGHTS = ("weights", "retriever_weights")  # which cost nothing: cells that differ in them alone share a timing
TIMED = 20  # queries that a cell's latency is measured on
SAMPLED = 200  # passages that bytes a token are counted on


class Bench:
    """A pipeline and a collection, to measure cells with."""

    def __init__(self, pipe: Any, collection: Collection, seed: int = 0, n_jobs: int = 1, timed: int = TIMED) -> None:
        if getattr(pipe, "stand_in", False):
            raise LabError("a stand-in scores in this pipeline, not the service: its quality cannot be swept.")
        self.pipe, self.collection = pipe, collection
        self.seed, self.n_jobs, self.timed = seed, n_jobs, timed

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """What decides the base's rankings."""
        return configuration(self.pipe, getattr(self.pipe, "k", None) or 50)

    def require_dims(self, cells: Sequence[Knobs]) -> None:
        """Raise a `LabError` unless the encoder, or the trained head, has the dimensions that each cell keeps."""
        for cell in cells:
            if cell["projection"] == "head":
                head_projection(cell["dim"])
        most = max((cell["dim"] or 0 for cell in cells), default=0)
        if most and most > (have := Workshop(self.pipe, self.collection, 1).plain.encoder.dim):
            raise LabError(f"dim must be at most the encoder's {have}; got {most}.")

    def run(self, cells: Sequence[Knobs], split: str, progress: bool = False, looks: int | None = None) -> list[Cell]:
        """Cells in order: those measured before are read, the others measured, written to the ledger and kept."""
        indexed = any(map(squeezed, cells))
        keys = [self._key(knobs, split, indexed) for knobs in cells]
        known = {line["key"]: Cell.from_dict(line["cell"]) for line in read_lines(FILE) if line.get("key") in set(keys)}
        todo = [(key, knobs) for key, knobs in zip(keys, cells, strict=True) if key not in known]
        if todo:
            self._shop = Workshop(self.pipe, self.collection, max(knobs["k"] for _, knobs in todo), indexed)
            estimate = progress and looks is None  # a look at test has few cells
            self._begin(todo, split, len(cells), progress, estimate)
        for key, knobs in bar(todo, what="sweep", unit="cell", show=progress):
            known[key] = self._measured(knobs, cells[0], split, looks)
            append_line(FILE, {"key": key, "cell": asdict(known[key])})
        return [known[key] for key in keys]

    def is_known(self, cells: Sequence[Knobs], split: str) -> bool:
        """Whether all of these were measured before."""
        keys = {self._key(knobs, split, any(map(squeezed, cells))) for knobs in cells}
        return keys <= {line.get("key") for line in read_lines(FILE)}

    def live(self, knobs: Knobs, split: str) -> Evaluation:
        """The plain pipeline of a cell through `evaluate`, nothing shared and nothing remembered."""
        plain = Workshop(self.pipe, self.collection, knobs["k"])
        return evaluate(
            plain.system(knobs), plain.collection(knobs), split, k=knobs["k"], note="recomputed for a sweep"
        )

    def _key(self, knobs: Knobs, split: str, indexed: bool) -> str:
        decides = [self.configuration, knobs, indexed, self.collection.split(split).fingerprint, split, code_hash()]
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()

    def _begin(self, todo: Sequence, split: str, count: int, progress: bool, estimate: bool) -> None:
        """Build the systems, tell how long the cells will take, and score all queries for them, the deepest first."""
        part = self.collection.split(split)
        queries = [part.queries[query] for query in sorted(metrics.positive(part.qrels))]
        deepest: dict[tuple, Knobs] = {}
        for _, knobs in todo:  # cells that differ in k and weights alone share what takes time
            group = tuple(value for name, value in knobs.items() if name not in ("k", *WEIGHTS))
            deepest[group] = max(deepest.get(group, knobs), knobs, key=lambda knobs: knobs["k"])
        asked = random.Random(self.seed).sample(queries, min(self.timed, len(queries)))
        ready = bar(list(deepest.values()), what="first queries", unit="pipeline", show=progress)
        costs = [self._first_queries(knobs, queries[:3]) for knobs in ready]
        if estimate:
            many, shapes = len(todo) / len(costs), len({knobs["k"] for _, knobs in todo})
            seconds = sum(
                cold * (len(queries) + shapes * self.timed) + warm * many * len(queries) for cold, warm in costs
            )
            stored = f", {count - len(todo)} read from {FILE}" if len(todo) < count else ""
            told = f"{count} cells on {self.collection.name} ({split}, {len(queries)} queries){stored}: "
            print(f"{told}about {_duration(seconds)}", file=sys.stderr if "ipykernel" not in sys.modules else None)
        for knobs in bar(list(deepest.values()), what="scoring", unit="pipeline", show=progress):
            self._fill(knobs, queries)
        self._timings = self._timed([knobs for _, knobs in todo], asked, progress)

    def _first_queries(self, knobs: Knobs, queries: Sequence[str]) -> tuple[float, float]:
        """Seconds of a query that nothing is known of, and of one that is remembered."""
        system, means = self._shop.system(knobs, fast=True), []
        self._ask_plainly(knobs, queries[0])  # models are loaded, indexes built
        for _ in range(2):
            began = time.perf_counter()
            for query in queries:
                _answer(system, query, knobs["k"])
            means.append((time.perf_counter() - began) / len(queries))
        return means[0], means[1]

    def _fill(self, knobs: Knobs, queries: Sequence[str]) -> None:
        """Remember what all cells like this one need."""
        system = self._shop.system(knobs, fast=True)
        with ThreadPoolExecutor(self.n_jobs) as pool:
            list(pool.map(lambda query: _answer(system, query, knobs["k"]), queries))

    def _measured(self, knobs: Knobs, base: Knobs, split: str, looks: int | None) -> Cell:
        system, over = self._shop.system(knobs, fast=True), self._shop.collection(knobs)
        run = measured(system, over, split, knobs["k"], looks=looks)
        seconds, billed, spread = self._timings[_work(knobs)]
        run = replace(run, latency_ms=latency(seconds), seconds_per_1000=per_1000(seconds))
        run = ledger.record(run, f"sweep: {told(knobs, base)}")
        values = [round(run.per_query[query][SHOWN], 6) for query in sorted(run.per_query)]
        return Cell(knobs, run.system, run.metrics, tuple(values), *interval(values), run.latency_ms,
                    self._bytes_per_token(knobs), None if billed else _price(run.seconds_per_1000),
                    len(run.failures), run.run_id, spread)  # fmt: skip

    def _timed(self, cells: Sequence[Knobs], asked: Sequence[str], progress: bool) -> dict[tuple, tuple]:
        """By what takes time: seconds of the plain pipeline for queries new to its encoder, whether anyone sends a
        bill, and how much the machine's own speed varied. Cells take turns at each query: a busy hour meets all alike.
        """
        shapes = {_work(knobs): knobs for knobs in cells}
        found: dict[tuple, tuple[list[float], list[bool]]] = {work: ([], []) for work in shapes}
        probe, floor = bench.probe(), []
        for turn, query in enumerate(bar([asked[0], *asked], what="timing", unit="query", show=progress)):
            floor.append(probe())
            for work, knobs in shapes.items():
                began = time.perf_counter()
                ranking = self._ask_plainly(knobs, query)
                if turn and ranking is not None:  # the first turn warms up
                    found[work][0].append(math.nan if ranking.looked_up else time.perf_counter() - began)
                    found[work][1].append(bool(ranking.cost))
        varied = round(bench.spread(floor), 2)
        return {work: (seconds or [math.nan], any(billed), varied) for work, (seconds, billed) in found.items()}

    def _ask_plainly(self, knobs: Knobs, query: str) -> Ranking | None:
        return _answer(self._shop.system(knobs), Fresh(query), knobs["k"])

    def _bytes_per_token(self, knobs: Knobs) -> float | None:
        """Bytes a token of the text as the reranker keeps it; None where it keeps no token vectors."""
        late, passages = late_of(self._shop.second(knobs)), self._shop.collection(knobs).passages
        if late is None:
            return None
        sample = late.encoder.encode_documents(passages[:: max(1, len(passages) // SAMPLED)])
        if compressor := getattr(late, "compression", None):
            return round(compressor.bytes_per_token(sample), 2)
        return float(sample.vectors.dtype.itemsize * sample.dim)


def _work(knobs: Knobs) -> tuple:
    """What takes time in a cell: all but weights."""
    return tuple(value for name, value in knobs.items() if name not in WEIGHTS)


def _answer(system: Any, query: str, k: int) -> Ranking | None:
    """A ranking, or None: a query that fails here fails in the cell too, and is counted there."""
    try:
        return ask(system, query, k)
    except Exception:
        return None


def _price(seconds_per_1000: float | None) -> float | None:
    """What 1,000 queries cost on this machine, kept busy, by the first price an hour of ``data/prices.toml``."""
    hour = next((entry["price"] for entry in read_prices() if entry["unit"] == "hour"), None)
    return None if hour is None or seconds_per_1000 is None else round(seconds_per_1000 / 3600 * hour, 7)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
