"""A sweep: equal to plain evaluation cell by cell, checked before it runs, resumed where it was killed."""

import json
import math
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from itertools import product

import pytest

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.evaluation.grid import cells_of
from labkit.evaluation.sweep import DEFAULT_GRID
from labkit.evaluation.sweep_bench import FILE
from labkit.ranking.late_interaction import DenseReranker
from labkit.records import read_lines

WORDS = ["cat", "dog", "fish", "bird", "sat", "ran", "mat", "log", "red", "big", "old", "sea"]
DOCS = {
    f"d{i:02}": Document(
        "",
        " ".join(WORDS[(i * step + j) % 12] for j, step in enumerate((1, 5, 7, 2, 3)) for _ in range(1 + (i + j) % 3)),
    )
    for i in range(40)
}
QUERIES = {f"q{i:02}": f"{WORDS[i % 12]} {WORDS[(5 * i + 3) % 12]} {WORDS[(7 * i + 1) % 12]}" for i in range(24)}
QRELS = {f"q{i:02}": {f"d{(3 * i + j) % 40:02}": 1 + j % 2 for j in range(4)} for i in range(24)}
IDS = list(QUERIES)
C = Collection("zoo", DOCS, QUERIES, QRELS, {"dev": IDS[:14], "test": IDS[14:]})


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def encoder():
    return lk.load_encoder()


@pytest.fixture(scope="module")
def pipe(encoder):
    return lk.TwoStage(lk.BM25Retriever(C), lk.LateInteractionReranker(encoder))


BM25 = lk.BM25Retriever(C)


def first_stages(**grid):
    return lk.sweep(BM25, C, grid or {"k1": [0.5, 1.2], "b": [0.1, 0.75]}, timed=2, progress=False)


# The slow truth: each cell's pipeline, built by hand, through lk.evaluate.


def assert_equal_to_plain(sweep, number, system, k):
    plain = lk.evaluate(system, C, "dev", k=k)
    cell = sweep[number]
    assert cell.system == plain.system
    assert cell.metrics == pytest.approx(plain.metrics, abs=1e-12)
    assert dict(zip(sweep.queries, cell.per_query, strict=True)) == pytest.approx(
        {q: values["nDCG@10"] for q, values in plain.per_query.items()}, abs=1e-6
    )
    logged = [run.told for run in lk.ledger() if run.told["run_id"] == cell.run_id]
    assert [line["configuration"] for line in logged] == [plain.configuration]


def test_every_cell_equals_plain_evaluation_of_the_pipeline_that_it_names(pipe, encoder):
    weights = [(1, 0, 0), (1, 1, 0.5)]
    sweep = lk.sweep(
        pipe, C,
        [{"k": [3, 20], "retriever": ["bm25", "dense", "fusion"], "reranker": ["none", "late"]},
         {"k": [3, 20], "retriever": ["bm25", "fusion"], "reranker": ["late+fusion"], "weights": weights}],
        timed=1, progress=False,
    )  # fmt: skip
    bm25, dense = lk.BM25Retriever(C), lk.DenseRetriever(C, encoder)
    firsts = {"bm25": bm25, "dense": dense, "fusion": lk.FusionRetriever([bm25, dense])}
    late = lk.LateInteractionReranker(encoder)
    expected = [(lk.TwoStage(bm25, late), 50)]
    for k, first, reranker in product([3, 20], firsts, ["none", "late"]):
        expected.append((firsts[first] if reranker == "none" else lk.TwoStage(firsts[first], late), k))
    for k, first, chosen in product([3, 20], ["bm25", "fusion"], weights):
        fused = lk.FusionReranker([late, DenseReranker(encoder), bm25], chosen, "late+fusion")
        expected.append((lk.TwoStage(firsts[first], fused), k))
    assert len(sweep) == len(expected) == 21
    for number, (system, k) in enumerate(expected):
        assert_equal_to_plain(sweep, number, system, k)


def test_knobs_of_the_first_stage_equal_plain_evaluation():
    sweep = first_stages()
    plain = [(1.2, 0.75), (0.5, 0.1), (0.5, 0.75), (1.2, 0.1)]
    for number, (k1, b) in enumerate(plain):
        assert_equal_to_plain(sweep, number, lk.BM25Retriever(C, k1, b), 50)


def test_weights_of_a_fused_first_stage_equal_plain_evaluation(encoder):
    sides = [lk.BM25Retriever(C), lk.DenseRetriever(C, encoder)]
    sweep = lk.sweep(lk.FusionRetriever(sides), C, {"retriever_weights": [(1, 0), (1, 3)]}, timed=1, progress=False)
    for number, weights in enumerate([(1, 1), (1, 0), (1, 3)]):
        assert_equal_to_plain(sweep, number, lk.FusionRetriever(sides, weights=weights), 50)


