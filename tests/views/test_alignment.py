"""The alignment: by hand, then the same numbers in every form, then the widget, then what can go wrong."""

import base64
import copy
import importlib.util
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

import labkit as lk
from labkit.encoding.encoders import Encoder
from labkit.ranking.ranking import Hit, Ranking
from labkit.ranking.rerankers import Reranker
from labkit.ranking.scored import Scored
from labkit.views import alignment_words as words
from labkit.views.aligner import Aligner
from labkit.views.alignment import Alignment
from labkit.views.pieces import Fold, folded, read, runs
from labkit.views.show_alignment import Tokens
from labkit.views.widget import source
from tests.views.front_end import FrontEnd, growth
from tests.views.parsed import assert_only_ours
from tests.views.toy_encoder import ToyEncoder

# rows (1, 0), row (.8, .6), columns (.6, -.8), the (0, 1), of (0, .5)
DOCS = {"A": "columns of the row", "B": "the rows", "C": "columns"}
QUERY = "the rows"


@pytest.fixture
def source_of_toys():
    return Tokens(DOCS, ToyEncoder())


@pytest.fixture(scope="module")
def encoder():
    return lk.load_encoder(store=False)


def test_the_scores_by_hand(source_of_toys):
    view = source_of_toys.draw(QUERY)
    assert [(m.name, round(m.score, 6)) for m in view.matches] == [("B", 2.0), ("A", 1.8), ("C", -0.2)]
    the, rows = view.lines
    assert (the.partner, the.earned, the.rival, the.rival_earned) == ("the", 1.0, "the", 1.0)
    assert (rows.partner, rows.earned, rows.rival) == ("rows", 1.0, "row")
    assert rows.rival_earned == pytest.approx(0.8)
    assert view.function_share() == pytest.approx(0.5)


def test_the_sentences_by_hand(source_of_toys):
    view = source_of_toys.draw(QUERY)
    assert words.headline(view) == "B is above A by 0.20."
    assert words.reasons(view) == [
        ("+0.20", "rows", "matches “rows” (1.00); in A “row” (0.80)"),
        ("+0.00", "1 other", "the rest of the query"),
    ]
    assert words.function_words(view) == (
        "Function words (the) earn 50% of B’s score: 1.00 of 2.00. Of the difference to A they make +0.00. "
        "Without them it would still be at rank 1 of these 3."
    )
    assert words.receipt(view) == "The receipt balances: its rows sum to 2.0000, and the score is 2.0000."


def test_the_reasons_name_function_words_pieces_and_what_speaks_most_against():
    source = Tokens({"A": "rows", "B": "the the the row"}, ToyEncoder())
    view = source.draw("the rows", shown=1, against=0)
    told = words.reasons(view)
    assert told[0].words == "the"
    assert told[0].why.endswith("; a function word")
    assert told[1].words == "1 other"
    assert told[1].why == f"the rest of the query, “rows” with {told[1].difference} among them"


def test_the_lower_one_is_told_from_its_side(source_of_toys):
    view = source_of_toys.draw(QUERY, shown=0, against=1)
    assert words.headline(view) == "A is below B by 0.20."
    assert words.reasons(view)[0] == ("-0.20", "rows", "matches “row” (0.80); in B “rows” (1.00)")


def test_tokens_left_out_change_scores_and_ranks():
    view = Tokens({"A": "the the", "B": "row"}, ToyEncoder()).draw(QUERY, without=["function word"])
    assert [m.name for m in view.matches] == ["B", "A"]
    assert [round(view.score(m), 6) for m in view.matches] == [0.8, 0.0]
    flipped = Tokens({"A": "the columns", "B": "row"}, ToyEncoder())
    assert [m.name for m in flipped.draw(QUERY).matches] == ["A", "B"]
    without = flipped.draw(QUERY, without=["function word"])
    assert [without.rank(m) for m in without.matches] == [2, 1]
    assert words.headline(without) == "A is below B by 0.20 without function words."
    assert without.standings()[0] == ("1", "A", "1.60", "0.60", "2")


