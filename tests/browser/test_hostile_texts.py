"""Texts that want to run, to load or to break out: in JupyterLab they are shown, by the live view and by its twin."""

import pytest

from tests.browser.lab import wait_until
from tests.browser.notebook import write
from tests.views.hostile import CASES

pytestmark = pytest.mark.browser

# JupyterLab trusts what a cell has just put out, so the twin gets no help from its sanitiser.
OPEN = """
import ipywidgets
import labkit as lk
from tests.views.hostile import CASES
from tests.views.toy_encoder import ToyEncoder

encoder = ToyEncoder(limit=256)  # words as they stand; what a tokenizer makes of them is no question of the page
twins = ipywidgets.Output()
place = ipywidgets.VBox([twins])

def put(names):
    views = []
    for name in names:
        text = CASES[name]
        docs = {text[:300] or "name": f"rows of {text}", "plain": "a table of rows"}
        views.append(lk.show_alignment(f"rows {text}", docs, encoder))
    put_html(*(view.to_html() for view in views))
    place.children = [*views, twins]
    return [view.scene["headline"] for view in views]

def put_html(*pages):
    told = {"output_type": "display_data", "metadata": {}}
    twins.outputs = tuple({**told, "data": {"text/html": page}} for page in pages)

place
"""
TOGETHER = 10
LOOK_AT = {
    "deep markup",
    "a token of 10,000 characters",
    "unclosed overrides",
    "stacked marks",
    "arabic and hebrew",
    "formula",
}
GROUPS = [list(CASES)[start : start + TOGETHER] for start in range(0, len(CASES), TOGETHER)]
# Elements that no view makes, attributes that run, and views that stick out of the output area.
FOUND = """area => [
    ...[...area.querySelectorAll('script, iframe, object, embed, link, meta, base, form, svg, img, template')]
        .map(one => `element ${one.outerHTML.slice(0, 80)}`),
    ...[...area.querySelectorAll('.lk *')].flatMap(one => [...one.attributes])
        .filter(one => one.name.startsWith('on') || /^\\\\s*javascript:/i.test(one.value))
        .map(one => `attribute ${one.name}=${one.value.slice(0, 80)}`),
    ...[...area.querySelectorAll('.lk')]
        .filter(one => one.scrollWidth > one.clientWidth || one.clientWidth > area.clientWidth)
        .map(one => `too wide: ${one.textContent.slice(0, 80)}`),
]"""


@pytest.fixture(scope="module")
def notebook(lab, open_notebook):
    notebook = open_notebook(write(lab, "hostile.ipynb", OPEN))
    notebook.run()
    notebook.width(1280, height=6000)  # what does not fit into the window is not painted in a screenshot
    return notebook


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: names[0])
def test_hostile_texts_run_nothing_load_nothing_and_keep_the_layout(notebook, artefacts, names):
    headlines = notebook.evaluate(f"put({names!r})")
    area = notebook.output(0)
    area.locator(".lk-alignment .lk-body").nth(len(names) - 1).wait_for()
    area.locator(".jp-RenderedHTML .lk").nth(len(names) - 1).wait_for()
    assert area.locator(".lk-alignment h3").all_text_contents()[: len(names)] == headlines
    assert area.evaluate(FOUND) == []
    for n, name in enumerate(names):
        if name in LOOK_AT:
            area.locator(".lk-alignment").nth(n).screenshot(path=artefacts / f"hostile {name}.png")
            area.locator(".jp-RenderedHTML .lk").nth(n).screenshot(path=artefacts / f"hostile {name}, twin.png")


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("script", {"dialog"}),
        ("image with a handler", {"dialog"}),
        ("link element", {"request", "console"}),  # the console says later that nobody answered
    ],
)
def test_the_same_texts_unescaped_are_caught(notebook, watch, name, seen):
    notebook.evaluate(f"put_html(CASES[{name!r}])")
    wait_until(lambda: seen <= {fault.partition(":")[0] for fault in watch.faults()}, 10, f"{seen} are seen")
    watch.forget()
    assert notebook.output(0).evaluate(FOUND)
