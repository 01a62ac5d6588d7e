"""The cockpit in JupyterLab: a cell is chosen, two knobs are pinned, and a cell that is run again must agree."""

import pytest

from tests.browser.notebook import THEMES, write
from tests.browser.shown import TEXTS, Shown

pytestmark = pytest.mark.browser

SWEEP = (
    TEXTS
    + """
asked = {"q1": "turn columns into rows", "q2": "sort an array", "q3": "rows of a long table into columns"}
right = {"q1": {"pandas.melt": 1}, "q2": {"numpy.sort": 1}, "q3": {"pandas.pivot": 1}}
three = lk.Collection("three", {name: lk.Document(name, text) for name, text in texts.items()}, asked, right)
pipe = lk.TwoStage(lk.BM25Retriever(three), lk.LateInteractionReranker(), k=3)
swept = lk.sweep(pipe, three, {"k": [1, 2], "b": [0.3, 0.5]})
cockpit = lk.cockpit(swept)
"""
)


@pytest.fixture(scope="module")
def notebook(lab, open_notebook):
    notebook = open_notebook(write(lab, "cockpit.ipynb", SWEEP, "cockpit"))
    notebook.run()
    return notebook


@pytest.fixture
def cockpit(notebook):
    """The view, with nothing chosen and nothing pinned."""
    start = {"x": 0, "pin": 0, "also": 0, "chosen": -1}
    notebook.evaluate(f"[cockpit.widget().set_trait(*pair) for pair in {start!r}.items()]")
    shown = Shown(notebook, "cockpit", 1)
    shown.area.locator(".lk-cell").first.wait_for()
    return shown


def numbers(cockpit):
    """The chosen cell's numbers on the page."""
    return cockpit.area.locator(".lk-numbers td").all_text_contents()


def test_a_cell_that_is_pressed_shows_its_numbers(cockpit):
    assert cockpit.area.locator(".lk-cell").count() == 5
    cockpit.key("cell 2").click()
    cockpit.area.locator(".lk-numbers").wait_for()
    assert numbers(cockpit) == cockpit.notebook.evaluate("[much for _, much in cockpit.widget().picture.numbers(2)]")
    assert cockpit.python("chosen") == 2


def test_cells_are_reached_by_keyboard_and_say_what_they_are(cockpit):
    cockpit.area.locator(".lk-cell").first.focus()
    first = cockpit.status()
    cockpit.page.keyboard.press("ArrowRight")
    assert cockpit.status() != first
    assert cockpit.status().startswith("Cell ")
    cockpit.page.keyboard.press("Enter")
    cockpit.area.locator(".lk-numbers").wait_for()


def test_a_pinned_knob_dims_the_cells_that_have_another_value(cockpit):
    options = cockpit.notebook.evaluate("[cockpit.widget().picture.pin(n) for n in range(len(cockpit.options))]")
    wanted = next(n for n, told in enumerate(options) if "b" in told.split() and "0.3" in told)
    cockpit.key("pin").select_option(str(wanted))
    cockpit.area.locator(".lk-cell.lk-dim").first.wait_for()
    lit = cockpit.notebook.evaluate("sorted(cockpit.widget().picture.lit)")
    assert lit == cockpit.notebook.evaluate("[i for i in range(5) if swept[i].knobs['b'] == 0.3]")
    assert cockpit.area.locator(".lk-cell:not(.lk-dim)").count() == len(lit)


def test_a_cell_that_is_run_again_agrees_with_what_was_stored(cockpit):
    cockpit.key("cell 1").click()
    cockpit.key("again").click()
    again = cockpit.area.locator(".lk-again")
    again.wait_for()
    assert "they agree; 0 of 3 queries differ" in again.text_content()


@pytest.mark.parametrize("width", [400, 900, 1600])
@pytest.mark.parametrize("theme", THEMES)
def test_it_fits_every_width_in_both_themes(cockpit, artefacts, theme, width):
    cockpit.key("cell 1").click()
    cockpit.area.locator(".lk-numbers").wait_for()
    cockpit.notebook.theme(theme)
    cockpit.notebook.width(width, height=1600)
    assert cockpit.area.locator(".lk").evaluate("view => view.scrollWidth - view.clientWidth") <= 0
    cockpit.area.screenshot(path=artefacts / f"cockpit-{theme}-{width}.png")
    cockpit.notebook.width(1280)