def test_without_a_rival_the_largest_parts_are_told(source_of_toys):
    for view in (source_of_toys.draw(QUERY, against=-2), Tokens(["the rows"], ToyEncoder()).draw(QUERY)):
        assert words.headline(view).endswith(" scores 2.00.")
        assert words.reasons(view)[0][0] == "1.00"
        assert len(view.head()) == 5


def test_reasons_sum_to_the_lead_whatever_counts():
    text = "the rows of a table and some other words that are counted here"
    drawn = Tokens({"A": "columns of words here", "B": "the row table counted"}, ToyEncoder())
    for without in ([], ["function word"]):
        view = drawn.draw(text, without=without)
        told = sum(float(reason.difference) for reason in words.reasons(view))
        assert told == pytest.approx(view.lead(), abs=0.021)


def test_a_receipt_that_does_not_balance_is_told_in_red(source_of_toys):
    good = source_of_toys.draw(QUERY)
    bad = Alignment(good.query, [replace(good.matches[0], score=2.5), *good.matches[1:]])
    assert "The receipt of B does NOT balance: its rows sum to 2.0000, and the score is 2.5000." in bad.to_text()
    assert "lk-bad" in bad.to_html().split("</style>")[1]
    assert bad.scene()["balanced"] is False
    assert "lk-bad" not in good.to_html().split("</style>")[1]
    assert good.scene()["balanced"] is True


@pytest.mark.parametrize("state", [{}, {"without": ["function word"]}, {"shown": 0, "against": 2}, {"against": -2}])
def test_text_html_svg_and_scene_hold_the_same_numbers(source_of_toys, state):
    view = source_of_toys.draw(QUERY, **state)
    page, svg = assert_only_ours(view.to_html()).text, "".join(ET.fromstring(view.to_svg()).itertext())
    text, scene = view.to_text(), json.dumps(view.scene(), ensure_ascii=False)
    sentences = [words.headline(view), words.function_words(view), words.receipt(view)]
    parts = [part for reason in words.reasons(view) for part in reason]
    for part in [*sentences, *parts]:
        assert all(part in form for form in (text, page, scene))
        assert "".join(part.split()) in "".join(svg.split())
    for row in view.rows():
        assert list(row.cells) in [r["cells"] for r in view.scene()["rows"]]
        for cell in row.cells:
            assert cell in text
            assert cell in page
        for number in (3, *((6, 7) if view.against else ())):
            assert row.cells[number] in svg


def test_a_view_is_the_same_each_time(source_of_toys):
    one, two = (Tokens(DOCS, ToyEncoder()).draw(QUERY) for _ in range(2))
    assert one.to_html() == two.to_html()
    assert one.to_svg() == two.to_svg()
    assert repr(one) == repr(two)
    assert one._repr_mimebundle_() == {"text/html": one.to_html(), "text/plain": repr(one)}


def test_the_numbers_are_those_of_the_receipt(encoder):
    query, text = "how do I find the rows", "Return the rows of a pairwise table."
    view = lk.show_alignment(query, [text], encoder).picture
    receipt = lk.receipt(query, text, encoder)
    assert view.shown.score == receipt.score
    assert view.function_share() == pytest.approx(receipt.share_of("function word"))
    assert view.shown.best == pytest.approx([row.similarity for row in receipt.rows])


# Words, folds, cuts


def test_wordpieces_are_joined_into_words_of_the_text(encoder):
    text = "Pairwise_DISTANCES, naïvely"
    found = read(text, encoder.encode_documents([text]))
    assert [word.label for word in found.words] == ["Pairwise", "_", "DISTANCES", ",", "naïvely"]
    assert "".join(run.text for run in runs(found)) == text
    assert found.named(1) == "“wise” of “Pairwise”"


@pytest.mark.parametrize(
    "text",
    ["日本語の文書", "شبكة عصبية", "नमस्ते दुनिया", "👩‍👩‍👧 rows 🏳️‍🌈", "e\u0301te\u0301", "[SEP] [MASK]", "a  b\n\nc"],
)
def test_other_scripts_and_emoji_are_shown_as_they_are(encoder, text):
    view = lk.show_alignment("rows 日本 👩", [text, "rows"], encoder)
    shown = "".join(run.text for run in runs(read(text, encoder.encode_documents([text]))))
    assert shown == text
    assert_only_ours(view.to_html())
    assert view.picture.balanced


