"""Sums of a contract (pure): what of a deposit is kept, what of a prepaid term is earned or comes back, late charges.

No đồng is lost: a prepaid term is what was released, what is still deferred and what was given back, at any moment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from billing.contracts.terms import LATE_STEP, DepositTerms, LateTerms, Terms
from billing.errors import Refused
from billing.money import ZERO, Money, total

_YEAR = 12
_LATE_DAYS = 30
_ALL = 100


def month_of(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def month_after(month: date, months: int) -> date:
    """Return the first day of the month so many months after another one."""
    count = month.year * _YEAR + month.month - 1 + months
    return date(count // _YEAR, count % _YEAR + 1, 1)


def months_between(first: date, last: date) -> int:
    """Return how many months lie from one day's month to another's, both counted; 0 when the last comes before."""
    return max((last.year - first.year) * _YEAR + last.month - first.month + 1, 0)


def earned(net: Money, months: int, begun: int) -> Money:
    """Return what of a term is earned once ``begun`` of its months have begun; after the last one, all of it."""
    if months < 1:
        raise Refused("Một kỳ đóng trước phải có ít nhất một tháng.")
    return Money(net.dong * min(max(begun, 0), months) // months)


def kept_of_deposit(terms: DepositTerms, starts_on: date, told_on: date) -> Money:
    """Return what of a whole deposit the school keeps when the family says so on a day that it does not come."""
    before = (starts_on - told_on).days
    for keep in terms.keeps:
        if before >= keep.days:
            return Money(terms.amount.dong * keep.percent // _ALL)
    return terms.amount


@dataclass(frozen=True, slots=True)
class PrepaidLine:
    """A line of a bill that was paid, or is to be paid, for ``months`` months from ``first`` on.

    ``net`` is what it comes to for the family and whoever else pays, ``family`` the family's part of it.
    """

    line_id: int
    first: date
    months: int
    net: Money
    family: Money


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What of a prepaid line comes back, and what the school keeps: for months used, and by the contract's table."""

    line_id: int
    used: Money
    back: Money
    kept: Money


def withdraw(
    terms: Terms, starts_on: date, last_day: date, lines: Sequence[PrepaidLine]
) -> tuple[tuple[Withdrawn, ...], int]:
    """Return what leaving after a day does to prepaid lines by the table of the contract, and its percentage.

    A month that began is used. Before the start, the table's first row holds for everything billed, less the place
    deposit where the contract says so: it is held back once, from the first lines.
    """
    before = last_day < starts_on
    percent = terms.withdrawal.before_start if before else _percent(terms, months_between(starts_on, last_day))
    hold = terms.deposit.amount if before and terms.withdrawal.less_deposit and terms.deposit else ZERO
    found = []
    for line in sorted(lines, key=lambda each: (each.first, each.line_id)):
        used = ZERO if before else earned(line.net, line.months, months_between(line.first, last_day))
        left = min(line.net - used, line.family)
        back = Money(left.dong * percent // _ALL)
        off = min(hold, back)
        hold -= off
        found.append(Withdrawn(line.line_id, used, back - off, line.net - used - back + off))
    return tuple(found), percent


def _percent(terms: Terms, month: int) -> int:
    return next((step.percent for step in terms.withdrawal.steps if month <= step.through), 0)


@dataclass(frozen=True, slots=True)
class Charged:
    """A late charge that is to be added: for so many further months, in whole thousands."""

    months: int
    amount: Money

    @property
    def quantity(self) -> int:
        """How many thousands it is."""
        return self.amount.dong // LATE_STEP.dong


def late_charge(terms: LateTerms, rest: Money, days_late: int, before: Sequence[Charged]) -> Charged:
    """Return what is to be added for a bill that is late; nothing within the grace or above the cap.

    ``rest`` is what is open of the bill itself, without late charges: they never bear one. Months that were charged
    ``before`` are not charged again.
    """
    begun = 0 if days_late <= terms.grace else -(-days_late // _LATE_DAYS)
    months = max(begun - sum(each.months for each in before), 0)
    if not months or rest <= ZERO:
        return Charged(0, ZERO)
    a_month = terms.amount or Money(rest.dong * terms.percent // _ALL)
    room = max(terms.cap - total(each.amount for each in before), ZERO)
    amount = min(a_month * months, room)
    return Charged(months, Money(amount.dong // LATE_STEP.dong * LATE_STEP.dong))
