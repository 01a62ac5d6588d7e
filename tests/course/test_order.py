"""A cell that is run too early is told which cell it waits for."""

import ast
import builtins
import json
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from labkit.course.order import made, maker

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))
START = {"PYTHONSTARTUP": str(ROOT / "tools" / "kernel_start.py")}


def error_of(cells: list[str], folder: Path, **env: str) -> str:
    """What the last cell answers in a fresh kernel, where the first ones are not the notebook's."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    with pytest.raises(CellExecutionError) as caught:
        client.execute(env=os.environ | {"PYTHONPATH": str(ROOT)} | env)
    return str(caught.value)


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells = [
        nbformat.v4.new_markdown_cell("# A course\n\n## Who wins?"),
        nbformat.v4.new_code_cell("runs = {}"),
        nbformat.v4.new_code_cell("print(runs)"),
    ]
    path = tmp_path / "own.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_name_is_found_in_the_cell_that_makes_it_first_with_its_heading(notebook):
    assert maker(notebook, "runs") == (2, "Who wins?")
    assert maker(notebook, "walks") is None


def test_names_inside_functions_and_comprehensions_are_not_made_by_a_cell():
    code = "def f(inner):\n    local = 1\nwith open(p) as file, a as (b, c):\n    d: int = 1\n[x for x in y]"
    assert made(code) == {"f", "file", "b", "c", "d"}


def test_what_the_compiler_thinks_of_a_cell_is_not_printed(recwarn):
    assert made("assert (x is 1, 'always true')\nd = 1") == {"d"}
    assert not recwarn.list


@pytest.mark.parametrize("broken", ["", "[]", '{"cells": 3}', '{"cells": [{"cell_type": "code"}]}'])
def test_a_file_that_is_no_notebook_tells_nothing(tmp_path, broken):
    path = tmp_path / "broken.ipynb"
    path.write_text(broken)
    assert maker(path, "runs") is None


def test_a_cell_run_too_early_names_the_cell_that_it_waits_for(notebook):
    told = error_of(["import labkit", "print(runs)"], notebook.parent, JPY_SESSION_NAME=str(notebook))
    assert "'runs' is made in cell 2, under “Who wins?”, which has not run yet" in told
    assert "Run All Above Selected Cell" in told


def test_a_misspelt_name_stays_a_plain_nameerror(notebook):
    told = error_of(["import labkit", "print(rusn)"], notebook.parent, JPY_SESSION_NAME=str(notebook))
    assert "name 'rusn' is not defined" in told
    assert "Run All Above" not in told


def test_in_the_lab_even_the_import_may_be_missing(notebook):
    told = error_of(["lk.load_encoder()"], notebook.parent, JPY_SESSION_NAME=str(NOTEBOOKS[0]), **START)
    assert "'lk' is made in cell " in told


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_name_that_a_cell_of_the_course_uses_is_made_in_a_cell_above_or_in_that_cell(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    used = {}
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] == "code":
            tree = ast.parse("".join(cell["source"]))
            inner = {a.arg for n in ast.walk(tree) if isinstance(n, ast.arguments) for a in [*n.args, *n.kwonlyargs]}
            inner |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            inner |= {n.name for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)}
            loaded = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
            used |= {name: number for name in loaded - inner - set(dir(builtins)) if name not in used}
    late = {name: (number, maker(path, name)) for name, number in used.items()}
    wrong = {name: pair for name, pair in late.items() if pair[1] is None or pair[1][0] > pair[0]}
    assert used
    assert not wrong