def test_passages_of_another_length_equal_plain_evaluation_over_such_passages():
    from labkit.corpus.chunks import chunked
    from labkit.corpus.pydocs import count_wordpieces

    long = replace(C, docs={i: Document("", " . ".join([doc.text] * 6)) for i, doc in C.docs.items()})
    sweep = lk.sweep(lk.BM25Retriever(long), long, {"passage": [16]}, timed=1, progress=False)
    cut = chunked(long, count_wordpieces, 16)
    assert len(cut.passages) > len(long.passages)
    plain = lk.evaluate(lk.BM25Retriever(cut), cut, "dev", k=50)
    assert sweep[1].metrics == pytest.approx(plain.metrics, abs=1e-12)


def test_compressed_vectors_equal_plain_evaluation_over_an_index(pipe, encoder, tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_CACHE", str(tmp_path / "cache"))
    pruned = ("function words",)
    grid = [{"k": [5, 30], "dim": [24], "projection": ["random"], "storage": ["int8"]}, {"storage": ["residual4"]},
            {"cap": [4], "pool": [2]}, {"reranker": ["late+fusion"], "dim": [16]}, {"prune": [pruned]}]  # fmt: skip
    sweep = lk.sweep(pipe, C, grid, timed=1, progress=False)
    bm25 = lk.BM25Retriever(C)

    def late(number, **chosen):
        index = lk.build_index(tmp_path / str(number), C.passages, encoder, lk.Compression(**chosen))
        return lk.LateInteractionReranker(encoder, index=index)

    small = late(1, dim=24, projection="random", storage="int8")
    fused = lk.FusionReranker([late(4, dim=16), DenseReranker(encoder), bm25], (1, 1, 0.5), "late+fusion")
    second = [
        late(0),
        small,
        small,
        late(2, storage="residual4"),
        late(3, cap=4, pool=2),
        fused,
        late(5, prune=("function words",)),
    ]
    for number, (reranker, k) in enumerate(zip(second, [50, 5, 30, 50, 50, 50, 50], strict=True)):
        assert_equal_to_plain(sweep, number, lk.TwoStage(bm25, reranker), k)
    assert sweep.base.metrics == pytest.approx(lk.evaluate(pipe, C, "dev", k=50).metrics, abs=1e-12)
    assert [cell.bytes_per_token for cell in sweep.cells[:3]] == [768, 28, 28]
    assert sweep[4].bytes_per_token < 768 / 2
    assert sweep.recompute(1).agrees


def test_several_threads_find_what_one_finds(pipe, home, monkeypatch):
    grid = {"k": [5, 20], "reranker": ["late", "late+fusion"]}
    one = lk.sweep(pipe, C, grid, timed=1, progress=False)
    monkeypatch.setenv("LABKIT_HOME", str(home / "other"))
    two = lk.sweep(pipe, C, grid, timed=1, n_jobs=2, progress=False)
    assert [cell.per_query for cell in one.cells] == [cell.per_query for cell in two.cells]


# What a cell says


def test_the_base_comes_first_and_no_cell_comes_twice():
    sweep = lk.sweep(BM25, C, [{"k1": [1.2, 0.5]}, {"k1": [0.5], "b": [0.75]}], timed=1, progress=False)
    assert [sweep.told(i) for i in range(len(sweep))] == ["as it is", "k1 0.5"]


def test_the_mean_lies_in_its_interval_and_a_query_needs_time():
    for cell in first_stages().cells:
        assert cell.low <= cell.quality <= cell.high
        assert cell.quality == pytest.approx(sum(cell.per_query) / 14, abs=1e-6)
        assert 0 < cell.latency_ms["p50"] <= cell.latency_ms["p95"]


def test_cells_that_differ_in_weights_alone_share_a_timing(pipe):
    sweep = lk.sweep(pipe, C, {"reranker": ["late+fusion"], "weights": [(1, 0, 0), (1, 1, 1)]}, timed=2, progress=False)
    assert sweep[1].latency_ms == sweep[2].latency_ms
    assert sweep[0].latency_ms != sweep[1].latency_ms


def test_a_query_that_fails_is_counted_and_has_no_latency():
    class Failing(lk.BM25Retriever):
        def passage_scores(self, query):
            if query == QUERIES["q03"]:
                raise RuntimeError("no answer")
            return super().passage_scores(query)

    sweep = lk.sweep(Failing(C), C, {"k": [5]}, timed=14, progress=False)
    assert [cell.failures for cell in sweep.cells] == [1, 1]
    assert [cell.per_query[3] for cell in sweep.cells] == [0, 0]
    assert sweep.base.latency_ms["p95"] > 0


def test_token_vectors_are_counted_in_bytes_and_a_first_stage_keeps_none(pipe):
    sweep = lk.sweep(pipe, C, {"reranker": ["none"]}, timed=1, progress=False)
    assert [cell.bytes_per_token for cell in sweep.cells] == [2 * 384, None]


def test_a_price_is_the_machines_hour_for_the_seconds_of_1000_queries():
    cell = first_stages()[0]
    line = next(run.told for run in lk.ledger() if run.told["run_id"] == cell.run_id)
    assert cell.price == pytest.approx(line["seconds_per_1000"] / 3600 * 0.10, rel=1e-3, abs=1e-7)


def test_each_cell_is_a_run_in_the_ledger_with_its_note():
    first_stages()
    assert [run.told["note"] for run in lk.ledger()] == [
        "sweep: as it is", "sweep: k1 0.5, b 0.1", "sweep: k1 0.5", "sweep: b 0.1",
    ]  # fmt: skip


def test_comparisons_are_those_of_compare_corrected_for_all_cells():
    sweep = first_stages()
    runs = [
        lk.evaluate(lk.BM25Retriever(C, k1, b), C, "dev", k=50)
        for k1, b in [(1.2, 0.75), (0.5, 0.1), (0.5, 0.75), (1.2, 0.1)]
    ]
    expected = lk.compare(runs[0], runs[1:])
    for ours, theirs in zip(sweep.comparisons, expected, strict=True):
        assert (ours.p, ours.p_holm, ours.low, ours.high) == pytest.approx(
            (theirs.p, theirs.p_holm, theirs.low, theirs.high), abs=1e-5
        )


def planted(*cells):
    """A sweep whose cells have these (quality, ms, bytes)."""
    sweep = first_stages()
    made = [
        replace(sweep[0], knobs={**sweep[0].knobs, "k": 10 * (i + 1)}, metrics={**sweep[0].metrics, "nDCG@10": quality},
                latency_ms={"p50": ms, "p95": ms}, bytes_per_token=size, price=None if ms is None else ms / 1000)
        for i, (quality, ms, size) in enumerate(cells)
    ]  # fmt: skip
    return replace(sweep, cells=tuple(made))


def test_the_front_holds_the_cells_that_no_other_beats_at_their_cost():
    sweep = planted((0.5, 10, 100), (0.4, 5, 50), (0.45, 12, 40), (0.5, 11, 768), (0.6, 30, 768), (0.9, None, None))
    assert sweep.front("latency") == [1, 0, 4]
    assert sweep.front("bytes") == [2, 0, 4]


def test_the_best_within_limits():
    sweep = planted((0.5, 10, 100), (0.4, 5, 50), (0.6, 30, 768), (0.3, 1, None))
    assert sweep.best().quality == 0.6
    assert sweep.best(latency=20).quality == 0.5
    assert sweep.best(latency=20, bytes=60).quality == 0.4
    assert sweep.best(bytes=10).quality == 0.3
    with pytest.raises(lk.LabError, match=r"no cell is within .*latency.*0.5.*the least there is of each: .*1"):
        sweep.best(latency=0.5)


# Resumed


def test_a_cell_that_was_measured_is_never_measured_again():
    before = first_stages(k1=[0.5, 2.0])
    assert len(lk.ledger()) == 3
    after = first_stages(k1=[0.5, 2.0, 3.0])
    assert len(lk.ledger()) == 4
    assert after.cells[:3] == before.cells


def test_other_data_another_split_and_another_base_are_measured_anew():
    first_stages(k1=[0.5])
    other = replace(C, qrels={**QRELS, "q00": {"d05": 1}})
    lk.sweep(lk.BM25Retriever(other), other, {"k1": [0.5]}, timed=1, progress=False)
    lk.sweep(BM25, C, {"k1": [0.5]}, split="all", timed=1, progress=False)
    lk.sweep(lk.BM25Retriever(C, b=0.5), C, {"k1": [0.5]}, timed=1, progress=False)
    assert len(lk.ledger()) == 8


def test_a_sweep_that_was_killed_goes_on_where_it_stopped(home):
    code = """
        import os, signal
        from labkit.evaluation import sweep_bench as sweep
        from tests.evaluation.test_sweep import first_stages
        kept = sweep.append_line
        def once(*line):
            kept(*line)
            once.left -= 1
            if not once.left:
                os.kill(os.getpid(), signal.SIGKILL)
        once.left = 2
        sweep.append_line = once
        first_stages()
    """
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env={**os.environ, "LABKIT_HOME": str(home)})
    assert died.returncode == -9
    assert len(list(read_lines(FILE))) == 2
    with (home / FILE).open("ab") as file:
        file.write(b'{"key": "torn')
    sweep = first_stages()
    assert len(sweep) == 4
    assert len(lk.ledger()) == 4


