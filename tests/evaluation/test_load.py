"""Load tests: open-loop arrivals, waiting that counts, saturation, and costs. No duration is asserted here."""

import heapq
import json
import math
import os
import subprocess
import sys
import threading
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.encoding.forward import Forward
from labkit.evaluation import load, load_cost, load_drive
from labkit.ranking.ranking import Hit, Ranking

ROW = {"rate": 10.0, "queries": 100, "left_over": 0, "saturated": False, "busy_seconds": 5.0, "cpu_seconds": 8.0}
USAGE = {"documents": 50, "search_units": 2, "tokens": 20_000}
PRICE = {"name": "A", "unit": "hour", "price": 0.36, "currency": "EUR", "date": "2026-11", "source": "a bill",
         "verified": True, "note": "none"}  # fmt: skip


def reference(arrivals, service, workers=1):
    """One queue, several workers, by arithmetic: starts and ends."""
    free, starts = [0.0] * workers, []
    for arrival, seconds in zip(arrivals, service, strict=True):
        starts.append(max(arrival, heapq.heappop(free)))
        heapq.heappush(free, starts[-1] + seconds)
    return np.array(starts), np.array(starts) + np.array(service)


class VirtualClock(load.Clock):
    """Time that passes when somebody waits or works, and not otherwise."""

    def __init__(self):
        self.time = 100.0

    def now(self):
        return self.time

    def wait_until(self, moment):
        self.time = max(self.time, moment)


class Pipeline:
    """A system whose queries take the virtual seconds that they are made of, or fail where they say so."""

    name = "pipeline"
    collection = Collection("toy", {"d1": Document("", "wide table"), "d2": Document("", "word " * 600)})

    def __init__(self, clock, factor=1.0):
        self.clock, self.factor, self.asked = clock, factor, []

    def search(self, query, k):
        self.asked.append(query)
        seconds, _, fails = str(query).partition(" ")
        self.clock.time += float(seconds) * self.factor
        if fails:
            raise RuntimeError(fails)
        return Ranking(query, tuple(Hit(i, rank, 1.0) for rank, i in enumerate(self.collection.docs, start=1)))


def driven(arrivals, service, until=math.inf):
    clock = VirtualClock()
    texts = [str(seconds) for seconds in service]
    return load.drive(lambda q: Pipeline(clock).search(q, 1), texts, np.array(arrivals), 1, until, clock)


def measured(queries, **options):
    clock = VirtualClock()
    pipeline = Pipeline(clock)
    return load.load_test(pipeline, queries, clock=clock, **options), pipeline


def row(starts, ends, arrivals, errors=None, rate=1.0, seconds=4.0, workers=1, until=8.0):
    run = load.Run(np.array(arrivals), np.array(starts), np.array(ends), errors or {}, until)
    return load.summary(run, rate, seconds, workers)


def test_the_second_of_two_queries_waits_for_the_first():
    run = driven([0.0, 0.5], [1, 1])
    assert run.starts.tolist() == [0.0, 1.0]
    assert run.ends.tolist() == [1.0, 2.0]
    told = load.summary(run, rate=0.5, seconds=4.0)
    assert told["ms"] == {"p50": 1250.0, "p95": 1475.0, "p99": 1495.0}  # between 1 s and 1.5 s
    assert (told["achieved"], told["service_ms"], told["utilisation"], told["load"]) == (0.5, 1000.0, 0.5, 0.5)


def test_a_query_that_comes_to_an_idle_worker_starts_when_it_comes():
    run = driven([1.0, 5.0], [1, 2])
    assert run.starts.tolist() == [1.0, 5.0]
    assert run.ends.tolist() == [2.0, 7.0]


def test_one_slow_query_makes_those_behind_it_late_though_each_is_served_fast():
    """Coordinated omission: a loop that waits for each answer would see one slow query and nine of 0.1 s."""
    run = driven(np.arange(10.0), [5, *[0.1] * 9])
    latency = run.ends - run.arrivals
    np.testing.assert_allclose(latency[:6], [5.0, 4.1, 3.2, 2.3, 1.4, 0.5])
    np.testing.assert_allclose(latency[6:], 0.1)
    told = load.summary(run, rate=1.0, seconds=10.0)
    assert told["ms"]["p50"] > 5 * 100  # the median service is 100 ms


