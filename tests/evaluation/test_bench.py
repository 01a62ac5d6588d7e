"""The benchmarks: what they print and when they do not count. No duration is asserted here."""

import json
import os
import subprocess
import sys
import textwrap
from itertools import pairwise

import numpy as np
import pytest

import labkit as lk
from labkit.evaluation import bench, bench_encode, bench_maxsim, bench_rerank
from labkit.evaluation.bench_peers import PEERS, Peer, Shape, padded_einsum
from labkit.scoring.reference import maxsim_reference
from labkit.views.bench_chart import BenchChart
from labkit.views.figure import check_picture_path

TINY = Shape(5, 8)
PEERS_OF_OURS = """
    import os
    def wrong(queries, vectors, offsets):
        return lambda: [[0.25] * (len(offsets) - 1)] * len(queries)
    def nan(queries, vectors, offsets):
        return lambda: [[float("nan")] * (len(offsets) - 1)] * len(queries)
    def short(queries, vectors, offsets):
        return lambda: [[0.25]]
    def raising(queries, vectors, offsets):
        raise ValueError("no such shape")
    def dying(queries, vectors, offsets):
        print("a library's chatter on stdout")
        os._exit(3)
    def dying_later(queries, vectors, offsets):
        from labkit.evaluation.bench_peers import padded_einsum
        score, calls = padded_einsum(queries, vectors, offsets), []
        def work():
            calls.append(1)
            return score() if len(calls) < 3 else os._exit(4)
        return work
"""
NAMES = ("wrong", "nan", "short", "raising", "dying", "dying_later")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """One run over two shapes with peers that misbehave, one that does not and one that is not installed."""
    folder = tmp_path_factory.mktemp("peers")
    (folder / "peers_of_ours.py").write_text(textwrap.dedent(PEERS_OF_OURS))
    peers = [Peer(name, "numpy", f"peers_of_ours:{name}") for name in NAMES]
    peers += [PEERS[2], Peer("absent", "no_such_package_anywhere", "nothing:nothing")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        report = bench_maxsim.bench_maxsim([TINY, Shape(1_000_000, 128)], rounds=3, peers=peers)
    return report


def system(report, name):
    return report.to_dict()["shapes"][0]["systems"][name]


def test_the_picture_has_a_mark_for_each_time_and_words_for_the_rest(rows, tmp_path):
    first, *others = rows.to_dict()["shapes"]
    charts = [BenchChart({"bench": "maxsim", "shapes": [{**first, "void": void}, *others]}) for void in (False, True)]
    ratio, chart = system(rows, "one product")["ratio"], charts[0]
    assert f"5 documents, d = 8: ours 1.00, one product {ratio:.2f}" in chart.to_text()
    assert f"5 documents, d = 8 (void): ours 1.00, one product {ratio:.2f}" in charts[1].to_text()
    assert "wrong wrong" in chart.to_text()
    assert "dying crashed" in chart.to_text()
    assert "1,000,000" not in chart.to_text()  # skipped, so it has no row
    assert "dying crashed" in chart.to_svg()
    chart.save(tmp_path / "bench.svg")
    assert (tmp_path / "bench.svg").read_text(encoding="utf-8") == chart.to_svg()


@pytest.mark.parametrize(("name", "told"), [("bench.pdf", r"\.svg or \.png"), ("nowhere/bench.svg", "no folder")])
def test_a_picture_that_cannot_be_written_is_refused_before_the_work(tmp_path, name, told):
    with pytest.raises(lk.LabError, match=told):
        check_picture_path(tmp_path / name)


def test_a_wrong_peer_has_no_time_but_a_reason(rows):
    for name, reason in (("wrong", "off by up to"), ("nan", "off by up to nan"), ("short", "scores of shape")):
        assert system(rows, name)["state"] == "wrong"
        assert reason in system(rows, name)["reason"]
        assert "ms" not in system(rows, name)
    assert str(rows).count("wrong") >= 3


def test_a_peer_that_dies_is_crashed_whenever_it_dies(rows):
    assert system(rows, "raising") == {"state": "crashed", "reason": "ValueError: no such shape"}
    assert system(rows, "dying") == {"state": "crashed", "reason": "exit code 3"}
    assert system(rows, "dying_later") == {"state": "crashed", "reason": "exit code 4"}
    assert "crashed" in str(rows)


def test_a_peer_that_is_not_there_is_not_installed(rows):
    assert system(rows, "absent") == {"state": "not installed"}


def test_right_systems_have_a_median_and_a_ratio_to_ours(rows):
    for name in ("ours", "one product", "in cache", "padded einsum"):
        assert system(rows, name)["state"] == "ok"
        assert system(rows, name)["ms"] > 0
    assert system(rows, "ours")["ratio"] == 1


def test_too_much_data_is_skipped_with_its_size(rows):
    row = rows.to_dict()["shapes"][1]
    assert "GiB of tokens, above 2" in row["skipped"]
    assert row["systems"] == {}
    assert f"skipped: {row['skipped']}" in str(rows)


def test_the_banner_tells_hardware_threads_and_versions(rows):
    machine = rows.to_dict()["machine"]
    assert {"processor", "cores", "memory_gib", "torch_threads", "load_before", "busy", "versions"} <= set(machine)
    assert {"torch", "numpy", "numba"} <= set(machine["versions"])
    assert f"{machine['torch_threads']} torch threads" in str(rows)


def test_several_queries_are_also_timed_one_by_one():
    row = bench_maxsim.bench_shape(Shape(4, 8, 3), rounds=3, peers=())
    assert list(row["systems"]) == ["ours", "one product", "in cache", "one by one"]


def test_a_run_is_void_above_1_3_unless_the_load_is_ours():
    calm, wild = [1.0, 1.1, 1.2], [1.0, 1.0, 2.0, 2.0]
    assert not bench.floor(calm)["void"]
    assert bench.floor(wild)["void"]
    assert not bench.floor(wild, busy=True)["void"]
    assert "VOID" in bench.void_line(True, 1.9)
    assert "valid" in bench.void_line(False, 1.1)


def test_systems_take_turns_and_one_that_is_gone_is_left_out():
    calls = []

    def named(name):
        calls.append(name)
        if name == "c" and calls.count("c") == 2:
            raise bench.Gone("it left")
        return float(len(calls))

    seconds, gone = bench.take_turns({name: lambda name=name: named(name) for name in "abc"}, rounds=3)
    assert "".join(calls) == "abc" + "bca" + "ab"  # the third round would begin with c
    assert gone == {"c": "it left"}
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3}


