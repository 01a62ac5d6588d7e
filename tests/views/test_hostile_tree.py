"""Hostile texts in duel, eraser, slope chart, scoreboard and cut: every form shows them, and nothing of them runs."""

import json
import xml.etree.ElementTree as ET

import pytest

import labkit as lk
from labkit.ranking.ranking import Hit, Ranking
from labkit.views.scoreboard import Scoreboard
from labkit.views.stages import Stage
from labkit.views.tree import html_of
from tests.views.hostile import CASES
from tests.views.parsed import assert_only_ours
from tests.views.test_hostile import assert_nothing_hidden
from tests.views.toy_encoder import ToyEncoder

cases = pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())


def duel(text):
    documents = {text[:300] or "name": f"rows of {text}", "plain": "a table of rows"}
    return lk.duel(f"rows {text}", *documents, ToyEncoder(limit=200), documents)


def eraser(text):
    return lk.eraser([f"rows {text}", "columns"], f"rows of {text}", ToyEncoder(limit=200), ["rows"])


def slope_chart(text):
    lists = [
        Ranking(text, tuple(Hit(i, r, 1.0) for r, i in enumerate(ids, 1)), text[:99]) for ids in ([text, "b"], ["b"])
    ]
    return lk.slope_chart(*lists, right={text})


def ticket(text):
    walks = {"T<i>": {"a": ((Stage(text, 1), Stage("b", None)), (Stage("c", 2),))}}
    return Scoreboard(("a",), {"T<i>": text}, {"T<i>": {"a": 1}}, (), 50, walks).at("T<i>")


def cut(text):
    docs = {text[:300] or "name": lk.Document("", f"rows of {text[:900]}"), "plain": lk.Document("", f"rows {text}")}
    return lk.show_cut(f"rows {text}", next(iter(docs)), lk.Collection("c", docs), text[:50], ToyEncoder(limit=20))


views = pytest.mark.parametrize("make", [duel, eraser, slope_chart, ticket, cut])


@views
@cases
def test_every_form_shows_text_as_text(make, text):
    view = make(text)
    scene = json.dumps(view.scene(), ensure_ascii=False)
    assert_nothing_hidden(scene)
    assert len(scene.encode()) < 200_000
    assert_nothing_hidden(view.to_text())
    if make is not slope_chart:  # its HTML is the picture
        assert_nothing_hidden(assert_only_ours(view.to_html()).text)
    assert "<script" not in html_of(view.scene()["tree"]).lower()


@views
@pytest.mark.parametrize("text", list(CASES.values())[::6], ids=list(CASES)[::6])
def test_svg_holds_no_element_of_the_text(make, text):
    elements = [element.tag.rpartition("}")[2] for element in ET.fromstring(make(text).to_svg()).iter()]
    known = {"svg", "defs", "g", "path", "text", "style", "use", "clipPath", "rect", "image", "pattern", "metadata"}
    rdf = {"RDF", "Work", "type", "format", "creator", "Agent", "title"}
    assert set(elements) <= known | rdf


@cases
def test_a_board_shows_text_as_text(text):
    board = ticket(text).at("")
    assert_nothing_hidden(board.to_text())
    assert_nothing_hidden(board.to_html())
    assert "<script" not in board.to_html().lower()