def test_a_slow_system_does_not_change_when_queries_arrive():
    slow, fast = driven([0.0, 0.1, 0.2], [9, 9, 9]), driven([0.0, 0.1, 0.2], [0, 0, 0])
    np.testing.assert_array_equal(slow.arrivals, fast.arrivals)


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 5)), min_size=1, max_size=30))
def test_the_runner_does_what_arithmetic_says(pairs):
    arrivals, service = sorted(a for a, _ in pairs), [s for _, s in pairs]
    run = driven(arrivals, service)
    starts, ends = reference(arrivals, service)
    np.testing.assert_allclose(run.starts, starts, atol=1e-9)
    np.testing.assert_allclose(run.ends, ends, atol=1e-9)


def test_two_workers_serve_two_queries_at_once_and_each_query_once():
    meeting, asked = threading.Barrier(2, timeout=60), []

    def serve(query):
        asked.append(str(query))
        meeting.wait()  # goes on only when two queries are here

    run = load.drive(serve, list("abcdef"), np.zeros(6), workers=2)
    assert run.errors == {}
    assert sorted(asked) == list("abcdef")
    assert (run.starts >= run.arrivals).all()
    assert (run.ends >= run.starts).all()
    for moment in run.starts:
        assert ((run.starts <= moment) & (moment < run.ends)).sum() <= 2


def test_one_worker_serves_one_query_at_a_time_in_order():
    here, most, asked = [], [], []

    def serve(query):
        here.append(query)
        most.append(len(here))
        asked.append(str(query))
        here.pop()

    load.drive(serve, list("abcd"), np.zeros(4), workers=1)
    assert max(most) == 1
    assert asked == list("abcd")


def test_arrivals_are_the_same_for_a_seed_and_another_for_another():
    times = load.arrivals_at(25, 8, seed=3)
    np.testing.assert_array_equal(times, load.arrivals_at(25, 8, seed=3))
    assert not np.array_equal(times, load.arrivals_at(25, 8, seed=4))
    assert len(times) == 200
    assert (np.diff(times) >= 0).all()
    assert times[0] >= 0
    assert times[-1] < 8


def test_gaps_between_arrivals_are_exponential():
    """Their mean and their standard deviation are both 1 / rate; evenly spaced ones would have no deviation."""
    gaps = np.diff(load.arrivals_at(50, 200, seed=0))
    assert gaps.mean() == pytest.approx(1 / 50, rel=0.05)
    assert gaps.std() == pytest.approx(1 / 50, rel=0.05)


def test_queries_failed_are_counted_with_the_first_message_and_have_no_latency():
    clock = VirtualClock()
    texts = ["1", "3 too long", "1", "2 no answer"]
    run = load.drive(lambda q: Pipeline(clock).search(q, 1), texts, np.array([0.0, 1, 4, 5]), clock=clock)
    told = load.summary(run, rate=0.5, seconds=8.0)
    assert told["failures"] == 2
    assert told["first_failure"] == "RuntimeError: too long"
    assert told["ms"] == {"p50": 1000.0, "p95": 1000.0, "p99": 1000.0}  # of the two that did not fail
    assert told["service_ms"] == 1750.0  # failing kept the worker busy
    assert told["achieved"] == 2 / 8


def test_queries_left_over_wait_at_least_until_the_end_and_saturate():
    run = driven([0.0, 1.0, 2.0], [9, 1, 1], until=8.0)
    assert np.isnan(run.starts[1:]).all()
    told = load.summary(run, rate=0.1, seconds=4.0)
    assert told["left_over"] == 2
    assert told["saturated"]
    assert told["ms"]["p50"] == 7000.0  # of 9 s, and at least 7 s and 6 s
    assert told["utilisation"] == 1


def test_a_rate_is_saturated_from_the_load_on_that_fills_the_workers():
    served = {"starts": [0.0, 1.0], "ends": [1.0, 2.0], "arrivals": [0.0, 1.0]}
    assert not row(**served, rate=0.99)["saturated"]
    assert row(**served, rate=1.0)["saturated"]
    assert not row(**served, rate=1.0, workers=2)["saturated"]
    assert row(**served, rate=2.0, workers=2)["saturated"]


