"""A shared folder: what goes in, what comes out, and what one bad file may not do."""

import json

import pytest

import labkit as lk
from labkit.errors import LabError

BET = "00.maxsim_wins"


@pytest.fixture
def person(tmp_path, monkeypatch):
    """``person("ada")`` goes to that person's own home."""

    def sit(name):
        monkeypatch.setenv("LABKIT_HOME", str(tmp_path / f"home-{name}"))

    sit("me")
    return sit


@pytest.fixture
def folder(tmp_path, person):
    (tmp_path / "room").mkdir()
    return tmp_path / "room"


def test_a_shared_file_holds_bets_and_outcomes_and_nothing_else(folder, monkeypatch):
    lk.bet(BET, 4, sure=0.6)
    lk.settle(BET, 3)
    lk.claim("02", better="dense", than="bm25", by=0.1)
    lk.exercise("01.grid").check("b")
    file = lk.share_bets(folder, "ada")
    assert file == folder / "ada.bets.json"
    assert [path.name for path in folder.iterdir()] == ["ada.bets.json"]
    assert json.loads(file.read_text()) == {
        "bets": [{"id": BET, "value": 4, "sure": 0.6}],
        "outcomes": [{"bet": BET, "value": 4, "sure": 0.6, "truth": 3.0}],
    }


def test_sharing_again_updates_and_a_name_that_is_taken_is_refused(folder, person):
    lk.bet(BET, 4)
    lk.share_bets(folder, "ada")
    lk.bet(BET, 5)
    lk.share_bets(folder, "ada")
    assert lk.room_bets(folder, BET).values == (5,)
    person("somebody else")
    lk.bet(BET, 9)
    with pytest.raises(LabError, match=r"the name ada is taken in .*choose another"):
        lk.share_bets(folder, "ada")
    assert lk.room_bets(folder, BET).values == (5,)


def test_another_account_may_read_what_was_shared(folder):
    lk.bet(BET, 4)
    assert lk.share_bets(folder, "ada").stat().st_mode & 0o444 == 0o444


def test_a_bet_after_its_settlement_does_not_count_in_the_room(folder):
    lk.bet(BET, 5)
    lk.settle(BET, 3)
    lk.bet(BET, 3)
    lk.share_bets(folder, "bob")
    assert lk.room_bets(folder, BET, truth=3).values == (5,)


def test_a_room_without_bets_says_so(folder):
    assert "0 bets. Has anybody called lk.share_bets?" in lk.room_bets(folder, BET).to_text()


@pytest.mark.parametrize("name", ["", "../ada", "a b", "x" * 31, 7, "a.b", "<b>"])
def test_a_name_that_is_no_nickname_is_refused(name, folder):
    with pytest.raises(LabError, match="a nickname has 1 to 30 letters"):
        lk.share_bets(folder, name)
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_not_there_is_refused(tmp_path, person):
    for call in (lambda: lk.share_bets(tmp_path / "no", "ada"), lambda: lk.room_bets(tmp_path / "no", BET)):
        with pytest.raises(LabError, match=r"there is no folder .*make one"):
            call()


def fill(folder, person, values, key=BET, **more):
    for number, value in enumerate(values):
        person(number)
        lk.bet(key, value, **more)
        lk.share_bets(folder, f"p{number}")


def test_the_room_argues_over_a_histogram_before_it_hears_the_truth(folder, person):
    fill(folder, person, [3, 3, 4, 12])
    room = lk.room_bets(folder, BET)
    lines = room.to_text().splitlines()
    assert lines[0].split() == ["bet", "people"]
    assert [line.split() for line in lines[4:6]] == [["3", "2", "██"], ["4", "1", "█"]]
    assert len(lines) == 1 + 13 + 1
    assert lines[-1].endswith("higher than BM25? 4 bets.")
    assert "truth" not in room.to_text()
    told = lk.room_bets(folder, BET, truth=3).to_text()
    assert " 3       2  ██ ← the truth" in told
    assert told.endswith("4 bets. It is 3: 2 right, 1 near, 1 wrong.")


def test_a_wide_range_is_shown_in_tenths_that_hold_every_bet(folder, person):
    fill(folder, person, [0, 10, 11, 100], key="01.function_words")
    rows = lk.room_bets(folder, "01.function_words", truth=100).cells()
    assert [row[0] for row in rows] == [f"{low} to {min(low + 10, 100)}" for low in range(0, 100, 11)]
    assert [int(row[1]) for row in rows] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert rows[-1][2] == "█ ← the truth"


def test_a_narrow_range_below_zero_has_a_row_for_each_value(folder, person):
    fill(folder, person, [-1, 1], key="07.case_a")
    assert [row[:2] for row in lk.room_bets(folder, "07.case_a").cells()] == [("-1", "1"), ("0", "0"), ("1", "1")]


def test_bars_of_a_large_room_stay_short(folder, person):
    lk.bet(BET, 3)
    text = lk.share_bets(folder, "p").read_text()
    for number in range(100):
        (folder / f"q{number}.bets.json").write_text(text)
    row = lk.room_bets(folder, BET).cells()[3]
    assert (row[1], len(row[2])) == ("101", 40)


BAD = {
    "torn": '{"bets": [',
    "binary": "\udcff\udcfe",
    "list": "[1]",
    "no-outcomes": '{"bets": []}',
    "out-of-range": f'{{"bets": [{{"id": "{BET}", "value": 99}}], "outcomes": []}}',
    "nan": f'{{"bets": [], "outcomes": [{{"bet": "{BET}", "value": 3, "truth": NaN}}]}}',
    "no-dict": '{"bets": [3], "outcomes": [4]}',
    "unknown": '{"bets": [{"id": {"a": 1}, "value": 3}], "outcomes": []}',
    "deep": "[" * 50_000,
    "large": " " * 200_000,
    "<script>": "{}",
}


def test_a_bad_file_is_named_and_skipped_and_the_others_count(folder, person):
    fill(folder, person, [3])
    for name, text in BAD.items():
        (folder / f"{name}.bets.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    (folder / "folder.bets.json").mkdir()
    (folder / "notes.txt").write_text("not ours")
    room = lk.room_bets(folder, BET, truth=3)
    assert room.values == (3,)
    assert set(room.skipped) == {f"{name}.bets.json" for name in [*BAD, "folder"]}
    assert all(room.skipped.values())
    assert (
        "Skipped large.bets.json: ValueError: it has more than 100,000 bytes; share those bets again." in room.to_text()
    )
    assert "<script>" not in room.to_html()
    assert "&lt;script&gt;" in room.to_html()
    assert "skipped torn.bets.json: JSONDecodeError" in lk.calibration(folder).to_text()


def test_a_room_has_a_calibration_of_its_own(folder, person):
    for number in range(24):
        person(number)
        lk.bet(BET, 3, sure=0.75)
        lk.settle(BET, 3 if number < 18 else 12)
        lk.share_bets(folder, f"p{number}")
    assert "18 right, 0 near, 6 wrong" in lk.calibration(folder).to_text()
    assert lk.calibration(folder).points()[0][:3] == (0.75, 0.75, 24)
    assert lk.calibration(folder).brier == pytest.approx(0.1875)


def test_an_unknown_bet_and_a_truth_out_of_range_are_refused(folder):
    with pytest.raises(LabError, match=r"there is no bet '00\.x'"):
        lk.room_bets(folder, "00.x")
    with pytest.raises(LabError, match=r"the truth of 00\.maxsim_wins must be a number from 0 to 12; got 40"):
        lk.room_bets(folder, BET, truth=40)