def test_long_stretches_without_a_match_are_folded(source_of_toys):
    text = "word " * 50 + "rows " + "word " * 8
    found = read(text, ToyEncoder().encode_documents([text]))
    parts = list(folded(runs(found), {50}))
    assert isinstance(parts[0], Fold)
    assert parts[0].count == 43
    assert sum(bool(part.positions) for part in parts[1:]) == 7 + 1 + 8
    assert "… 43 tokens …" in Tokens([text], ToyEncoder()).draw("rows").to_html()


def test_the_cut_is_shown_where_it_falls(encoder):
    text = "rows " + "word " * 300 + "never read"
    [lost] = encoder.encode_documents([text]).lost
    view = lk.show_alignment("rows", [text], encoder)
    assert f"document 1: its last {lost} wordpieces are beyond the limit: not read." in view.to_text()
    shown = assert_only_ours(view.to_html()).text
    assert "✂ cut here: not read" in shown
    assert view.scene["panels"][0]["unread"].startswith(" word word")


def test_a_query_beyond_the_limit_says_so(encoder):
    assert "The query's last 38 wordpieces" in lk.show_alignment("rows " * 100, ["rows"], encoder).to_text()


# The widget


def test_editing_choosing_and_toggling_come_back_as_scenes():
    widget = lk.show_alignment(QUERY, DOCS, ToyEncoder())
    front = FrontEnd(widget)
    front.set(query="columns")
    assert front.received("scene")["headline"].startswith("A is above C by") or "same as" in widget.scene["headline"]
    assert [doc["name"] for doc in widget.scene["docs"] if doc["shown"]] == ["A"]
    front.set(query=QUERY, shown=2)
    assert front.received("scene")["headline"] == "C is below B by 2.20."
    front.set(against=0)
    assert front.received("scene")["headline"] == "C is below A by 2.00."
    front.set(without=["function word"])
    assert front.received("scene")["headline"] == "C is below A by 0.20 without function words."
    assert "C is below A by 0.20 without function words." in widget.to_text()
    assert widget.took > 0


def test_a_number_that_no_document_has_falls_back_to_the_best():
    widget = lk.show_alignment(QUERY, DOCS, ToyEncoder())
    FrontEnd(widget).set(shown=99, against=99, without=["nonsense"])
    assert widget.scene["headline"] == "B is above A by 0.20."


def test_leaving_out_what_a_query_does_not_have_changes_nothing(source_of_toys):
    view = source_of_toys.draw("rows", without=["function word", "word"])
    assert view.to_text() == source_of_toys.draw("rows").to_text()


@pytest.mark.parametrize(
    ("query", "sentence"),
    [("", "the query has no tokens"), (" \n ", "the query has no tokens"), ("a\ud800", "lone surrogate")],
)
def test_a_bad_query_is_a_sentence_and_the_last_view_stays(query, sentence):
    widget = lk.show_alignment(QUERY, DOCS, ToyEncoder())
    before = widget.scene
    front = FrontEnd(widget)
    widget.query = query
    assert sentence in front.received("problem")
    assert widget.scene == before
    with pytest.raises(lk.LabError, match=sentence):
        lk.show_alignment(query, DOCS, ToyEncoder())


def test_the_widget_carries_its_twin():
    widget = lk.show_alignment(QUERY, DOCS, ToyEncoder())
    data, _ = widget._repr_mimebundle_()
    assert data["text/html"] == Tokens(DOCS, ToyEncoder()).draw(QUERY).to_html()
    assert data["text/plain"] == repr(widget)
    assert "application/vnd.jupyter.widget-view+json" in data


