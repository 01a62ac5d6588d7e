"""The record of what was spent: set aside before, settled after, shared by processes, and whole after a kill."""

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import labkit as lk
from labkit.ranking import prices
from labkit.ranking.budget import FILE, Budget
from labkit.ranking.ranking import Hit

DAY = datetime(2026, 11, 5, 23, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LABKIT_HOME", str(tmp_path))
    return tmp_path


def budget(limit=10.0, price=None, account="a", now=lambda: DAY):
    return Budget(limit, price, account, now)


def units(amount):
    return {"search_units": amount}


def amounts(home):
    with closing(sqlite3.connect(home / FILE)) as record:
        return [amount for (amount,) in record.execute("SELECT amount FROM spending")]


def test_what_is_set_aside_is_spent_until_the_bill_comes(home):
    b = budget()
    kept = b.reserve(units(3.0))
    assert b.spent == 3.0
    b.settle(kept, units(2.0))
    assert b.spent == 2.0
    assert amounts(home) == [2.0]


def test_a_bill_that_is_settled_twice_counts_once():
    b = budget()
    kept, other = b.reserve(units(3.0)), b.reserve(units(1.0))
    for bill in (2.0, 2.0):
        b.settle(kept, units(bill))
    b.settle(other, units(1.0))
    assert b.spent == 3.0


@pytest.mark.parametrize(
    ("bill", "spent"),
    [
        ({}, 0.0),
        (units(0.0), 0.0),
        (units(-4.0), 0.0),
        (units(float("nan")), 3.0),
        ({"input_tokens": 9.0}, 3.0),
        (units(4.0), 4.0),
        (units(np.float32(4.5)), 4.5),
        (units(np.int64(5)), 5.0),
    ],
)
def test_a_bill_in_another_unit_leaves_what_was_set_aside_and_none_gives_money_back(bill, spent):
    b = budget()
    b.settle(b.reserve(units(3.0)), bill)
    assert b.spent == spent


def test_the_limit_can_be_reached_and_not_exceeded():
    b = budget(3.0)
    assert [b.reserve(units(1.0)) is not None for _ in range(4)] == [True, True, True, False]
    assert b.reserve({}) is not None  # what costs nothing may go on
    assert b.spent == 3.0


def test_sums_of_prices_do_not_drift_over_the_limit(monkeypatch):
    monkeypatch.setattr("labkit.ranking.budget.read_prices", lambda: [{**prices.read_prices()[1], "price": 100.0}])
    b = budget(0.3, "Cohere Rerank 4 Fast")
    assert sum(b.reserve(units(1.0)) is not None for _ in range(5)) == 3  # 0.1 + 0.1 + 0.1 is 0.30000000000000004


def test_money_by_hand_for_both_kinds_of_prices():
    by_units, by_tokens = budget(1, "Cohere Rerank 4 Fast"), budget(1, "Cohere Rerank 5 Pro")
    bill = {"search_units": 3.0, "input_tokens": 50_000.0}
    assert by_units.amount(bill) == pytest.approx(3 * 2.00 / 1_000)
    assert by_tokens.amount(bill) == pytest.approx(50_000 * 0.05 / 1_000_000)
    assert by_tokens.amount(units(3.0)) is None
    assert (by_units.currency, by_units.account) == ("USD", "a in USD")


def test_a_day_has_its_own_budget_and_a_bill_belongs_to_the_day_of_its_call(home):
    day = [DAY]
    b = budget(2.0, now=lambda: day[0])
    kept = b.reserve(units(2.0))
    day[0] = DAY.replace(day=6)
    assert b.spent == 0.0
    b.settle(kept, units(1.0))
    assert b.spent == 0.0
    day[0] = DAY
    assert b.spent == 1.0


def test_accounts_are_apart_and_the_same_account_is_one_budget():
    one, same, other = budget(2.0), budget(2.0), budget(2.0, account="b")
    assert one.reserve(units(2.0))
    assert same.reserve(units(1.0)) is None
    assert other.reserve(units(1.0))
    assert (one.spent, same.spent, other.spent) == (2.0, 2.0, 1.0)


def test_many_threads_never_set_aside_more_than_there_is():
    budgets = [budget(20.0), budget(20.0)]
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda n: budgets[n % 2].reserve(units(1.0)), range(40)))
    assert sum(one is not None for one in kept) == 20
    assert [b.spent for b in budgets] == [20.0, 20.0]


