"""Notebook 03: a spelling that leaves healthy words alone, and a cleaner judged by what it undoes and breaks."""

import html
import re

import pytest

from labkit.corpus.load import load_collection
from labkit.corpus.repair import Repair
from labkit.course.catalogue import catalogue
from labkit.records import read_lines

EXERCISES = catalogue().exercises
CLEANER, SPELL = EXERCISES["03.cleaner"], EXERCISES["03.spell"]


def rounds(outcome):
    return [line for line in outcome.message.splitlines() if "precision" in line]


def test_the_spelling_mends_t8_and_leaves_t5_from_the_words_of_pydocs():
    known = set(re.findall(r"\w+", " ".join(load_collection("pydocs").passages).lower()))
    mended = SPELL.solution(["standart", "deviaton", "ignoring", "nan", "StratifiedKFold"], known)
    assert mended == ["standard", "deviation", "ignoring", "nan", "StratifiedKFold"]


def test_the_cleaner_in_the_solution_notebook_stands_on_its_own_and_wins_all_rounds():
    space = {}
    exec(CLEANER.source, space)  # noqa: S102 - our own source, as the notebook runs it
    outcome = CLEANER.judge(space["clean"])
    assert outcome.state == "correct"
    assert len(rounds(outcome)) == 3
    assert len(CLEANER.source.splitlines()) <= 12


def test_the_lab_s_own_repair_wins_all_rounds_too():
    rules = Repair(["zero-width", "html", "whitespace"])
    assert CLEANER.judge(lambda text: rules(text).text).state == "correct"


def test_a_cleaner_that_only_takes_out_what_is_invisible_wins_one_round():
    outcome = CLEANER.judge(lambda text: re.sub("[\u200b\u200d\u200e\u2060\ufeff\u00ad]", "", text))
    assert [line.endswith("<- lost") for line in rounds(outcome)] == [False, True]


def test_a_cleaner_of_all_that_looks_like_a_tag_loses_by_precision():
    def greedy(text):
        text = re.sub("[\u200b\u200d\u200e\u2060\ufeff\u00ad]", "", text)
        return html.unescape(re.sub("<[^>]*>", " ", text)).replace("\u00a0", " ")

    lost = rounds(CLEANER.judge(greedy))[-1]
    precision, recall = (float(re.search(rf"{name} (\d\.\d+)", lost)[1]) for name in ("precision", "recall"))
    assert precision < 0.98 < 1 - precision + recall


@pytest.mark.parametrize("untouched", [None, ..., lambda text: None, lambda text: ...])
def test_an_unwritten_cleaner_is_not_attempted(untouched):
    assert CLEANER.judge(untouched).state == "not attempted"


def test_the_stub_is_not_attempted():
    space = {}
    exec(CLEANER.stub, space)  # noqa: S102 - our own source, as the notebook runs it
    assert CLEANER.judge(space["clean"]).state == "not attempted"


def test_what_is_no_cleaner_is_an_error_that_says_so():
    assert "check needs the function itself" in CLEANER.judge("clean").message
    assert "clean must return a text" in CLEANER.judge(len).message
    assert CLEANER.judge(lambda text: 1 / 0).message == "clean raised ZeroDivisionError: division by zero"


def test_playing_the_rounds_is_no_run_for_the_ledger():
    CLEANER.judge(lambda text: text)
    assert list(read_lines("ledger.jsonl")) == []