def test_without_anywidget_there_is_the_static_view(monkeypatch):
    monkeypatch.setattr("labkit.views.show_alignment.find_spec", lambda name: None)
    assert importlib.util.find_spec("anywidget")
    view = lk.show_alignment(QUERY, DOCS, ToyEncoder())
    assert isinstance(view, Alignment)
    assert view.to_text() == Tokens(DOCS, ToyEncoder()).draw(QUERY).to_text()


def test_32_by_512_tokens_travel_in_less_than_200_kb():
    rng = np.random.default_rng(0)
    text = " ".join(f"word{n}" for n in rng.integers(0, 400, 512))
    query = " ".join(f"word{n}" for n in rng.integers(0, 800, 32))
    widget = lk.show_alignment("rows", {"A": text, "B": text[::-1]}, ToyEncoder(limit=512))
    front = FrontEnd(widget)
    front.set(query=query)
    assert (widget.scene["matrix"]["rows"], widget.scene["matrix"]["columns"]) == (32, 512)
    assert front.payload() < 200_000


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_similarities_travel_in_steps_that_are_told(source_of_toys, scale):
    [match] = Aligner(["columns of the row"], ToyEncoder()).align(QUERY)[1]
    scaled = replace(match, similarities=match.similarities * scale)
    from labkit.views.alignment_scene import matrix

    sent = matrix(scaled)
    values = np.frombuffer(base64.b64decode(sent["data"]), np.int8).reshape(sent["rows"], sent["columns"])
    assert np.abs(values * sent["unit"] - scaled.similarities).max() <= sent["unit"] / 2 + 1e-12
    assert sent["unit"] == pytest.approx(0.01 * max(1.0, np.abs(scaled.similarities).max()))


@pytest.mark.slow
def test_500_interactions_leave_the_memory_as_it_was():
    front = FrontEnd(lk.show_alignment(QUERY, DOCS, ToyEncoder()))

    def settings(n):
        query = QUERY if n % 3 else "columns of the row"
        return {"query": query, "shown": n % 4 - 1, "without": ["function word"] * (n % 2)}

    assert growth(front, settings, 60, 200) < 40_000


@pytest.fixture(scope="module")
def long_encoder(encoder):
    model = copy.deepcopy(encoder.model)
    model[0].document_length = 512
    return Encoder(model, "512 tokens")


def test_documents_of_512_tokens_are_aligned_whole(long_encoder):
    text = "compute the distance between rows and columns. " * 80
    widget = lk.show_alignment("how do I compute distances between the rows", [text, "rows"], long_encoder)
    front = FrontEnd(widget)
    front.set(shown=0)
    assert widget.scene["matrix"]["columns"] == 510
    front.set(without=["function word"])
    print(f"a toggle over 510 tokens: {widget.took:.1f} ms; {front.payload() / 1e3:.0f} kB")
    assert front.payload() < 200_000


@pytest.mark.parametrize("name", ["alignment.js", "alignment.css"])
def test_the_files_are_local_and_put_no_markup_into_the_page(name):
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "http", "import ", "@import", "url("):
        assert forbidden not in source(name)


# Documents and rerankers of every kind


def test_of_a_documents_passages_the_best_one_is_shown():
    hits = (Hit("lib.a", 1, 3.0, text="x", passages=("columns", "the rows")), Hit("lib.b", 2, 2.0, text="the row"))
    view = lk.show_alignment(QUERY, Ranking("q", hits), ToyEncoder()).picture
    assert [match.name for match in view.matches] == ["a", "b"]
    assert view.shown.document.text == "the rows"
    assert Tokens(Ranking("q", hits), ToyEncoder()).draw("columns").shown.document.text == "columns"


def test_a_document_without_tokens_comes_last_and_says_why():
    view = lk.show_alignment(QUERY, {"empty": "", "full": "the rows"}, ToyEncoder()).picture
    assert [match.name for match in view.matches] == ["full", "empty"]
    assert words.headline(view) == "empty has no tokens, so its score is minus infinity; any document is above it."
    alone = Tokens({"empty": ""}, ToyEncoder()).draw(QUERY)
    assert "empty has no tokens, so its score is minus infinity" in alone.to_text()
    for one in (view, alone, Tokens({"empty": "", "full": "the rows"}, ToyEncoder()).draw(QUERY, shown=0)):
        assert_only_ours(one.to_html())
        assert ET.fromstring(one.to_svg()) is not None
        assert json.dumps(one.scene(), allow_nan=False)


