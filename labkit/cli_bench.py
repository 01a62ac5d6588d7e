"""``labkit bench``: speed, as ratios of medians from one run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from labkit.cli_options import CollectionOption, JsonOption, RerankerOption, RetrieverOption, warn

BusyOption = Annotated[bool, typer.Option("--busy", help="keep one core busy meanwhile")]

bench = typer.Typer(no_args_is_help=True, help="Speed, as ratios of medians from one run.")


@bench.command("maxsim")
def bench_maxsim(
    full: Annotated[bool, typer.Option("--full/--quick", help="all 24 shapes (long), or 7 of them")] = False,
    shape: Annotated[list[str] | None, typer.Option("--shape", help="documents,d,queries instead; repeat it")] = None,
    rounds: Annotated[int, typer.Option("--rounds", help="timings of each system, 9 or more")] = 9,
    figure: Annotated[Path | None, typer.Option("--figure", help="also draw it, into this .svg or .png")] = None,
    busy: BusyOption = False,
    as_json: JsonOption = False,
) -> None:
    """Our MaxSim, what the machine can multiply, and each peer that is installed."""
    from labkit.evaluation import bench_maxsim as maxsim
    from labkit.evaluation.bench import check_rounds
    from labkit.views.figure import check_picture_path

    if figure:
        check_picture_path(figure)
    shapes = maxsim.parse_shapes(shape) if shape else maxsim.FULL if full else maxsim.QUICK
    report = maxsim.bench_maxsim(shapes, check_rounds(rounds), busy, progress=True)
    _report(report, as_json)
    if figure:
        from labkit.views.bench_chart import BenchChart

        BenchChart(report.data).save(figure)


@bench.command("encode")
def bench_encode(busy: BusyOption = False, as_json: JsonOption = False) -> None:
    """Tokens per second of our encoder and of sentence-transformers' own."""
    from labkit.evaluation.bench_encode import bench_encode as run

    _report(run(busy=busy), as_json)


@bench.command("rerank")
def bench_rerank(busy: BusyOption = False, as_json: JsonOption = False) -> None:
    """Question to top 5 over 50 candidates, cold and cached, and MaxSim's share."""
    from labkit.evaluation.bench_rerank import bench_rerank as run

    _report(run(busy=busy, progress=True), as_json)


@bench.command("load")
def bench_load(
    collection: CollectionOption = "pydocs",
    retriever: RetrieverOption = "bm25",
    reranker: RerankerOption = "late",
    k: Annotated[int, typer.Option("-k", help="candidates for the reranker")] = 50,
    rate: Annotated[list[float] | None, typer.Option("--rate", help="queries per second; repeat it")] = None,
    seconds: Annotated[float, typer.Option("--seconds", help="how long queries arrive at each rate")] = 8.0,
    workers: Annotated[int, typer.Option("--workers", help="threads that take queries from one queue")] = 1,
    volume: Annotated[int | None, typer.Option("--volume", help="queries a month, to project costs")] = None,
    prices: Annotated[Path | None, typer.Option("--prices", help="a table like data/prices.toml")] = None,
    as_json: JsonOption = False,
) -> None:
    """Latency and saturation when queries come at a rate of their own, and what they cost."""
    from labkit.corpus.load import load_collection
    from labkit.evaluation import load
    from labkit.ranking.systems import require_names, system

    require_names(retriever, reranker)
    load.check_load(rate, seconds, k, workers, volume)
    load.read_prices(prices)  # before the long work
    c = load_collection(collection, progress=True)
    warn(c.warnings)
    asked = list(c.split(c.default_split).queries.values())
    pipeline = system(f"{retriever}+{reranker}", c)
    report = load.load_test(pipeline, asked, rate, seconds, k, workers, volume=volume, prices=prices, progress=True)
    _report(report, as_json)


def _report(report: Any, as_json: bool) -> None:
    print(json.dumps(report.to_dict()) if as_json else report)