def test_the_load_ends_with_its_block():
    with bench.load_on_one_core() as child:
        assert child.poll() is None
    assert child.poll() is not None
    with bench.load_on_one_core(False) as child:
        assert child is None


def test_the_data_are_the_same_for_a_seed_and_as_described():
    queries, vectors, offsets = Shape(7, 16, 2).data()
    assert queries.shape == (2, 32, 16)
    assert vectors.dtype == np.float32
    assert len(vectors) == offsets[-1]
    assert np.diff(offsets).min() >= 40
    assert np.diff(offsets).max() <= 180
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(vectors, Shape(7, 16, 2).data()[1])
    assert not np.array_equal(vectors, Shape(7, 16, 2, seed=1).data()[1])


def test_the_padded_einsum_is_right():
    queries, vectors, offsets = Shape(6, 8, 2).data()
    truth = [[maxsim_reference(query, vectors[a:b]) for a, b in pairwise(offsets)] for query in queries]
    np.testing.assert_allclose(padded_einsum(queries, vectors, offsets)(), truth, atol=1e-5)


@pytest.mark.parametrize("text", ["", "5", "5,0", "5,8,1,1", "5,-8", "a,b"])
def test_a_shape_that_is_none_is_refused(text):
    with pytest.raises(lk.LabError, match=r"a shape is documents,d"):
        bench_maxsim.parse_shapes([text])


def test_fewer_than_9_rounds_are_refused():
    with pytest.raises(lk.LabError, match=r"at least 9 rounds; got 8"):
        bench.check_rounds(8)


def test_encode_compares_speed_and_vectors():
    report = bench_encode.bench_encode(["Sort the rows of a table.", "Unpivot a table.", ""], rounds=2)
    data = json.loads(json.dumps(report.to_dict()))
    assert data["vectors"]["same_tokens"]
    assert data["vectors"]["within_1e-5"]
    assert data["vectors"]["largest_difference"] <= 2e-3
    assert set(data["tokens_per_second"]) == {"ours", "sentence-transformers"}
    assert "vectors equal to 1e-5" in str(report)


def test_encode_sees_vectors_that_differ():
    ours = lk.pack([np.full((1, 2), 0.5, np.float16)])
    assert bench_encode.compared(ours, [np.full((1, 2), 0.50001, np.float32)])["within_1e-5"]
    assert not bench_encode.compared(ours, [np.full((1, 2), 0.501, np.float32)])["within_1e-5"]
    assert not bench_encode.compared(ours, [np.zeros((2, 2), np.float32)])["same_tokens"]


def test_rerank_tells_the_whole_and_the_share_of_maxsim(tmp_path):
    documents = [{"_id": f"d{i}", "title": "", "text": f"wide table number {i}"} for i in range(4)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "turn a wide table"}\n')
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\td1\t3\n")
    report = bench_rerank.bench_rerank(lk.load_collection(str(tmp_path)))
    for name in ("cold", "cached", "indexed"):
        run = report.to_dict()[name]
        assert run["questions"] == 1
        assert 0 < run["maxsim_share"] < 1
        assert set(run["ms"]) == set(run["maxsim_ms"]) == {"p50", "p95"}
    json.dumps(report.to_dict())
    assert "MaxSim alone" in str(report)
    cross, cached = report.to_dict()["cross"], report.to_dict()["cached"]
    assert cross["ms"]["p50"] > 0
    assert f"its p50 is {cross['ms']['p50'] / cached['ms']['p50']:.0f} times MaxSim's cached" in str(report)


def test_json_is_all_that_is_on_stdout():
    done = subprocess.run(
        [sys.executable, "-m", "labkit", "bench", "maxsim", "--shape", "3,8", "--json"],
        capture_output=True, text=True, encoding="utf-8", timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) == {"bench", "machine", "rounds", "void", "shapes"}
    assert answer["rounds"] == 9
    assert answer["shapes"][0]["systems"]["sentence-transformers"]["state"] == "ok"


def test_a_bad_shape_on_the_command_line_is_one_line():
    done = subprocess.run(
        [sys.executable, "-m", "labkit", "bench", "maxsim", "--shape", "many"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("labkit: a shape is documents,d")
    assert len(done.stderr.splitlines()) == 1
