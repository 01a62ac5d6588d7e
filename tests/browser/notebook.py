"""A notebook in JupyterLab, driven as a reader drives it, through JupyterLab's own commands where the page has none."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from tests.browser.lab import Lab

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
COLOURS = re.compile(r"\x1b\[[\d;]*m")
RUNS_WITHIN = 180_000  # milliseconds
KERNEL = "jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel"
IDLE = f"window.jupyterapp && {KERNEL}?.status === 'idle' && !document.querySelector('#jupyterlab-splash')"
OUTPUTS = """jupyterapp.shell.currentWidget.content.widgets.map(
    cell => cell.model.type === 'code' ? cell.model.outputs.toJSON() : [])"""
EVALUATE = f"""async expression => {{
    const asked = {KERNEL}.requestExecute(
        {{code: '', silent: true, store_history: false, user_expressions: {{it: expression}}}});
    return (await asked.done).content.user_expressions.it;
}}"""
MOVING = """view => [...view.querySelectorAll('*')].filter(one => {
    const style = getComputedStyle(one);
    return parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none';
}).length"""
SHOW = """async index => {
    const notebook = jupyterapp.shell.currentWidget.content;
    notebook.activeCellIndex = index;
    await notebook.scrollToItem(index, 'start', 0);
}"""


class Notebook:
    """One notebook of a `Lab` in one page of its own.

    Parameters
    ----------
    context : its page is made here and closed with `close`
    lab : a running server
    name : of a notebook in the server's folder
    """

    def __init__(self, context: BrowserContext, lab: Lab, name: str) -> None:
        self.page = context.new_page()
        self.page.goto(lab.address(name))
        self.page.wait_for_function(IDLE, timeout=RUNS_WITHIN)
        self.command("application:toggle-left-area")  # the file browser stands in the way of narrow pages

    def open(self, name: str) -> None:
        """Go to another notebook of the server's folder, in the same page."""
        self.command("docmanager:open", path=name)
        self.page.wait_for_function(f"jupyterapp.shell.currentWidget.context?.path === {name!r} && {IDLE}")

    def command(self, name: str, **arguments: Any) -> Any:
        """Run one of JupyterLab's commands and wait for its promise."""
        run = "([name, arguments]) => jupyterapp.commands.execute(name, arguments).then(() => null)"
        return self.page.evaluate(run, [name, arguments])

    def run(self) -> None:
        """Run all cells and return when the last has ended. If one raised, an `AssertionError` has its traceback."""
        self.page.set_default_timeout(RUNS_WITHIN)
        self.command("notebook:run-all-cells")
        self.page.wait_for_function(IDLE)
        self.page.set_default_timeout(30_000)
        failed = [out for outputs in self.outputs() for out in outputs if out["output_type"] == "error"]
        assert not failed, COLOURS.sub("", "\n".join(failed[0]["traceback"]))

    def outputs(self) -> list[list[dict]]:
        """Each cell's outputs, as a notebook file stores them; none for Markdown."""
        return self.page.evaluate(OUTPUTS)

    def output(self, index: int) -> Locator:
        """The output area of a cell, scrolled into view: JupyterLab keeps only cells near the view in the page."""
        self.page.evaluate(SHOW, index)
        front = ".jp-NotebookPanel:not(.lm-mod-hidden)"
        cell = self.page.locator(f'{front} .jp-Cell[data-windowed-list-index="{index}"]')
        area = cell.locator(".jp-OutputArea-output").first
        area.wait_for()
        return area

    def evaluate(self, expression: str) -> Any:
        """The value of a Python expression in the kernel, by way of JSON."""
        found = self.page.evaluate(EVALUATE, f"__import__('json').dumps({expression})")
        assert found["status"] == "ok", COLOURS.sub("", "\n".join(found["traceback"]))
        return json.loads(ast.literal_eval(found["data"]["text/plain"]))

    def theme(self, name: str) -> None:
        """Change to ``light`` or ``dark`` and wait until it is painted."""
        self.command("apputils:change-theme", theme=THEMES[name])
        painted = f"document.body.dataset.jpThemeName === {THEMES[name]!r}"
        self.page.wait_for_function(f"{painted} && !document.querySelector('#jupyterlab-splash')")

    def width(self, pixels: int, height: int = 1000) -> None:
        """Make the window so wide, and wait until JupyterLab has laid itself out."""
        self.page.set_viewport_size({"width": pixels, "height": height})
        self.page.wait_for_function(
            "() => Math.abs(document.querySelector('#main').clientWidth - window.innerWidth) < 2"
        )

    def close(self) -> None:
        """End the kernel and close the page."""
        self.page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
        self.page.close()


def moving(page: Page, view: Locator) -> int:
    """How many elements of a view move for a reader who asks for less motion."""
    page.emulate_media(reduced_motion="reduce")
    count = view.evaluate(MOVING)
    page.emulate_media(reduced_motion="no-preference")
    return count


def write(lab: Lab, name: str, *cells: str) -> str:
    """Write a notebook of code cells into the server's folder; its name."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, Path(lab.work, name))
    return name
