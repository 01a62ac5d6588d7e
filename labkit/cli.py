"""The command line: ``labkit doctor | lint | warm | ask | evaluate | ledger | bench | trace``.

Bad input prints one line, never a traceback.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Annotated, Any

import typer

from labkit.cli_bench import bench
from labkit.cli_ledger import ledger
from labkit.cli_lint import lint
from labkit.cli_options import CollectionOption, JsonOption, LiveOption, RerankerOption, RetrieverOption, say, warn
from labkit.cli_trace import trace
from labkit.errors import LabError, check_count, check_text

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)
app.add_typer(bench, name="bench")
app.add_typer(ledger, name="ledger")
app.add_typer(trace, name="trace")
app.command("lint")(lint)

EncoderOption = Annotated[str | None, typer.Option("--encoder", help="checkpoint of the reranker: name or folder")]


def main() -> None:
    """Entry point: run a command, turn bad input into one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console without arrows shows "?" and goes on
    try:
        app()
    except LabError as error:
        say(f"labkit: {error}")
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        say("labkit: stopped; what was encoded is stored.")
        raise SystemExit(130) from None


@app.command()
def doctor(
    flight: Annotated[bool, typer.Option("--flight", help="also all that a room needs")] = False,
) -> None:
    """Check Python, versions, hashes, memory, disk and threads, each with its fix."""
    from labkit.course.doctor import doctor as examine

    report = examine(flight=flight)
    print(report)
    raise typer.Exit(0 if report.ok else 1)


@app.command()
def warm(
    collection: CollectionOption = "pydocs",
    encoder: EncoderOption = None,
    build_only: Annotated[bool, typer.Option("--build-only", help="build the collection, encode nothing")] = False,
) -> None:
    """Encode a whole collection into the store, once. Stopped, it resumes where it was."""
    from labkit.corpus.load import load_collection

    c = load_collection(collection, progress=True)
    warn(c.warnings)
    say(f"{collection}: {len(c.docs):,} documents, {len(c.passages):,} passages.")
    if build_only:
        return
    from labkit.encoding.checkpoints import load_encoder

    began = time.perf_counter()
    count = load_encoder(encoder).warm(c.passages, progress=True)
    say(f"{count:,} passages encoded in {time.perf_counter() - began:.0f} s; the rest was stored already.")


@app.command()
def ask(
    question: str,
    collection: CollectionOption = "pydocs",
    retriever: RetrieverOption = "bm25",
    reranker: RerankerOption = "late",
    k: Annotated[int, typer.Option("-k", help="candidates for the reranker")] = 50,
    n: Annotated[int, typer.Option("-n", help="documents to show")] = 5,
    encoder: EncoderOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="the receipt of the winner")] = False,
    live: LiveOption = False,
    as_json: JsonOption = False,
) -> None:
    """Ask a question: the first stage's answer at once, then the reranked one beside it."""
    check_count(k, "k")
    check_count(n, "n")
    if not check_text(question, "the question").strip():
        raise LabError("the question must have a word; got an empty text.")
    from labkit.corpus.load import load_collection
    from labkit.ranking.systems import first_stage, require_names
    from labkit.views.side_by_side import ranking_lines, reasons, side_by_side

    require_names(retriever, reranker)
    c = load_collection(collection, progress=True)
    warn(c.warnings)
    candidates = first_stage(retriever, c).search(question, k)
    before = candidates.top(n)
    if not as_json:
        print("\n".join(ranking_lines(before)), f"\n  {before.seconds['first_stage'] * 1000:.0f} ms\n", flush=True)
    second = None if reranker == "none" else _load_reranker(reranker, c, encoder, live, used=len(candidates) > 0)
    after = second.rerank(question, candidates, n) if second else before
    receipt = _receipt(question, after, second) if explain and second else None
    if as_json:
        print(json.dumps(_ask_json(c, retriever, reranker, k, n, before, after, second, receipt), ensure_ascii=True))
        return
    if second and len(candidates):
        print(side_by_side(before, after))
        for line in [*reasons(after.hits), *([after.note] if after.note else [])]:
            print(f"  note: {line}")
        print(
            f"\n  first stage {after.seconds['first_stage'] * 1000:.0f} ms, "
            f"rerank {after.seconds['rerank'] * 1000:.0f} ms "
            f"({len(candidates)} candidates: {after.encoded} passages encoded, {after.cached} from the store)"
        )
    if receipt:
        print(f"\nwhy {after[0].doc_id} is first:\n{receipt}")


@app.command()
def evaluate(
    collection: CollectionOption = "pydocs",
    retriever: RetrieverOption = "bm25",
    reranker: RerankerOption = "late",
    k: Annotated[int, typer.Option("-k", help="how deep to rank")] = 100,
    split: Annotated[str | None, typer.Option("--split", help="dev, test or all")] = None,
    encoder: EncoderOption = None,
    note: Annotated[str, typer.Option("--note", help="why you ran it, for the ledger")] = "",
    live: LiveOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure a system on a judged collection, and write the run to the ledger."""
    check_count(k, "k")
    from labkit.corpus.load import load_collection
    from labkit.evaluation.evaluate import WITHHELD
    from labkit.evaluation.evaluate import evaluate as run
    from labkit.evaluation.peeks import told
    from labkit.ranking.systems import require_names, system

    require_names(retriever, reranker)
    c = load_collection(collection, progress=True)
    warn(c.warnings)
    result = run(system(f"{retriever}+{reranker}", c, encoder, live), c, split, k, progress=True, note=note)
    for query_id, error in result.failures.items():
        say(f"failed: query {query_id}: {error}")
    if None in result.metrics.values():
        say(f"note: {WITHHELD}")
    if result.looks:
        say(told(result.looks))
    print(json.dumps(result.to_dict()) if as_json else result)


def _load_reranker(name: str, c: Any, encoder: str | None, live: bool, used: bool) -> Any:
    from labkit.ranking.systems import reranker

    second = reranker(name, c, encoder, live)
    if not used:
        return second
    began = time.perf_counter()
    second.prepare()
    say(f"model ready after {time.perf_counter() - began:.1f} s")
    return second


def _receipt(question: str, after: Any, second: Any) -> Any:
    from labkit.scoring.receipt import receipt

    if not after.hits or after[0].reason:
        return None
    if not hasattr(second, "encoder"):
        say(f"note: {second.name} gives no score of a token, so there is no receipt.")
        return None
    return receipt(question, after[0].text, second.encoder)


def _ask_json(
    c: Any, retriever: str, reranker: str, k: int, n: int, before: Any, after: Any, second: Any, receipt: Any
) -> dict[str, Any]:
    first_ms = before.seconds["first_stage"] * 1000
    rerank_ms = after.seconds.get("rerank", 0.0) * 1000
    return {
        "query": after.query,
        "collection": c.name,
        "retriever": retriever,
        "reranker": reranker,
        "k": k,
        "n": n,
        "before": [hit.to_dict() for hit in before],
        "after": [hit.to_dict() for hit in after],
        "latency_ms": {
            "first_stage": round(first_ms, 2), "rerank": round(rerank_ms, 2), "total": round(first_ms + rerank_ms, 2)
        },
        "encoded": after.encoded,
        "cached": after.cached,
        "receipt": receipt.to_dict() if receipt else None,
        "models": {"first_stage": retriever, "reranker": _model_name(second)},
        "warnings": [*c.warnings, *([after.note] if after.note else [])],
    }  # fmt: skip


def _model_name(second: Any) -> str | None:
    return second.encoder.name if hasattr(second, "encoder") else second.model if second else None


if __name__ == "__main__":
    main()
