"""The harness, on a widget of three lines: what the page tests rely on works, and what they forbid is seen."""

import pytest

from tests.browser.notebook import THEMES, write

pytestmark = pytest.mark.browser

COUNTER = '''
import anywidget, traitlets

class Counter(anywidget.AnyWidget):
    _esm = """export default {render({model, el}) {
        const button = document.createElement("button");
        const paint = () => { button.textContent = `count ${model.get("count")}`; };
        button.addEventListener("click", () => { model.set("count", model.get("count") + 1); model.save_changes(); });
        model.on("change:count", paint);
        paint();
        el.append(button);
    }};"""
    count = traitlets.Int(0).tag(sync=True)

counter = Counter()
counter
'''


@pytest.fixture(scope="module")
def notebook(lab, open_notebook):
    notebook = open_notebook(write(lab, "counter.ipynb", "1 + 1", COUNTER))
    notebook.run()
    return notebook


def test_a_click_reaches_the_kernel_and_a_trait_reaches_the_page(notebook):
    button = notebook.output(1).get_by_role("button")
    assert button.text_content() == "count 0"
    button.click()
    button.get_by_text("count 1").wait_for()
    assert notebook.evaluate("counter.count") == 1
    notebook.evaluate("counter.set_trait('count', 7)")
    button.get_by_text("count 7").wait_for()


def test_a_cell_that_raises_fails_the_run_with_its_traceback(lab, open_notebook):
    broken = open_notebook(write(lab, "broken.ipynb", "1 / 0"))
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        broken.run()


@pytest.mark.parametrize("theme", THEMES)
def test_the_theme_is_painted_when_the_change_returns(notebook, theme):
    notebook.theme(theme)
    assert notebook.page.evaluate("document.body.dataset.jpThemeLight") == str(theme == "light").lower()


@pytest.mark.parametrize(
    ("does", "seen"),
    [
        ("console.error('wrong')", "console: wrong"),
        ("setTimeout(() => { throw new Error('thrown') })", "exception: thrown"),
        ("alert('hello')", "dialog: alert hello"),
        ("fetch('http://192.0.2.1/').catch(() => null)", "request: http://192.0.2.1/"),
        ("new WebSocket('ws://192.0.2.1/'), null", "request: ws://192.0.2.1/"),
    ],
)
def test_what_is_forbidden_is_seen(notebook, watch, does, seen):
    notebook.page.evaluate(does)
    faults = watch.faults()
    watch.forget()
    assert any(fault.startswith(seen) for fault in faults), faults


def test_the_kernel_runs_offline(notebook):
    with pytest.raises(AssertionError, match="only loopback is allowed"):
        notebook.evaluate("__import__('socket').create_connection(('192.0.2.1', 80))")
