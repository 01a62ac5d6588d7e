"""What ships in data/: queries, judgments, and a data card that tells the truth about them."""

import re
from collections import Counter
from pathlib import Path

import pytest

import labkit as lk
from data.recipes import overlap

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


def test_every_query_is_judged_and_half_of_each_kind_is_test(c):
    assert len(c.queries) >= 200
    assert c.qrels.keys() == c.queries.keys()
    assert set(c.splits) == {"dev", "test"}
    assert sorted(c.splits["dev"] + c.splits["test"]) == sorted(c.queries)
    dev, test = (Counter(c.query_info[q]["kind"] for q in c.splits[half]) for half in ("dev", "test"))
    assert len(dev) >= 10
    assert all(abs(dev[kind] - test[kind]) <= 1 for kind in dev | test)
    assert sum(min(dev[kind], test[kind]) >= 15 for kind in dev) >= 4


def test_no_two_queries_have_the_same_text(c):
    assert len({" ".join(text.lower().split()) for text in c.queries.values()}) == len(c.queries)


def test_long_queries_are_longer_than_32_word_pieces(c):
    long = [c.queries[q] for q, info in c.query_info.items() if info["kind"] == "long query"]
    assert min(len(ids) for ids in lk.load_encoder().model.tokenizer(long)["input_ids"]) > 32


def test_paraphrases_share_less_than_a_fifth_of_their_words_with_their_answers(c):
    shares = overlap.shares_by_kind(c)
    assert sum(shares["paraphrase"]) / len(shares["paraphrase"]) < 0.2
    for kind, found in shares.items():
        told = re.search(rf"^\| {kind} \| \d+ \+ \d+ \| (\d+) % \|", LINES, re.MULTILINE)
        assert told, f"the card lacks {kind}"
        assert int(told[1]) == pytest.approx(100 * sum(found) / len(found), abs=1.5), kind


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
    kinds = Counter((info["kind"], q in c.splits["test"]) for q, info in c.query_info.items())
    for kind, _ in kinds:
        assert f"| {kind} | {kinds[kind, False]} + {kinds[kind, True]} |" in LINES
    told = f"{len(rows()):,} judgments in all: " + ", ".join(f"{grades[g]} of grade {g}" for g in "3210")
    assert told in CARD


def test_the_card_names_every_shipped_file():
    shipped = {path.name for path in DATA.iterdir() if path.name not in ("README.md", "cache", "recipes")}
    assert shipped == {name.rstrip("/") for name in re.findall(r"^\| `([\w./]+)` \|", LINES, re.MULTILINE)}


@pytest.mark.parametrize("name", SYSTEMS)
def test_nearly_all_that_a_system_shows_is_judged_in_both_halves(c, name):
    check_judged(c, name, 100)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*(name for name in SYSTEMS if "late" in name), "bm25+cross"])
def test_that_holds_with_fifty_candidates_too(c, name):
    check_judged(c, name, 50)


def check_judged(c, name, k):
    system = lk.system(name, c)
    two = isinstance(system, lk.TwoStage)
    for half, queries in c.splits.items():
        judged = shown = 0
        for query_id in queries:
            text = c.queries[query_id]
            ids = (system.search(text, k=k, top_n=10) if two else system.search(text, k=10)).ids
            judged, shown = judged + sum(doc in c.qrels[query_id] for doc in ids), shown + len(ids)
        assert judged / shown >= 0.97, half
