"""The alignment in JupyterLab: what a reader points at, types and switches changes what it should."""

import pytest

from tests.browser.notebook import THEMES, moving, write

pytestmark = pytest.mark.browser

QUERY = "turn the many columns of a table into rows"
OPEN = f"""
import labkit as lk
texts = {{
    "pandas.melt": "Unpivot a table from wide to long: its many columns become rows. " * 2,
    "pandas.pivot": "Reshape the rows of a long table into columns, one for each value.",
    "numpy.sort": "Return a sorted copy of an array. The axis along which to sort; the default is the last one.",
}}
view = lk.show_alignment({QUERY!r}, texts)
view
"""


@pytest.fixture(scope="module")
def notebook(lab, open_notebook):
    notebook = open_notebook(write(lab, "alignment.ipynb", OPEN))
    notebook.run()
    return notebook


class Shown:
    """The alignment as the page shows it."""

    def __init__(self, notebook):
        self.notebook, self.page = notebook, notebook.page
        self.area = notebook.output(0)

    def token(self, place, number):
        return self.area.locator(f'[data-place="{place}"][data-token="{number}"]')

    def lit(self, place):
        """Numbers of the tokens that are lit in the query (0), in the document (1), in its rival (2)."""
        lit = self.area.locator(f'.lk-lit[data-place="{place}"]')
        return sorted(int(number) for number in lit.evaluate_all("all => all.map(one => one.dataset.token)"))

    def headline(self):
        return self.area.locator("h3").text_content()

    def follows(self):
        """Wait until the page shows what Python has computed last."""
        self.area.locator("h3").get_by_text(self.scene("headline"), exact=True).wait_for()

    def scene(self, name):
        """What Python has sent last."""
        return self.notebook.evaluate(f"view.scene[{name!r}]")

    def python(self, what):
        """A value of the picture behind the widget, which is the truth here."""
        return self.notebook.evaluate(f"view.picture.{what}")

    def position(self, word):
        """The position of a word's first token in the query."""
        return self.python(f"query.labels.index({word!r})")


@pytest.fixture
def shown(notebook):
    """The view as it was when it was made; the mouse is elsewhere."""
    notebook.output(0).locator("h3").click()  # the focus leaves the view: a field that has it keeps what was typed
    notebook.page.mouse.move(0, 0)
    start = f"[view.set_trait(*pair) for pair in dict(query={QUERY!r}, shown=-1, against=-1, without=[]).items()]"
    notebook.evaluate(start)
    shown = Shown(notebook)
    shown.follows()
    shown.token(0, 0).press("Escape")
    shown.area.locator("h3").click()
    return shown


def test_pointing_at_a_query_word_lights_the_token_it_chose_in_each_document(shown):
    token = shown.position("columns")
    shown.token(0, token).hover()
    assert shown.lit(0) == [token]
    assert shown.lit(1) == [shown.python(f"shown.winners[{token}].item()")]
    assert shown.lit(2) == [shown.python(f"against.winners[{token}].item()")]
    said = shown.area.locator(".lk-status").text_content()
    assert f"{shown.python(f'shown.best[{token}].item()'):.3f}" in said
    assert shown.area.locator("[aria-live]").text_content() == said


def test_pointing_at_a_document_token_lights_the_query_words_that_chose_it(shown):
    position = shown.python(f"shown.winners[{shown.position('rows')}].item()")
    shown.token(1, position).hover()
    assert shown.lit(1) == [position]
    assert shown.lit(0) == [q for q, won in enumerate(shown.python("shown.winners.tolist()")) if won == position]


def test_nothing_stays_lit_when_the_mouse_leaves(shown):
    shown.token(0, 0).hover()
    assert shown.lit(1)
    shown.page.mouse.move(0, 0)
    assert shown.lit(0) == shown.lit(1) == shown.lit(2) == []


def test_several_words_stay_pinned_until_escape(shown):
    columns, rows = shown.position("columns"), shown.position("rows")
    shown.token(0, columns).click()
    shown.token(0, rows).click()
    shown.page.mouse.move(0, 0)
    shown.area.locator("h3").click()
    assert shown.lit(0) == sorted([columns, rows])
    shown.token(0, rows).press("Escape")
    shown.area.locator("h3").click()
    shown.page.mouse.move(0, 0)
    assert shown.lit(0) == []


def test_the_keyboard_alone_does_what_the_mouse_does(shown):
    """Tab reaches the words, arrows move over them, Enter pins, Escape clears; the notebook's shortcuts stay out."""
    shown.area.locator('[data-name="query"]').focus()
    for _ in range(30):
        shown.page.keyboard.press("Tab")
        if shown.page.evaluate("document.activeElement.dataset.place") == "0":
            break
    assert focused(shown) == ("0", "0")
    shown.page.keyboard.press("ArrowRight")
    assert focused(shown) == ("0", "1")
    assert shown.lit(1) == [shown.python("shown.winners[1].item()")]
    shown.page.keyboard.press("Enter")
    shown.page.keyboard.press("ArrowRight")
    assert focused(shown) == ("0", "2")
    assert shown.lit(0) == [1, 2]
    shown.page.keyboard.press("Escape")
    shown.page.keyboard.press("Tab")
    assert focused(shown) == ("1", "0")
    assert shown.lit(1) == [0]
    assert shown.page.evaluate("jupyterapp.shell.currentWidget.content.mode") == "command"
    assert shown.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == 1


