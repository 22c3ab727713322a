"""A pupil's year in the pure rules, in any order: what was paid is used, kept or given back, once, to the last đồng.

Also over transfers among three schools: each has a book of its own, and no đồng of one is ever used in another.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from billing.bills.lowering import BilledLine, Off, notes, to_price, to_quantity
from billing.credits.dealing import Credit, OpenBill, Rule, deal
from billing.money import ZERO, Money, total
from billing.payments.allocation import allocate

ITEMS = ("TIENAN", "BANTRU", "NUOCUONG")
RULES = {"TIENAN": Rule.OFFSET, "BANTRU": Rule.SAME_ITEM, "NUOCUONG": Rule.STAYS}


@dataclass
class Line:
    """A line of a bill; ``used`` of its units, ``price`` as lowered, ``off`` what came off it."""

    quantity: int
    unit_price: Money
    used: int
    price: Money
    off: Money = ZERO

    @property
    def share(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def due(self) -> Money:
        """Attendance × price."""
        return self.price * self.used

    def as_billed(self) -> BilledLine:
        return BilledLine(
            1, self.quantity, self.unit_price, self.share, (), self.off, lower_price=self.price, used=self.used
        )


@dataclass
class Bill:
    lines: dict[str, Line]
    money: Money = ZERO
    by_credit: dict[str | None, Money] = field(default_factory=dict)
    off_rest: Money = ZERO
    to_credit: Money = ZERO
    void: bool = False

    @property
    def allocated(self) -> Money:
        return self.money + total(self.by_credit.values())

    @property
    def rest(self) -> Money:
        return ZERO if self.void else total(line.share for line in self.lines.values()) - self.off_rest - self.allocated


@dataclass
class Book:
    """What one school has of the pupil: bills, what is kept by item, what came in and what went back."""

    bills: list[Bill] = field(default_factory=list)
    credit: dict[str | None, Money] = field(default_factory=dict)
    came: Money = ZERO
    refunded: Money = ZERO


class Year(RuleBasedStateMachine):
    """One pupil: months are billed, paid, attended, corrected; leftovers are used and given back; it changes school."""

    def __init__(self) -> None:
        super().__init__()
        self.books = [Book(), Book(), Book()]
        self.at = 0

    @property
    def book(self) -> Book:
        """The book of the school where the pupil is."""
        return self.books[self.at]

    @property
    def bills(self) -> list[Bill]:
        """That school's bills."""
        return self.book.bills

    @property
    def credit(self) -> dict[str | None, Money]:
        """What that school keeps."""
        return self.book.credit

    def keep(self, item: str | None, amount: Money) -> None:
        self.credit[item] = self.credit.get(item, ZERO) + amount

    @rule(
        charged=st.dictionaries(
            st.sampled_from(ITEMS), st.tuples(st.integers(1, 23), st.integers(1, 50_000)), min_size=1
        )
    )
    def issue(self, charged: dict[str, tuple[int, int]]) -> None:
        lines = {item: Line(units, Money(price), units, Money(price)) for item, (units, price) in charged.items()}
        self.bills.append(Bill(lines))
        self.use(only_newest_offsets=True)

    @rule(only_newest_offsets=st.just(value=False))
    def use(self, *, only_newest_offsets: bool) -> None:
        kept = [Credit(item, amount, RULES.get(item or "", Rule.STAYS)) for item, amount in self.credit.items()]
        open_ = [
            OpenBill(
                place,
                bill.rest,
                tuple(
                    (item, max(line.share - line.off - bill.by_credit.get(item, ZERO), ZERO))
                    for item, line in bill.lines.items()
                ),
                not only_newest_offsets or place == len(self.bills) - 1,
            )
            for place, bill in enumerate(self.bills)
            if bill.rest
        ]
        for each in deal(kept, open_):
            self.keep(each.item, -each.amount)
            taken = self.bills[each.bill].by_credit
            taken[each.item] = taken.get(each.item, ZERO) + each.amount

    @precondition(lambda self: self.bills)
    @rule(place=st.integers(0, 30), percent=st.integers(1, 150))
    def pay(self, place: int, percent: int) -> None:
        bill = self.bills[place % len(self.bills)]
        amount = bill.rest.percent(percent)
        parts, left = allocate(amount, [("bill", bill.rest)])
        bill.money += total(part.amount for part in parts)
        self.book.came += amount
        if left:
            self.keep(None, left)

    @precondition(lambda self: self.bills)
    @rule(place=st.integers(0, 30), item=st.sampled_from(ITEMS), used=st.integers(0, 23))
    def attend(self, place: int, item: str, used: int) -> None:
        bill = self.bills[place % len(self.bills)]
        line = bill.lines.get(item)
        if line is not None and not bill.void:
            line.used = min(line.used, used)
            self.lower(bill, item, line, to_quantity(line.as_billed(), used))

    @precondition(lambda self: self.bills)
    @rule(place=st.integers(0, 30), item=st.sampled_from(ITEMS), price=st.integers(0, 50_000))
    def lower_the_price(self, place: int, item: str, price: int) -> None:
        bill = self.bills[place % len(self.bills)]
        line = bill.lines.get(item)
        if line is not None and not bill.void:
            line.price = min(line.price, Money(price))
            self.lower(bill, item, line, to_price(line.as_billed(), Money(price)))

    def lower(self, bill: Bill, item: str, line: Line, off: Off) -> None:
        (note,) = notes([off], bill.rest)
        line.off += off.family
        bill.off_rest += note.off_rest
        bill.to_credit += note.to_credit
        self.keep(item, note.to_credit)

    @precondition(lambda self: self.bills)
    @rule(place=st.integers(0, 30))
    def take_a_bill_back(self, place: int) -> None:
        bill = self.bills[place % len(self.bills)]
        if bill.void or bill.money or bill.to_credit:
            return
        for item, amount in bill.by_credit.items():
            self.keep(item, amount)
        bill.by_credit, bill.void = {}, True

    @rule(item=st.sampled_from([*ITEMS, None]), percent=st.integers(1, 100))
    def refund(self, item: str | None, percent: int) -> None:
        amount = self.credit.get(item, ZERO).percent(percent)
        self.keep(item, -amount)
        self.book.refunded += amount

    @rule(to=st.integers(0, 2), given_back=st.booleans())
    def transfer(self, to: int, *, given_back: bool) -> None:
        """Leave for another school, or come back: what is kept pays what is open, the rest waits or is given back."""
        if to == self.at:
            return
        self.use(only_newest_offsets=False)
        if given_back:
            for item in list(self.credit):
                self.refund(item, 100)
        self.at = to

    @invariant()
    def nothing_is_lost_or_counted_twice(self) -> None:
        for book in self.books:
            assert all(amount >= ZERO for amount in book.credit.values())
            assert all(bill.rest >= ZERO for bill in book.bills)
            used = total(bill.allocated - bill.to_credit for bill in book.bills)
            assert book.came == used + total(book.credit.values()) + book.refunded

    @invariant()
    def what_is_due_is_attendance_times_price(self) -> None:
        for bill in [bill for book in self.books for bill in book.bills]:
            if not bill.void:
                due = total(line.due for line in bill.lines.values())
                assert bill.allocated - bill.to_credit + bill.rest == due


def test_any_year_adds_up() -> None:
    many = bool(os.environ.get("HOCPHI_PROOF"))
    run_state_machine_as_test(
        Year, settings=settings(max_examples=400 if many else 40, stateful_step_count=60 if many else 25)
    )