# Checked before any work


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ({"dim": [0]}, "dim must be a whole number of at least 1, or None; got 0"),
        ({"dim": [999]}, "dim must be at most the encoder's 384; got 999"),
        ({"storage": ["zip"]}, "storage must be one of float32, float16, int8, residual2, residual4; got 'zip'"),
        ({"dim": [8], "projection": ["tsne"]}, "projection must be one of pca, random.*; got 'tsne'"),
        ({"dim": [7], "projection": ["head"]}, "the head was trained for 128, 96, 64, 48 dimensions; got 7"),
        ({"prune": ["verbs"]}, "prune must be a tuple of names"),
        ({"prune": [("verbs",)]}, r"prune must be a tuple of names out of 'function words'; got \('verbs',\)"),
        ({"projection": ["random"]}, "projection = 'random' does nothing where dim is None, so nothing is projected"),
        ({"reranker": ["cross"], "dim": [64]}, "dim = 64 does nothing where the reranker is cross"),
        ({"depth": [1]}, "no knob 'depth'; there is k, retriever, k1, b,"),
        ({}, "a grid must be a dict of knob to a list of values"),
        ([], "must turn something"),
        ({"k": [50]}, "must turn something"),
        ("k", "a grid must be a dict"),
        ({"k": 50}, r"k needs a list of values to try, such as \{'k': \[...\]\}; got 50"),
        ({"retriever": "bm25"}, "retriever needs a list"),
        ({"k": []}, "k needs a list"),
        ({"k": [0]}, "k must be a whole number of at least 1; got 0"),
        ({"k": [True]}, "k must be a whole number"),
        ({"k1": [-1]}, "k1 must be a number of at least 0; got -1"),
        ({"b": [1.5]}, "b must be a number from 0 to 1; got 1.5"),
        ({"b": [math.nan]}, "b must be a number from 0 to 1"),
        ({"retriever": ["splade"]}, "retriever must be one of bm25, dense, fusion; got 'splade'"),
        ({"reranker": ["cohere"]}, "cohere is not swept: each query costs money"),
        ({"weights": [(1, -1, 0)]}, "weights must be numbers of at least 0"),
        ({"weights": [(0, 0, 0)]}, "not all 0"),
        ({"reranker": ["late+fusion"], "weights": [(1, 1)]}, "weights must be 3 numbers, one a part"),
        ({"weights": [(1, 1, 1)]}, "does nothing where the reranker is late.*Give a list of grids"),
        ({"retriever": ["dense"], "k1": [0.9]}, "k1 = 0.9 does nothing where the retriever is dense"),
        ({"retriever_weights": [(1, 1)]}, "does nothing where the retriever is bm25"),
        ({"passage": [3]}, "passage must be a whole number of wordpieces from 16"),
        ({"k": list(range(1, 102)), "k1": [i / 9 for i in range(100)]}, "at most 10,000 cells; this one has 10,100"),
    ],
)  # fmt: skip
def test_a_bad_grid_is_refused_before_anything_runs(pipe, grid, message, home):
    with pytest.raises(lk.LabError, match=message):
        lk.sweep(pipe, C, grid, progress=False)
    assert not list(home.iterdir())


