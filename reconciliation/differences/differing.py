"""What one feed tells of an account and another, that should, does not (pure).

A movement is one transfer with all the kinds of feed that told of it; pairing of equal sums (n lines against m
callbacks leave |n − m|) is done before, so here every movement speaks for itself and their order means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from billing.money import Money, total


class Teller(StrEnum):
    """A kind of feed that tells of movements: the bank calls us, we ask for its list, or a person brings a file."""

    CALLBACK = "callback"
    LIST = "list"
    STATEMENT = "file"


class Kind(StrEnum):
    """A kind of difference."""

    NOT_ON_STATEMENT = "not_on_statement"  # told at once or listed, and not on a statement that covers its day
    NEVER_CALLED = "never_called"  # on a statement, and no callback came though its feed was open
    ONLY_LISTED = "only_listed"  # on the provider's list, and no callback came though its feed was open


KIND_NAMES: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.NOT_ON_STATEMENT: "Đã báo, không có trên sao kê",
        Kind.NEVER_CALLED: "Có trên sao kê, không được báo",
        Kind.ONLY_LISTED: "Có trong danh sách của nhà cung cấp, không được báo",
    }
)
# Days of age, from and to (None: without end), as the school reads them.
AGES: tuple[tuple[int, int | None], ...] = ((0, 1), (2, 3), (4, 7), (8, None))


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement on an account: the bank's day, and who told of it.

    ``covered``: a statement covers its day. ``called``: a callback was to be expected, since a feed of that kind was
    open at its moment and tells of this direction.
    """

    day: date
    amount: Money
    tellers: frozenset[Teller]
    covered: bool
    called: bool


@dataclass(frozen=True, slots=True)
class Aged:
    """How many differences of one age there are, and their sum; ``first`` and ``last`` as in ``AGES``."""

    first: int
    last: int | None
    count: int
    amount: Money


def differences(movement: Movement) -> tuple[Kind, ...]:
    """Return how a movement differs between feeds; nothing when all told of it that should have."""
    told = movement.tellers
    found = []
    if movement.covered and told and Teller.STATEMENT not in told:
        found.append(Kind.NOT_ON_STATEMENT)
    if movement.called and Teller.CALLBACK not in told:
        if Teller.LIST in told:
            found.append(Kind.ONLY_LISTED)
        elif Teller.STATEMENT in told:
            found.append(Kind.NEVER_CALLED)
    return tuple(found)


def age(day: date, today: date) -> int:
    """Return the days since a movement; a bank that is a day ahead of us counts as today."""
    return max((today - day).days, 0)


def by_age(movements: Iterable[Movement], today: date) -> tuple[Aged, ...]:
    """Return counts and sums for each age, the youngest first."""
    rows = [(age(each.day, today), each.amount) for each in movements]
    return tuple(_aged(first, last, rows) for first, last in AGES)


def _aged(first: int, last: int | None, rows: Sequence[tuple[int, Money]]) -> Aged:
    within = [amount for days, amount in rows if first <= days and (last is None or days <= last)]
    return Aged(first, last, len(within), total(within))
