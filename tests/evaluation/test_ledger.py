"""The ledger and the peek counter: what is kept, what is asked, and what survives."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from typer.testing import CliRunner

import labkit as lk
from labkit.cli import app
from labkit.corpus.collection import Collection, Document
from labkit.evaluation.knobs import changes
from labkit.records import append_line, read_lines
from labkit.views.chain import Chain

DOCS = {"a": Document("", "a cat sat on a mat"), "b": Document("", "a dog"), "c": Document("", "cat and dog")}
QUERIES = {"q1": "cat", "q2": "dog", "q3": "fish"}
C = Collection(
    "pets", DOCS, QUERIES, {"q1": {"a": 1}, "q2": {"b": 2}, "q3": {"a": 0}}, {"dev": ["q1"], "test": ["q2", "q3"]}
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


def run(split="dev", note="", k=100, collection=C, **settings):
    return lk.evaluate(lk.BM25Retriever(collection, **settings), collection, split, k=k, note=note)


def test_every_evaluate_writes_a_line_with_all_that_made_it(home):
    result = run(note="first")
    line = json.loads((home / "ledger.jsonl").read_text())
    assert line["run_id"] == result.run_id
    assert line["configuration"] == {
        "first": {"name": "bm25", "k1": 1.2, "b": 0.75, "stop words": "en"}, "reranker": None, "k": 100,
    }  # fmt: skip
    assert line["per_query"] == result.per_query
    assert {"code", "data", "versions", "latency_ms", "seconds_per_1000", "at", "failures"} <= line.keys()
    assert line["versions"]["numpy"]
    assert line["note"] == "first"


def test_a_parent_is_the_run_that_differs_least():
    run()
    run(k1=0.9, b=0.3)
    run(k1=0.9)
    runs = list(lk.ledger())
    run(k1=0.9, b=0.3, k=50)
    runs = list(lk.ledger())
    assert [r.parent for r in runs] == [None, 1, 1, 2]
    assert runs[2].changed == ("first.k1: 1.2 → 0.9",)
    assert runs[3].changed == ("k: 100 → 50",)
    assert set(runs[1].changed) == {"first.k1: 1.2 → 0.9", "first.b: 0.75 → 0.3"}


def test_two_changes_at_once_are_asked_about_and_one_is_not():
    run()
    run(k1=0.9, b=0.3)
    run(k1=0.9, b=0.3, k=50)
    asked = [r.question for r in lk.ledger()]
    assert asked == ["", "2 changes at once: which one did it?", ""]
    assert "2 changes at once" in lk.ledger().to_text()


def test_runs_over_other_queries_are_no_parents():
    run("dev")
    run("test")
    assert [r.parent for r in lk.ledger()] == [None, None]
    assert len(lk.ledger(split="test")) == 1
    assert lk.ledger(split="test").runs[0].number == 2


def test_a_changed_collection_is_a_change():
    run()
    run(collection=replace(C, docs={**DOCS, "b": Document("", "a big dog")}))
    assert lk.ledger()[2].changed == ("data: texts, queries or judgments changed",)


def test_diff_names_the_first_cause_first(home):
    run()
    run(k1=2.0)
    lines = [json.loads(line) for line in (home / "ledger.jsonl").read_text().splitlines()]
    lines[1] |= {"code": "000000000000", "versions": {**lines[1]["versions"], "numpy": "1.0"}}
    (home / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = lk.ledger().diff(1, 2)
    assert found[0] == "first.k1: 1.2 → 2.0"
    assert found[1].startswith("code: ")
    assert found[2].startswith("version of numpy: ")
    assert lk.ledger().diff(1, 1) == ()


def test_a_torn_last_line_is_counted_and_costs_no_other_run(home):
    run()
    with (home / "ledger.jsonl").open("a") as file:
        file.write('{"system": "bm25", "met')
    run(k1=0.9)
    assert len(lk.ledger()) == 2
    assert "1 torn lines skipped." in lk.ledger().to_text()


def test_two_writers_lose_nothing(home):
    code = """
from labkit.records import append_line
for i in range(60):
    append_line("x.jsonl", {"i": i, "pad": "x" * 9000})
