"""Repair: what each rule takes out, what all must leave alone, and that every change can be found and undone."""

import html
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labkit as lk
from labkit.corpus.chunks import chunked
from labkit.corpus.edits import Change, Record, difference, patched
from labkit.corpus.pydocs import count_wordpieces
from labkit.corpus.repair_catalogue import DEFAULT, DOCSTRINGS
from labkit.evaluation.evaluate import configuration

DIRT = ["Ã©", "â€™", "Â ", "\u200b", "\u00ad", "&amp;", "&lt;", "<b>", "</b>", "<br>", "<!--", "-->", "\r\n", "e\u0301"]
DIRTY = st.lists(st.one_of(st.text(max_size=8), st.sampled_from([*DIRT, "\n", " ", "word", "`", "&", ";", "<", ">"])))
TEXTS = DIRTY.map("".join)


def collection(*texts, title="", qrels=None):
    docs = {f"d{i}": lk.Document(title, text) for i, text in enumerate(texts)}
    return lk.Collection("toy", docs, {"q": "what"}, qrels or {"q": {"d0": 1}})


def words(texts):
    return [len(text.split()) for text in texts]


@pytest.mark.parametrize(
    ("rule", "dirty", "clean"),
    [
        ("mojibake", "cafÃ© dâ€™Ã©tÃ©", "café d’été"),
        ("mojibake", "a coeï¬ƒcient", "a coeﬃcient"),
        ("mojibake", "theÂ wall", "the\u00a0wall"),
        ("mojibake", "10 kÎ© at âˆ’40 Â°C, 5 Âµm", "10 kΩ at −40 °C, 5 µm"),
        ("control", "a\x00b\x1b[0m\tc\fd", "ab[0m\tc\nd"),
        ("zero-width", "bound\u200bary la\u00adyer\ufeff", "boundary layer"),
        ("html", "<p>One</p><p>two <b>three</b></p>", "One two three"),
        ("html", "one<br>two <!-- <b>x</b> --> three", "one two  three"),
        ("html", "Q&amp;A, a &lt; b, 5&nbsp;m, &amp;amp;", "Q&A, a < b, 5\u00a0m, &"),
        ("html", "a<script>var x = '<b>';</script> b", "a b"),
        ("html", '<a href="/x?a=1&amp;b=2">link</a>', "link"),
        ("normal-form", "cafe\u0301 ﬂow", "café flow"),
        ("whitespace", "a\u00a0b\r\nc\u2009d", "a b\nc d"),
        ("signature", "cat(tensors, dim=0) -> Tensor\n\nJoin them.", "Join them."),
        ("doctest", "Sort.\n\n>>> sorted([2, 1])\n[1, 2]\n\nStable.", "Sort.\n\n\nStable."),
        ("deprecation", "Sort.\n\n.. versionadded:: 1.2\n   For all.\n\nStable.", "Sort.\n\n\nStable."),
        ("rest", "Like :class:`~torch.nn.Conv1d`, *not* ``x_``.", "Like Conv1d, not x_."),
        ("sections", "Sort.\n\nParameters\n----------\nx : int\n    What.\n\nReturns\n-------\nint\n",
         "Sort.\n\nParameters:\nx: int. What."),
    ],
)  # fmt: skip
def test_each_rule_takes_out_its_dirt(rule, dirty, clean):
    record = lk.Repair([rule])(dirty)
    assert record.text == clean
    assert {change.rule for change in record.changes} == {rule}
    assert record.undo() == dirty


