"""The widget foundation: Python decides, small traits travel, and the twin is there where no front end answers."""

import nbformat
import pytest
from ipywidgets.widgets.widget import _instances
from nbconvert import HTMLExporter

import labkit as lk
from labkit.views.figure import new_figure
from labkit.views.live import Live
from labkit.views.page import source
from labkit.views.tree import node
from tests.views.front_end import FrontEnd, growth


class Doubled(Live):
    title, view = "doubled", "doubled"

    def __init__(self, number):
        if number < 0:
            raise lk.LabError(f"number must be at least 0; got {number}.")
        self.number = number

    def inputs(self):
        return {"number": self.number}

    def at(self, number):
        return Doubled(number)

    def tree(self):
        return node("p", self.to_text())

    def to_text(self):
        return f"twice {self.number} is {2 * self.number} <"

    def _figure(self):
        figure = new_figure(2, 1)
        figure.text(0, 0, self.to_text())
        return figure


def scene(number):
    """What the widget paints."""
    return {"name": "doubled", "tree": ["p", {}, f"twice {number} is {2 * number} <"]}


def test_a_changed_input_comes_back_as_a_scene():
    widget = Doubled(4).widget()
    assert widget.scene == scene(4)
    front = FrontEnd(widget)
    front.set(number=5)
    assert front.received("scene") == scene(5)
    assert "twice 5 is 10" in widget.to_text()


def test_inputs_begin_where_the_view_is():
    assert Doubled(4).widget().number == 4


def test_bad_input_becomes_a_sentence_and_the_last_picture_stays():
    widget = Doubled(1).widget()
    front = FrontEnd(widget)
    front.set(number=-1)
    assert front.received("problem") == "number must be at least 0; got -1."
    assert widget.scene == scene(1)
    front.set(number=3)
    assert front.received("problem") == ""
    assert front.received("scene") == scene(3)


def test_bad_input_at_the_start_is_an_error():
    with pytest.raises(lk.LabError, match="at least 0"):
        Doubled(-1).widget()


def test_the_bundle_carries_the_live_view_and_the_twin():
    widget = Doubled(4).widget()
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["text/plain"] == repr(widget) == "twice 4 is 8 <"
    assert "twice 4 is 8 &lt;" in data["text/html"]
    assert data["text/html"] == Doubled(4).to_html()


def test_nbconvert_shows_the_twin_where_no_kernel_answers():
    data, _ = Doubled(4)._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data)
    cell = nbformat.v4.new_code_cell("view", outputs=[output])
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert "twice 4 is 8 &lt;" in page
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] not in page


def test_a_closed_view_is_forgotten_and_still_has_its_twin():
    widget = Doubled(1).widget()
    model_id = widget.model_id
    assert model_id in _instances
    widget.close()
    assert model_id not in _instances
    assert "twice 1 is 2" in widget.to_text()


def test_hundreds_of_interactions_leave_the_memory_as_it_was():
    assert growth(FrontEnd(Doubled(1).widget()), lambda number: {"number": number % 7}, 50, 200) < 8_000


def test_shared_files_are_local_and_put_no_markup_into_the_page():
    code = source("lab.js")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "http:", "https:", "import "):
        assert forbidden not in code
    for forbidden in ("http", "url(", "@import"):
        assert forbidden not in source("lab.css")
