"""One course: what a notebook announces as new is new there, and nothing that it uses comes unannounced."""

import re
from itertools import pairwise
from pathlib import Path

import jupytext
import pytest

from labkit.course.catalogue import catalogue

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "notebooks" / "src").glob("*.py"))
SIDE = sorted((ROOT / "notebooks" / "src" / "side").glob("*.py"))
COURSE = {"doctor", "exercise", "bet", "claim", "settle", "calibration", "progress", "catch_up", "gauntlet"}
BY_A_WORD = {"BM25Retriever", "FusionReranker", "CohereReranker"}  # what `lk.system` reaches
BESIDE = {"LabError", "cohere_standin"}


def cells(source: Path, kind: str) -> str:
    """All cells of a kind as one text."""
    parsed = jupytext.reads(source.read_text(encoding="utf-8"), fmt="py:percent")
    return "\n".join(cell.source for cell in parsed.cells if cell.cell_type == kind)


def announced(source: Path, what: str) -> list[str]:
    """The new names or terms that a notebook's head lists."""
    listed = re.search(rf"^\*\*New {what}:\*\* (.+)\.$", cells(source, "markdown"), re.MULTILINE)
    return re.findall(r"`(\w+)`" if what == "names" else r"\*(.+?)\*", listed[1]) if listed else []


def used(source: Path) -> set[str]:
    """The names of labkit in a notebook's code."""
    return set(re.findall(r"\blk\.(\w+)", cells(source, "code")))


@pytest.mark.parametrize("what", ["names", "terms"])
def test_what_is_new_is_new_once(what):
    listed = [new for source in SOURCES for new in announced(source, what)]
    assert len(listed) > 20
    assert sorted(listed) == sorted(set(listed))


@pytest.mark.parametrize("number", range(len(SOURCES)), ids=[source.stem for source in SOURCES])
def test_a_notebook_announces_the_names_that_it_uses_first_and_uses_those_that_it_announces(number):
    source, earlier = SOURCES[number], [used(before) for before in SOURCES[:number]]
    new = set(announced(source, "names"))
    first = used(source) - set().union(*earlier) - COURSE - BY_A_WORD - BESIDE
    assert first - new == set()
    assert {
        name for name in new if not re.search(rf"\b{name}\b", cells(source, "code") + cells(source, "markdown"))
    } == set()
    assert new & set().union(*earlier) == set()


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_new_term_stands_in_bold_where_it_is_explained(source):
    text = " ".join(cells(source, "markdown").split())
    missing = [
        term for term in announced(source, "terms") if not re.search(rf"\*\*{re.escape(term)}", text, re.IGNORECASE)
    ]
    assert missing == []


def test_each_notebook_leads_to_the_next_one():
    for source, following in pairwise(SOURCES):
        assert f"**Next:** [{following.stem}]({following.stem}.ipynb)" in cells(source, "markdown")


def test_every_exercise_and_every_bet_has_its_place_in_a_notebook():
    code = "\n".join(cells(source, "code") for source in [*SOURCES, *SIDE])
    assert [key for key in catalogue().exercises if f'lk.exercise("{key}")' not in code] == []
    placed = [key for key in catalogue().bets if f'"{key}"' not in code and not key.startswith("07.case_")]
    assert placed == []
    assert 'f"07.case_{letter}"' in code
