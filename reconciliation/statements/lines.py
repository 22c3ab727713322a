"""What a statement says, whatever format it came in (pure)."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone

from billing.money import Money, total
from reconciliation.matching import Direction

BANK_TIME = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One movement; ``line`` is its row in the file, ``time`` UTC, ``day`` the day the bank booked it.

    Equal lines of one day are told apart by ``occurrence`` (1, 2, …), so a statement is a multiset.
    """

    line: int
    day: date
    time: datetime
    direction: Direction
    amount: Money
    memo: str
    bank_reference: str | None
    balance: Money | None
    occurrence: int = 1

    @property
    def signed(self) -> Money:
        """The amount as the balance sees it."""
        return self.amount if self.direction is Direction.IN else -self.amount

    def key(self, account: str) -> str:
        """Return a name that is the same however often and over whatever days the statement is exported."""
        parts = (account, self.day, self.direction, self.amount.dong, self.memo, self.bank_reference, self.occurrence)
        return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement that adds up: opening + in - out = closing. Lines are oldest first.

    ``account``, ``opening``, ``closing`` and ``period`` (both days included) are None where the file does not tell
    them. ``zeros_lost`` tells that the account stood in a number cell, which keeps no zeros in front.
    """

    bank: str
    account: str | None
    opening: Money | None
    closing: Money | None
    lines: tuple[StatementLine, ...]
    period: tuple[date, date] | None = None
    zeros_lost: bool = False

    @property
    def money_in(self) -> Money:
        """Sum of the credits."""
        return total(line.amount for line in self.lines if line.direction is Direction.IN)

    @property
    def money_out(self) -> Money:
        """Sum of the debits."""
        return total(line.amount for line in self.lines if line.direction is Direction.OUT)

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last day with a movement."""
        days = [line.day for line in self.lines]
        return (min(days), max(days)) if days else None

    def is_of(self, account: str) -> bool:
        """Tell whether the file says that it is about this account."""
        if self.account is None:
            return False
        return self.account == account or (self.zeros_lost and self.account == account.lstrip("0"))


def clean(cell: object) -> str:
    """Return a cell's text: NFC, on one line, a whole number without its decimal point."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = "" if cell is None else str(cell)
    return " ".join(unicodedata.normalize("NFC", text).replace("\0", " ").split("\n")).strip()


def at_of(day: date, clock: datetime | None) -> datetime:
    """Return the moment in UTC of a bank's wall clock, or of the day's beginning."""
    local = clock or datetime(day.year, day.month, day.day)  # noqa: DTZ001  given its zone on the next line
    return local.replace(tzinfo=BANK_TIME).astimezone(UTC)


def numbered(lines: Iterable[StatementLine]) -> Iterable[StatementLine]:
    """Tell equal lines of one day apart."""
    seen: Counter[tuple[object, ...]] = Counter()
    for line in lines:
        same = (line.day, line.direction, line.amount, line.memo, line.bank_reference)
        seen[same] += 1
        yield replace(line, occurrence=seen[same])