@pytest.mark.parametrize(
    ("docs", "message"),
    [
        ([], "at least one document"),
        ("a bare string", "got a bare string"),
        (["fine", 3], "candidate 1 must be a string; got int"),
        (["\ud800"], "lone surrogate"),
    ],
)
def test_documents_that_are_none_are_refused(docs, message):
    with pytest.raises(lk.LabError, match=message):
        lk.show_alignment(QUERY, docs, ToyEncoder())


def test_what_is_no_reranker_is_refused():
    with pytest.raises(lk.LabError, match="must be a reranker or an encoder; got str"):
        lk.show_alignment(QUERY, DOCS, "late")


def test_a_late_interaction_reranker_brings_its_encoder():
    view = lk.show_alignment(QUERY, DOCS, lk.LateInteractionReranker(ToyEncoder())).picture
    assert [match.name for match in view.matches] == ["B", "A", "C"]


class Spanning(Reranker):
    """Scores by length, and calls the first three and the last characters relevant."""

    name, scale = "spanning", "length"
    asked = 0

    def score(self, query, hits):
        self.asked += 1
        scores = np.array([float(len(hit.text)) for hit in hits])
        return Scored(scores, spans=[((0, 3), (len(hit.text) - 1, len(hit.text))) for hit in hits], note="a <note>")


def test_a_reranker_without_token_scores_says_so_and_shows_what_it_has():
    reranker = Spanning()
    widget = lk.show_alignment(QUERY, {"A": "👩ab<c", "B": "longer text"}, reranker)
    assert "spanning gives one number for a query and a document, and no scores of tokens." in widget.to_text()
    assert "What it has for B: it names 2 relevant spans, most relevant first." in widget.to_text()
    front = FrontEnd(widget)
    front.set(shown=0)
    assert front.received("scene")["panels"][0]["runs"] == [
        ["👩ab", [0], "1", 1, 0, "relevant span 1"], "<", ["c", [2], "2", 1, 0, "relevant span 2"],
    ]  # fmt: skip
    shown = assert_only_ours(widget.to_html()).text
    for form in (shown, widget.to_text(), "".join(ET.fromstring(widget.to_svg()).itertext())):
        assert "spanning gives one number" in " ".join(form.split())
        assert "11.0" in form
    assert "a <note>." in shown
    assert reranker.asked == 1
    front.set(query="another")
    assert reranker.asked == 2
    front.set(query=" ")
    assert front.received("problem") == "the query is blank. Type a word."


def test_coheres_stand_in_shows_scores_and_its_spans():
    widget = lk.show_alignment("rows of a table", ["A tree. The rows.", "a tree"], lk.CohereReranker("rerank-v5.0"))
    assert "cohere (stand-in for rerank-v5.0) gives one number" in widget.to_text()
    assert "relevant span" in widget.to_text()
    assert "<mark" in widget.to_html()
    assert "a stand-in answered, not Cohere" in widget.to_text()
    assert [doc["rank"] for doc in widget.scene["docs"]] == [1, 2]


def test_a_ranking_of_another_encoder_is_not_explained_with_the_wrong_scores(encoder):
    ranking = replace(
        lk.LateInteractionReranker(encoder).rerank("sort rows", ["sort the rows", "draw"]), model="other 1"
    )
    with pytest.raises(lk.LabError, match=r"scores are of other 1, .* Give the reranker that made it"):
        lk.show_alignment("sort rows", ranking)


def test_a_picture_is_saved_under_a_string_too(encoder, tmp_path):
    view = lk.show_alignment("sort rows", ["sort the rows"], encoder)
    view.save(str(tmp_path / "a.svg"))
    assert (tmp_path / "a.svg").read_text(encoding="utf-8") == view.to_svg()
    with pytest.raises(lk.LabError, match=r"must end in .svg or .png; got 'a.html'. A page is a text"):
        view.save("a.html")
