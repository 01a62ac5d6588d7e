"""The builder, proved on a small source; then a lint of the notebooks that are there."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from statistics import median

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
FORBIDDEN = ("in this notebook we will", "it is important to", "let's dive in", "let’s dive in", "powerful")
ENDING = ("scoreboard", "Take away", "**Notation.**", "**Next:**")  # what every notebook closes with
SIDE_ENDING = ("Take away", "**Notation.**", "**Sources.**", "**Next:**")
PATHS = (f"{ROOT}/", f"{Path.home()}/", "/ipykernel_")  # of one machine, or of one run
BARE_HEADINGS = {"introduction", "overview", "background", "setup", "summary", "conclusion", "motivation"}
SOURCE = """\
# ---
# jupyter:
#   kernelspec: {display_name: other, language: python, name: other}
# ---
# %% [markdown]
# # Which list wins?
# %% tags=["nbval-ignore-output"]
import os
import labkit as lk
{name: os.environ[name] for name in ("HF_HUB_OFFLINE", "TQDM_DISABLE", "LABKIT_CACHE", "LABKIT_HOME")}
# %% tags=["stub"]
# stub: 02.rrf
# %% tags=["solution"]
# solution: 02.rrf
# %%
lk.exercise("02.rrf").check(rrf)
# %% tags=["stub"]
lk.bet("00.maxsim_wins", ...)
# %% tags=["solution"]
lk.bet("00.maxsim_wins", 7)
# %%
print("one")
print("two")
# %%
print("one")
print("two")
"""


def load_builder():
    spec = importlib.util.spec_from_file_location("notebook_builder", NOTEBOOKS / "build.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


build = load_builder()
SOURCES = [NOTEBOOKS / "src" / f"{name}.py" for name in build.sources(NOTEBOOKS)]
EDITED = [(source, edition) for source in SOURCES for edition in build.editions(source)]


def by_name(value):
    return value if isinstance(value, str) else value.stem


def on_the_side(source):
    return source.parent.name == "side"


def folder_with(path, source):
    (path / "src").mkdir()
    (path / "src" / "99_small.py").write_text(source, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path):
    return folder_with(tmp_path, SOURCE)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = folder_with(tmp_path_factory.mktemp("notebooks"), SOURCE)
    assert build.main([], folder) == 0
    return folder


def read(folder, edition):
    return nbformat.read(build.notebook_path(folder, "99_small", edition), as_version=4)


def outputs(notebook):
    return [out.get("text") or out.data["text/plain"] for cell in notebook.cells for out in cell.get("outputs", [])]


def test_each_edition_has_its_own_cells_and_shares_the_rest(built):
    learner, solutions = read(built, "learner"), read(built, "solutions")
    assert len(learner.cells) == len(solutions.cells) == 7
    assert learner.cells[2].source.endswith("    ...")
    assert "score[doc] = score.get(doc, 0)" in solutions.cells[2].source
    shared = [a.source == b.source for a, b in zip(learner.cells, solutions.cells, strict=True)]
    assert shared == [True, True, False, True, False, True, True]


def test_both_editions_are_executed_from_untouched_to_correct(built):
    assert "not attempted" in outputs(read(built, "learner"))[1]
    assert "No bet yet" in outputs(read(built, "learner"))[2]
    assert outputs(read(built, "solutions"))[1].startswith("[correct]")
    assert "Your bet 00.maxsim_wins: 7" in outputs(read(built, "solutions"))[2]
    assert outputs(read(built, "learner"))[3] == "one\ntwo\n"


def test_the_kernel_is_offline_with_a_home_of_its_own(built):
    text = outputs(read(built, "learner"))[0]
    assert "'HF_HUB_OFFLINE': '1'" in text
    assert "'TQDM_DISABLE': '1'" in text
    assert outputs(read(built, "solutions"))[0] != text, "each edition has a fresh home"


def test_the_file_is_normalised(built):
    text = (built / "99_small.ipynb").read_text(encoding="utf-8")
    raw = json.loads(text)
    assert text.endswith("}\n")
    assert text == json.dumps(raw, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    assert raw["metadata"] == {"kernelspec": build.KERNEL, "language_info": build.LANGUAGE}
    assert raw["cells"][1]["metadata"] == {"tags": ["nbval-ignore-output"]}
    assert [cell["execution_count"] for cell in raw["cells"][1:]] == [1, 2, 3, 4, 5, 6]


def test_of_a_widget_only_the_static_twin_is_stored(tmp_path):
    code = """from labkit.ranking.ranking import Hit, Ranking; import labkit as lk
