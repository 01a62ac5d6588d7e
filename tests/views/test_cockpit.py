"""The cockpit: the same numbers as picture, text and widget; pins dim, a press chooses, a cell runs again."""

import json
from dataclasses import replace
from itertools import product

import pytest

import labkit as lk
from labkit.corpus.collection import Collection, Document
from labkit.evaluation.grid import cells_of
from labkit.evaluation.sweep_bench import Bench
from labkit.evaluation.sweep_cell import Cell
from labkit.evaluation.sweep_result import Sweep
from labkit.views.cockpit import Cockpit
from labkit.views.live import WIDGET
from tests.views.front_end import FrontEnd
from tests.views.hostile import CASES
from tests.views.test_eraser_view import walk
from tests.views.test_hostile import assert_nothing_hidden

C = Collection(
    "pets",
    {"a": Document("", "a cat sat on a mat"), "b": Document("", "a dog dog"), "c": Document("", "cat and dog and mat")},
    {"q1": "cat", "q2": "dog", "q3": "mat"},
    {"q1": {"a": 1}, "q2": {"b": 1}, "q3": {"c": 1}},
)
PIPE = lk.BM25Retriever(C)
QUALITY = {(1.2, 0.75): 0.5, (1.2, 0.2): 0.4, (2.0, 0.75): 0.7, (2.0, 0.2): 0.6}
MS = {(1.2, 0.75): 20.0, (1.2, 0.2): 10.0, (2.0, 0.75): 40.0, (2.0, 0.2): 100.0}


def planted(bench=None):
    """Four cells over k1 and b; the front by latency is cell 1, 0, 2."""
    cells = []
    for knobs in cells_of(PIPE, {"k1": [1.2, 2.0], "b": [0.75, 0.2]}):
        at = (knobs["k1"], knobs["b"])
        q = QUALITY[at]
        cells.append(
            Cell(knobs, "bm25", {"nDCG@10": q, "R@100": 1.0}, (q, q - 0.1, q + 0.1), q - 0.1, q + 0.1,
                 {"p50": MS[at], "p95": 2 * MS[at]}, None if len(cells) else 768.0, MS[at] / 1000)
        )  # fmt: skip
    return Sweep("pets", "all", C.fingerprint, ("q1", "q2", "q3"), tuple(cells), {}, "", bench=bench)


def buttons(view):
    """The cells of the plot by key."""
    found = [part for part in walk(view.scene()["tree"]) if str(part[1].get("key", "")).startswith("cell ")]
    return {part[1]["key"]: part[1] for part in found}


def classes(view, number):
    return buttons(view)[f"cell {number}"]["class"].split()


def place(view, number):
    left, bottom = buttons(view)[f"cell {number}"]["style"].split(";")
    return float(left.removeprefix("left:").rstrip("%")), float(bottom.removeprefix("bottom:").rstrip("%"))


def test_the_front_is_marked_and_the_base_is_a_diamond():
    view = lk.cockpit(planted())
    assert [i for i in range(4) if "lk-on-front" in classes(view, i)] == [0, 1, 2]
    assert [i for i in range(4) if "lk-base" in classes(view, i)] == [0]


def test_cells_stand_where_their_numbers_are():
    view = lk.cockpit(planted())
    across, up = zip(*(place(view, i) for i in range(4)), strict=True)
    assert across[1] < across[0] < across[2] < across[3]
    assert across[0] - across[1] == pytest.approx(across[2] - across[0], abs=0.02)  # twice the cost, the same step
    assert up[2] - up[3] == pytest.approx(up[0] - up[1], abs=0.02)
    assert all(0 <= x <= 100 for x in across + up)


def test_the_headline_is_the_best_cell():
    assert lk.cockpit(planted()).headline() == "Best: 0.700 (0.600 to 0.800) at 40 ms; k1 2"