@pytest.mark.parametrize("chosen", [{"projection": ["random"]}, {"dim": [64]}, {"storage": ["int8"]}])
def test_knobs_of_token_vectors_need_a_reranker_that_has_some(chosen):
    with pytest.raises(lk.LabError, match="the reranker is none, which keeps no token vectors"):
        lk.sweep(BM25, C, {**chosen, "dim": [64]} if "projection" in chosen else chosen, progress=False)


def test_a_stand_in_is_not_swept():
    pipe = lk.TwoStage(BM25, lk.CohereReranker(live=False))
    with pytest.raises(lk.LabError, match="a stand-in scores"):
        lk.sweep(pipe, C, {"k": [5]}, progress=False)


def test_the_default_grid_has_60_cells(pipe):
    assert len(cells_of(pipe, DEFAULT_GRID)) == 60


def test_how_long_it_takes_is_told_before_the_cells_run(capfd):
    lk.sweep(BM25, C, {"k1": [0.5]}, timed=1)
    told = capfd.readouterr()
    assert "2 cells on zoo (dev, 14 queries): about" in told.out + told.err
    lk.sweep(BM25, C, {"k1": [0.5, 0.6]}, timed=1)
    told = capfd.readouterr()
    assert f"3 cells on zoo (dev, 14 queries), 2 read from {FILE}: about" in told.out + told.err


