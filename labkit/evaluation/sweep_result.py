"""What a sweep found: cells, the best within limits, the front, corrected comparisons, and dev's choice on test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labkit import paths
from labkit.errors import LabError, check_count
from labkit.evaluation import peeks
from labkit.evaluation.bench import VOID_ABOVE
from labkit.evaluation.compare import Comparison, Comparisons, compare
from labkit.evaluation.evaluate import Evaluation
from labkit.evaluation.grid import ABSENT, told
from labkit.evaluation.knobs import changes
from labkit.evaluation.metrics import positive
from labkit.evaluation.sweep_cell import SHOWN, TOLERANCE, Cell, Recomputed, TestCheck

if TYPE_CHECKING:
    from labkit.evaluation.sweep_bench import Bench

FORMAT = 1  # of the file that `Sweep.save` writes


@dataclass(frozen=True, repr=False)
class Sweep:
    """The cells of a sweep; the first is the pipeline as it is, the base of all comparisons.

    Attributes
    ----------
    queries : ids, sorted
    fingerprint, configuration, code : the data, the base and labkit's own source, as the ledger has them
    stored : the comparisons of a sweep that was read from a file
    bench : what measures cells; None where no pipeline is at hand
    """

    collection: str
    split: str
    fingerprint: str
    queries: tuple[str, ...]
    cells: tuple[Cell, ...]
    configuration: dict[str, Any]
    code: str
    stored: tuple[dict[str, Any], ...] = ()
    bench: Bench | None = field(default=None, compare=False)

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, number: int) -> Cell:
        return self.cells[number]

    @property
    def base(self) -> Cell:
        """The pipeline as it is."""
        return self.cells[0]

    @property
    def void(self) -> str:
        """Why latencies and prices tell nothing; "" where the machine was quiet enough."""
        spread = max(cell.floor_spread for cell in self.cells)
        busy = f"the machine was too busy to time anything: its floor's p90/p10 is {spread:.2f}, above {VOID_ABOVE}"
        return busy if spread > VOID_ABOVE else ""

    def told(self, cell: int | Cell) -> str:
        """What a cell changes of the base, in words."""
        return told(self._cell(cell).knobs, self.base.knobs)

    def values(self) -> dict[str, list[Any]]:
        """The knobs that are turned, each with its values in the order of the cells."""
        seen = {name: dict.fromkeys(cell.knobs[name] for cell in self.cells) for name in self.base.knobs}
        real = {name: [v for v in values if v is not None or name in ABSENT] for name, values in seen.items()}
        return {name: values for name, values in real.items() if len(values) > 1}

    def best(self, **limits: float) -> Cell:
        """The cell of the highest nDCG@10 within limits on COSTS, such as ``best(latency=20, bytes=40)``.

        A cell whose cost is not known is within no limit, except that one without token vectors needs 0 bytes a token.
        Raises a LabError if no cell is within the limits.
        """
        fits = [cell for cell in self.cells if all(_within(cell, name, most) for name, most in limits.items())]
        if not fits:
            least = {n: min((v for c in self.cells if (v := c.cost(n)) is not None), default=None) for n in limits}
            raise LabError(f"no cell is within {limits}; the least there is of each: {least}.")
        return max(fits, key=lambda cell: cell.quality)

    def front(self, cost: str = "latency") -> list[int]:
        """The Pareto front, cheapest first: cells that no other one beats in quality at the same cost or less."""
        known = [(c.cost(cost), -c.quality, i) for i, c in enumerate(self.cells) if c.cost(cost) is not None]
        front: list[int] = []
        for _, quality, i in sorted(known):  # type: ignore[type-var]
            if not front or -quality > self.cells[front[-1]].quality:
                front.append(i)
        return front

    @cached_property
    def comparisons(self) -> Comparisons:
        """Every cell but the first against it, in their order, with Holm's correction for all of them together."""
        if not self.stored:
            return compare(self._run(self.base), [self._run(cell) for cell in self.cells[1:]])  # type: ignore[return-value]
        base = self.base.per_query
        return Comparisons(
            Comparison(**{**one, "means": tuple(one["means"])},
                       deltas={q: b - a for q, a, b in zip(self.queries, base, cell.per_query, strict=True)})
            for one, cell in zip(self.stored, self.cells[1:], strict=True)
        )  # fmt: skip

    def recompute(self, cell: int | Cell) -> Recomputed:
        """Run a cell's plain pipeline now, through `evaluate`, and hold it against what is stored."""
        bench, cell = self._bench(), self._cell(cell)
        run = bench.live(cell.knobs, self.split)
        why = changes(self.configuration, bench.configuration)
        if bench.collection.split(self.split).fingerprint != self.fingerprint:
            why = ("texts, queries or judgments are not those of the stored sweep", *why)
        was = dict(zip(self.queries, cell.per_query, strict=True))
        is_now = {query: values[SHOWN] for query, values in run.per_query.items()}
        differing = [q for q in was | is_now if abs(was.get(q, -1.0) - is_now.get(q, -1.0)) > TOLERANCE]
        stored, now = cell.quality, run.metrics[SHOWN]
        agrees = was.keys() == is_now.keys() and abs(now - stored) < TOLERANCE
        return Recomputed(self.told(cell), stored, now, agrees, differing, len(was), why)

    def check_on_test(self, n: int = 5, progress: bool = True) -> TestCheck:
        """Hold dev's ``n`` best cells, and the base, against the test split: one look, counted for good.

        Cells that were looked at before are read, without another look. ``progress`` shows a bar.
        """
        bench = self._bench()
        best = sorted(self.cells[1:], key=lambda cell: -cell.quality)[: check_count(n, "n")]
        if self.split == peeks.TEST or peeks.TEST not in bench.collection.splits:
            names = ", ".join(bench.collection.split_names)
            raise LabError(
                f"this needs a sweep on another split than test, and a test split; {self.collection} has {names}, and "
                f"this sweep is on {self.split}."
            )
        knobs = [cell.knobs for cell in (self.base, *best)]
        looked = bench.is_known(knobs, peeks.TEST)
        looks = peeks.looks(self.collection) if looked else peeks.look(
            bench.collection, peeks.TEST, f"sweep: the base and dev's best {len(best)}", self.base.knobs["k"]
        )  # fmt: skip
        found = bench.run(knobs, peeks.TEST, progress, looks)
        ids = sorted(positive(bench.collection.split(peeks.TEST).qrels))
        after = compare(self._run(found[0], ids), [self._run(cell, ids) for cell in found[1:]])
        gains = [cell.quality - self.base.quality for cell in best]
        return TestCheck(tuple(map(self.told, best)), tuple(gains), after, looks, len(self.cells) - 1)  # type: ignore[arg-type]

    def to_frame(self):
        """A row a cell, as a pandas table; ``change`` and ``p corrected`` are against the base."""
        import pandas as pd

        rows = []
        for i, cell in enumerate(self.cells):
            held = self.comparisons[i - 1] if i else None
            rows.append({
                **{name: cell.knobs[name] for name in self.values()}, SHOWN: cell.quality, "low": cell.low,
                "high": cell.high, "change": held and held.delta, "p corrected": held and held.p_holm,
                "R@100": cell.metrics["R@100"], "p50 ms": cell.latency_ms["p50"], "p95 ms": cell.latency_ms["p95"],
                "bytes a token": cell.bytes_per_token, "USD for 1,000": cell.price, "failures": cell.failures,
            })  # fmt: skip
        return pd.DataFrame(rows).rename_axis("cell")

    def save(self, path: Path | str) -> None:
        """Write it as JSON, whole or not at all."""
        held = [{k: v for k, v in asdict(c).items() if k != "deltas"} for c in self.comparisons]
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("bench", "cells", "stored")}
        told = {"format": FORMAT, **plain, "cells": [asdict(cell) for cell in self.cells], "stored": held}
        paths.write_atomic(Path(path), json.dumps(told, ensure_ascii=False, sort_keys=True) + "\n")

    def to_text(self) -> str:
        """How many cells, the base, the best, and which ones are told apart from the base."""
        best, better = self.best(), [c for c in self.comparisons if c.verdict == "better"]
        return "\n".join([
            f"{len(self)} cells on {self.collection} ({self.split}, {len(self.queries)} queries), {SHOWN}:",
            f"  base  {_line(self.base)}  {self.base.system}, k {self.base.knobs['k']}",
            f"  best  {_line(best)}  {self.told(best)}",
            f"{len(better)} of {len(self) - 1} are better than the base, and "
            f"{sum(c.verdict == 'worse' for c in self.comparisons)} are worse, corrected for all of them",
            *([f"latencies are VOID: {self.void}"] if self.void else []),
        ])  # fmt: skip

    def __repr__(self) -> str:
        return self.to_text()

    def _cell(self, cell: int | Cell) -> Cell:
        if isinstance(cell, Cell):
            return cell
        if not isinstance(cell, int) or not 0 <= cell < len(self.cells):
            raise LabError(f"this sweep has cells 0 to {len(self.cells) - 1}; got {cell!r}.")
        return self.cells[cell]

    def _bench(self) -> Bench:
        if self.bench is None:
            raise LabError("a stored sweep has no pipeline to run: lk.load_sweep(path, pipe, collection) gives it one.")
        return self.bench

    def _run(self, cell: Cell, queries: Sequence[str] = ()) -> Evaluation:
        """A cell as `compare` takes it."""
        ids = queries or self.queries
        per_query = {query: {SHOWN: value} for query, value in zip(ids, cell.per_query, strict=True)}
        return Evaluation(self.collection, self.told(cell), self.split, cell.knobs["k"], cell.metrics, per_query,
                          cell.latency_ms)  # fmt: skip


def _line(cell: Cell) -> str:
    return f"{cell.quality:.3f} ({cell.low:.3f} to {cell.high:.3f})"


def _within(cell: Cell, cost: str, most: float) -> bool:
    value = 0.0 if cost == "bytes" and cell.bytes_per_token is None else cell.cost(cost)
    return value is not None and value <= most