@pytest.mark.parametrize(
    ("x", "told"),
    [("latency", "at 20 ms"), ("bytes", "at 768 bytes a token"), ("price", "at 0.02 USD for 1,000 queries")],
)
def test_what_stands_across_can_be_chosen(x, told):
    view = lk.cockpit(planted(), x)
    assert told in view.told(0)
    assert told in view.to_text()
    assert view.figure().axes[0].get_xlabel().startswith(view.title.split(" against ")[1])


def test_cells_whose_cost_is_not_known_are_counted_and_not_drawn():
    view = lk.cockpit(planted(), "bytes")
    assert list(buttons(view)) == ["cell 0"]
    assert "3 cells have no bytes a token and are not drawn" in view.to_text()


def test_a_picture_of_no_cell_says_so():
    sweep = planted()
    bare = replace(sweep, cells=tuple(replace(cell, bytes_per_token=None) for cell in sweep.cells))
    view = lk.cockpit(bare, "bytes")
    assert "bytes a token: not known of any cell." in json.dumps(view.scene())
    assert view.to_png().startswith(b"\x89PNG")


def test_latencies_of_a_busy_machine_are_void_and_bytes_are_not():
    sweep = planted()
    busy = replace(sweep, cells=tuple(replace(cell, floor_spread=2.5) for cell in sweep.cells))
    told = "VOID: the machine was too busy to time anything: its floor's p90/p10 is 2.50, above 1.3"
    assert told in lk.cockpit(busy).to_text()
    assert told not in lk.cockpit(busy, "bytes").to_text()
    assert told in busy.to_text()
    assert "VOID" not in lk.cockpit(sweep).to_text() + sweep.to_text()


def option(view, name, value):
    return view.options.index((name, value))


def test_two_pins_dim_all_others():
    view = lk.cockpit(planted())
    pins = option(view, "k1", 2.0), option(view, "b", 0.2)
    pinned = Cockpit(planted(), pins=pins)
    lit = [i for i, cell in enumerate(planted()) if (cell.knobs["k1"], cell.knobs["b"]) == (2.0, 0.2)]
    assert [i for i in range(4) if "lk-dim" not in classes(pinned, i)] == lit != []
    assert pinned.headline() == "Best of those pinned: 0.600 (0.500 to 0.700) at 100 ms; k1 2, b 0.2"
    assert "pinned: k1 2 and b 0.2" in pinned.to_text()
    assert buttons(pinned)["cell 0"]["say"].endswith("not pinned.")


def test_the_second_pin_offers_no_value_of_the_first_ones_knob():
    view = Cockpit(planted(), pins=(option(lk.cockpit(planted()), "k1", 2.0), 0))
    selects = {part[1]["choose"]: part for part in walk(view.scene()["tree"]) if "choose" in part[1]}
    assert [child[2] for child in selects["also"][2:]] == ["anything", "b 0.75", "b 0.2"]
    assert len(selects["pin"][2:]) == 5


def test_a_chosen_cell_shows_its_numbers_and_its_corrected_difference():
    view = Cockpit(planted(), chosen=2)
    c = planted().comparisons[1]
    shown = dict(view.numbers(2))
    assert (shown["k1"], shown["nDCG@10"], shown["latency p50, p95"]) == (
        "2",
        "0.700 (0.600 to 0.800)",
        "40 ms, 80 ms",
    )
    assert shown["against the base"].startswith(
        f"+0.200 ({c.low:+.3f} to {c.high:+.3f}); {c.verdict}, p = {c.p_holm:.3f}"
    )
    assert "against the base: +0.200" in view.to_text()
    assert "lk-chosen" in classes(view, 2)


def test_picture_and_text_are_the_same_each_time():
    one, two = (Cockpit(planted(), chosen=2) for _ in range(2))
    assert one.to_svg() == two.to_svg()
    assert repr(one) == repr(two) == one.to_text()


def test_a_notebook_keeps_a_picture_and_the_text_beside_the_widget():
    data = lk.cockpit(planted())._repr_mimebundle_()[0]
    assert {"image/png", "text/plain", WIDGET} <= data.keys()


# The widget


def front_end(sweep):
    view = lk.cockpit(sweep)
    return view, FrontEnd(view.widget())


