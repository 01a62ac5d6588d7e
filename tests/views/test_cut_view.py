"""A document and a cut through it: windows, ranks and words by hand, in every form and through a dummy comm."""

import json

import pytest

import labkit as lk
from labkit.views.cut import MOST
from tests.views.front_end import FrontEnd
from tests.views.parsed import assert_only_ours
from tests.views.test_eraser_view import walk
from tests.views.toy_encoder import ToyEncoder

# rows (1, 0), row (.8, .6), columns (.6, -.8), the (0, 1); three words a window
LONG = "the the the\nrow columns the\nrows the the\n"
DOCS = {"long": lk.Document("", LONG), "rival": lk.Document("", "row row"), "other": lk.Document("", "columns")}
C = lk.Collection("toy", DOCS)


def cut(query="rows row", doc_id="long", mark="", c=C, limit=3):
    return lk.show_cut(query, doc_id, c, mark, ToyEncoder(limit))


def at(view, read):
    front = FrontEnd(view.widget())
    front.set(read=read)
    return front.widget.picture


def test_the_first_window_is_what_the_encoder_reads_and_the_last_ends_with_the_text():
    assert cut().strip.ends == [len("the the the\n"), len("the the the\nrow columns the\n"), len(LONG)]


def test_later_windows_end_where_a_line_does():
    text = "the the the the\nrow the the the"
    c = lk.Collection("toy", {**DOCS, "long": lk.Document("", text)})
    assert [text[:end].split()[-1] for end in cut(c=c).strip.ends] == ["the", "the", "the", "the"]
    assert cut(c=c).strip.ends[:2] == [12, 16]


def test_by_hand_maxsim_takes_the_best_window_before_the_cut_and_ranks_it_among_the_candidates():
    # rows row: the window "the the the" earns 0 + .6, "row columns the" .8 + 1, "rows the the" 1 + .8; the rival .8 + 1
    view = cut(mark="rows")
    assert [float(score) for score in view.strip.scores] == pytest.approx([0.6, 1.8, 1.8])
    assert [at(view, n).ranks["MaxSim"] for n in (1, 2, 3)] == [2, 1, 1]
    assert [at(view, n).best for n in (1, 2, 3)] == [0, 1, 1]


def test_bm25_is_that_of_the_collection_with_the_document_cut():
    view = cut()
    for read in (1, 2, 3):
        shorter = {**DOCS, "long": lk.Document("", LONG[: view.strip.ends[read - 1]])}
        ranking = lk.BM25Retriever(lk.Collection("toy", shorter)).search("rows row", 3)
        assert at(view, read).ranks["BM25"] == ranking.rank_of(["long"])


def test_the_words_of_the_question_are_counted_before_the_cut():
    view = cut("the rows, row")
    assert view.strip.words(len(LONG)) == {"rows": 1, "row": 1}  # BM25 does not look for "the"
    assert at(view, 2).cells()[0] == ("BM25", "2 of 3", "row 1×; not rows")
    assert at(view, 1).cells()[0][1:] == ("none of 3", "no word; not rows, row")


def test_marked_words_are_behind_the_cut_until_their_window_is_read():
    view = cut(mark="rows")
    assert at(view, 2).answer() == "“rows” begins at character 28, behind the cut."
    assert at(view, 3).answer() == "“rows” begins at character 28, before the cut: its window scores 1.800."
    assert cut(mark="melt").answer() == "“melt” is nowhere in long."
    assert cut().answer() == ""


def test_the_headline_says_who_puts_the_document_first():
    view = cut()
    assert at(view, 1).headline() == "Cut after 12 of 41 characters (29%): neither BM25 nor MaxSim puts long first."
    assert at(view, 3).headline().endswith("BM25 and MaxSim both put long first.")


def test_every_form_has_the_same_numbers():
    widget = cut(mark="rows").widget()
    widget.read = 2
    scene = json.dumps(widget.scene, ensure_ascii=False)
    page, picture = assert_only_ours(widget.to_html()).text, " ".join(widget.to_svg().split())
    for form in (widget.to_text(), page, scene, picture):
        assert all(cell in form for row in widget.picture.cells() for cell in row)
        assert widget.picture.answer() in form
    assert all(widget.picture.headline() in form for form in (widget.to_text(), page, scene))
    assert f"[{'#' * 43}!{'.' * 20}]" in widget.to_text()


def test_the_cut_is_a_slider_from_the_first_window_to_the_last_and_only_where_something_answers():
    view = cut()
    [slider] = [part for part in walk(view.widget().scene["tree"]) if part[0] == "input"]
    told = {"type": "range", "min": 1, "max": 3, "value": 1, "choose": "read", "aria-valuetext": "after character 12"}
    assert told.items() <= slider[1].items()
    assert "<input" not in view.to_html()


def test_a_cut_outside_of_the_document_is_moved_to_its_end():
    assert at(cut(), 99).read == 3
    assert at(cut(), 0).read == 1


def test_a_document_alone_has_no_rival():
    alone = lk.Collection("toy", {"long": lk.Document("", LONG)})
    assert cut(c=alone).cells()[1][1:] == ("1 of 1", "best window 0.600, characters 0 to 12; best rival none")


def test_an_unknown_id_and_a_document_that_no_bar_can_show_are_refused():
    with pytest.raises(lk.LabError, match="toy has no document 'melt'"):
        cut(doc_id="melt")
    for text, what in (("", "none"), ("row " * 3 * (MOST + 1), "more")):
        with pytest.raises(lk.LabError, match=f"1 to {MOST} windows; this one has {what}"):
            cut(c=lk.Collection("toy", {**DOCS, "long": lk.Document("", text)}))
