"""Which credit pays which bill (pure): by the rule of its item, never more than is open, the rest carries on.

Accountants' rule (school-fees facts: "use of leftover"): a leftover of an item is kept for later months of the same
item, or is settled: the same item first, then whatever else the round asks for, also when the item is not charged this
month. Money paid too much belongs to no item and pays the oldest bill.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from billing.money import ZERO, Money

BillKey = TypeVar("BillKey", bound=Hashable)


class Rule(StrEnum):
    """What the credit of an item is used for by itself; the values are those of ``FeeItem.carry_over``."""

    STAYS = "none"
    SAME_ITEM = "same_item"
    OFFSET = "offset_round"


@dataclass(frozen=True, slots=True)
class Credit:
    """What is kept for a pupil under one item, or (``item`` None) without one: money that was paid too much."""

    item: str | None
    amount: Money
    rule: Rule = Rule.STAYS


@dataclass(frozen=True, slots=True)
class OpenBill(Generic[BillKey]):
    """A bill with what is open on it, and the items on it with what each of them can still take from its own credit.

    ``offset``: whether leftovers of other items may pay it (the bills of the round that is issued).
    """

    bill: BillKey
    rest: Money
    items: tuple[tuple[str, Money], ...] = ()
    offset: bool = True


@dataclass(frozen=True, slots=True)
class Use(Generic[BillKey]):
    """Credit of one item set against one bill, above 0 đ."""

    item: str | None
    bill: BillKey
    amount: Money


def deal(credits_: Sequence[Credit], bills: Sequence[OpenBill[BillKey]]) -> tuple[Use[BillKey], ...]:
    """Set a pupil's credit against open bills, which are listed oldest first, and within a round by line.

    First every item pays its own lines, so that no other item takes their place; then leftovers that may offset pay
    the other bills; then money without an item pays any bill. Raises ``ValueError`` for amounts below 0 đ, or for an
    item or a bill that is listed twice.
    """
    _refuse_wrong(credits_, bills)
    dealing = _Dealing({each.item: each.amount for each in credits_}, {bill.bill: bill.rest for bill in bills})
    for credit, bill, most in (
        *_own_lines(credits_, bills),
        *_other_bills(credits_, bills),
        *_any_bill(credits_, bills),
    ):
        dealing.use(credit.item, bill.bill, most)
    return dealing.uses()


def _refuse_wrong(credits_: Sequence[Credit], bills: Sequence[OpenBill[BillKey]]) -> None:
    if any(each.amount < ZERO for each in credits_) or any(bill.rest < ZERO for bill in bills):
        raise ValueError("neither credit nor what is due can be below 0 đ")
    if len({each.item for each in credits_}) != len(credits_) or len({bill.bill for bill in bills}) != len(bills):
        raise ValueError("an item or a bill is listed twice")


_Try = tuple[Credit, OpenBill[BillKey], Money]
"""Credit that may pay a bill, and up to how much."""


def _own_lines(credits_: Sequence[Credit], bills: Sequence[OpenBill[BillKey]]) -> Iterator[_Try[BillKey]]:
    for credit in credits_:
        if credit.item is not None and credit.rule is not Rule.STAYS:
            for bill in bills:
                yield credit, bill, dict(bill.items).get(credit.item, ZERO)


def _other_bills(credits_: Sequence[Credit], bills: Sequence[OpenBill[BillKey]]) -> Iterator[_Try[BillKey]]:
    for credit in credits_:
        if credit.item is not None and credit.rule is Rule.OFFSET:
            yield from ((credit, bill, bill.rest) for bill in bills if bill.offset)


def _any_bill(credits_: Sequence[Credit], bills: Sequence[OpenBill[BillKey]]) -> Iterator[_Try[BillKey]]:
    for credit in credits_:
        if credit.item is None:
            yield from ((credit, bill, bill.rest) for bill in bills)


class _Dealing(Generic[BillKey]):
    """What is left of each credit and open on each bill while they are dealt."""

    def __init__(self, left: dict[str | None, Money], rests: dict[BillKey, Money]) -> None:
        self._left = left
        self._rests = rests
        self._used: dict[tuple[str | None, BillKey], Money] = {}

    def use(self, item: str | None, bill: BillKey, most: Money) -> None:
        amount = min(self._left[item], self._rests[bill], most)
        if amount > ZERO:
            self._left[item] -= amount
            self._rests[bill] -= amount
            self._used[item, bill] = self._used.get((item, bill), ZERO) + amount

    def uses(self) -> tuple[Use[BillKey], ...]:
        return tuple(Use(item, bill, amount) for (item, bill), amount in self._used.items())