CHILD = """
import sys
from tests.ranking.test_budget import budget, units
b = budget(20.0)
for number in range(15):
    print(b.reserve(units(1.0)) is not None, flush=True)
"""
DYING = """
import os
from tests.ranking.test_budget import budget
with budget()._record() as record:
    record.execute("UPDATE spending SET amount = 0")
    os._exit(9)
"""


def child(script):
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)


def test_several_processes_never_set_aside_more_than_there_is():
    with child(CHILD) as one, child(CHILD) as two:
        said = [*one.stdout, *two.stdout]
    assert (len(said), said.count("True\n"), budget().spent) == (30, 20, 20.0)


def test_what_a_process_had_not_committed_when_it_died_is_taken_back():
    b = budget()
    b.reserve(units(3.0))
    with child(DYING) as dying:
        assert dying.wait(60) == 9
    assert b.spent == 3.0
    assert b.reserve(units(8.0)) is None


def test_a_record_that_is_gone_begins_anew(home):
    b = budget()
    b.reserve(units(3.0))
    (home / FILE).unlink()
    assert b.spent == 0.0


def test_a_bill_is_not_lost_with_its_reservation_nor_put_to_another_account(home):
    b, other = budget(), budget(account="b")
    kept = b.reserve(units(3.0))
    (home / FILE).unlink()
    other.reserve(units(1.0))  # has the number that the lost one had
    b.settle(kept, units(2.0))
    assert (b.spent, other.spent) == (2.0, 1.0)


def test_a_month_of_days_is_kept(home):
    budget().reserve(units(3.0))
    budget(now=lambda: DAY + timedelta(days=30)).reserve(units(2.0))
    assert amounts(home) == [3.0, 2.0]
    budget(now=lambda: DAY + timedelta(days=33)).reserve(units(1.0))
    assert amounts(home) == [2.0, 1.0]


def test_a_held_record_is_waited_for(home):
    b, done = budget(), threading.Event()
    assert b.spent == 0.0
    with ThreadPoolExecutor(1) as pool:
        with closing(sqlite3.connect(home / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            waiting = pool.submit(b.reserve, units(1.0))
            assert not done.wait(0.05)
            assert not waiting.done()
        assert waiting.result(30) is not None


def test_a_record_that_cannot_be_read_lets_nothing_be_set_aside(home):
    (home / FILE).write_text("no database at all " * 50)
    b = budget()
    for use in (lambda: b.reserve(units(1.0)), lambda: b.spent):
        with pytest.raises(lk.LabError, match=f"must be readable; .*{FILE}.*not a database.*move a damaged file away"):
            use()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: budget(float("nan")), "a budget must be a number of 0 or more; got nan"),
        (lambda: budget(True), "a budget must be a number of 0 or more; got True"),
        (
            lambda: budget(1, "machine"),
            r"price must be one of 'Cohere Rerank 4 Fast', .*data/prices.toml.*got 'machine'",
        ),
    ],
)
def test_what_makes_no_budget_is_named(make, message):
    with pytest.raises(lk.LabError, match=message):
        make()


def test_the_most_that_cohere_can_bill_by_hand():
    cohere = lk.CohereReranker()
    hits = [Hit("a", 1, None, passages=("x" * 500, " ")), Hit("b", 2, None, passages=("é" * 250 + "!",))]
    assert cohere.most_cost("what", hits) == {"search_units": 1.0, "input_tokens": 500 + 501 + 2 * 4}
    long = [Hit("a", 1, None, passages=("x" * 50_000,) * 12)]  # each is cut at 4,096 tokens, nine chunks
    assert cohere.most_cost("what", long) == {"search_units": 2.0, "input_tokens": 12 * (4_096 + 4)}
    assert lk.CohereReranker(max_tokens_per_doc=500).most_cost("what", long)["search_units"] == 1.0
    assert lk.LateInteractionReranker().most_cost("what", long) == {}