def test_saturation_lies_between_the_highest_kept_and_the_lowest_missed_rate():
    told = load.saturation([{"rate": r, "saturated": r > 2} for r in (1.0, 2.0, 3.0, 4.0)])
    assert told == {"highest_not_saturated": 2.0, "lowest_saturated": 3.0}
    assert load.saturation([{"rate": 1.0, "saturated": False}])["lowest_saturated"] is None


def test_without_rates_the_capacity_is_found_and_saturates_above_it():
    report, _ = measured(["0.1", "0.1"], seconds=10)
    data = report.to_dict()
    assert data["capacity"] == pytest.approx(10)
    assert [r["rate"] for r in data["rates"]] == pytest.approx([2.5, 5, 7.5, 9, 11, 15])
    assert [r["saturated"] for r in data["rates"]] == [False] * 4 + [True] * 2
    assert data["highest_not_saturated"] == pytest.approx(9)
    assert "saturates between 9.00/s and 11.00/s" in str(report)
    p95 = [r["ms"]["p95"] for r in data["rates"]]
    assert p95 == sorted(p95)
    assert data["rates"][-1]["achieved"] == pytest.approx(10, abs=0.2)  # what the worker can do, whatever comes
    assert all(r["utilisation"] <= 1 for r in data["rates"])


def test_a_run_is_the_same_for_a_seed():
    def latencies(seed):
        return [r["ms"] for r in measured(["0.1", "0.3"], seconds=10, seed=seed)[0].to_dict()["rates"]]

    assert latencies(1) == latencies(1)
    assert latencies(1) != latencies(2)


def test_the_report_is_text_with_a_banner_and_plain_json():
    report, _ = measured(["0.1"], rates=[2, 4], seconds=5, volume=1000)
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert data["bench"] == "load"
    assert [r["queries"] for r in data["rates"]] == [10, 20]
    for words in (
        "torch threads",
        "in the store",
        "not saturated at any rate, up to 4.00/s",
        "UNVERIFIED",
        "as few as 10",
    ):
        assert words in str(report)
    assert "1,000 a month" in str(report)


def test_failures_stand_in_the_text():
    report, _ = measured(["0.1", "0.1 no such index"], rates=[4], seconds=10)
    failures = report.to_dict()["rates"][0]["failures"]
    assert 0 < failures < 40
    assert f"FAILED at 4.00/s: {failures}, without latency; RuntimeError: no such index" in str(report)


def test_if_every_query_fails_the_test_says_so():
    with pytest.raises(lk.LabError, match=r"every query failed.*RuntimeError: broken"):
        measured(["0.1 broken"], seconds=5)


def test_the_pipeline_is_warmed_on_each_query_before_the_clock_starts():
    _, pipeline = measured(["0.1", "0.2", "0.1"], rates=[1], seconds=5)
    assert pipeline.asked[:4] == ["0.1", "0.1", "0.2", "0.2"]  # each searched, and its candidates counted
    assert all(isinstance(query, load_drive.Fresh) for query in pipeline.asked[4:])


def test_a_fresh_query_equals_itself_alone_and_keeps_its_words():
    one, other = load_drive.Fresh("wide table"), load_drive.Fresh("wide table")
    assert one == one
    assert one != other
    assert one != "wide table"
    assert len({one, other, "wide table"}) == 3
    assert str(one) == "wide table"


def test_the_encoder_encodes_each_fresh_query_anew_and_to_the_same_vectors(monkeypatch):
    encoder, calls = lk.load_encoder(), []
    entries = Forward.entries
    monkeypatch.setattr(Forward, "entries", lambda *args: calls.append(args) or entries(*args))
    one, other = load_drive.Fresh("turn a wide table"), load_drive.Fresh("turn a wide table")
    first, again, second = (encoder.encode_queries([query]) for query in (one, one, other))
    assert len(calls) == 2
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[0], encoder.encode_queries(["turn a wide table"])[0])


def test_no_part_of_a_load_test_is_silent_where_somebody_watches(monkeypatch):
    told = []
    monkeypatch.setattr(load, "waiting", lambda what, show: told.append((what, show)) or nullcontext())
    measured(["0.1"], rates=[2, 4], seconds=1, progress=True)
    assert told == [("load, one at a time", True), ("load, 2 a second", True), ("load, 4 a second", True)]


def test_a_search_unit_is_a_query_with_up_to_100_documents():
    assert load.hosted_usage([10] * 100)["search_units"] == 1
    assert load.hosted_usage([10] * 101)["search_units"] == 2


