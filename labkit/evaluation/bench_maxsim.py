"""``labkit bench maxsim``: our MaxSim, a product that does no more than multiply, and what else there is on a CPU.

Systems take turns in one run. ``one product`` multiplies all document tokens with all query tokens and stops there,
``in cache`` does as many multiplications over 1,024 tokens again and again: no MaxSim, but what the machine can do.
Ratios are the time of a system over ours, so 2.0 is twice as slow as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from typing import Any

import numpy as np

from labkit.bars import bar
from labkit.errors import LabError
from labkit.evaluation import bench
from labkit.evaluation.bench_peers import PEERS, QUERY_TOKENS, Child, Peer, Shape
from labkit.scoring.table import text_table

MOST_BYTES = 2**31  # of document tokens in float32, and of products in `one product`
MOST_ERROR = 1e-3
CHUNK = 1_024  # tokens of `in cache`
FLOOR = "one product"
QUICK = (*(Shape(1_000, dim) for dim in (48, 96, 128, 384)), Shape(50, 128), Shape(10_000, 128), Shape(1_000, 128, 32))
FULL = tuple(
    Shape(documents, dim, queries)
    for queries in (1, 32) for documents in (50, 1_000, 10_000) for dim in (48, 96, 128, 384)
)  # fmt: skip


def bench_maxsim(
    shapes: Iterable[Shape] = QUICK,
    rounds: int = bench.ROUNDS,
    busy: bool = False,
    peers: Sequence[Peer] = PEERS,
    progress: bool = False,
) -> bench.Report:
    """Time MaxSim on each shape.

    Parameters
    ----------
    shapes : what to score; one with more than 2 GiB of tokens is skipped
    rounds : timings of each system, of which the median counts
    busy : keep one core busy meanwhile, with a process of our own
    peers : what to compare with; those not installed are listed as such
    progress : show a bar over the shapes
    """
    shapes, machine = list(shapes), bench.banner(busy)
    with bench.load_on_one_core(busy):
        rows = [
            bench_shape(shape, rounds, busy, peers)
            for shape in bar(shapes, what="bench maxsim", unit="shape", show=progress)
        ]
    void = any(row["void"] for row in rows)
    data = {"bench": "maxsim", "machine": machine, "rounds": rounds, "void": void, "shapes": rows}
    return bench.Report(data, _table(rows))


def bench_shape(shape: Shape, rounds: int, busy: bool = False, peers: Sequence[Peer] = PEERS) -> dict[str, Any]:
    """One row: each system's state, and where it is ``"ok"`` its median in ms and its time over ours."""
    row = {"documents": shape.documents, "dim": shape.dim, "queries": shape.queries}
    size = int(shape.offsets[-1]) * shape.dim * 4
    if size > MOST_BYTES:
        return {**row, "skipped": f"{size / 2**30:.1f} GiB of tokens, above 2", "void": False, "systems": {}}
    import torch

    with ExitStack() as stack:
        threads = torch.get_num_threads()
        installed = [peer for peer in peers if find_spec(peer.package)]
        children = {peer.name: stack.enter_context(Child(peer, shape, threads)) for peer in installed}
        states = {peer.name: {"state": "not installed"} for peer in peers}
        works, truth = _ours(shape)
        states |= {name: _examined(child, truth) for name, child in children.items()}
        timers = {name: bench.timer(work) for name, work in works.items()}
        timers |= {name: child.seconds for name, child in children.items() if states[name]["state"] == "ok"}
        for name in list(children):
            if name in timers:
                _warm(name, timers, states)
        seconds, gone = bench.take_turns(timers, rounds)
    states |= {name: {"state": "crashed", "reason": reason} for name, reason in gone.items()}
    medians = {name: 1000 * float(np.median(values)) for name, values in seconds.items()}
    for name, ms in medians.items():
        states[name] = {"state": "ok", "ms": round(ms, 4), "ratio": round(ms / medians["ours"], 3)}
    systems = {name: states[name] for name in [*works, *(peer.name for peer in peers)]}
    return {**row, **bench.floor(seconds[FLOOR], busy), "systems": systems}