# Stored


def test_a_stored_sweep_is_plain_json_and_comes_back_as_it_was(home):
    sweep = first_stages()
    sweep.save(home / "sweep.json")
    assert json.loads((home / "sweep.json").read_text())["split"] == "dev"
    back = lk.load_sweep(home / "sweep.json")
    assert back.cells == sweep.cells
    assert back.comparisons == sweep.comparisons
    assert repr(back) == repr(sweep)
    back.save(home / "again.json")
    assert (home / "again.json").read_bytes() == (home / "sweep.json").read_bytes()


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{}", '{"format": 1}', '{"format": 99}', '{"format": 1, "cells": 3}']
)
def test_a_file_that_is_no_sweep_is_refused(home, content):
    if content is not None:
        (home / "x.json").write_text(content)
    with pytest.raises(lk.LabError, match=r"x.json' must be a sweep that Sweep.save wrote"):
        lk.load_sweep(home / "x.json")


def test_a_cell_run_again_agrees_with_what_is_stored(home):
    first_stages().save(home / "s.json")
    sweep = lk.load_sweep(home / "s.json", BM25, C)
    for number in range(len(sweep)):
        now = sweep.recompute(number)
        assert now.agrees
        assert (now.differing, now.why) == ([], ())
        assert "they agree; 0 of 14 queries differ" in now.to_text()


def test_a_stored_value_that_is_not_true_is_found_out(home):
    sweep = first_stages()
    wrong = replace(sweep[1], metrics={**sweep[1].metrics, "nDCG@10": 0.9}, per_query=(1.0, *sweep[1].per_query[1:]))
    now = replace(sweep, cells=(sweep[0], wrong)).recompute(1)
    assert not now.agrees
    assert "they DO NOT AGREE; 1 of 14 queries differ" in now.to_text()
    assert now.now == pytest.approx(sweep[1].quality, abs=1e-12)


def test_other_texts_are_told_where_a_cell_is_run_again(home):
    first_stages().save(home / "s.json")
    other = replace(C, docs={**DOCS, "d00": Document("", "a whale")})
    now = lk.load_sweep(home / "s.json", lk.BM25Retriever(other), other).recompute(0)
    assert now.why == ("texts, queries or judgments are not those of the stored sweep",)


def test_a_stored_sweep_without_a_pipeline_says_how_to_give_it_one(home):
    first_stages().save(home / "s.json")
    with pytest.raises(lk.LabError, match=r"lk.load_sweep\(path, pipe, collection\)"):
        lk.load_sweep(home / "s.json").recompute(0)


def test_a_cell_that_there_is_not_is_refused():
    with pytest.raises(lk.LabError, match="this sweep has cells 0 to 3; got 4"):
        first_stages().recompute(4)


# Dev's luck


def looks(home):
    path = home / "peeks.jsonl"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_devs_best_are_held_against_test_with_one_look(home):
    sweep = first_stages()
    assert looks(home) == 0
    check = sweep.check_on_test(2)
    assert looks(home) == 1
    order = sorted(range(1, 4), key=lambda i: -sweep[i].quality)[:2]
    assert check.cells == tuple(sweep.told(i) for i in order)
    assert check.dev == tuple(sweep[i].quality - sweep[0].quality for i in order)
    plain = [
        lk.evaluate(lk.BM25Retriever(C, sweep[i].knobs["k1"], sweep[i].knobs["b"]), C, "test", k=50)
        for i in (0, *order)
    ]
    gains = [run.metrics["nDCG@10"] - plain[0].metrics["nDCG@10"] for run in plain[1:]]
    assert [c.delta for c in check.test] == pytest.approx(gains, abs=1e-5)
    assert "look 1 at these test queries" in check.to_text()


def test_a_second_check_reads_what_the_first_saw(home):
    sweep = first_stages()
    first = sweep.check_on_test(2)
    second = sweep.check_on_test(2)
    assert looks(home) == 1
    assert second.test == first.test
    sweep.check_on_test(3)
    assert looks(home) == 2


def test_a_sweep_on_test_has_nothing_left_to_check():
    sweep = lk.sweep(BM25, C, {"k1": [0.5]}, split="test", timed=1, progress=False)
    with pytest.raises(lk.LabError, match="this needs a sweep on another split than test"):
        sweep.check_on_test()
