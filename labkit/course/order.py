"""A cell that runs before the cells it needs: say which those are, beside Python's NameError.

`watch` is called by ``import labkit`` in a notebook's kernel. ``make lab`` calls it before the first cell.
"""

from __future__ import annotations

import ast
import dis
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

RUN = "In the menu: Run > Run All Above Selected Cell."


def watch() -> None:
    """In a kernel: from now on a NameError says which cell makes the name. Elsewhere nothing happens."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None  # type: ignore[attr-defined]
    if getattr(shell, "kernel", None) is not None:
        shell.set_custom_exc((NameError,), _explain)  # type: ignore[union-attr]


def maker(notebook: Path, name: str) -> tuple[int, str] | None:
    """Which cell of a notebook first makes ``name``: its number among all cells, from 1, and the heading above it.

    None where no cell does, or the file cannot be read as a notebook.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        heading = ""
        for number, cell in enumerate(cells, start=1):
            text = "".join(cell["source"])
            if cell["cell_type"] == "markdown":
                heading = [heading, *(line.lstrip("# ") for line in text.splitlines() if line.startswith("#"))][-1]
            elif cell["cell_type"] == "code" and name in made(text):
                return number, heading
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None


def made(code: str) -> set[str]:
    """The names that a cell's code binds at its top level; none where it does not parse.

    >>> sorted(made("import numpy as np\\nfor n in (1, 2):\\n    total = n\\ndef f(x): y = x"))
    ['f', 'n', 'np', 'total']
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the compiler thinks of a cell is not asked here
            cell = compile(code, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return set()
    return {step.argval for step in dis.get_instructions(cell) if step.opname == "STORE_NAME"}


def _notebook(shell: Any) -> Path | None:
    """The running notebook's file, as JupyterLab or VS Code tells it to the kernel."""
    told = shell.user_ns.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME", "")
    return Path(told) if str(told).endswith(".ipynb") else None


def _explain(shell: Any, kind: type, error: NameError, trace: Any, tb_offset: int | None = None) -> None:
    notebook = _notebook(shell)
    if notebook is None:
        error.add_note(f"Does a cell above make {error.name!r}? Then run it first. {RUN}")
    elif found := maker(notebook, error.name):
        number, heading = found
        under = f", under “{heading}”" if heading else ""
        error.add_note(f"{error.name!r} is made in cell {number}{under}, which has not run yet. {RUN}")
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