one = Ranking("a", (Hit("b", 1, 1.0),)); lk.slope_chart(one, one)"""
    notebook = build.nbformat.v4.new_notebook(cells=[build.nbformat.v4.new_code_cell(code)])
    build.execute(notebook, tmp_path)
    assert set(notebook.cells[0].outputs[-1].data) == {"image/png", "text/plain"}
    assert "widgets" not in notebook.metadata


def test_a_side_notebook_is_built_beside_the_others_runs_where_it_is_kept_and_has_no_solutions(folder, capsys):
    (folder / "src" / "side").mkdir()
    (folder / "src" / "side" / "attic.py").write_text("# %%\nfrom pathlib import Path\nPath.cwd().name\n")
    assert build.sources(folder) == ["99_small", "side/attic"]
    assert build.main(["attic"], folder) == 0
    assert outputs(nbformat.read(folder / "side" / "attic.ipynb", as_version=4)) == ["'side'"]
    assert not (folder / "solutions" / "side").exists()
    (folder / "src" / "side" / "attic.py").write_text("# %%\n1\n")
    assert build.main(["--check", "attic"], folder) == 1
    assert "side/attic.ipynb differs from src/side/attic.py, first at cell 1" in capsys.readouterr().out


def test_a_side_notebook_with_an_exercise_has_solutions(folder):
    (folder / "src" / "side").mkdir()
    (folder / "src" / "side" / "attic.py").write_text('# %% tags=["solution"]\n# solution: 02.rrf\n')
    assert build.main(["--no-execute", "attic"], folder) == 0
    assert len(nbformat.read(folder / "solutions" / "side" / "attic.ipynb", as_version=4).cells) == 1
    assert nbformat.read(folder / "side" / "attic.ipynb", as_version=4).cells == []


def test_cell_ids_are_unique_and_survive_an_inserted_cell(folder):
    before = [cell.id for cell in build.make(folder / "src" / "99_small.py", "learner").cells]
    changed = SOURCE.replace("# %% [markdown]", "# %% [markdown]\n# new\n# %% [markdown]", 1)
    (folder / "src" / "99_small.py").write_text(changed, encoding="utf-8")
    after = [cell.id for cell in build.make(folder / "src" / "99_small.py", "learner").cells]
    assert len(set(before)) == len(before)
    assert after[1:] == before


def test_without_drift_the_check_is_silent_and_executes_nothing(built, capsys, monkeypatch):
    monkeypatch.setattr(build, "execute", None)
    assert build.main(["--check"], built) == 0
    assert capsys.readouterr().out == "1 sources: no drift\n"


def test_drift_is_named_by_notebook_and_cell(folder, capsys):
    assert build.main(["--no-execute"], folder) == 0
    source = folder / "src" / "99_small.py"
    source.write_text(SOURCE.replace("00.maxsim_wins", "00.fusion_wins"), encoding="utf-8")
    assert build.main(["--check", "99_small"], folder) == 1
    said = capsys.readouterr().out
    assert "99_small.ipynb differs from src/99_small.py, first at cell 5" in said
    assert "solutions" in said


def test_an_edited_tag_and_a_missing_notebook_are_drift(folder):
    build.main(["--no-execute"], folder)
    notebook = read(folder, "learner")
    notebook.cells[1].metadata.tags = []
    build.write(notebook, folder / "99_small.ipynb")
    build.notebook_path(folder, "99_small", "solutions").unlink()
    assert [problem.split()[1] for problem in build.drift(folder, ["99_small"])] == ["differs", "is"]


def test_unknown_names_and_exercises_are_refused_with_those_there_are(folder, capsys):
    with pytest.raises(SystemExit):
        build.main(["98_none"], folder)
    assert "no source 98_none; there is 99_small" in capsys.readouterr().err
    (folder / "src" / "99_small.py").write_text("# %%\n# solution: 02.rff\n", encoding="utf-8")
    assert build.main(["--no-execute"], folder) == 1
    assert "99_small.py: there is no exercise '02.rff'; there is 00.direction" in capsys.readouterr().err


def test_a_cell_that_fails_is_reported_and_nothing_is_written(folder, capsys):
    (folder / "src" / "99_small.py").write_text("# %%\nraise ValueError('planted')\n", encoding="utf-8")
    assert build.main([], folder) == 1
    assert "99_small (learner)" in (said := capsys.readouterr().err)
    assert "planted" in said
    assert not (folder / "99_small.ipynb").exists()


def test_state_of_widgets_and_timings_is_dropped_and_authored_metadata_stays(folder):
    source = '# %% slideshow={"slide_type": "skip"}\nimport ipywidgets\nipywidgets.IntSlider()\n'
    (folder / "src" / "99_small.py").write_text(source, encoding="utf-8")
    assert build.main([], folder) == 0
    notebook = read(folder, "learner")
    assert "widgets" not in notebook.metadata
    assert notebook.cells[0].metadata == {"slideshow": {"slide_type": "skip"}}


def style_complaints(notebook, side=False):
    """What the house style forbids in a notebook, one sentence each; empty if all is well."""
    count = len(notebook.cells)
    least, most = (12, 25) if side else (25, 45)
    if not least <= count <= most:
        yield f"{count} cells; {least} to {most} are wanted"
    for number, cell in enumerate(notebook.cells, start=1):
        yield from (f"cell {number} says {phrase!r}" for phrase in FORBIDDEN if phrase in cell.source.lower())
        lines = [line for line in cell.source.splitlines() if line.strip()]
        if cell.cell_type == "code" and len(lines) > 12:
            yield f"cell {number} has {len(lines)} lines of code; at most 12"
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#+ +(.+?)\s*$", cell.source, re.MULTILINE)
            yield from (
                f"cell {number}: heading {h!r} asks and claims nothing" for h in headings if h.lower() in BARE_HEADINGS
            )


def budget_complaints(notebook, side=False):
    """Where a learner's notebook asks more than the budget allows, one sentence each."""
    header = notebook.cells[0].source
    for what, most in (("names", 5), ("terms", 4)):
        listed = re.search(rf"^\*\*New {what}:\*\* (.+)\.$", header, re.MULTILINE)
        count = len(listed[1].split(", ")) if listed else 0
        if not 1 <= count <= most:
            yield f"the header lists {count} new {what}; 1 to {most} are wanted"
    if not re.search(r"\*\*You:\*\* \d+ minutes\. \*\*The machine:\*\* ", header):
        yield "the header does not tell minutes for the reader and time for the machine"
    words = median(words_between_code(notebook))
    if not 25 <= words <= 60:
        yield f"a median of {words} words between code cells; 25 to 60 are wanted"
    end = "\n".join(cell.source for cell in notebook.cells[-8:])
    yield from (f"the end lacks {part}" for part in (SIDE_ENDING if side else ENDING) if part not in end)


