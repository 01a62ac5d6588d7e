"""Exported pages: no complaint of axe-core, pictures that say what they show, and the keyboard alone."""

import runpy
from pathlib import Path

import pytest

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
page = runpy.run_path(str(ROOT / "tools" / "export_pages.py"))["page"]
EXPORTED = ["00_setup", "01_late_interaction", "05_measure"]
NO_WORDS = "No description has been provided for this image"  # what nbconvert says for a picture without words
REACHABLE = """() => [...document.querySelectorAll("a[href], button, input, summary, [tabindex='0']")]
  .filter(e => e.checkVisibility() && !e.closest("details:not([open]) > :not(summary)"))
  .forEach((e, i) => e.dataset.stop = i) ?? document.querySelectorAll("[data-stop]").length"""
STOP = """() => { const e = document.activeElement, s = getComputedStyle(e);
  return [e.dataset.stop ?? "", s.outlineStyle !== "none" && s.outlineWidth !== "0px"]; }"""


@pytest.fixture(scope="module", params=EXPORTED)
def exported(request, browser, tmp_path_factory):
    """A stored notebook as a page in a window of Chromium."""
    file = tmp_path_factory.mktemp("pages") / f"{request.param}.html"
    file.write_text(page(ROOT / "notebooks" / f"{request.param}.ipynb"), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 1200, "height": 900})
    tab.goto(file.as_uri())
    yield tab
    tab.close()


def test_axe_finds_nothing_to_complain_about(exported):
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(exported).response
    told = [
        f"{rule['id']}: {node['html'][:120]} ({node['failureSummary'][:200]})"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
    assert found["passes"]
    assert told == []


def test_every_picture_says_what_it_shows(exported):
    words = exported.eval_on_selector_all("img", "all => all.map(image => image.alt)")
    assert words or exported.locator("svg, table").count()
    assert [alt for alt in words if not alt or alt == NO_WORDS] == []


def test_tab_goes_through_all_that_answers_in_order_with_a_visible_focus(exported):
    count = exported.evaluate(REACHABLE)
    assert count
    stops = []
    for _ in range(count):
        exported.keyboard.press("Tab")
        stops.append(exported.evaluate(STOP))
    assert [stop for stop, _ in stops] == [str(number) for number in range(count)]
    assert [stop for stop, visible in stops if not visible] == []