def focused(shown):
    return tuple(shown.page.evaluate("[document.activeElement.dataset.place, document.activeElement.dataset.token]"))


def test_the_focused_word_can_be_seen(shown):
    shown.area.locator('[data-name="query"]').focus()
    shown.page.keyboard.press("Tab")
    outline = shown.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(outline.removesuffix("px")) >= 2


def test_an_edited_query_changes_scores_and_links(shown):
    before = shown.headline()
    field = shown.area.locator('[data-name="query"]')
    field.fill("sort an array along an axis")
    field.press("Enter")
    shown.area.locator("h3").filter(has_text="sort").wait_for()
    shown.follows()
    assert shown.headline() != before
    assert shown.python("shown.name") == "sort"
    axis = shown.position("axis")
    shown.token(0, axis).hover()
    assert shown.lit(1) == [shown.python(f"shown.winners[{axis}].item()")]


def test_typing_keeps_the_caret_and_starts_no_shortcut(shown):
    field = shown.area.locator('[data-name="query"]')
    field.focus()
    shown.page.keyboard.press("Home")
    shown.page.keyboard.type("abdd ", delay=20)
    shown.area.locator(".lk-q").filter(has_text="ab").first.wait_for()
    assert field.input_value() == f"abdd {QUERY}"
    assert shown.page.evaluate("document.activeElement.selectionStart") == 5
    assert shown.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == 1


def test_an_empty_query_is_told_and_what_was_shown_stays(shown):
    before = shown.headline()
    field = shown.area.locator('[data-name="query"]')
    field.fill("")
    field.press("Enter")
    shown.area.locator(".lk-problem").get_by_text("no tokens").wait_for()
    assert shown.headline() == before
    field.fill(QUERY)
    field.press("Enter")
    shown.area.locator(".lk-problem").wait_for(state="hidden")


def test_leaving_function_words_out_takes_them_out_of_the_score(shown):
    toggle = shown.area.locator('[data-kind="function word"]')
    assert toggle.get_attribute("aria-pressed") == "true"
    toggle.click()
    shown.area.locator('[data-kind="function word"][aria-pressed="false"]').wait_for()
    assert shown.notebook.evaluate("view.without") == ["function word"]
    the = shown.position("the")
    shown.token(0, the).hover()
    assert shown.lit(1) == []
    assert "left out" in shown.area.locator(".lk-status").text_content()
    score = shown.python("score(view.picture.shown)")
    assert f"{score:.2f}" in shown.area.locator('[data-doc][aria-pressed="true"]').text_content()
    assert score < shown.python("shown.score")


def test_the_chips_show_similarity_share_or_difference(shown):
    chips = shown.area.locator(".lk-q > small:last-child")
    seen = {}
    for measure in ("similarity", "share", "difference"):
        shown.area.locator('[data-name="measure"]').select_option(measure)
        seen[measure] = chips.all_text_contents()
    assert seen["similarity"] == [
        f"{earned:.2f}" for earned in shown.notebook.evaluate("[line.earned for line in view.picture.lines]")
    ]
    assert all(cell.endswith("%") for cell in seen["share"])
    assert all(cell[0] in "+-" for cell in seen["difference"])
    shown.area.locator('[data-name="measure"]').select_option("similarity")


def test_another_document_and_another_rival_can_be_chosen(shown):
    shown.area.locator('[data-doc="2"]').click()
    shown.area.locator('[data-doc="2"][aria-pressed="true"]').wait_for()
    assert shown.python("shown.name") == "sort"
    shown.follows()
    shown.area.locator('[data-name="against"]').select_option("-2")
    shown.area.locator(".lk-panels article").nth(1).wait_for(state="detached")
    shown.follows()
    assert shown.python("against") is None


def test_the_page_shows_a_receipt_that_balances(shown):
    assert shown.area.locator(".lk-receipt").text_content() == shown.scene("receipt")
    assert "balances" in shown.area.locator(".lk-receipt:not(.lk-bad)").text_content()


@pytest.mark.parametrize("width", [400, 900, 1600])
@pytest.mark.parametrize("theme", THEMES)
def test_it_fits_every_width_in_both_themes(shown, artefacts, theme, width):
    shown.notebook.theme(theme)
    shown.notebook.width(width, height=2400)
    area = shown.notebook.output(0)
    assert overflow(area) <= 0
    assert width == 400 or overflow(area, ".lk-scroll") <= 0  # a phone scrolls the table, and the table alone
    area.screenshot(path=artefacts / f"alignment-{theme}-{width}.png")
    shown.notebook.width(1280)


def overflow(area, part=".lk"):
    """By how many pixels the view, or a part of it, is wider than its output area, or holds more than it is wide."""
    wider = "Math.max(part.scrollWidth - part.clientWidth, part.clientWidth - area.clientWidth)"
    return area.evaluate(f"(area, name) => {{ const part = area.querySelector(name); return {wider}; }}", part)


def test_reduced_motion_moves_nothing(shown):
    assert moving(shown.page, shown.area.locator(".lk")) == 0