def words_between_code(notebook):
    """The words of prose between each code cell and the next one; 0 where two stand together."""
    counts, words, code = [], 0, False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            words += len(re.findall(r"\w[\w'’.@+-]*", cell.source))
            continue
        if code:
            counts.append(words)
        words, code = 0, True
    return counts or [0]


def output_complaints(notebook):
    """What must not be stored with a notebook's outputs, one sentence each."""
    if "widgets" in notebook.metadata:
        yield "metadata holds widgets' state"
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code":
            continue
        if cell.execution_count is None:
            yield f"cell {number} was not executed"
        expected = "raises-exception" in cell.metadata.get("tags", [])
        if not expected and any(output.output_type == "error" for output in cell.outputs):
            yield f"cell {number} ended with an error"
        stored = json.dumps(cell.outputs)
        yield from (f"cell {number} shows the path {p}" for p in PATHS if p in stored)


def test_the_lint_finds_what_it_is_for():
    cells = [
        nbformat.v4.new_markdown_cell("## Overview\nIn this notebook we will see a powerful idea."),
        nbformat.v4.new_code_cell("x = 1\n" * 13),
        nbformat.v4.new_code_cell("1 / 0", execution_count=1, outputs=[nbformat.v4.new_output("error", ename="E")]),
        nbformat.v4.new_code_cell(
            "p", execution_count=2, outputs=[nbformat.v4.new_output("stream", text=f"{ROOT}/labkit")]
        ),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"widgets": {}})
    assert list(style_complaints(notebook)) == [
        "4 cells; 25 to 45 are wanted",
        "cell 1 says 'in this notebook we will'",
        "cell 1 says 'powerful'",
        "cell 1: heading 'Overview' asks and claims nothing",
        "cell 2 has 13 lines of code; at most 12",
    ]
    assert list(output_complaints(notebook)) == [
        "metadata holds widgets' state",
        "cell 2 was not executed",
        "cell 3 ended with an error",
        f"cell 4 shows the path {ROOT}/",
    ]


