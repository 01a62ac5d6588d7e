"""What hosted reranking may cost a day: reserved before each call, on disk, in all processes together.

A reservation is a row that is committed before the call begins, and the bill replaces its amount. A process that dies
in between leaves the reservation, and it counts as spent. A day is a day of UTC; a month of them is kept.
"""

from __future__ import annotations

import math
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from labkit import paths
from labkit.errors import LabError, is_number
from labkit.ranking.prices import UNITS, read_prices

FILE = "spending.sqlite"
TABLE = (
    "CREATE TABLE IF NOT EXISTS spending (id INTEGER PRIMARY KEY, day TEXT, account TEXT, amount REAL)",
    "CREATE INDEX IF NOT EXISTS of_a_day ON spending (day, account, amount)",
)
ADDED = "INSERT INTO spending (day, account, amount) VALUES (?, ?, ?)"
KEPT = timedelta(days=31)
WAIT_SECONDS = 30  # for another writer
DIGITS = 9  # of an amount: sums of binary fractions are not exact
BILLED = {UNITS[1]: ("search_units", 1_000), UNITS[2]: ("input_tokens", 1_000_000)}  # unit of a price -> what of a bill


class Reservation(NamedTuple):
    """An amount set aside, and the id of its row."""

    id: int
    amount: float


class Budget:
    """An amount that one account may spend on one day.

    Parameters
    ----------
    limit : most to spend a day, in the price's currency, or in search units without a price
    price : name of an entry of ``data/prices.toml`` whose unit is search units or tokens; its currency is the budget's
    account : who spends; the same account is the same budget, in all processes that share ``LABKIT_HOME``
    now : the time, in UTC

    Raises `LabError` for a limit below 0, and for a price that the table does not have or that is by the hour.
    """

    def __init__(
        self, limit: float, price: str | None, account: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        if not is_number(limit) or limit < 0:
            raise LabError(f"a budget must be a number of 0 or more; got {limit!r}.")
        self.limit, self._now = limit, now
        self._what, self._each, self.currency = ("search_units", 1.0, "search units") if price is None else _rate(price)
        self.account = f"{account} in {self.currency}"
        self._lock = threading.Lock()

    def amount(self, bill: Mapping[str, float]) -> float | None:
        """What a bill comes to; 0 for an empty one, None where it has no number of the unit that is paid for."""
        if not bill:
            return 0.0
        billed = float(bill.get(self._what, math.nan))
        return None if math.isnan(billed) else max(0.0, billed) * self._each

    def reserve(self, most: Mapping[str, float]) -> Reservation | None:
        """Set aside the most that a call can be billed; None if that is more than what is left. On disk on return.

        Raises `LabError` where the record cannot be read and written: nothing may be spent then.
        """
        amount, today = round(self.amount(most) or 0.0, DIGITS), self._today()
        with self._record() as record:
            record.execute("DELETE FROM spending WHERE day < ?", (f"{self._now() - KEPT:%Y-%m-%d}",))
            if round(self._sum(record, today) + amount - self.limit, DIGITS) > 0:
                return None
            row_id = record.execute(ADDED, (today, self.account, amount)).lastrowid
        return Reservation(row_id, amount)

    def settle(self, kept: Reservation, bill: Mapping[str, float]) -> None:
        """Replace a reservation by the bill. A bill that does not say what is paid for leaves it as it is.

        Raises `LabError` where the record cannot be written; the reservation stays.
        """
        amount = self.amount(bill)
        if amount is None or (amount := round(amount, DIGITS)) == kept.amount:
            return
        with self._record() as record:
            changed = "UPDATE spending SET amount = ? WHERE id = ? AND account = ?"
            if not record.execute(changed, (amount, kept.id, self.account)).rowcount:
                record.execute(ADDED, (self._today(), self.account, amount))  # the record was deleted

    @property
    def spent(self) -> float:
        """What is spent or set aside today by all who share the account."""
        with self._record() as record:
            return round(self._sum(record, self._today()), DIGITS)

    def _today(self) -> str:
        return f"{self._now():%Y-%m-%d}"

    def _sum(self, record: sqlite3.Connection, day: str) -> float:
        total = "SELECT TOTAL(amount) FROM spending WHERE day = ? AND account = ?"
        return record.execute(total, (day, self.account)).fetchone()[0]

    @contextmanager
    def _record(self) -> Iterator[sqlite3.Connection]:
        """The record, for no other thread or process meanwhile. All is committed on leaving, or nothing on an error."""
        path = paths.home() / FILE
        try:
            with (
                self._lock,
                closing(sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)) as record,
                record,
            ):
                record.execute("BEGIN IMMEDIATE")
                for statement in TABLE:
                    record.execute(statement)
                yield record
        except sqlite3.Error as error:
            raise LabError(
                f"the record of what was spent must be readable; {path}: {error}. Let the program that holds it end, "
                "or move a damaged file away: today's spending then counts from 0."
            ) from error


def _rate(price: str) -> tuple[str, float, str]:
    """What of a bill is paid for, what one of it costs, and in which currency."""
    table = {entry["name"]: entry for entry in read_prices() if entry["unit"] in BILLED}
    if price not in table:
        raise LabError(f"price must be one of {', '.join(map(repr, table))} (data/prices.toml); got {price!r}.")
    what, many = BILLED[table[price]["unit"]]
    return what, table[price]["price"] / many, table[price]["currency"]