def test_a_press_chooses_a_cell_and_a_second_press_lets_it_go():
    view, front = front_end(planted())
    assert buttons(view)["cell 2"]["set"] == {"chosen": 2}
    front.set(chosen=2)
    assert view.widget().to_text() == Cockpit(planted(), chosen=2).to_text()
    assert buttons(view.widget().picture)["cell 2"]["set"] == {"chosen": -1}


def test_choices_answer_with_a_new_scene():
    view, front = front_end(planted())
    for x, pin in product([0, 1, 2], [0, 1, 3]):
        front.set(x=x, pin=pin)
        expected = Cockpit(planted(), ("latency", "bytes", "price")[x], (pin, 0))
        assert view.widget().scene == json.loads(json.dumps(expected.scene()))


@pytest.mark.parametrize("wrong", [{"x": 9}, {"x": -1}, {"pin": 99}, {"also": -1}])
def test_a_choice_that_there_is_not_keeps_the_last_picture(wrong):
    view, front = front_end(planted())
    front.set(**wrong)
    assert "must be from 0 to" in view.widget().problem
    assert view.widget().to_text() == view.to_text()


def measured(home, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(home))
    return lk.sweep(PIPE, C, {"k1": [1.2, 2.0], "b": [0.2]}, timed=1, progress=False)


def test_a_cell_runs_again_once_and_agrees(tmp_path, monkeypatch):
    view, front = front_end(measured(tmp_path, monkeypatch))
    runs = len(lk.ledger())
    front.set(chosen=1)
    assert [part[1]["set"] for part in walk(front.received("scene")["tree"]) if part[1].get("key") == "again"] == [
        {"again": 1}
    ]
    front.set(again=1)
    assert "they agree; 0 of 3 queries differ" in view.widget().to_text()
    assert len(lk.ledger()) == runs + 1
    front.set(chosen=2)
    front.set(chosen=1)
    assert "they agree" in json.dumps(front.received("scene"))
    assert len(lk.ledger()) == runs + 1


def test_a_cell_that_is_not_what_it_was_says_so(tmp_path, monkeypatch):
    sweep = measured(tmp_path, monkeypatch)
    wrong = replace(sweep[0], metrics={**sweep[0].metrics, "nDCG@10": 0.123})
    view, front = front_end(replace(sweep, cells=(wrong, *sweep.cells[1:])))
    front.set(chosen=0, again=0)
    assert "stored 0.1230, now" in view.widget().to_text()
    assert "they DO NOT AGREE" in view.widget().to_text()


def test_what_keeps_a_cell_from_running_is_told():
    view, front = front_end(planted(Bench(PIPE, C)))
    front.set(chosen=1, again=99)
    assert "this sweep has cells 0 to 3; got 99" in view.widget().to_text()


def test_without_a_pipeline_there_is_no_button_but_the_way_to_one():
    shown = json.dumps(Cockpit(planted(), chosen=1).scene())
    assert "recompute" not in shown
    assert "lk.load_sweep(path, pipe, collection) lets you run it again here" in shown


def test_what_is_no_sweep_is_refused():
    with pytest.raises(lk.LabError, match="a cockpit needs a sweep"):
        lk.cockpit([1, 2])
    with pytest.raises(lk.LabError, match="a cost must be one of latency, bytes, price; got 'size'"):
        lk.cockpit(planted(), "size")


@pytest.mark.parametrize("text", CASES.values(), ids=CASES.keys())
def test_hostile_texts_of_a_stored_sweep_stay_texts(text):
    sweep = planted()
    bad = replace(sweep[1], knobs={**sweep[1].knobs, "retriever": text}, system=text)
    view = Cockpit(replace(sweep, cells=(sweep[0], bad, *sweep.cells[2:]), collection=text, split=text), chosen=1)
    assert_nothing_hidden(json.dumps(view.scene(), ensure_ascii=False))
    assert_nothing_hidden(view.to_text())
    assert "<script" not in view.to_html().lower()
    assert len(json.dumps(view.scene())) < 50_000
