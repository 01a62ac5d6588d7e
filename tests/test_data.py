"""What ships in data/: queries, judgments, and a data card that tells the truth about them."""

import re
from collections import Counter
from pathlib import Path

import pytest

import labkit as lk

DATA = Path(__file__).parent.parent / "data"
LINES = (DATA / "README.md").read_text(encoding="utf-8")
CARD = " ".join(LINES.split())
SYSTEMS = ("bm25", "dense", "fusion", "bm25+late", "bm25+late+fusion", "dense+late", "dense+late+fusion")


@pytest.fixture(scope="module")
def c():
    return lk.load_collection("pydocs")


def rows():
    lines = (DATA / "qrels.tsv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "query-id\tcorpus-id\tscore"
    return [line.split("\t") for line in lines[1:]]


def test_nothing_shipped_is_skipped_or_repaired(c):
    assert c.warnings == ()


def test_there_are_at_least_forty_queries_all_dev_all_judged_in_ten_kinds_or_more(c):
    assert len(c.queries) >= 40
    assert c.splits == {"dev": list(c.queries)}
    assert c.qrels.keys() == c.queries.keys()
    assert len({info["kind"] for info in c.query_info.values()}) >= 10


def test_each_pair_is_judged_once_from_0_to_3():
    assert len({(query, doc) for query, doc, _ in rows()}) == len(rows())
    assert {grade for _, _, grade in rows()} == {"0", "1", "2", "3"}


def test_only_queries_without_an_answer_lack_a_positive_judgment(c):
    without = {q for q, grades in c.qrels.items() if not any(grades.values())}
    assert without == {q for q, info in c.query_info.items() if info["kind"] == "no answer"}


def test_there_are_twelve_tickets_and_each_has_a_note(c):
    tickets = {info["ticket"]: info["note"] for info in c.query_info.values() if "ticket" in info}
    assert sorted(tickets, key=lambda ticket: int(ticket[1:])) == [f"T{number}" for number in range(1, 13)]
    assert all(tickets.values())


def test_the_card_counts_what_is_there(c):
    grades = Counter(grade for _, _, grade in rows())
    assert f"{len(c.queries)} queries" in CARD
    told = f"{len(rows()):,} judgments in all: " + ", ".join(f"{grades[g]} of grade {g}" for g in "3210")
    assert told in CARD


def test_the_card_names_every_shipped_file():
    shipped = {path.name for path in DATA.iterdir() if path.name not in ("README.md", "cache", "recipes")}
    assert shipped == {name.rstrip("/") for name in re.findall(r"^\| `([\w./]+)` \|", LINES, re.MULTILINE)}


@pytest.mark.parametrize("name", SYSTEMS)
@pytest.mark.parametrize("k", [50, 100])
def test_all_that_a_system_shows_is_judged(c, name, k):
    system = lk.system(name, c)
    for query_id, text in c.queries.items():
        two = isinstance(system, lk.TwoStage)
        shown = system.search(text, k=k, top_n=10) if two else system.search(text, k=10)
        unjudged = [doc for doc in shown.ids if doc not in c.qrels[query_id]]
        assert len(unjudged) <= 1, (query_id, unjudged)  # one may have drifted in with another version of a package