def _ours(shape: Shape) -> tuple[dict[str, Callable[[], object]], np.ndarray]:
    """What is timed in this process, by name, and our scores [Nq, Nd]."""
    import torch

    from labkit.encoding.tokens import PackedTokens
    from labkit.scoring.maxsim import maxsim

    queries, vectors, offsets = shape.data()
    documents = PackedTokens(vectors, offsets, finite=True)
    begins = np.arange(shape.queries + 1) * QUERY_TOKENS
    packed = PackedTokens(queries.reshape(-1, shape.dim), begins, finite=True)
    flat, right = torch.from_numpy(vectors), torch.from_numpy(packed.vectors).T.contiguous()
    width = min(right.shape[1], max(QUERY_TOKENS, MOST_BYTES // (4 * len(flat))))
    blocks = [block.contiguous() for block in right.split(width, dim=1)]
    out = torch.empty(len(flat) * width)
    chunk, times = flat[:CHUNK].contiguous(), -(-len(flat) // CHUNK)
    small = torch.empty(len(chunk), right.shape[1])

    def one_product() -> None:
        for block in blocks:
            torch.mm(flat, block, out=out[: len(flat) * block.shape[1]].view(len(flat), -1))

    def in_cache() -> None:
        for _ in range(times):
            torch.mm(chunk, right, out=small)

    one = shape.queries == 1
    works = {"ours": lambda: maxsim(queries[0] if one else packed, documents), FLOOR: one_product, "in cache": in_cache}
    if not one:
        works["one by one"] = lambda: [maxsim(query, documents) for query in queries]
    return works, maxsim(packed, documents)


def _examined(child: Child, truth: np.ndarray) -> dict[str, Any]:
    """Whether the peer is alive and its scores are ours."""
    try:
        scores = child.scores()
    except bench.Gone as error:
        return {"state": "crashed", "reason": str(error)}
    if scores.shape != truth.shape:
        return {"state": "wrong", "reason": f"scores of shape {scores.shape}, not {truth.shape}"}
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.abs(scores - truth).max())
    if not error <= MOST_ERROR:  # NaN is wrong too
        return {"state": "wrong", "reason": f"off by up to {error:.3g}"}
    return {"state": "ok"}


def _warm(name: str, timers: dict[str, bench.Timer], states: dict[str, dict[str, Any]]) -> None:
    """Let a peer see how often it must repeat its work, before the rounds begin."""
    try:
        timers[name]()
    except bench.Gone as error:
        states[name] = {"state": "crashed", "reason": str(error)}
        del timers[name]


def _table(rows: Sequence[dict[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row["systems"]))
    cells = []
    for row in rows:
        shape = f"{row['documents']:,}", str(row["dim"]), str(row["queries"])
        skipped = "skipped" in row
        last = f"skipped: {row['skipped']}" if skipped else f"{row['floor_spread']:.2f}{'  VOID' * row['void']}"
        cells.append([*shape, *(_cell(row["systems"].get(name)) for name in names), last])
    table = text_table(["documents", "d", "queries", *names, "p90/p10"], cells, left=0)
    above = f"above {bench.VOID_ABOVE} in an idle run the machine was too busy to tell: VOID."
    return f"Medians in ms, in brackets the time over ours.\n{table}\np90/p10 is that of {FLOOR!r}; {above}"


def _cell(system: dict[str, Any] | None) -> str:
    if system is None:
        return "-"
    return f"{system['ms']:.3g} ({system['ratio']:.2f})" if system["state"] == "ok" else system["state"]


def parse_shapes(texts: Iterable[str]) -> list[Shape]:
    """Shapes from the command line's words: documents, dimensions and perhaps queries.

    >>> parse_shapes(["50,128", "10,8,2"])
    [Shape(documents=50, dim=128, queries=1, seed=0), Shape(documents=10, dim=8, queries=2, seed=0)]
    """
    shapes = []
    for text in texts:
        numbers = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
        if not 2 <= len(numbers) <= 3 or min(numbers) < 1:
            raise LabError(f"a shape is documents,d or documents,d,queries, such as 50,128,1; got {text!r}.")
        shapes.append(Shape(*numbers))
    return shapes
