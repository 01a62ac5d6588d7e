"""The widget foundation: Python decides, small traits travel, and the twin is there where no front end answers."""

import nbformat
import pytest
import traitlets
from ipywidgets.widgets.widget import _instances
from nbconvert import HTMLExporter

import labkit as lk
from labkit.views.figure import Picture, new_figure
from labkit.views.widget import LabWidget, source
from tests.views.front_end import FrontEnd, growth


class Doubled(Picture):
    title = "doubled"

    def __init__(self, number):
        if number < 0:
            raise lk.LabError(f"number must be at least 0; got {number}.")
        self.number = number

    def scene(self):
        return {"doubled": 2 * self.number}

    def to_text(self):
        return f"twice {self.number} is {2 * self.number} <"

    def _figure(self):
        figure = new_figure(2, 1)
        figure.text(0, 0, self.to_text())
        return figure


class Doubler(LabWidget):
    _esm = source("lab.js") + "export default { render() {} }"
    _css = source("lab.css")
    inputs = ("number",)
    number = traitlets.Int(1).tag(sync=True)

    def draw(self, number):
        return Doubled(number)


def test_a_changed_input_comes_back_as_a_scene():
    widget = Doubler(number=4)
    assert widget.scene == {"doubled": 8}
    front = FrontEnd(widget)
    front.set(number=5)
    assert front.received("scene") == {"doubled": 10}
    assert "twice 5 is 10" in widget.to_text()


def test_an_input_left_out_has_its_default():
    assert Doubler().scene == {"doubled": 2}


def test_bad_input_becomes_a_sentence_and_the_last_picture_stays():
    widget = Doubler()
    front = FrontEnd(widget)
    front.set(number=-1)
    assert front.received("problem") == "number must be at least 0; got -1."
    assert widget.scene == {"doubled": 2}
    front.set(number=3)
    assert front.received("problem") == ""
    assert front.received("scene") == {"doubled": 6}


def test_bad_input_at_the_start_is_an_error():
    with pytest.raises(lk.LabError, match="at least 0"):
        Doubler(number=-1)


def test_the_bundle_carries_the_live_view_and_the_twin():
    widget = Doubler(number=4)
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["text/plain"] == repr(widget) == "twice 4 is 8 <"
    assert "twice 4 is 8 &lt;" in data["text/html"]
    assert data["text/html"] == Doubler(number=4)._repr_mimebundle_()[0]["text/html"]


def test_nbconvert_shows_the_twin_where_no_kernel_answers():
    data, _ = Doubler(number=4)._repr_mimebundle_()
    output = nbformat.v4.new_output("display_data", data)
    cell = nbformat.v4.new_code_cell("view", outputs=[output])
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    assert "twice 4 is 8 &lt;" in page
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] not in page


def test_a_closed_view_is_forgotten_and_still_has_its_twin():
    widget = Doubler()
    model_id = widget.model_id
    assert model_id in _instances
    widget.close()
    assert model_id not in _instances
    assert "twice 1 is 2" in widget.to_text()


def test_hundreds_of_interactions_leave_the_memory_as_it_was():
    assert growth(FrontEnd(Doubler()), lambda number: {"number": number % 7}, 50, 200) < 8_000


def test_shared_files_are_local_and_put_no_markup_into_the_page():
    code = source("lab.js")
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "http:", "https:", "import "):
        assert forbidden not in code
    for forbidden in ("http", "url(", "@import"):
        assert forbidden not in source("lab.css")
