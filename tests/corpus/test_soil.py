"""Soil: each dial plants what it says and remembers it; precision and recall are what one counts by hand."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit as lk
from labkit.corpus.edits import patched
from labkit.corpus.repair import parts

DIALS = ("mojibake", "boilerplate", "duplicates", "zero_width", "ocr", "html")
SENTENCE = "The first official coefficient of flow isn't known for a warm layer that holds 5 µm & more."


def collection(count=40):
    docs = {f"d{i}": lk.Document(f"Title {i}", f"{SENTENCE}\nCase {i} is close by. {SENTENCE}") for i in range(count)}
    return lk.Collection("toy", docs, {"q": "flow"}, {"q": {"d0": 1}})


def cleaned(soiled, function):
    return lk.repair(soiled, [function])


@pytest.mark.parametrize(
    ("dial", "planted"),
    [
        ("mojibake", r"ï¬|â€™|Â"),
        ("boilerplate", r"cookies|rights reserved|newsletter"),
        ("zero_width", "[\u200b\u00ad\ufeff\u2060\u200d\u200e]"),
        ("ocr", r"\w[01]|[01]\w|vv|clow|fust|rn"),
        ("html", r"<\w+|&\w+;"),
    ],
)
def test_each_dial_plants_its_kind_and_remembers_where(dial, planted):
    clean = collection()
    soiled = lk.soil(clean, **{dial: 1.0})
    changes = [change for record in soiled.records.values() for change in record.changes]
    assert {change.rule for change in changes} == {dial.replace("_", "-")}
    assert sum(bool(re.search(planted, change.after)) for change in changes) > len(changes) / 4
    for (doc_id, name), record in soiled.records.items():
        assert record.source == dict(parts(clean.docs[doc_id]))[name]
        assert record.text == dict(parts(soiled.docs[doc_id]))[name]
        assert record.undo() == record.source
        for change in record.changes:
            assert record.source[change.start : change.end] == change.before
            assert record.text[change.at : change.at_end] == change.after


def test_copies_are_planted_under_ids_that_no_judgment_knows():
    soiled = lk.soil(collection(), duplicates=1.0)
    assert 4 <= len(soiled.copies) <= 20
    assert all(soiled.docs[copy] == soiled.docs[original] for copy, original in soiled.copies.items())
    assert soiled.qrels == collection().qrels


def test_titles_queries_and_judgments_stay_clean():
    clean = collection()
    soiled = lk.soil(clean, **dict.fromkeys(DIALS, 1.0))
    assert all(soiled.docs[doc_id].title == document.title for doc_id, document in clean.docs.items())
    assert (soiled.queries, soiled.qrels, soiled.clean) == (clean.queries, clean.qrels, clean)


def test_the_same_seed_plants_the_same_and_another_one_elsewhere():
    first, again, other = (lk.soil(collection(), html=0.5, seed=seed) for seed in (1, 1, 2))
    assert first.docs == again.docs
    assert first.docs != other.docs


def test_a_document_is_soiled_alike_whatever_stands_beside_it():
    assert lk.soil(collection(40), ocr=1.0).docs["d3"] == lk.soil(collection(5), ocr=1.0).docs["d3"]


@pytest.mark.parametrize("dial", DIALS)
def test_a_higher_dial_hits_what_a_lower_one_hits(dial):
    low, high = (lk.soil(collection(), **{dial: strength}) for strength in (0.3, 0.9))

    def places(soiled):
        changes = {(key, c.start, c.after) for key, record in soiled.records.items() for c in record.changes}
        return changes | set(soiled.copies)

    assert places(low) < places(high)


def test_all_dials_at_zero_change_nothing():
    clean = collection()
    assert lk.soil(clean).docs == clean.docs


def test_the_dials_are_told_to_the_ledger():
    assert lk.soil(collection(3), ocr=0.2, seed=7).prepared[0] == {
        "name": "soil", "seed": 7, "mojibake": 0.0, "boilerplate": 0.0, "duplicates": 0.0, "zero-width": 0.0,
        "ocr": 0.2, "html": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("value", [-0.1, 1.1, "much", float("nan"), True])
def test_a_dial_outside_of_zero_to_one_says_so(value):
    with pytest.raises(lk.LabError, match="the dial zero_width goes from 0 to 1; got"):
        lk.soil(collection(1), zero_width=value)


def test_the_score_by_hand():
    """Three changes: the first undone, the second left, the third mangled; one harm."""
    docs = {"a": lk.Document("", "one two three four five")}
    soiled = lk.soil(lk.Collection("toy", docs))
    record = planted("one two three four five", [(1, 1, "\u200b"), (4, 7, "tw0w"), (8, 13, "<b>three</b>")])
    soiled.records["a", "text"] = record
    soiled.docs["a"] = lk.Document("", record.text)
    assert record.text == "o\u200bne tw0w <b>three</b> four five"
    fixed = lk.Collection("toy", {"a": lk.Document("", "one tw0w <b>three four fife")})
    score = lk.score_repair(soiled, fixed)
    assert score.planted.total() == 3
    assert (score.undone.total(), score.mangled.total(), score.harm) == (1, 1, 1)
    assert (score.recall, score.precision) == (1 / 3, 1 / 3)
    assert score.examples == (("a", "text", "v", "f"),)


def planted(text, edits):
    from labkit.corpus.edits import Record

    return Record.of(text).then(edits, "html")


def test_a_cleaner_that_does_nothing_has_no_recall_and_one_that_knows_it_all_is_perfect():
    soiled = lk.soil(collection(), **dict.fromkeys(DIALS, 0.7))
    idle = lk.score_repair(soiled, soiled)
    assert (idle.recall, idle.precision, idle.harm) == (0.0, 1.0, 0)
    perfect = lk.score_repair(soiled, soiled.clean)
    assert (perfect.recall, perfect.precision) == (1.0, 1.0)


def lower(text):
    return text.lower()


def strip_punctuation(text):
    return text.translate(str.maketrans("", "", string.punctuation))


def stem(text):
    return re.sub(r"(?<=\w{3})(?:ing|ed|s|e)\b", "", text)


@pytest.mark.parametrize("cleaner", [lower, strip_punctuation, stem])
def test_over_cleaning_costs_precision(cleaner):
    soiled = lk.soil(collection(), html=0.5, zero_width=0.5)
    default = lk.score_repair(soiled, lk.repair(soiled))
    assert default.precision > 0.98
    both = lk.score_repair(soiled, lk.repair(soiled, ["zero-width", "html", cleaner]))
    assert both.precision < 0.5


def test_a_lost_document_is_harm_and_a_copy_counts_once():
    soiled = lk.soil(collection(), duplicates=1.0)
    original = next(iter(soiled.copies.values()))
    left = {key: document for key, document in soiled.docs.items() if key not in (*soiled.copies, original)}
    score = lk.score_repair(soiled, lk.Collection("toy", left))
    assert score.undone["duplicates"] == len(soiled.copies) - 1
    assert score.harm == 1


def test_the_copy_may_stand_for_its_original():
    soiled = lk.soil(collection(), duplicates=1.0)
    left = {key: document for key, document in soiled.docs.items() if key not in set(soiled.copies.values())}
    assert lk.score_repair(soiled, lk.Collection("toy", left)).recall == 1.0


def test_curly_quotes_count_as_straight_ones():
    soiled = lk.soil(lk.Collection("toy", {"a": lk.Document("", "it isn't")}))
    assert lk.score_repair(soiled, lk.Collection("toy", {"a": lk.Document("", "it isn’t")})).harm == 0


def test_a_passage_that_a_cleaner_made_equal_to_title_and_text_is_still_a_passage():
    docs = {"a": lk.Document("Sort", "a list", ("Sort.  a list",))}
    soiled = lk.soil(lk.Collection("toy", docs))
    score = lk.score_repair(soiled, lk.Collection("toy", {"a": lk.Document("Sort", "a list", ("Sort. a list",))}))
    assert score.harm == 1


def test_what_was_not_soiled_or_was_cut_anew_says_so():
    with pytest.raises(lk.LabError, match=r"must come from lk\.soil; got Collection"):
        lk.score_repair(collection(1), collection(1))
    two = lk.soil(lk.Collection("toy", {"a": lk.Document("t", "b", ("b", "c"))}))
    with pytest.raises(lk.LabError, match="a must keep its passage 1"):
        lk.score_repair(two, lk.Collection("toy", {"a": lk.Document("t", "b")}))


@given(st.text(max_size=80), st.sampled_from(DIALS))
def test_no_text_breaks_a_dial(text, dial):
    soiled = lk.soil(lk.Collection("toy", {"a": lk.Document("", text)}), **{dial: 1.0})
    for record in soiled.records.values():
        assert record.undo() == text
        assert patched(text, 0, len(text), [(c.start, c.end, c.after) for c in record.changes]) == record.text
    assert lk.score_repair(soiled, soiled.clean).recall == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.2, 0.5, 1.0])
def test_the_default_repair_reaches_its_figures(cranfield, strength):
    clean = lk.load_collection(str(cranfield))
    soiled = lk.soil(clean, **dict.fromkeys(DIALS, strength))
    repaired = lk.repair(soiled)
    score = lk.score_repair(soiled, repaired)
    assert score.precision >= 0.98
    assert score.recall >= 0.85
    run, dirty, base = (lk.evaluate(lk.BM25Retriever(c), clean) for c in (repaired, soiled, clean))
    cost, back = (lk.compare(dirty, better).delta for better in (base, run))
    assert cost > 0.01
    assert back >= 0.8 * cost


def test_clean_texts_are_left_as_they_are(cranfield):
    clean = lk.load_collection(str(cranfield))
    assert lk.repair(clean).docs == clean.docs
