"""Bets and claims: stored before the result, and none lost."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import labkit as lk
from labkit.errors import LabError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


def test_nothing_is_stored_before_the_first_bet_and_the_first_claim():
    assert lk.bet("00.maxsim_wins") is None
    assert lk.claim("02") is None


def test_the_latest_bet_counts_and_says_what_was_stored():
    lk.bet("00.maxsim_wins", 4)
    lk.bet("00.fusion_wins", 12)
    assert repr(lk.bet("00.maxsim_wins", np.int64(7))).startswith("Your bet 00.maxsim_wins: 7 (from 0 to 12). On how")
    assert lk.bet("00.maxsim_wins").value == 7
    assert lk.bet("00.fusion_wins").value == 12


@pytest.mark.parametrize("value", [-1, 13, 7.5, "7", True])
def test_a_bet_outside_its_range_is_refused_and_not_stored(value):
    with pytest.raises(LabError, match=r"the bet 00\.maxsim_wins must be a whole number from 0 to 12; got"):
        lk.bet("00.maxsim_wins", value)
    assert lk.bet("00.maxsim_wins") is None


def test_an_unknown_bet_is_refused_with_those_there_are():
    with pytest.raises(LabError, match=r"no bet '00\.tickets'; there is 00\.fusion_wins, 00\.maxsim_wins"):
        lk.bet("00.tickets", 3)


@pytest.mark.parametrize("untouched", [..., None])
def test_an_untouched_bet_stores_nothing_and_says_what_to_put_there(untouched, home):
    assert repr(lk.bet("00.maxsim_wins", untouched)).startswith("No bet yet. On how many")
    assert not (home / "bets.jsonl").exists()


def test_a_torn_last_line_is_skipped_and_the_next_bet_starts_a_new_line(home):
    lk.bet("00.maxsim_wins", 4)
    with (home / "bets.jsonl").open("ab") as file:
        file.write(b'{"bet": "00.maxsim_wins", "val')
    assert lk.bet("00.maxsim_wins").value == 4
    lk.bet("00.maxsim_wins", 9)
    assert lk.bet("00.maxsim_wins").value == 9
    assert len((home / "bets.jsonl").read_bytes().splitlines()) == 3


def test_lines_that_are_not_bets_are_skipped(home):
    (home / "bets.jsonl").write_bytes(
        b'[1]\n\xff\xfe\nnull\n{"bet": "00.maxsim_wins"}\n{"bet": "00.maxsim_wins", "value": 2}\n'
    )
    assert lk.bet("00.maxsim_wins").value == 2


def test_a_bet_that_cannot_be_stored_says_so(home):
    (home / "bets.jsonl").mkdir()
    with pytest.raises(LabError, match=r"the bet was not stored: .*Set LABKIT_HOME"):
        lk.bet("00.maxsim_wins", 3)


def test_two_processes_betting_at_once_lose_no_line(home):
    code = "import labkit as lk\nfor n in range(40): lk.bet('00.maxsim_wins', n % 13)"
    root = os.path.dirname(os.path.dirname(lk.__file__))
    children = [subprocess.Popen([sys.executable, "-c", code], cwd=root) for _ in range(2)]
    assert [child.wait(60) for child in children] == [0, 0]
    lines = [json.loads(line) for line in (home / "bets.jsonl").read_bytes().splitlines()]
    assert len(lines) == 80


def test_the_latest_claim_counts_and_reads_as_a_sentence():
    lk.claim("02", better="bm25+late", than="dense", by=0.1)
    lk.claim("02", better="bm25+late+fusion", than="fusion", by=0.02)
    said = "Your claim 02: bm25+late+fusion beats fusion by at least 0.02 nDCG@10."
    assert repr(lk.claim("02")) == said
    assert (lk.claim("02").better, lk.claim("02").by) == ("bm25+late+fusion", 0.02)


def test_an_untouched_claim_stores_nothing_and_says_what_to_put_there(home):
    assert repr(lk.claim("02", better=..., than=..., by=...)).startswith("No claim yet. Put two systems")
    assert not (home / "claims.jsonl").exists()


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (("bm26", "dense", 0.1), "no retriever 'bm26'; there is bm25, dense, fusion"),
        (("bm25+late", 7, 0.1), "a system is named by a string such as 'bm25\\+late'; got 7"),
        (("dense", "dense", 0.1), "a claim needs two systems; got 'dense' twice"),
        (("dense", "bm25", 2), "by must be a difference in nDCG@10 from 0 to 1; got 2"),
        (("dense", "bm25", float("nan")), "by must be a difference in nDCG@10 from 0 to 1; got nan"),
    ],
)
def test_a_claim_that_cannot_be_tested_is_refused_and_not_stored(claim, message, home):
    better, than, by = claim
    with pytest.raises(LabError, match=message):
        lk.claim("02", better=better, than=than, by=by)
    assert not (home / "claims.jsonl").exists()
