"""Whatever a query, a document or its name holds: it is shown, it changes nothing, and nothing of it runs."""

import json
import unicodedata
import xml.etree.ElementTree as ET

import pytest

import labkit as lk
from labkit.ranking.ranking import Hit, Ranking
from labkit.views.scores_only import ScoresOnly
from labkit.views.words import visible
from tests.views.hostile import CASES
from tests.views.parsed import assert_only_ours

SVG = "{http://www.w3.org/2000/svg}"
UNSEEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")
cases = pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())


@pytest.fixture(scope="module")
def encoder():
    return lk.load_encoder(store=False)


@pytest.fixture(scope="module")
def view_of(encoder):
    views = {}

    def view(text):
        if text not in views:
            documents = {text[:300] or "name": f"rows of {text}", "plain": "a table of rows"}
            views[text] = lk.show_alignment(f"rows {text}", documents, encoder)
        return views[text]

    return view


def assert_nothing_hidden(text):
    """No character that cannot be seen, except line breaks, and joiners inside emoji."""
    hidden = {c for c in text if unicodedata.category(c) in UNSEEN and c not in "\n\t\u200d"}
    assert not hidden, hidden


def test_there_are_at_least_fifty_cases():
    assert len(CASES) >= 50


@cases
def test_html_holds_no_element_and_no_attribute_of_the_text(view_of, text):
    page = view_of(text).to_html()
    parsed = assert_only_ours(page)
    assert_nothing_hidden(parsed.text)
    assert visible(text).split()[0][:12] in parsed.text.replace("\n", " ")
    assert len(page) < 200_000


@cases
def test_plain_text_holds_nothing_that_cannot_be_seen(view_of, text):
    shown = view_of(text).to_text()
    assert_nothing_hidden(shown)
    assert max(map(len, shown.splitlines())) < 2_000


@cases
def test_the_scene_holds_nothing_that_cannot_be_seen_and_stays_small(view_of, text):
    scene = json.dumps(view_of(text).scene, ensure_ascii=False)
    assert_nothing_hidden(scene)
    assert len(scene.encode()) < 200_000


@cases
def test_svg_holds_shapes_and_text_alone(view_of, text):
    svg = view_of(text).to_svg()
    elements = list(ET.fromstring(svg).iter())
    known = {"svg", "defs", "g", "path", "text", "style", "use", "clipPath", "rect", "image", "pattern", "metadata"}
    ours = [element for element in elements if element.tag.startswith(SVG)]
    assert {element.tag.removeprefix(SVG) for element in ours} <= known
    names = {name for element in ours for name in element.attrib}
    assert not [name for name in names if name.lower().startswith("on")]
    assert all(v.startswith(("#", "data:image/png")) for e in ours for n, v in e.attrib.items() if n.endswith("href"))


def test_a_dollar_sign_in_a_figure_is_a_dollar_sign(view_of):
    assert "$x^2$" in "".join(ET.fromstring(view_of(CASES["formula"]).to_svg()).itertext())


def test_a_bad_formula_is_no_error_in_a_png(view_of):
    assert view_of(CASES["bad formula"]).to_png().startswith(b"\x89PNG")


def test_mathjax_is_told_to_stay_out(view_of):
    assert "mathjax_ignore tex2jax_ignore" in view_of("$x$").to_html()[:200]


@cases
def test_a_ranking_without_token_scores_is_as_safe(text):
    hits = (Hit(text[:300] or "name", 1, 0.5, text=f"rows {text}", reason=None, spans=((2, 5 + len(text)),)),)
    view = ScoresOnly(Ranking(text, hits, "toy", "toy", note=text), {hits[0].doc_id: 0})
    assert_nothing_hidden(assert_only_ours(view.to_html()).text)
    assert_nothing_hidden(view.to_text())
    assert_nothing_hidden(json.dumps(view.scene(), ensure_ascii=False))
