"""Duel, eraser, slope chart, scoreboard and cut in JupyterLab: what a reader presses or reaches changes it rightly."""

import pytest

from tests.browser.notebook import THEMES, moving, write
from tests.browser.shown import TEXTS, Shown

pytestmark = pytest.mark.browser

DUEL = (
    TEXTS
    + """
duel = lk.duel("turn the many columns of a table into rows", "pandas.melt", "pandas.pivot", docs=texts)
duel
"""
)
ERASER = """
others = {name: text for name, text in texts.items() if name != "pandas.pivot"}
eraser = lk.eraser(["turn many columns into rows", "a long table"], texts["pandas.pivot"], others=others)
eraser
"""
SLOPE = """
from labkit.ranking.ranking import Hit, Ranking
def ranking(system, ids):
    return Ranking("a <query>", tuple(Hit(f"package.{i}", rank, 9.0 - rank) for rank, i in enumerate(ids, 1)), system)
slope = lk.slope_chart(ranking("bm25", "abcdef"), ranking("late", "fabdec"), right={"package.f"})
slope
"""
BOARD = """
from labkit.views.scoreboard import Scoreboard
from labkit.views.stages import Stage
steps = ((Stage("bm25", 7),), (Stage("late", 1),))
walks = {ticket: {"bm25": steps[:1], "bm25+late": steps} for ticket in ("T1", "T2")}
ranks = {ticket: {"bm25": 7, "bm25+late": 1} for ticket in walks}
board = Scoreboard(("bm25", "bm25+late"), {"T1": "a <b>query</b>", "T2": "another"}, ranks, (), 50, walks)
board
"""
CUT = """
long = "\\n".join(["Sort the rows of a table by one of its columns."] * 90 + ["A <b>needle</b> in the last line."])
docs = {name: lk.Document(name, text) for name, text in {**texts, "package.long": long}.items()}
cut = lk.show_cut("find a needle", "package.long", lk.Collection("four", docs), mark="needle")
cut
"""
CELLS = {"duel": DUEL, "eraser": ERASER, "slope": SLOPE, "board": BOARD, "cut": CUT}
START = {"duel": {"a": 0, "b": 1, "off": []}, "eraser": {"off": []}, "slope": {"chosen": -1}, "board": {"ticket": ""}}
START |= {"cut": {"read": 1}}


@pytest.fixture(scope="module")
def notebook(lab, open_notebook):
    notebook = open_notebook(write(lab, "live.ipynb", *CELLS.values()))
    notebook.run()
    return notebook


@pytest.fixture
def show(notebook):
    """A view by name, as it was when it was made; the mouse is elsewhere."""

    def shown(name):
        notebook.page.mouse.move(0, 0)
        notebook.evaluate(f"[{name}.widget().set_trait(*pair) for pair in {START[name]!r}.items()]")
        view = Shown(notebook, name, list(CELLS).index(name))
        view.area.locator(".lk-body > div").wait_for()
        return view

    return shown


def focused(shown):
    return shown.page.evaluate("document.activeElement.dataset.key")


def test_a_word_of_a_duel_lights_its_matches_and_is_switched_off_by_a_press(show):
    duel = show("duel")
    duel.follows()
    word = duel.area.locator(".lk-toggle").first
    number = word.get_attribute("data-key").removeprefix("word ")
    word.hover()
    assert duel.lit() >= {f"w{number}"}
    assert duel.area.locator("mark.lk-lit").count() >= 2  # one in each document
    assert word.text_content() in duel.status()
    before = duel.area.locator("h3").text_content()
    word.click()
    duel.area.locator(f'[data-key="word {number}"][aria-pressed="false"]').wait_for()
    duel.follows()
    assert duel.notebook.evaluate("duel.widget().off") == [int(number)]
    assert duel.area.locator("h3").text_content() != before
    duel.key("back").click()
    duel.area.locator("h3").get_by_text(before, exact=True).wait_for()


def test_a_duel_is_played_by_keyboard_and_the_focus_stays(show):
    duel = show("duel")
    first, second = duel.area.locator(".lk-toggle").nth(0), duel.area.locator(".lk-toggle").nth(1)
    keys = [one.get_attribute("data-key") for one in (first, second)]
    cells = duel.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length")
    first.focus()
    duel.page.keyboard.press("ArrowDown")
    assert focused(duel) == keys[1]
    duel.page.keyboard.press("Space")
    duel.area.locator(f'[data-key="{keys[1]}"][aria-pressed="false"]').wait_for()
    assert focused(duel) == keys[1]
    duel.page.keyboard.press("Enter")
    duel.area.locator(f'[data-key="{keys[1]}"][aria-pressed="true"]').wait_for()
    duel.page.keyboard.press("b")  # in JupyterLab: a new cell
    assert duel.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length") == cells
    assert duel.page.evaluate("jupyterapp.shell.currentWidget.content.mode") == "command"


def test_another_pair_is_chosen(show):
    duel = show("duel")
    duel.key("b").select_option("2")
    duel.area.locator("h3").filter(has_text="sort").wait_for()
    duel.follows()
    assert duel.python("b") == 2


def test_what_the_duel_would_lose_is_crossed_out(show):
    duel = show("duel")
    duel.follows()
    gone = duel.area.locator(".lk-gone")
    assert gone.count() == duel.python("removed.__len__()")
    assert "line-through" in gone.first.evaluate("one => getComputedStyle(one).textDecorationLine")


