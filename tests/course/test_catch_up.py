"""A late learner's state: only what a notebook reads, nothing overwritten, nothing bet for anybody."""

import re
from pathlib import Path

import pytest

import labkit as lk
from labkit.course import catch_up as module
from labkit.course.probes import Check
from labkit.errors import LabError

SOURCES = Path(__file__).parents[2] / "notebooks" / "src"


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def store(monkeypatch):
    """``store("warn")``: the store looks cold, without the work of timing it."""

    def is_(state):
        monkeypatch.setattr(module, "store", lambda c, encoder: Check(state, "store", "as the test says"))

    is_("ok")
    return is_


def found(notebook):
    return {check.what: check for check in lk.catch_up(notebook).checks}


@pytest.mark.parametrize("path", sorted(SOURCES.glob("0*.py")), ids=lambda path: path.stem[:2])
def test_what_it_prepares_is_what_the_notebook_reads(path):
    """Reads the notebooks' sources: one that comes to read more must be caught up on more."""
    code, number = path.read_text(encoding="utf-8"), path.stem[:2]
    raw = "pydocs-raw" in module.COLLECTIONS.get(number, ())
    assert ('load_collection("pydocs-raw")' in code) == raw
    claims = set(re.findall(r'lk\.claim\("(\d\d)"\)', code)) - {number}
    bets = set(re.findall(r'"(\d\d)\.\w+", "', "".join(re.findall(r"for bet, name in .*", code)))) - {number}
    assert (claims, bets) == (({"02"}, {"00"}) if number == module.COMMITMENTS else (set(), set()))
    assert bool(re.search(r'lk\.ledger\(collection="pydocs"', code)) == (number == module.LEDGER)
    if number == module.LEDGER:
        assert f"len(own) >= {len(module.SYSTEMS)}" in code


@pytest.mark.parametrize("notebook", ["3", "99", 3, None])
def test_a_notebook_that_there_is_not_is_refused(notebook):
    with pytest.raises(LabError, match=r"there is no notebook .*00, 01, 02"):
        lk.catch_up(notebook)


def test_collections_are_built_and_counted(store):
    assert list(found("04")) == ["pydocs", "store"]
    checks = found("03")
    assert list(checks) == ["pydocs", "pydocs-raw", "store"]
    assert checks["pydocs-raw"].found == f"{len(lk.load_collection('pydocs-raw').docs):,} documents"


def test_open_bets_and_claims_stay_open_and_say_what_to_do(store, home):
    checks = found("05")
    assert {what for what, check in checks.items() if check.state == "warn"} == {
        "claim 02", "bet 00.maxsim_wins", "bet 00.fusion_wins"
    }  # fmt: skip
    assert all(check.fix.startswith(("lk.claim(", "lk.bet(")) for check in checks.values() if check.state == "warn")
    assert not (home / "bets.jsonl").exists()
    assert not (home / "claims.jsonl").exists()


def test_what_the_learner_has_is_kept_and_shown(store, home):
    lk.bet("00.maxsim_wins", 4)
    lk.claim("02", better="dense", than="bm25", by=0.1)
    before = {path.name: path.read_bytes() for path in home.glob("*.jsonl")}
    checks = found("05")
    assert checks["claim 02"] == Check("ok", "claim 02", "kept: dense against bm25")
    assert checks["bet 00.maxsim_wins"] == Check("ok", "bet 00.maxsim_wins", "kept: 4")
    assert {path.name: path.read_bytes() for path in home.glob("*.jsonl")} == before


def test_a_cold_store_runs_nothing_and_says_how_to_go_on(store):
    store("warn")
    check = found("06")["ledger"]
    assert (check.state, check.fix) == ("warn", 'labkit warm, then catch_up("06")')
    assert len(lk.ledger()) == 0


def test_missing_runs_are_made_here_and_the_learners_own_are_kept(store, home, monkeypatch):
    monkeypatch.setattr(module, "SYSTEMS", ("bm25", "dense", "fusion"))  # the quick ones
    c = lk.load_collection("pydocs")
    lk.evaluate(lk.system("dense", c), c, split="dev", k=100, note="mine")
    mine = (home / "ledger.jsonl").read_bytes()
    assert found("06")["ledger"] == Check("ok", "ledger", "1 runs kept, 2 made now: bm25, fusion")
    assert (home / "ledger.jsonl").read_bytes().startswith(mine)
    assert [(run.told["system"], run.told["note"]) for run in lk.ledger()] == [
        ("dense", "mine"), ("bm25", "caught up"), ("fusion", "caught up")
    ]  # fmt: skip
    before = (home / "ledger.jsonl").read_bytes()
    assert found("06")["ledger"].found == "kept: 3 runs of yours on pydocs dev"
    assert (home / "ledger.jsonl").read_bytes() == before