@pytest.mark.parametrize(
    "text",
    [
        "Order AB-1234/0O, not AB-1234/00 or A81-0l0.",
        "It does not rust, never without oil; don't, can't, non-linear, cannot.",
        "5 µm, 10 kΩ, −40 °C, 3 m², ½ in, 20 Å, 1.5e-3",
        "use on_bad_lines='skip' and StratifiedKFold(n_splits=5), conv1d, log1p, x0, col1",
        "if a < b and b > c: x = List<int>(); y = Dict<str, List<int>>; a <b and c> d",
        "`<b>bold</b>` and `&amp;` in code\n>>> '<b>x</b>' < '&lt;'\n```\n<p>&nbsp;</p>\n```",
        'the "<table>" element and <subset>, <https://json.org>, <module>',
        "AT&T; R&D; &c; &nosuch; a && b;",
        "français Straße Ångström Âge naïve señor Ελληνικά русский 日本語",
        "क्‍ष می‌خواهم 👩‍👩‍👧",
        "    indented\n\n\n        code  with   runs   ",
        "“quoted” – dashed — it’s … fine",
    ],
)
def test_what_is_no_dirt_stays(text):
    text = unicodedata.normalize("NFC", text)
    repaired = lk.repair(collection(text, *["a plain text about walls and layers"] * 3))
    assert repaired.docs["d0"].text == text
    assert lk.Repair()(text).changes == ()


def test_a_record_says_what_was_where_and_maps_back():
    record = lk.Repair()("a &amp; b\u200bc cafÃ©")
    assert record.text == "a & bc café"
    assert record.changes == (
        Change("html", "&amp;", "&", 2, 2),
        Change("zero-width", "\u200b", "", 9, 5),
        Change("mojibake", "Ã©", "é", 15, 10),
    )
    assert record.source_span(4, 6) == (8, 11)
    assert record.source[slice(*record.source_span(10, 11))] == "Ã©"


def test_rules_that_meet_in_one_place_share_its_change():
    (change,) = lk.Repair(["mojibake", "normal-form"])("coeï¬ƒcient").changes
    assert (change.rule, change.before, change.after) == ("mojibake+normal-form", "ï¬ƒ", "ffi")


@given(TEXTS)
def test_no_text_breaks_repair_and_twice_is_once(text):
    record = lk.Repair()(text)
    assert record.undo() == text
    assert lk.Repair()(record.text).changes == ()


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_repairing_a_collection_twice_changes_nothing_more(texts):
    once = lk.repair(collection(*texts))
    assert lk.repair(once).docs == once.docs


@given(st.text(alphabet=" abc.\n`*_:<>-=()[]\\", max_size=200))
def test_no_docstring_breaks_its_rules(text):
    assert lk.Repair(DOCSTRINGS)(text).undo() == text


@given(TEXTS, st.data())
def test_characters_outside_of_changes_map_back_to_themselves(text, data):
    record = lk.Repair()(text)
    changed = {i for c in record.changes for i in range(c.at, c.at_end)}
    for place in range(len(record.text)):
        start, end = record.source_span(place, place + 1)
        if place not in changed:
            assert text[start:end] == record.text[place]
    low, high = sorted(data.draw(st.tuples(*[st.integers(0, len(record.text))] * 2)))
    start, end = record.source_span(low, high)
    assert 0 <= start <= len(text)
    assert 0 <= end <= len(text)
    assert start <= end or low == high


