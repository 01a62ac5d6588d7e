"""Build the notebooks: one source in ``src/`` gives the learner's notebook and the one with solutions.

Side notebooks have their sources in ``src/side/``. A source without a ``stub`` or a ``solution`` has no solutions.

    python notebooks/build.py [--check] [--no-execute] [NAME ...]

A source is jupytext's py:percent. Cells tagged ``stub`` go to the learner only, cells tagged ``solution`` to
``solutions/`` only, all others to both. A cell whose code is one line such as ``# solution: 02.rrf`` or
``# stub: 02.rrf`` is filled from labkit's exercises. Both notebooks are executed, and stored with their outputs.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from labkit.course.catalogue import catalogue  # noqa: E402
from labkit.errors import LabError  # noqa: E402
from labkit.paths import write_atomic  # noqa: E402
from labkit.views.live import WIDGET  # noqa: E402

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"}
EDITIONS = {"learner": "solution", "solutions": "stub"}  # edition -> the tag that it leaves out
_FILL = re.compile(r"#\s*(solution|stub):\s*(\S+)")


class BuildError(Exception):
    """A source that cannot become a notebook, told in one message."""


def sources(folder: Path) -> list[str]:
    """Every source by its place below ``src/``, such as ``02_two_stage`` or ``side/muvera``; side ones come last."""
    found = [*sorted((folder / "src").glob("*.py")), *sorted((folder / "src" / "side").glob("*.py"))]
    return [path.relative_to(folder / "src").with_suffix("").as_posix() for path in found]


def notebook_path(folder: Path, name: str, edition: str) -> Path:
    """Where an edition is kept: learners' notebooks in ``folder``, the others in ``solutions/``."""
    return (folder if edition == "learner" else folder / "solutions") / f"{name}.ipynb"


def editions(source: Path) -> list[str]:
    """The editions of a source: solutions only where a cell tells the two apart."""
    cells = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent").cells
    tags = {tag for cell in cells for tag in cell.metadata.get("tags", [])}
    return list(EDITIONS) if tags & set(EDITIONS.values()) else ["learner"]


def make(source: Path, edition: str) -> NotebookNode:
    """One edition of a source, without outputs. Equal sources give equal notebooks, cell ids included."""
    parsed = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    seen: Counter[str] = Counter()
    cells = []
    for cell in parsed.cells:
        if EDITIONS[edition] in cell.metadata.get("tags", []):
            continue
        text = filled(cell.source, source.name) if cell.cell_type == "code" else cell.source
        metadata = {key: value for key, value in cell.metadata.items() if not key.startswith("lines_to_")}
        create = getattr(nbformat.v4, f"new_{cell.cell_type}_cell")
        cells.append(create(text, id=cell_id(cell.cell_type, text, seen), metadata=metadata))
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL, "language_info": LANGUAGE})


def filled(text: str, where: str) -> str:
    """The code of the exercise that a cell such as ``# solution: 02.rrf`` asks for; any other cell as it is."""
    wanted = _FILL.fullmatch(text.strip())
    if not wanted:
        return text
    kind, name = wanted.groups()
    there = catalogue().exercises
    if name not in there:
        raise BuildError(f"{where}: there is no exercise {name!r}; there is {', '.join(sorted(there))}.")
    return there[name].source if kind == "solution" else there[name].stub


def cell_id(kind: str, text: str, seen: Counter[str]) -> str:
    """An id made of the content, and numbered when it repeats: a rebuild changes only the cells that changed."""
    digest = hashlib.sha256(f"{kind}:{text}".encode()).hexdigest()[:8]
    seen[digest] += 1
    return digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Run all cells in ``folder`` with a fresh home and no network, and drop what differs from run to run.

    Of a widget only its static twin stays: without a kernel nothing would answer.
    """
    with tempfile.TemporaryDirectory() as home:
        settings = {"kernel_name": "python3", "timeout": 900, "record_timing": False, "coalesce_streams": True}
        client = NotebookClient(notebook, resources={"metadata": {"path": str(folder)}}, **settings)
        client.execute(env=environment(home))
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET, None)


def environment(home: str) -> dict[str, str]:
    """The kernel's environment: this checkout first, offline, with its own home and the shared cache."""
    places = [ROOT / "tools" / "offline", ROOT]
    python_path = [str(place) for place in places if place.is_dir()] + [os.environ.get("PYTHONPATH", "")]
    return os.environ | {
        "LABKIT_HOME": home,
        "LABKIT_CACHE": os.environ.get("LABKIT_CACHE") or str(ROOT / "data" / "cache"),
        "PYTHONPATH": os.pathsep.join(filter(None, python_path)),
        "TQDM_DISABLE": "1",
        "HF_HUB_OFFLINE": "1",
    }


def write(notebook: NotebookNode, path: Path) -> None:
    """Store a notebook with sorted keys and a newline at the end, all of it or nothing."""
    write_atomic(path, nbformat.writes(notebook).rstrip("\n") + "\n")


def drift(folder: Path, names: Iterable[str]) -> list[str]:
    """What is not as the sources say: notebooks that are missing, or whose cells differ."""
    problems = []
    for name in names:
        source = folder / "src" / f"{name}.py"
        for edition in editions(source):
            path = notebook_path(folder, name, edition)
            shown = path.relative_to(folder)
            if not path.is_file():
                problems.append(f"{shown} is missing")
                continue
            wanted, stored = make(source, edition), nbformat.read(path, as_version=4)
            pairs = enumerate(zip_longest(_cells(wanted), _cells(stored)), start=1)
            if where := [number for number, (ours, theirs) in pairs if ours != theirs]:
                problems.append(f"{shown} differs from src/{name}.py, first at cell {where[0]}")
    return problems


def _cells(notebook: NotebookNode) -> list[tuple]:
    return [(cell.cell_type, cell.source, cell.metadata, cell.id) for cell in notebook.cells]


def build(folder: Path, name: str, run: bool = True) -> None:
    """Write the editions of one source; nothing is written if a cell fails."""
    source, where = folder / "src" / f"{name}.py", (folder / name).parent
    built = {edition: make(source, edition) for edition in editions(source)}
    for edition, notebook in built.items():
        if run:
            try:
                where.mkdir(exist_ok=True)
                execute(notebook, where)
            except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                raise BuildError(f"{name} ({edition}): {error}") from None
    for edition, notebook in built.items():
        write(notebook, notebook_path(folder, name, edition))


def main(arguments: list[str] | None = None, folder: Path = ROOT / "notebooks") -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build the notebooks from notebooks/src.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="for example 02_two_stage; all without one")
    parser.add_argument("--check", action="store_true", help="only compare the notebooks with their sources")
    parser.add_argument("--no-execute", action="store_true", help="write the cells without outputs")
    chosen = parser.parse_args(arguments)
    there = {Path(name).stem: name for name in sources(folder)}
    wanted = [Path(name).stem for name in chosen.names] or list(there)
    if unknown := [name for name in wanted if name not in there]:
        parser.error(f"no source {', '.join(unknown)}; there is {', '.join(there) or 'none'}")
    names = [there[name] for name in wanted]
    try:
        if chosen.check:
            problems = drift(folder, names)
            print("\n".join([*problems, "Run: make notebooks"]) if problems else f"{len(names)} sources: no drift")
            return 1 if problems else 0
        for name in names:
            print(f"building {name}", flush=True)
            build(folder, name, run=not chosen.no_execute)
    except (BuildError, LabError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
