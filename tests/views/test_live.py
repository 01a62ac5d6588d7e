"""Slope chart and scoreboard answer; the tree that Python sends; and what a notebook stores of a live view."""

import importlib.util
import json

import pytest

import labkit as lk
from labkit.views.live import WIDGET
from labkit.views.page import source
from labkit.views.stages import Stage
from labkit.views.tree import button, html_of, node
from tests.views.front_end import FrontEnd
from tests.views.parsed import assert_only_ours
from tests.views.test_eraser_view import walk
from tests.views.test_views import AFTER, BEFORE, C, ranking


@pytest.fixture
def chart():
    return lk.slope_chart(BEFORE, AFTER, right={"d"}, n=2)


@pytest.fixture(scope="module")
def board():
    return lk.scoreboard(["bm25", "fusion", "bm25+late", "bm25+late+fusion"], C, k=3)


def said(widget, key):
    """What the node of this key tells when it is reached."""
    return next(part[1]["say"] for part in walk(widget.scene["tree"]) if part[1].get("key") == key)


def test_a_document_tells_its_ranks(chart):
    widget = chart.widget()
    assert said(widget, "m0") == "d: rank 4 in bm25, rank 1 in late: up 3; a right answer."
    assert said(widget, "m1") == "a: rank 1 in bm25, rank 2 in late: down 1."


def test_a_document_that_a_list_lacks_says_so():
    widget = lk.slope_chart(BEFORE, ranking("late", "new", "a"), n=1).widget()
    assert said(widget, "m0") == "new: not in the list of bm25, rank 1 in late."


def test_the_line_and_both_names_of_a_document_light_up_together(chart):
    lit = [part[0] for part in walk(chart.widget().scene["tree"]) if part[1].get("lit") == "m0"]
    assert sorted(set(lit)) == ["button", "line", "span"]


def test_a_chosen_document_stays_lit_and_is_told_in_the_text(chart):
    front = FrontEnd(chart.widget())
    front.set(chosen=0)
    assert chart.widget().to_text().endswith("rank 1 in late: up 3; a right answer.")
    on = [part for part in walk(front.received("scene")["tree"]) if "lk-on" in part[1].get("class", "")]
    assert len(on) == 1
    front.set(chosen=99)
    assert chart.widget().to_text() == chart.to_text()


def test_the_last_stage_has_the_rank_of_the_board(board):
    for ticket, walks in board.walks.items():
        for name, steps in walks.items():
            assert steps[-1][-1].rank == board.ranks[ticket][name]


def test_a_walk_names_the_stages_and_what_a_fusion_sums(board):
    walks = board.walks["T10"]
    assert walks["bm25"] == ((Stage("bm25", 1),),)
    assert [[stage.name for stage in step] for step in walks["fusion"]] == [["bm25", "dense"], ["fusion"]]
    assert [[stage.name for stage in step] for step in walks["bm25+late"]] == [["bm25"], ["late"]]
    fused = [["bm25"], ["late", "twin", "bm25"], ["late+fusion"]]
    assert [[stage.name for stage in step] for step in walks["bm25+late+fusion"]] == fused


def test_a_ticket_is_chosen_and_its_walk_is_the_same_in_every_form(board):
    widget = board.widget()
    front = FrontEnd(widget)
    front.set(ticket="T10")
    line = "bm25 1* → late 1*"
    assert f"bm25+late         {line}" in widget.to_text()
    page = assert_only_ours(widget.to_html()).text
    assert "bm25 1*→late 1*" in page
    assert "sort <rows>" in page
    texts = [part for node_ in walk(front.received("scene")["tree"]) for part in node_[2:] if isinstance(part, str)]
    assert {"bm25 1*", "late 1*", "late+fusion 1*"} <= set(texts)
    assert "late+fusion 1*" in widget.to_svg()


def test_a_ticket_without_an_answer_says_so(board):
    text = board.at("T2").to_text()
    assert "bm25              bm25 no answer" in text
    assert "No document answers this ticket" in text


def test_a_ticket_that_is_not_there_is_told(board):
    with pytest.raises(lk.LabError, match="the board has no ticket 'T99'; it has T1, T2, T10"):
        board.at("T99")
    front = FrontEnd(board.widget())
    front.set(ticket="T99")
    assert "no ticket 'T99'" in front.received("problem")


@pytest.mark.parametrize("name", ["chart", "board"])
def test_a_stored_notebook_keeps_what_it_kept_before_there_was_a_widget(request, name):
    view = request.getfixturevalue(name)
    data, _ = view._repr_mimebundle_()
    twin = {"chart": {"image/png", "text/plain"}, "board": {"text/html", "text/plain"}}[name]
    assert set(data) == {WIDGET, *twin}
    assert data[WIDGET]["model_id"] == view.widget().model_id
    assert data["text/plain"] == view.to_text() == repr(view)


def test_without_anywidget_the_twin_is_shown(monkeypatch, chart):
    monkeypatch.setattr("labkit.views.live.find_spec", lambda name: None)
    data, metadata = chart._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain"}
    assert metadata == {"image/png": {"alt": chart.alt}}


def test_the_same_object_has_one_widget(chart):
    assert chart.widget() is chart.widget()
    assert importlib.util.find_spec("anywidget") is not None


def test_a_tree_is_escaped_and_leaves_the_behaviour_out():
    tree = node("p", button("a <b>", "k", set={"off": [1]}, say="'\""), node("i", "live", live=True), class_="x")
    assert html_of(tree) == "<p class='x'><span>a &lt;b&gt;</span></p>"
    assert json.loads(json.dumps(tree)) == tree


def test_an_attribute_of_zero_is_kept():
    assert node("line", x1=0, hidden=False, title=None) == ["line", {"x1": 0}]


def test_the_painter_puts_no_markup_into_the_page_and_loads_nothing():
    code = source("tree.js")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "https:", "import "):
        assert forbidden not in code
    for forbidden in ("http", "url(", "@import"):
        assert forbidden not in source("tree.css")