@pytest.mark.parametrize(("source", "edition"), EDITED, ids=by_name)
def test_notebooks_keep_the_house_style(source, edition):
    assert list(style_complaints(build.make(source, edition), on_the_side(source))) == []


def test_the_budget_is_checked():
    cells = [nbformat.v4.new_markdown_cell("# Why?"), nbformat.v4.new_code_cell("1")]
    assert list(budget_complaints(nbformat.v4.new_notebook(cells=cells))) == [
        "the header lists 0 new names; 1 to 5 are wanted",
        "the header lists 0 new terms; 1 to 4 are wanted",
        "the header does not tell minutes for the reader and time for the machine",
        "a median of 0 words between code cells; 25 to 60 are wanted",
        *(f"the end lacks {part}" for part in ENDING),
    ]


@pytest.mark.parametrize("source", SOURCES, ids=by_name)
def test_learners_notebooks_keep_the_budget(source):
    assert list(budget_complaints(build.make(source, "learner"), on_the_side(source))) == []


@pytest.mark.parametrize(("source", "edition"), EDITED, ids=by_name)
def test_stored_notebooks_were_executed_and_hold_nothing_of_one_machine(source, edition):
    name = source.relative_to(NOTEBOOKS / "src").with_suffix("").as_posix()
    stored = nbformat.read(build.notebook_path(NOTEBOOKS, name, edition), as_version=4)
    assert list(output_complaints(stored)) == []


def test_notebooks_are_what_their_sources_say():
    assert build.drift(NOTEBOOKS, build.sources(NOTEBOOKS)) == []


def test_no_notebook_is_without_a_source():
    built = [*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("side/*.ipynb"), *NOTEBOOKS.glob("solutions/**/*.ipynb")]
    wanted = {build.notebook_path(NOTEBOOKS, n, e) for n in build.sources(NOTEBOOKS)
              for e in build.editions(NOTEBOOKS / "src" / f"{n}.py")}  # fmt: skip
    assert [path for path in built if path not in wanted and ".ipynb_checkpoints" not in path.parts] == []