def test_no_word_left_is_told_and_the_last_duel_stays(show):
    duel = show("duel")
    duel.follows()
    before = duel.area.locator("h3").text_content()
    duel.notebook.evaluate("duel.widget().set_trait('off', list(range(9)))")
    duel.area.locator(".lk-problem").get_by_text("no word of the query is left").wait_for()
    assert duel.area.locator("h3").text_content() == before


def test_tokens_are_erased_and_scores_and_ranks_follow(show):
    eraser = show("eraser")
    eraser.follows()
    alive = eraser.area.locator(".lk-tokens .lk-alive").first
    key = alive.get_attribute("data-key")
    alive.click()
    eraser.area.locator(f'[data-key="{key}"].lk-erased').wait_for()
    eraser.follows()
    cells = eraser.area.locator(".lk-queries tbody tr").first.locator("td").all_text_contents()
    assert cells[2:] == eraser.python("standings[0].cells()")[1:]
    eraser.key("back").click()
    eraser.area.locator(f'[data-key="{key}"].lk-alive').wait_for()


def test_erasing_what_never_wins_leaves_every_score(show):
    eraser = show("eraser")
    eraser.follows()
    eraser.key("dead").click()
    eraser.area.locator(".lk-tokens .lk-dead").first.wait_for(state="detached")
    eraser.follows()
    assert "100.0% of the score is left" in eraser.area.locator("h3").text_content()


def test_a_document_that_is_reached_lights_its_line_and_tells_its_ranks(show):
    slope = show("slope")
    end = slope.area.locator("button.lk-end").first
    end.focus()
    assert slope.lit() == {end.get_attribute("data-lit")}
    assert slope.status() == "package.f: rank 6 in bm25, rank 1 in late: up 5; a right answer."
    assert slope.area.locator('[aria-live="polite"]').text_content() == slope.status()
    slope.page.keyboard.press("ArrowDown")
    assert slope.status().startswith("package.a: rank 1 in bm25, rank 2 in late: down 1")
    slope.page.keyboard.press("Enter")
    slope.area.locator("line.lk-on").wait_for(state="attached")
    assert slope.python("moves[slope.widget().chosen].doc_id") == "package.a"


def test_pointing_at_a_line_is_enough(show):
    slope = show("slope")
    slope.area.locator("line.lk-hit").nth(1).dispatch_event("mouseenter")
    assert slope.lit() == {"m1"}


def test_a_ticket_that_is_pressed_shows_its_walk(show):
    board = show("board")
    board.key("ticket T1").click()
    board.area.locator(".lk-walk").wait_for()
    assert board.area.locator(".lk-walk p").all_text_contents() == ["bm25bm25 7", "bm25+latebm25 7→late 1*"]
    assert board.area.locator("h3").text_content() == "T1: a <b>query</b>"
    assert board.python("ticket") == "T1"
    board.key("ticket T1").click()
    board.area.locator(".lk-walk").wait_for(state="detached")


def test_the_cut_moves_by_keyboard_and_the_focus_stays(show):
    cut = show("cut")
    cut.follows()
    assert "behind the cut" in cut.area.text_content()
    cut.key("read").focus()
    for read, key in ((2, "ArrowRight"), (1, "ArrowLeft"), (len(cut.python("strip.ends")), "End")):
        cut.page.keyboard.press(key)
        cut.area.locator(f'[data-key="read"][value="{read}"]').wait_for()
        cut.follows()
        assert focused(cut) == "read"
        assert cut.notebook.evaluate("cut.widget().read") == read
    assert "“needle” begins at character" in cut.area.text_content()
    assert "before the cut: its window scores" in cut.area.text_content()


@pytest.mark.parametrize("width", [400, 900, 1600])
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", CELLS)
def test_it_fits_every_width_in_both_themes(show, artefacts, name, theme, width):
    shown = show(name)
    shown.notebook.evaluate("board.widget().set_trait('ticket', 'T1')")
    shown.notebook.theme(theme)
    shown.notebook.width(width, height=1600)
    area = shown.notebook.output(list(CELLS).index(name))
    too_wide = (
        "view => Math.max(view.scrollWidth - view.clientWidth, view.clientWidth - view.parentElement.clientWidth)"
    )
    assert area.locator(".lk").evaluate(too_wide) <= 0
    area.screenshot(path=artefacts / f"{name}-{theme}-{width}.png")
    shown.notebook.width(1280)


def test_a_table_that_is_wider_than_the_window_is_scrolled_by_keyboard(show):
    duel = show("duel")
    duel.notebook.width(280)  # narrower than the views fit, in any font
    table = duel.area.locator(".lk-scroll")
    assert table.evaluate("one => one.scrollWidth > one.clientWidth")
    table.focus()
    duel.page.keyboard.press("ArrowRight")
    duel.page.wait_for_function("document.activeElement.matches('.lk-scroll') && document.activeElement.scrollLeft > 0")
    duel.notebook.width(1280)


@pytest.mark.parametrize("name", CELLS)
def test_reduced_motion_moves_nothing(show, name):
    shown = show(name)
    assert moving(shown.page, shown.area.locator(".lk")) == 0