"""
    children = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [child.wait() for child in children] == [0, 0]
    assert sorted(line["i"] for line in read_lines("x.jsonl")) == sorted([*range(60)] * 2)


def test_a_ledger_that_cannot_be_written_is_a_warning_and_the_run_counts(home):
    (home / "ledger.jsonl").mkdir()
    with pytest.warns(UserWarning, match="not written to the ledger"):
        assert run().queries == 1
    with pytest.raises(lk.LabError, match=r"no ledger 'nowhere\.jsonl'"):
        lk.ledger("nowhere.jsonl")


def test_an_empty_ledger_says_how_it_fills():
    assert "lk.evaluate() writes them" in repr(lk.ledger())
    with pytest.raises(lk.LabError, match="runs 1 to 0"):
        lk.ledger()[1]


def test_a_system_that_does_not_tell_counts_by_its_name():
    class Mine:
        name, collection = "mine <b>", C

        def search(self, query, k=50):
            return lk.BM25Retriever(C).search(query, k)

    run()
    lk.evaluate(Mine(), C)
    assert lk.ledger()[2].changed == ("first: bm25 → mine <b>",)
    assert "mine &lt;b&gt;" in lk.ledger()._repr_html_()


def test_parts_of_other_names_are_one_difference():
    old = {"first": {"name": "fusion", "sides": [{"name": "bm25", "k1": 1}, {"name": "dense"}]}, "reranker": None}
    new = {
        "first": {"name": "fusion", "sides": [{"name": "bm25", "k1": 2}, {"name": "dense"}]},
        "reranker": {"name": "late"},
    }
    assert changes(old, new) == ("first.sides 1.k1: 1 → 2", "reranker: none → late")
    assert changes({"first": {"name": "a"}}, {"first": {"first": {"name": "a"}, "reranker": {"name": "b"}}}) == (
        "first: a → a+b",
    )


def test_each_look_at_test_is_counted_and_told_ever_after():
    assert "look" not in repr(run("dev"))
    assert "look 1 at these test queries" in repr(run("test"))
    assert "look 2 at these test queries: pick nothing by them" in repr(run("test", k1=0.9))
    assert run("all").looks == 3
    later = run("test")
    assert "look 4 at these test queries" in lk.compare(later, later).to_text()


def test_the_command_line_notes_and_counts_too(tmp_path):
    folder = tmp_path / "pets"
    folder.mkdir()
    rows = [{"_id": key, "title": "", "text": document.text} for key, document in DOCS.items()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "cat", "split": "test"}\n')
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\ta\t1\n")
    command = ["evaluate", "--collection", str(folder), "--reranker", "none", "--split", "test", "--note", "why not"]
    result = CliRunner().invoke(app, [*command, "--json"])
    assert json.loads(result.stdout)["queries"] == 1
    assert "look 1 at these test queries" in result.stderr
    assert lk.ledger()[1].told["note"] == "why not"


def test_a_look_that_cannot_be_recorded_shows_nothing(home):
    (home / "peeks.jsonl").mkdir()
    with pytest.raises(lk.LabError, match="must be recorded first"):
        run("test")


def test_a_collection_without_a_test_split_has_no_counter():
    assert run("all", collection=replace(C, splits={})).looks == 0


def test_queries_without_an_answer_are_ranked_and_kept_apart():
    result = run("test")
    assert result.queries == 1
    assert result.unanswerable == 1
    assert result.false_accepts() == 0  # "fish" finds nothing at all


def test_records_appended_meanwhile_are_read():
    append_line("x.jsonl", {"i": 1})
    assert [line["i"] for line in read_lines("x.jsonl")] == [1]


def test_the_chain_draws_every_run_and_marks_those_that_changed_several_things():
    run()
    run(k1=0.9)
    run(k1=0.5, b=0.1, k=50)
    chain = Chain(lk.ledger())
    svg = chain.to_svg()
    assert svg.count(">bm25<") == 0  # names stand with their numbers
    for label in ("1  bm25", "2  bm25", "the first", "first.k1: 1.2 → 0.9", "orange diamonds"):
        assert label in svg
    assert "3 changes at once" in chain.to_text()


def test_a_chain_over_other_queries_is_refused():
    with pytest.raises(lk.LabError, match="no runs to draw"):
        Chain(lk.ledger())
    run("dev")
    run("test")
    with pytest.raises(lk.LabError, match="Name collection and split"):
        Chain(lk.ledger())


def test_the_command_line_prints_runs_and_why_two_differ():
    run()
    run(k1=0.9)
    shown = CliRunner().invoke(app, ["ledger", "--split", "dev"])
    assert "first.k1: 1.2 → 0.9" in shown.output
    told = json.loads(CliRunner().invoke(app, ["ledger", "--json"]).output)
    assert [(line["run"], line["parent"]) for line in told] == [(1, None), (2, 1)]
    assert "first.k1: 1.2 → 0.9" in CliRunner().invoke(app, ["ledger", "diff", "1", "2"]).output
    assert "Nothing differs" in CliRunner().invoke(app, ["ledger", "diff", "1", "1"]).output


def test_movers_name_the_right_document_its_ranks_and_carry_receipts():
    docs = {**DOCS, "d": Document("", "my cat"), "e": Document("", "the cat ate")}
    c = Collection("c", docs, {"q1": "cat", "q2": "dog"}, {"q1": {"d": 3, "a": 0}, "q2": {"b": 1}})
    before = lk.evaluate(lk.BM25Retriever(c), c)

    class Worse(lk.BM25Retriever):
        def search(self, query, k=50):
            ranking = super().search(query, k)
            return replace(ranking, hits=ranking.hits[::-1]) if query == "cat" else ranking

    after = lk.evaluate(Worse(c), c)
    old, new = (run.rankings["q1"].ids.index("d") + 1 for run in (before, after))
    (loss,) = lk.movers(before, after, c)
    assert (loss.query_id, loss.right) == ("q1", "d")
    assert loss.delta < 0
    assert loss.receipts["d"].score == pytest.approx(lk.receipt("cat", "my cat").score, rel=1e-3)
    assert f"d: {old} → {new}" in repr(loss)
    assert f"on top now: {loss.top}" in repr(loss)
