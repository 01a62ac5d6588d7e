"""The views of rankings and tickets, and the stored notebooks: JupyterLab shows every one of their outputs."""

import shutil
from pathlib import Path

import pytest

import labkit as lk
from tests.browser.notebook import THEMES, write
from tests.views.toy_encoder import ToyEncoder

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
RANKINGS = """
import labkit as lk
from labkit.ranking.ranking import Hit, Ranking
def ranking(system, ids):
    return Ranking("a <query>", tuple(Hit(i, rank, 9.0 - rank) for rank, i in enumerate(ids, 1)), system)
"""
VIEWS = {
    "slope_chart": "lk.slope_chart(ranking('bm25', 'abcdef'), ranking('late', 'fabdec'), right={'f'})",
    "scoreboard": "Scoreboard(('bm25', 'late'), {'T1': 'a <b>query</b>'}, {'T1': {'bm25': 7, 'late': 1}}, (), 50, {})",
}
SCOREBOARD = "from labkit.views.scoreboard import Scoreboard"
BROKEN = "area => [...area.querySelectorAll('img')].filter(image => !(image.complete && image.naturalWidth)).length"


@pytest.fixture(scope="module")
def views(lab, open_notebook):
    notebook = open_notebook(write(lab, "views.ipynb", RANKINGS + SCOREBOARD, *VIEWS.values()))
    notebook.run()
    return notebook


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", VIEWS)
def test_a_static_view_renders_in_both_themes(views, artefacts, name, theme):
    views.theme(theme)
    area = views.output(1 + list(VIEWS).index(name))
    area.locator(".lk table, .lk svg").first.wait_for()
    assert area.evaluate(BROKEN) == 0
    assert area.bounding_box()["height"] > 50
    area.screenshot(path=artefacts / f"{name}-{theme}.png")


@pytest.fixture(scope="module")
def course(lab, open_notebook):
    for path in NOTEBOOKS:
        shutil.copy(path, lab.work)
    return open_notebook(NOTEBOOKS[0].name)


@pytest.mark.parametrize("name", [path.name for path in NOTEBOOKS])
def test_a_stored_notebook_opens_and_shows_its_outputs(course, name):
    course.open(name)
    shown = [index for index, outputs in enumerate(course.outputs()) if outputs]
    assert len(shown) >= 5
    for index in shown:
        area = course.output(index)
        assert area.evaluate(BROKEN) == 0
        assert area.bounding_box()["height"] > 0


# Where the first and the last letter of the headline stand, in pixels from the left.
ENDS = """() => {
    const headline = document.querySelector('.lk h3'), letters = [], walker = document.createTreeWalker(headline, 4);
    while (walker.nextNode())
        for (let i = 0; i < walker.currentNode.length; i++) letters.push([walker.currentNode, i]);
    return [letters[0], letters.at(-1)].map(([node, i]) => {
        const range = document.createRange();
        range.setStart(node, i);
        range.setEnd(node, i + 1);
        return range.getBoundingClientRect().left;
    });
}"""


def test_a_sentence_that_begins_with_a_hebrew_name_runs_from_left_to_right(browser):
    view = lk.show_alignment("rows", {"מטריצה": "rows of a table", "plain": "a table"}, ToyEncoder())
    assert view.scene["headline"].startswith("מטריצה")
    page = browser.new_page()
    page.set_content(view.to_html())
    first, last = page.evaluate(ENDS)
    assert first < last
    page.set_content(view.to_html().replace("direction: ltr", ""))  # without the rule it would run the other way
    first, last = page.evaluate(ENDS)
    assert first > last
    page.close()
