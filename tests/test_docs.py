"""Instructor notes and worksheet: timetables add up, headings and figures are the notebooks', the key is computed."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import labkit as lk

ROOT = Path(__file__).parent.parent
WORKSHOP = (ROOT / "docs" / "workshop.md").read_text(encoding="utf-8")
SHEET = (ROOT / "docs" / "worksheet.md").read_text(encoding="utf-8")
KEY = (ROOT / "docs" / "worksheet_key.md").read_text(encoding="utf-8")
CITED = re.findall(r"(0\d), \*([^*]+)\*(?:: ((?:`[^`]+`(?:, )?)+))?", " ".join(WORKSHOP.split()))
QUESTION, TEXTS = "pick without replacement", {"A": "sample with no repeats", "B": "draw with replacement always"}


@pytest.mark.parametrize(("cut", "minutes"), [("Ninety minutes", 90), ("Half a day", 240), ("A day", 450)])
def test_a_timetable_has_no_gap_and_ends_in_time(cut, minutes):
    part = WORKSHOP.split(f"### {cut}\n")[1].split("\n#")[0]
    rows = [tuple(map(int, row)) for row in re.findall(r"^\| (\d+):(\d\d) \| (\d+) \|", part, re.M)]
    ends = np.cumsum([length for *_, length in rows])
    assert [60 * hour + minute for hour, minute, _ in rows] == [0, *ends[:-1]]
    assert ends[-1] == minutes


def outputs_under(notebook, heading):
    """The text of all outputs between a heading of a built notebook and the next one."""
    (path,) = (ROOT / "notebooks").glob(f"{notebook}_*.ipynb")
    inside, told = False, []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        headings = re.findall(r"^## (.*)$", "".join(cell["source"]), re.M) if cell["cell_type"] == "markdown" else []
        inside = heading == headings[-1] if headings else inside
        for output in cell.get("outputs", ()) if inside else ():
            told.append("".join(output.get("text") or output["data"].get("text/plain", "")))
    return "\n".join(told)


@pytest.mark.parametrize(("notebook", "heading", "figures"), CITED)
def test_what_the_notes_cite_stands_under_that_heading(notebook, heading, figures):
    (source,) = (ROOT / "notebooks" / "src").glob(f"{notebook}_*.py")
    assert f"# ## {heading}\n" in source.read_text(encoding="utf-8")
    told = outputs_under(notebook, heading)
    for figure in re.findall("`([^`]+)`", figures):
        assert figure in told


def test_the_notes_cite_headings_and_figures():
    assert len(CITED) == 8
    assert sum(figures.count("`") // 2 for *_, figures in CITED) == 9


def test_every_name_and_command_in_the_notes_exists():
    assert set(re.findall(r"lk\.(\w+)", WORKSHOP)) <= set(lk.__all__)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    assert set(re.findall(r"^make (\S+)", WORKSHOP, re.M)) <= targets
    assert all((ROOT / "docs" / name).is_file() for name in re.findall(r"\]\((\w+\.md)\)", WORKSHOP))


def grid(name):
    rows = re.findall(r"^\| (?:pick|without|replacement) \|(.*)\|$", SHEET.split(f"| {name} | ")[1], re.M)[:3]
    return np.array([[float(cell) for cell in row.split("|")] for row in rows], np.float32)


def key(task):
    row = re.search(rf"^\| {task}\. .*?\|(.*)\|$", KEY, re.M)[1]
    return [float(number) for number in re.findall(r"\d\.\d+", row)]


def score(numbers):
    """MaxSim of a grid: with unit vectors as the question's, a document's vectors are the grid's columns."""
    numbers = np.asarray(numbers, np.float32)
    return float(lk.maxsim(np.eye(len(numbers), dtype=np.float32), [np.ascontiguousarray(numbers.T)])[0])


def test_the_key_is_what_maxsim_gives():
    both = [grid("A"), grid("B")]
    assert [one.shape for one in both] == [(3, 4), (3, 4)]
    assert key(2) == pytest.approx([score(one) for one in both])
    assert key(3) == pytest.approx([score(one[[0, 2]]) for one in both])
    assert key(4) == pytest.approx([score(one.T) for one in both])
    assert key(5) == pytest.approx([one.mean() for one in both], abs=0.005)
    column = [float(number) for number in re.search(r"its column is ([\d., ]+)\. ", SHEET)[1].split(", ")]
    assert key(6) == pytest.approx([score(np.c_[both[0], column])])


def test_the_grids_are_the_default_models():
    encoder = lk.load_encoder()
    query = encoder.encode_queries([QUESTION])
    for name, text in TEXTS.items():
        assert f"- **{name}**: *{text}*" in SHEET
        document = encoder.encode_documents([text])
        heads = re.search(rf"^\| {name} \| (.*) \|$", SHEET, re.M)[1].split(" | ")
        assert (query.tokens(0), document.tokens(0)) == (QUESTION.split(), heads)
        assert grid(name) == pytest.approx(query[0] @ document[0].astype(np.float32).T, abs=0.0501)
