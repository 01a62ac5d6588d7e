"""Holding one run against another."""

import math
from dataclasses import replace

import pytest

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.evaluation.evaluate import Evaluation

QUERIES = [f"q{number}" for number in range(6)]


def run(name, values, **more):
    per_query = {q: {"nDCG@10": v, "RR@10": v / 2} for q, v in zip(QUERIES, values, strict=False)}
    mean = sum(values) / len(values)
    return Evaluation("c", name, "dev", 100, {"nDCG@10": mean, "RR@10": mean / 2}, per_query, {}, **more)


BEFORE = run("old", [0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
AFTER = run("new", [0.6, 0.7, 0.8, 0.5, 0.4, 0.9])


def test_by_hand():
    found = lk.compare(BEFORE, AFTER)
    assert found.delta == pytest.approx(0.15)
    assert found.relative == pytest.approx(0.3)
    assert (found.wins, found.ties, found.losses) == (4, 1, 1)
    assert found.low < found.delta < found.high
    # +-.1, .2, .3, -.1, .4: of 32 swaps, 6 reach a sum of .9 in either direction.
    assert found.p == pytest.approx(6 / 32)
    assert found.verdict == "cannot tell"
    assert found.biggest(2) == ["q5", "q2", "q4"]


def test_the_other_way_round_is_the_negative():
    there, back = lk.compare(BEFORE, AFTER), lk.compare(AFTER, BEFORE)
    assert back.delta == -there.delta
    assert back.p == there.p
    assert (back.wins, back.losses) == (there.losses, there.wins)


def test_the_text_tells_the_difference_how_sure_and_what_could_be_seen():
    text = lk.compare(BEFORE, AFTER).to_text()
    assert "new against old, nDCG@10, 6 queries: 0.500 → 0.650, +0.150 (+30%)" in text
    assert "p = 0.188: cannot tell; 4 wins, 1 ties, 1 losses" in text
    assert "smallest difference that so many queries show in 4 of 5 experiments: 0.2" in text


def test_another_measure_and_some_of_the_queries():
    found = lk.compare(BEFORE, AFTER, measure="RR@10", queries=["q0", "q1", "absent"])
    assert found.queries == 2
    assert found.delta == pytest.approx(0.075)


def test_several_comparisons_are_corrected_together():
    sure = run("sure", [0.9, 0.8, 0.7, 0.95, 0.99, 0.85])
    both = lk.compare(BEFORE, [AFTER, sure])
    assert [c.p for c in both] == pytest.approx([6 / 32, 2 / 64])
    assert [c.p_holm for c in both] == pytest.approx([6 / 32, 2 * 2 / 64])
    assert list(both.to_frame()["after"]) == ["new", "sure"]
    assert "<td>sure</td>" in both._repr_html_()
    assert [c.before for c in lk.compare([BEFORE, AFTER], sure)] == ["old", "new"]
    assert [c.before for c in lk.compare((run for run in (BEFORE, AFTER)), sure)] == ["old", "new"]


def test_failures_and_looks_are_told():
    failed = replace(AFTER, failures={"q1": "RuntimeError: x"}, looks=3)
    text = lk.compare(BEFORE, failed).to_text()
    assert "6 queries, 1 of them FAILED" in text
    assert "look 3 at these test queries: pick nothing by them" in text


def test_a_mean_of_zero_has_no_relative_change():
    assert math.isnan(lk.compare(run("none", [0.0] * 6), AFTER).relative)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (BEFORE, run("short", [0.1] * 5), "different queries; only one has q5"),
        (replace(BEFORE, fingerprint="a"), replace(AFTER, fingerprint="b"), "different texts or judgments"),
        ([BEFORE, BEFORE], [AFTER], "as many runs before as after"),
        ([], AFTER, "one at least"),
    ],
)
def test_runs_that_cannot_be_compared_are_refused(before, after, told):
    with pytest.raises(lk.LabError, match=told):
        lk.compare(before, after)


def test_nothing_to_compare_is_said():
    with pytest.raises(lk.LabError, match="nothing to compare"):
        lk.compare(BEFORE, AFTER, queries=["absent"])
    with pytest.raises(lk.LabError, match=r"no measure 'nDCG@5'; they have nDCG@10, RR@10"):
        lk.compare(BEFORE, AFTER, measure="nDCG@5")


def test_two_runs_of_one_collection_know_that_they_belong_together():
    c = Collection("c", {"a": Document("", "a cat"), "b": Document("", "a dog")}, {"q": "cat"}, {"q": {"a": 1}})
    bm25 = lk.BM25Retriever(c)
    assert lk.compare(lk.evaluate(bm25, c), lk.evaluate(bm25, c)).delta == 0
    other = replace(c, qrels={"q": {"a": 2}})
    with pytest.raises(lk.LabError, match="different texts or judgments"):
        lk.compare(lk.evaluate(bm25, c), lk.evaluate(bm25, other))
