"""What hosted reranking may cost a day: reserved before each call, on disk, in all processes together.

A reservation is a line of JSON that is synced before the call begins, and a second line settles it with the bill. A
process that dies in between leaves the reservation, and it counts as spent. One file a day (UTC) holds the lines.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from labkit.errors import LabError, is_number
from labkit.ranking.prices import UNITS, read_prices
from labkit.records import locked, read_from, write_line

DIGITS = 9  # of an amount: sums of binary fractions are not exact
BILLED = {UNITS[1]: ("search_units", 1_000), UNITS[2]: ("input_tokens", 1_000_000)}  # unit of a price -> what of a bill


class Reservation(NamedTuple):
    """An amount set aside: the file and the id of its line."""

    file: str
    id: str
    amount: float


class Budget:
    """An amount that one account may spend on one day.

    Parameters
    ----------
    limit : most to spend a day, in the price's currency, or in search units without a price
    price : name of an entry of ``data/prices.toml`` whose unit is search units or tokens; its currency is the budget's
    account : who spends; the same account is the same budget, in all processes that share ``LABKIT_HOME``
    now : the time, in UTC

    Raises
    ------
    LabError
        For a limit below 0, and for a price that the table does not have or that is by the hour.
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
        self._file, self._offset, self._open, self._spent = "", 0, {}, 0.0

    def amount(self, bill: Mapping[str, float]) -> float | None:
        """What a bill comes to; 0 for an empty one, None where it lacks the unit that is paid for."""
        if not bill:
            return 0.0
        return max(0.0, bill[self._what]) * self._each if self._what in bill else None

    def reserve(self, most: Mapping[str, float]) -> Reservation | None:
        """Set aside the most that a call can be billed; None if that is more than what is left. On disk on return.

        Raises
        ------
        OSError
            Where the record cannot be read and written: nothing may be spent then.
        """
        amount = round(self.amount(most) or 0.0, DIGITS)
        with self._lock, locked(self._today()) as path:
            self._read(path)
            if round(self._spent + amount - self.limit, DIGITS) > 0:
                return None
            kept = Reservation(path.name, uuid4().hex[:16], amount)
            write_line(path, {"account": self.account, "id": kept.id, "reserved": amount})
        return kept

    def settle(self, kept: Reservation, bill: Mapping[str, float]) -> None:
        """Replace a reservation by the bill. A bill that does not say what is paid for leaves it as it is.

        Raises
        ------
        OSError
            Where the record cannot be written; the reservation stays.
        """
        amount = self.amount(bill)
        if amount is None or round(amount, DIGITS) == kept.amount:
            return
        with self._lock, locked(kept.file) as path:
            write_line(path, {"account": self.account, "id": kept.id, "spent": round(amount, DIGITS)})

    @property
    def spent(self) -> float:
        """What is spent or set aside today by all who share the account."""
        with self._lock, locked(self._today()) as path:
            self._read(path)
            return round(self._spent, DIGITS)

    def _today(self) -> str:
        return f"spending-{self._now():%Y-%m-%d}.jsonl"

    def _read(self, path: Path) -> None:
        """Bring the sum up to date with the lines that came since; all of them on a new day or in a new file."""
        if self._file != str(path):
            self._file, self._offset, self._open, self._spent = str(path), 0, {}, 0.0
        try:
            lines, self._offset = read_from(path, self._offset)
        except LookupError:
            self._file = ""
            return self._read(path)
        for line in lines:
            if line.get("account") == self.account:
                self._count(line)

    def _count(self, line: Mapping[str, object]) -> None:
        reserved, spent = line.get("reserved"), line.get("spent")
        if is_number(reserved):
            self._open[line.get("id")] = reserved
            self._spent += reserved  # type: ignore[operator]
        elif is_number(spent):
            self._spent += spent - self._open.pop(line.get("id"), 0.0)  # type: ignore[operator]


def _rate(price: str) -> tuple[str, float, str]:
    """What of a bill is paid for, what one of it costs, and in which currency."""
    table = {entry["name"]: entry for entry in read_prices() if entry["unit"] in BILLED}
    if price not in table:
        raise LabError(f"price must be one of {', '.join(map(repr, table))} (data/prices.toml); got {price!r}.")
    what, many = BILLED[table[price]["unit"]]
    return what, table[price]["price"] / many, table[price]["currency"]
