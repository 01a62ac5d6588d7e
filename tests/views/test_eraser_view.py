"""The eraser as a view: scores and ranks follow the tokens that are left, in every form and through a dummy comm."""

import json

import numpy as np
import pytest

import labkit as lk
from labkit.scoring import eraser as scoring
from tests.views.front_end import FrontEnd
from tests.views.parsed import assert_only_ours
from tests.views.toy_encoder import ToyEncoder

# rows (1, 0), row (.8, .6), columns (.6, -.8), the (0, 1)
QUERIES, DOCUMENT = ["rows", "the rows"], "row rows the columns"
OTHERS = {"weak": "columns", "middle": "row"}  # rows: .6 and .8; the rows: -.2 and 1.4


@pytest.fixture
def view():
    return lk.eraser(QUERIES, DOCUMENT, ToyEncoder(), OTHERS)


def test_it_is_the_erasure_of_the_scoring_room(view):
    encoder = ToyEncoder()
    queries, document = encoder.encode_queries(QUERIES), encoder.encode_documents([DOCUMENT])
    plain = scoring.from_table(QUERIES, DOCUMENT, scoring.similarities(queries, document), scoring.unvalued(document))
    assert isinstance(view, scoring.Erasure)
    assert view.to_dict() == plain.to_dict()
    assert [view.label(token) for token in view.dead] == ["“row”", "“columns”"]


def test_by_hand_scores_and_ranks_follow_what_is_erased(view):
    widget = view.widget()
    widget.off = [1]
    rows, both = widget.picture.standings
    assert (rows.whole, rows.score) == (1.0, pytest.approx(0.8))
    assert (both.whole, both.score) == (2.0, pytest.approx(1.8))
    assert (rows.rank, rows.rank_now) == (1, 1)  # it wins the tie with the middle one
    widget.off = [0, 1, 2]
    assert [s.rank_now for s in widget.picture.standings] == [2, 2]
    assert [s.score for s in widget.picture.standings] == pytest.approx([0.6, -0.2])


def test_a_dead_token_comes_alive_when_its_winner_is_erased(view):
    widget = view.widget()
    widget.off = [1]
    alive = {token.position: token.wins for token in widget.picture.tokens if token.wins}
    assert alive == {0: 2, 2: 1}


def test_without_the_dead_tokens_the_state_says_all_of_the_score_is_left(view):
    widget = view.widget()
    widget.off = [token.position for token in view.dead]
    assert widget.picture.headline().startswith("2 of 4 tokens are erased: 100.0% of the score is left. 0 of 2 tokens")


@pytest.mark.parametrize("seed", range(5))
def test_every_state_is_what_rescoring_the_tokens_left_gives(seed):
    rng = np.random.default_rng(seed)
    words = [f"w{n}" for n in range(30)]
    document, queries = " ".join(rng.choice(words, 20)), [" ".join(rng.choice(words, 5)) for _ in range(3)]
    encoder = ToyEncoder()
    off = rng.choice(20, 8, replace=False).tolist()
    widget = lk.eraser(queries, document, encoder).widget()
    widget.off = off
    rest = " ".join(word for n, word in enumerate(document.split()) if n not in off)
    expected = np.asarray(lk.maxsim(encoder.encode_queries(queries), encoder.encode_documents([rest])))[:, 0]
    assert [standing.score for standing in widget.picture.standings] == pytest.approx(expected.tolist())


def test_every_form_has_the_same_numbers(view):
    widget = view.widget()
    widget.off = [1]
    page, scene = assert_only_ours(widget.to_html()).text, json.dumps(widget.scene, ensure_ascii=False)
    for form in (widget.to_text(), page, scene):
        for standing in widget.picture.standings:
            assert all(cell in form for cell in standing.cells())
        for cells in widget.picture.cells():
            assert all(cell in form for cell in cells)
    headline = widget.picture.headline()
    for form in (widget.to_text(), page, scene, " ".join(widget.to_svg().split())):
        assert headline[:40] in form


def flips(view, key):
    """The numbers that a press on a node puts into a trait, or takes out."""
    return next(part[1]["flip"]["off"] for part in walk(view.widget().scene["tree"]) if part[1].get("key") == key)


def test_a_press_flips_a_token_and_a_button_all_that_never_win(view):
    assert flips(view, "token 1") == [1]
    assert flips(view, "dead") == [0, 3]
    FrontEnd(view.widget()).set(off=[3, 0])
    assert flips(view, "token 3") == [3]
    assert view.widget().picture.off == {0, 3}


def walk(part):
    """All nodes of a tree."""
    if not isinstance(part, str):
        yield part
        for child in part[2:]:
            yield from walk(child)


def test_the_last_token_stays(view):
    front = FrontEnd(view.widget())
    front.set(off=[0, 1, 2, 3])
    assert "no token of the document is left" in front.received("problem")
    assert len(view.widget().picture.tokens) == 4


def test_a_document_of_512_tokens_is_small_enough_to_send():
    words = " ".join(f"word{n}" for n in range(512))
    view = lk.eraser([f"word{n}" for n in range(32)], words, ToyEncoder())
    widget = view.widget()
    for off in ([], list(range(400))):
        widget.off = off
        assert len(json.dumps(widget.scene, ensure_ascii=False).encode()) < 200_000