@given(st.text(max_size=30), st.data())
def test_rounds_of_edits_compose(text, data):
    record = Record.of(text)
    for _ in range(4):
        cuts = sorted(data.draw(st.lists(st.integers(0, len(record.text)), max_size=6)))
        edits = [(a, b, data.draw(st.text(max_size=3))) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
        before = record.text
        record = record.then(edits, "r")
        assert record.text == patched(before, 0, len(before), sorted(edits))
        assert record.undo() == text
        assert patched(text, 0, len(text), [(c.start, c.end, c.after) for c in record.changes]) == record.text


@given(st.text(alphabet="ab \n", max_size=40), st.text(alphabet="ab \n", max_size=40))
def test_a_difference_turns_one_text_into_the_other(old, new):
    assert patched(old, 0, len(old), difference(old, new)) == new


CHROME = ("Home | Products | Contact", "We use cookies. Accept all", "© 2024 Northwind. All rights reserved.")


def site(count=8):
    footer = "Last changed 1{i} March 2024\n" + f"{CHROME[1]}\nSeen {{i}} times\n{CHROME[2]}"
    return [f"{CHROME[0]}\nModel {i}\nText {i} is about walls.\n{footer.format(i=i)}" for i in range(count)]


def test_lines_that_repeat_at_the_ends_are_boilerplate():
    repaired = lk.repair(collection(*site()))
    assert [document.text for document in repaired.docs.values()] == [
        f"Model {i}\nText {i} is about walls." for i in range(8)
    ]


def test_lines_that_speak_of_what_the_documents_speak_of_are_not():
    texts = [
        f"Parameters of wall {i}\nThe wall bends when the load is {i}.\nSee the wall and the load." for i in range(9)
    ]
    assert lk.repair(collection(*texts)).changes == {}


@pytest.mark.parametrize("line", ["Do not use near mains voltage.", "Fits AB-1234 only.", "Rated 10 kΩ everywhere"])
def test_a_repeated_line_with_a_negation_a_part_number_or_a_unit_stays(line):
    texts = [f"Text {i} is about walls.\n{line}" for i in range(9)]
    assert lk.repair(collection(*texts)).changes == {}


def test_a_document_of_boilerplate_alone_is_not_emptied():
    repaired = lk.repair(collection(*site(), "\n".join(CHROME[:2]), "x"))
    assert repaired.docs["d8"].text == "\n".join(CHROME[:2])


def test_misread_words_are_mended_where_the_collection_knows_the_word():
    texts = [*[f"the boundary layer flow {i}" for i in range(6)], "the b0undary 1ayer flovv", "a f0ward gl0wing"]
    repaired = lk.repair(collection(*texts))
    assert repaired.docs["d6"].text == "the boundary layer flow"
    assert repaired.docs["d7"].text == "a f0ward gl0wing", "no other document has these words"


def test_a_word_that_could_be_misread_is_left_where_nothing_else_is():
    texts = [*["the clamped plate"] * 40, "a damped oscillation, a modem and a stern warning", *["modern stem"] * 40]
    docs = lk.repair(collection(*(f"{text} {i}" for i, text in enumerate(texts)))).docs
    assert docs["d40"].text == f"{texts[40]} 40"


def test_a_rare_word_that_two_frequent_ones_make_up_is_read_so_and_no_other():
    scanned = ["the 1ayer", "a b0undary"]  # without a plain misreading nothing else counts as one
    known = ["the boundary layer", "an edge with items"] * 6
    rare = ["edgeitems here", "edgeitems there", "edgeiterns now", "an intern", "an intern again", "a stern intern"]
    docs = lk.repair(collection(*(f"{text} {i}" for i, text in enumerate([*known, *scanned, *rare])))).docs
    assert [docs[f"d{i}"].text for i in range(14, 20)] == [f"{rare[0]} 14", f"{rare[1]} 15", "edgeitems now 16"] + [
        f"{text} {i}" for i, text in enumerate(rare[3:], start=17)
    ]


def test_a_name_that_stands_in_code_counts_as_a_word_that_stands_right():
    def read(line):
        lines = ["the boundary layer flow"] * 30 + ["the b0undary flow", "stclout"]
        lines += [f"stdout {line}"] * 9
        return lk.repair(collection(*(f"{text} {i}" for i, text in enumerate(lines)))).docs["d31"].text

    assert read("") == "stclout 31"
    assert read("f(stdout=1), g(stdout=2), h(stdout=3), stdout.read(), x(stdout=4), y(stdout=5)") == "stdout 31"


def test_copies_are_merged_into_the_judged_one_and_judgments_follow():
    qrels = {"q": {"d1": 1, "d2": 3}, "p": {"d3": 1}}
    repaired = lk.repair(collection("same", "same", "sa\u200bme", "other", "", "", qrels=qrels))
    assert list(repaired.docs) == ["d1", "d3", "d4", "d5"]
    assert repaired.merged == {"d0": "d1", "d2": "d1"}
    assert repaired.qrels == {"q": {"d1": 3}, "p": {"d3": 1}}


def test_passages_are_repaired_and_titles_too():
    documents = {"d": lk.Document("Caf\u200bÃ©", "a &amp; b", ("Cafe. a &amp; b", "c &lt; d"))}
    repaired = lk.repair(lk.Collection("toy", documents))
    assert repaired.docs["d"] == lk.Document("Caf\u200bÃ©".replace("\u200bÃ©", "é"), "a & b", ("Cafe. a & b", "c < d"))


def test_the_rules_are_part_of_the_configuration_of_a_run_and_of_the_data_hash():
    dirty = collection("a &amp; b", "c")
    clean = lk.repair(dirty, ["html"])
    assert clean.prepared == ({"name": "repair", "rules": [{"name": "html", "version": 1}]},)
    assert clean.fingerprint != dirty.fingerprint
    told = configuration(lk.BM25Retriever(clean), 10)
    assert told["texts"]["steps"] == [clean.prepared[0]]
    assert "texts" not in configuration(lk.BM25Retriever(dirty), 10)
    assert clean.split("all").prepared == clean.prepared


def test_a_cleaner_of_your_own_is_a_rule():
    def lower(text):
        return text.lower()

    repaired = lk.repair(collection("A Wall"), ["html", lower])
    assert repaired.docs["d0"].text == "a wall"
    assert [rule["name"] for rule in repaired.prepared[0]["rules"]] == ["html", "lower"]
    assert repaired.changes == {"lower": 2}


def test_what_is_no_rule_and_no_text_says_so():
    with pytest.raises(lk.LabError, match="there is no rule 'moji'; there is mojibake, control"):
        lk.Repair(["moji"])
    with pytest.raises(lk.LabError, match="rules must be a list of names or functions; got the string 'html'"):
        lk.Repair("html")
    with pytest.raises(lk.LabError, match="a rule is a name or a function"):
        lk.Repair([3])
    with pytest.raises(lk.LabError, match="text must be a string; got bytes"):
        lk.Repair()(b"bytes")
    with pytest.raises(lk.LabError, match="text of d0 must be valid Unicode; got a lone surrogate"):
        lk.repair(collection("bad \ud800 half"))
    with pytest.raises(lk.LabError, match="what nothing returns must be a string; got NoneType"):
        lk.repair(collection("a"), [nothing])


def nothing(text):
    return None


def test_a_repair_can_learn_from_one_collection_and_repair_a_text_of_another():
    repair = lk.Repair().learn(site())
    assert repair(f"{CHROME[0]}\nA new text.").text == "A new text."
    assert lk.Repair()(f"{CHROME[0]}\nA new text.").changes == ()


@pytest.mark.parametrize(
    "unit",
    ["<", "<b ", "<!--", "&amp;", "&", "`", "Ã©", "\u200b", "<script>", "a\n", "rn0", "x", "x1", "e\u0301", "<b></b>"],
)
def test_the_time_for_a_long_line_grows_with_its_length_not_with_its_square(unit):
    def seconds(count):
        began = time.process_time()
        repaired = lk.repair(collection(unit * count))
        assert all(record.undo() == unit * count for record in repaired.records.values())
        return time.process_time() - began

    seconds(100)
    assert seconds(32_000) < 40 * seconds(4_000) + 1  # 8 times as long


def test_docstrings_are_repaired_step_by_step():
    raw = lk.load_collection("pydocs-raw")
    some = lk.Collection("some", {name: raw.docs[name] for name in ("pandas.read_csv", "numpy.unique", "torch.cat")})
    sizes = []
    for steps in range(len(DOCSTRINGS) + 1):
        repaired = lk.repair(some, DOCSTRINGS[:steps])
        sizes.append(sum(len(document.text) for document in repaired.docs.values()))
    assert sizes == sorted(sizes, reverse=True)
    text = repaired.docs["pandas.read_csv"].text
    assert "on_bad_lines" in text
    assert ">>>" not in text
    assert "versionadded" not in text
    assert "``" not in text


def test_chunks_end_between_paragraphs_then_sentences_then_words():
    text = "One two three. Four five.\n\nSix seven eight nine.\n\nTen."
    assert [c.text for c in lk.chunk(text, words, 5)] == ["One two three. Four five.", "Six seven eight nine.\n\nTen."]
    assert [c.text for c in lk.chunk(text, words, 3)] == [
        "One two three.", "Four five.", "Six seven eight", "nine.\n\nTen."
    ]  # fmt: skip


def test_chunks_carry_the_title_overlap_and_their_place():
    text = "Aa bb. Cc dd. Ee ff. Gg hh."
    chunks = lk.chunk(text, words, 5, overlap=2, title="T")
    assert [c.text for c in chunks] == ["T. Aa bb. Cc dd.", "T. Cc dd. Ee ff.", "T. Ee ff. Gg hh."]
    assert [c.id for c in chunks] == ["0-13", "7-20", "14-27"]
    assert [text[c.start : c.end] for c in chunks] == [c.text.removeprefix("T. ") for c in chunks]


def test_an_abbreviation_ends_no_sentence():
    text = "Use it, e.g. here or i.e. there. Then stop."
    assert [c.text for c in lk.chunk(text, words, 8)] == ["Use it, e.g. here or i.e. there.", "Then stop."]


@given(st.text(alphabet="ab. \n", max_size=300), st.integers(3, 12), st.integers(0, 1))
def test_chunks_fit_and_lose_no_word(text, limit, overlap):
    chunks = lk.chunk(text, words, limit, overlap, title="t")
    assert all(size <= limit for size in words([c.text for c in chunks]))
    assert all(c.text == f"t. {text[c.start : c.end]}" for c in chunks)
    covered = {i for c in chunks for i in range(c.start, c.end)}
    assert all(i in covered for i, letter in enumerate(text) if not letter.isspace())
    assert [c.start for c in chunks] == sorted({c.start for c in chunks})


def test_a_collection_is_chunked_for_the_encoder_at_hand():
    raw = lk.load_collection("pydocs-raw")
    some = lk.Collection("some", {"pandas.read_csv": raw.docs["pandas.read_csv"]})
    cut = chunked(some, count_wordpieces, limit=200, overlap=20)
    assert max(count_wordpieces(cut.passages)) <= 200
    assert all(passage.startswith("pandas.read_csv. ") for passage in cut.passages)
    assert any("on_bad_lines" in passage for passage in cut.passages)
    assert cut.prepared == ({"name": "chunk", "limit": 200, "overlap": 20},)


def test_chunks_that_cannot_be_say_why():
    with pytest.raises(lk.LabError, match="the title must leave room for text; it takes all of the 2 tokens"):
        lk.chunk("a b", words, 2, title="much too long")
    with pytest.raises(lk.LabError, match="overlap must be a whole number from 0 to 5, half of the room; got 6"):
        lk.chunk("a b", words, 10, overlap=6)


def test_the_default_leaves_docstring_rules_out():
    assert not {*DEFAULT} & {*DOCSTRINGS}
    assert html.unescape("&amp;") == lk.Repair()("&amp;").text


def test_a_soiled_collection_is_repaired_in_one_go():
    text = "the clear boundary layer flow of modern walls in {} places, slow and turning, is told now for all"
    soiled = lk.soil(collection(*(text.format(i) for i in range(60))), ocr=1.0, html=1.0, mojibake=1.0, boilerplate=0.5)
    once = lk.repair(soiled)
    assert {"ocr", "html", "mojibake", "boilerplate"} <= once.changes.keys()
    assert lk.repair(once).changes == {}


def test_progress_watches_the_rules_and_the_texts(monkeypatch):
    shown = []
    bar = "labkit.corpus.repair.bar"
    monkeypatch.setattr(bar, lambda items, what, unit, show: shown.append((what, len(items), show)) or items)
    lk.repair(lk.Collection("c", {"a": lk.Document("one", "two"), "b": lk.Document("", "three")}), progress=True)
    assert shown == [("repair: find", len(DEFAULT), True), ("repair: settle", 4, True)]