@pytest.mark.parametrize(("tokens", "chunks"), [(0, 1), (1, 1), (500, 1), (501, 2), (1_001, 3), (1_000_000, 9)])
def test_a_long_document_counts_once_a_chunk_up_to_the_cut(tokens, chunks):
    fill = 100 - chunks
    assert load.hosted_usage([tokens, *[1] * fill])["search_units"] == 1
    assert load.hosted_usage([tokens, *[1] * (fill + 1)])["search_units"] == 2


def test_tokens_are_those_of_the_query_and_of_documents_cut():
    assert load.hosted_usage([100, 5_000], query=7)["tokens"] == 100 + 4_096 + 7
    assert load.hosted_usage([], query=7) == {"documents": 0, "search_units": 0, "tokens": 0}


def test_a_collection_is_billed_by_its_whole_documents():
    report, _ = measured(["0.1"], rates=[1], seconds=5)
    usage = report.to_dict()["cost"]["usage"]
    assert usage == {"documents": 2, "search_units": 1, "tokens": 2 + 600 + 3}  # "0.1" is three wordpieces


def test_hosted_prices_by_hand():
    units, tokens = {**PRICE, "unit": "1,000 search units", "price": 2.5}, {**PRICE, "unit": "1M tokens", "price": 0.02}
    by_units, by_tokens = load.cost([ROW], USAGE, [units, tokens], volume=30_000)["prices"]
    assert by_units["per_1000"] == 2.5 * 2
    assert by_units["per_month"] == 2.5 * 2 * 30
    assert by_tokens["per_1000"] == pytest.approx(0.02 * 20)  # 20,000 tokens a query, 20 million for 1,000
    assert by_tokens["per_month"] == pytest.approx(0.02 * 20 * 30)


def test_a_machine_by_hand_serves_the_highest_rate_below_saturation():
    rows = [ROW, {**ROW, "rate": 20.0, "saturated": True}]
    [entry] = load.cost(rows, USAGE, [PRICE], volume=30_000_000)["prices"]
    assert entry["per_1000"] == pytest.approx(0.36 * 100 / 3600)  # 1,000 queries at 10 a second are 100 s
    assert entry["machines"] == 2  # 10 a second are 26.28 million in 730 hours
    assert entry["per_month"] == pytest.approx(2 * 730 * 0.36)


def test_a_machine_has_no_price_where_every_rate_saturates_it():
    [entry] = load.cost([{**ROW, "saturated": True}], USAGE, [PRICE], volume=10)["prices"]
    assert (entry["per_1000"], entry["per_month"]) == (None, None)


def test_compute_is_told_for_1000_queries_served():
    told = load.cost([ROW, {**ROW, "queries": 350, "left_over": 50}], USAGE, [PRICE])
    assert told["busy_seconds"] == 1000 * 10 / 400
    assert told["cpu_seconds"] == 1000 * 16 / 400
    assert told["prices"][0]["per_month"] is None


def test_the_shipped_prices_are_dated_sourced_and_marked_as_unverified():
    entries = load.read_prices()
    assert {entry["unit"] for entry in entries} == set(load_cost.UNITS)
    assert not any(entry["verified"] for entry in entries)
    assert all(entry["date"].startswith("2026-") and entry["source"] for entry in entries)
    [machine] = [entry for entry in entries if entry["unit"] == "hour"]
    assert "assumption" in machine["source"]
    assert "EDIT" in machine["note"]


