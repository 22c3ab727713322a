"""How a credit note lowers a bill's lines (pure): to a lower price or quantity, or by an amount.

A price that was lowered holds also when units are taken off later, and the other way round: what stays is always units
used × price in force. Of what is no meal a pupil who left has used a part of the share as it was billed; the same part
stays of whatever the line comes to at the price in force, in either order (half a đồng is rounded up). A lower price or
quantity lowers everybody's share: the reductions are reckoned again on the lower gross, a percentage as a percentage, a
fixed sum as far as the gross reaches. What the family's share falls by comes off the open part of the bill as far as
that reaches; the rest was paid already and becomes the pupil's credit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from billing.errors import Refused
from billing.money import ZERO, Money, total

STATE = "state"


@dataclass(frozen=True, slots=True)
class Taken:
    """What one reduction took off a line, in the order in which it was taken; ``percent`` None: a fixed sum."""

    payer: str
    percent: int | None
    amount: Money


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line as it was billed, what earlier credit notes took off it, and what they made of its price and units.

    ``lower_price`` and ``used`` are None while no earlier correction lowered the price or counted the units. ``half``:
    its unit is half a month, at half the price. ``unused`` and ``unused_state``: what of the family's and the State's
    share as billed was not used, since the pupil left.
    """

    line_id: int
    quantity: int
    unit_price: Money
    family_share: Money
    taken: tuple[Taken, ...] = ()
    family_off: Money = ZERO
    state_off: Money = ZERO
    lower_price: Money | None = None
    used: int | None = None
    half: bool = False
    unused: Money = ZERO
    unused_state: Money = ZERO

    def at(self, price: Money) -> Money:
        """Return what a unit of the line costs at a price: half of it where the pupil was there half the month."""
        return price.percent(50) if self.half else price

    @property
    def price_now(self) -> Money:
        """The price in force."""
        return self.unit_price if self.lower_price is None else min(self.at(self.lower_price), self.unit_price)

    @property
    def units_now(self) -> int:
        """The units that count."""
        return self.quantity if self.used is None else min(self.used, self.quantity)

    @property
    def by_state(self) -> Money:
        """What the State carried of the line when it was billed."""
        return total(each.amount for each in self.taken if each.payer == STATE)


@dataclass(frozen=True, slots=True)
class Off:
    """What a line falls by: the family's share and the State's."""

    line_id: int
    family: Money
    state: Money = ZERO

    def __bool__(self) -> bool:
        return bool(self.family or self.state)


@dataclass(frozen=True, slots=True)
class Note:
    """What a credit note says of one line; see ``BillCredit``."""

    line_id: int
    off_rest: Money
    to_credit: Money
    off_state: Money


def to_price(line: BilledLine, price: Money) -> Off:
    """Return what is still to come off a line so that it costs the lower price; nothing if it does already."""
    if price < ZERO:
        raise Refused("Mức thu mới không được âm.")
    return _to_gross(line, min(line.at(price), line.price_now) * line.units_now)


def to_quantity(line: BilledLine, used: int) -> Off:
    """Return what is still to come off a line of which only ``used`` units were used; nothing if all of them were."""
    if used < 0:
        raise Refused("Số lượng đã dùng không được âm.")
    return _to_gross(line, line.price_now * min(used, line.units_now))


def to_used(line: BilledLine, unused: Money, unused_state: Money) -> Off:
    """Return what comes off a line of whose shares as billed so much was not used; no more than they still come to.

    At a price that was lowered it is the same part of what the line comes to at that price.
    """
    family, state = _stays(line)
    left_family, left_state = _stays(
        replace(line, unused=line.unused + unused, unused_state=line.unused_state + unused_state)
    )
    return at_most(line, family - left_family, state - left_state)


def billed_at_most(line: BilledLine, family: Money, state: Money) -> Off:
    """Return these amounts as far as the shares as billed, less what was not used of them before, reach."""
    return Off(
        line.line_id, min(family, line.family_share - line.unused), min(state, line.by_state - line.unused_state)
    )


def _to_gross(line: BilledLine, gross: Money) -> Off:
    """Reckon the line again at a lower gross, and compare with what it was and what came off it before."""
    left, by_state = _used_of(line, gross)
    family = line.family_share - line.family_off - left
    state = line.by_state - line.state_off - by_state
    return Off(line.line_id, max(family, ZERO), max(state, ZERO))


def _stays(line: BilledLine) -> tuple[Money, Money]:
    """Return what the line comes to for the family and the State by price, units and use."""
    return _used_of(line, line.price_now * line.units_now)


def _used_of(line: BilledLine, gross: Money) -> tuple[Money, Money]:
    family, state = _shares(line, gross)
    return (
        _same_part(family, line.family_share - line.unused, line.family_share),
        _same_part(state, line.by_state - line.unused_state, line.by_state),
    )


def _same_part(amount: Money, kept: Money, whole: Money) -> Money:
    """Return of an amount the part that ``kept`` is of the whole, half a đồng rounded up."""
    if kept == whole:
        return amount
    return Money((2 * amount.dong * kept.dong + whole.dong) // (2 * whole.dong))


def _shares(line: BilledLine, gross: Money) -> tuple[Money, Money]:
    """Return what a lower gross comes to for the family and for the State."""
    before = rest = line.unit_price * line.quantity
    left, by_state = gross, ZERO
    for each in line.taken:
        amount = min(left, _taken_at(each, gross, before, rest))
        left, rest = left - amount, rest - each.amount
        by_state += amount if each.payer == STATE else ZERO
    return left, by_state


def _taken_at(taken: Taken, gross: Money, before: Money, rest: Money) -> Money:
    """Return what a reduction takes at a lower gross: a fixed sum the same, a percentage its share.

    ``rest`` is what others had left of the gross ``before``. A percentage that held for some of the line's months only
    took less than its share of the whole; it shrinks as the gross does.
    """
    if taken.percent is None:
        return taken.amount
    if taken.amount == min(rest, before.percent(taken.percent)):
        return gross.percent(taken.percent)
    return Money(taken.amount.dong * gross.dong // before.dong)


def at_most(line: BilledLine, family: Money, state: Money) -> Off:
    """Return these amounts as far as there is still so much on the line: earlier credit notes may have taken some."""
    return Off(
        line.line_id, min(family, line.family_share - line.family_off), min(state, line.by_state - line.state_off)
    )


def by_amount(line: BilledLine, amount: Money) -> Off:
    """Return a credit of a plain amount; raises ``Refused`` beyond what the line comes to for the family."""
    most = line.family_share - line.family_off
    if not ZERO < amount <= most:
        raise Refused(f"Số tiền ghi giảm phải từ 1 đ đến {most} (số gia đình còn chịu của khoản này).", most=most.dong)
    return Off(line.line_id, amount)


def notes(offs: Sequence[Off], rest: Money) -> tuple[Note, ...]:
    """Deal what lines fall by: off the rest as long as there is any, then to the pupil's credit.

    ``rest`` is all that was not paid: what is open and what was written off. Nobody gets back what nobody paid.
    """
    made, left = [], rest
    for off in offs:
        off_rest = min(left, off.family)
        left -= off_rest
        made.append(Note(off.line_id, off_rest, off.family - off_rest, off.state))
    return tuple(made)
