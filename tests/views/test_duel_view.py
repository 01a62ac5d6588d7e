"""The duel as a view: by hand, as the duel of the words that count, in every form, and through a dummy comm."""

import json

import numpy as np
import pytest

import labkit as lk
from labkit.scoring import duel as scoring
from labkit.scoring.receipt import similarity_table
from labkit.scoring.removal import smallest_removal
from tests.views.front_end import FrontEnd
from tests.views.parsed import assert_only_ours
from tests.views.toy_encoder import ToyEncoder

# row (.8, .6), columns (.6, -.8), rows (1, 0), the (0, 1)
QUERY, ONE, TWO = "columns row", "columns", "rows the"
DOCS = {"one": ONE, "two": TWO, "three": "the"}


@pytest.fixture
def view():
    return lk.duel(QUERY, ONE, TWO, ToyEncoder())


@pytest.fixture
def ring():
    return lk.duel(QUERY, "one", "two", ToyEncoder(), DOCS)


def test_by_hand_who_is_above_and_by_which_words(view):
    assert (view.first.name, view.second.name) == ("document B", "document A")
    assert (view.winner, view.loser) == (TWO, ONE)
    assert [(line.word.label, round(line.difference, 6)) for line in view.lines] == [("row", 0.8), ("columns", -0.4)]
    assert view.lead == pytest.approx(0.4)
    assert view.headline() == "document B is above document A by 0.400."


def test_by_hand_the_removal_is_named_and_flips_the_order(view):
    assert [token.position for token in view.removed] == [0]
    assert view.score_without == pytest.approx(-0.8 + 0.6)
    assert "1 of its 2 tokens (“rows”) document B falls from 1.400 to -0.200, below 1.000" in view.verdict()


def fight(query, *texts):
    """The duel of the scoring room."""
    encoder = ToyEncoder()
    queries, packs = encoder.encode_queries([query]), [encoder.encode_documents([text]) for text in texts]
    return scoring.from_tokens((query, *texts), queries, *((pack, similarity_table(queries, pack)) for pack in packs))


def test_it_is_the_duel_of_the_scoring_room(view):
    plain = fight(QUERY, ONE, TWO)
    assert isinstance(view, scoring.Duel)
    assert view.to_dict() == plain.to_dict()
    assert view.to_frame().equals(plain.to_frame())


def test_a_word_switched_off_gives_the_duel_of_the_other_words(ring):
    widget = ring.widget()
    widget.off = [1]
    plain = fight("columns", ONE, TWO)
    shown = widget.picture
    assert (shown.winner, shown.winner_score, shown.loser_score) == (ONE, plain.winner_score, plain.loser_score)
    assert shown.removed == plain.removed
    assert shown.headline() == "one is above two by 0.400 without “row”."
    assert [line.word.label for line in shown.lines] == ["row", "columns"]  # no row moves under the pointer


def test_every_form_has_the_same_numbers(ring):
    widget = ring.widget()
    widget.off = [0]
    shown = widget.picture
    page, scene = assert_only_ours(widget.to_html()).text, json.dumps(widget.scene, ensure_ascii=False)
    for cells in shown.cells():
        for form in (widget.to_text(), page, scene):
            assert cells[5] in form
    for form in (widget.to_text(), page, scene, widget.to_svg().replace("\n", " ")):
        assert "+0.800" in form
        assert "two is above one by 0.800 without “columns”." in form
    assert repr(widget) == widget.to_text()


def test_what_would_have_to_go_is_crossed_out_in_the_winners_text_alone(view):
    page = assert_only_ours(view.to_html())
    marks = [dict(attributes)["class"] for tag, attributes in page.elements if tag == "mark"]
    assert marks.count("lk-gone") == 1
    assert "<mark class='lk-gone' style='--s:0.80'>rows</mark>" in view.to_html()


def test_the_front_end_switches_words_and_chooses_the_pair(ring):
    widget = ring.widget()
    front = FrontEnd(widget)
    front.set(off=[1])
    assert "one is above two" in json.dumps(front.received("scene"))
    front.set(off=[], b=2)
    assert "one is above three by 1.200." in json.dumps(front.received("scene"))
    assert front.received("problem") in (None, "")


@pytest.mark.parametrize(
    ("state", "problem"),
    [({"off": [0, 1]}, "no word of the query is left"), ({"a": 1, "b": 1}, "two different documents")],
)
def test_a_state_that_cannot_be_is_told_and_the_last_one_stays(ring, state, problem):
    widget = ring.widget()
    front, before = FrontEnd(widget), widget.scene
    front.set(**state)
    assert problem in front.received("problem")
    assert widget.scene == before


def test_names_that_are_not_there_are_listed():
    with pytest.raises(lk.LabError, match="docs has no document 'four'; it has one, two, three"):
        lk.duel(QUERY, "one", "four", ToyEncoder(), DOCS)


def test_a_long_duel_is_small_enough_to_send():
    rng = np.random.default_rng(0)
    words = [f"w{n}" for n in range(400)]
    query, one, two = (" ".join(rng.choice(words, count)) for count in (32, 512, 512))
    view = lk.duel(query, one, two, ToyEncoder())
    assert len(json.dumps(view.scene(), ensure_ascii=False).encode()) < 200_000


def test_a_removal_that_ties_with_the_bound_is_summed_again():
    table = np.array([[0.1 + 0.2, 0.0, 0.3]])
    assert smallest_removal(table, below=0.3) == ((0, 2), True)