def written(path, **changes):
    entry = {key: value for key, value in {**PRICE, **changes}.items() if value is not None}
    path.write_text("[[price]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in entry.items()))
    return path


def test_prices_are_the_users(tmp_path):
    report, _ = measured(["0.1"], rates=[5], seconds=4, prices=written(tmp_path / "mine.toml"))
    [entry] = report.to_dict()["cost"]["prices"]
    assert entry["per_1000"] == pytest.approx(0.36 * 200 / 3600)
    assert "UNVERIFIED" not in str(report)


@pytest.mark.parametrize(("changes", "told"), [
    ({"price": "two"}, r"price 1 \(A\): 'price' must be a number of 0 or more; got 'two'"),
    ({"price": -1}, r"'price' must be a number of 0 or more; got -1"),
    ({"price": True}, r"'price' must be a number"),
    ({"unit": "call"}, r"'unit' must be one of 'hour', '1,000 search units', '1M tokens'; got 'call'"),
    ({"source": " "}, r"'source' must be a text in quotes"),
    ({"date": 2026}, r"'date' must be a text in quotes, not an empty one; got 2026"),
    ({"verified": "no"}, r"'verified' must be true or false"),
    ({"currency": None}, r"price 1 \(A\) has no field 'currency'; the fields are name, "),
    ({"curency": "EUR"}, r"price 1 \(A\) has an unknown field 'curency'"),
])  # fmt: skip
def test_a_malformed_price_names_its_entry_and_field(tmp_path, changes, told):
    with pytest.raises(lk.LabError, match=told):
        load.read_prices(written(tmp_path / "prices.toml", **changes))


@pytest.mark.parametrize(("text", "told"), [
    ("[[price]\n", "must be a readable TOML file"), ("", r"must hold one \[\[price\]\] or more"),
    ("price = 3", r"must hold one \[\[price\]\] or more"),
])  # fmt: skip
def test_a_file_that_is_no_price_table_is_refused(tmp_path, text, told):
    (tmp_path / "prices.toml").write_text(text)
    with pytest.raises(lk.LabError, match=told):
        load.read_prices(tmp_path / "prices.toml")
    with pytest.raises(lk.LabError, match=r"must be a readable TOML file; .*absent\.toml is none"):
        load.read_prices(tmp_path / "absent.toml")


@pytest.mark.parametrize(("options", "told"), [
    ({"rates": [0]}, "a rate must be a number above 0; got 0"),
    ({"rates": [5, -1.5]}, "a rate must be a number above 0; got -1.5"),
    ({"rates": [math.nan]}, "a rate must be a number above 0; got nan"),
    ({"rates": [0.01], "seconds": 8}, r"1 to 1,000,000 queries; 0.01 per second for 8 s are 0"),
    ({"rates": [1e9]}, "1 to 1,000,000 queries"),
    ({"seconds": 0}, "seconds must be a number above 0; got 0"),
    ({"workers": 0}, "workers must be a whole number of at least 1; got 0"),
    ({"volume": 0}, "volume must be a whole number of at least 1; got 0"),
    ({"k": 0}, "k must be a whole number of at least 1; got 0"),
])  # fmt: skip
def test_numbers_that_make_no_test_are_refused(options, told):
    with pytest.raises(lk.LabError, match=told):
        measured(["0.1"], **options)


@pytest.mark.parametrize("queries", [[], "a bare string"])
def test_a_test_without_a_list_of_queries_is_refused(queries):
    with pytest.raises(lk.LabError, match="draws from a list of one query or more"):
        measured(queries)


def test_a_query_that_is_no_text_is_refused():
    with pytest.raises(lk.LabError, match="query 1 must be a string; got int"):
        measured(["0.1", 3])


def command(*words):
    return subprocess.run(
        [sys.executable, "-m", "labkit", "bench", "load", *map(str, words)],
        capture_output=True, text=True, encoding="utf-8", timeout=300, env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip


def test_json_is_all_that_is_on_stdout_of_a_real_pipeline(tmp_path):
    documents = [{"_id": f"d{i}", "title": "", "text": f"wide table number {i}"} for i in range(4)]
    (tmp_path / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (tmp_path / "queries.jsonl").write_text('{"_id": "q", "text": "turn a wide table"}\n')
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq\td1\t3\n")
    done = command("--collection", tmp_path, "--rate", 4, "--rate", 8, "--seconds", 1, "--workers", 2, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["system"] == "bm25+late"
    assert [r["queries"] for r in answer["rates"]] == [4, 8]
    assert [r["failures"] for r in answer["rates"]] == [0, 0]
    assert answer["cost"]["usage"]["documents"] == 4
    assert answer["cost"]["cpu_seconds"] > 0


@pytest.mark.parametrize(("words", "told"), [
    (("--retriever", "bm52"), "no retriever 'bm52'; there is bm25"),
    (("--reranker", "early"), "no reranker 'early'"),
    (("--rate", "0"), "a rate must be a number above 0"),
    (("--prices", "nowhere.toml"), "a price table must be a readable TOML file"),
])  # fmt: skip
def test_bad_input_on_the_command_line_is_one_line(words, told):
    done = command(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("labkit: ")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
