"""What bills of a round and of its supplements ask for already, and at which price: the rest may still be billed.

A family that registers for an item in a month that was billed has its bill, and has paid it perhaps: nothing of that
bill is touched. The supplementary round asks for the item alone, since no live bill of the pupil names it. An item for
everybody that came into the price list later is asked of nobody who was billed without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, or_, select

from billing.bills.tables import Bill, BillCredit, BillLine, BillVoid
from billing.fees.charges import Charge, ChargeLine, Schedule
from billing.fees.insurance import INSURANCE_ITEM, is_insurance
from billing.fees.items import Price
from billing.money import ZERO, Money
from billing.rounds.tables import BillingRound, Correction


@dataclass(frozen=True, slots=True)
class OnBills:
    """The items on the bills of a pupil, or of one of its stays: on live ones, and on such as were taken back."""

    live: frozenset[str] = frozenset()
    void: frozenset[str] = frozenset()


Billed = Mapping[UUID, OnBills]
"""By pupil and also by enrolment: who left and came back has bills of each stay."""


def items_on_bills(
    session: Session, billing_round: BillingRound, only: Collection[UUID] | None = None, besides: UUID | None = None
) -> Billed:
    """Return what bills of the round's family ask for: ``only`` of these pupils, ``besides`` one to be replaced."""
    rows = session.exec(
        select(Bill.pupil_id, Bill.enrolment_id, BillLine.item_code, col(BillVoid.bill_id).is_not(None))
        .join(BillLine, (col(BillLine.school_id) == Bill.school_id) & (col(BillLine.bill_id) == Bill.id))
        .join(BillingRound, (col(BillingRound.school_id) == Bill.school_id) & (col(BillingRound.id) == Bill.round_id))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(
            Bill.school_id == billing_round.school_id,
            _of_family(billing_round),
            col(Bill.id).is_distinct_from(besides),
            *(() if only is None else (col(Bill.pupil_id).in_(only),)),
        )
        .distinct()
    ).all()
    live: dict[UUID, set[str]] = defaultdict(set)
    void: dict[UUID, set[str]] = defaultdict(set)
    for pupil, enrolment, code, taken_back in rows:
        for key in (pupil, enrolment):
            if key is not None:
                (void if taken_back else live)[key].add(_item(code))
    return {key: OnBills(frozenset(codes), frozenset(void.get(key, ()))) for key, codes in live.items()}


def left_to_bill(charges: Iterable[tuple[Charge, UUID]], billed: Billed, *, instead: bool = False) -> Iterator[Charge]:
    """Yield what no live bill names of each charge (with the pupil or the enrolment by which to look).

    Of that, for who has a live bill, what the family registered for and what a bill named that was taken back;
    everything, where it stands ``instead`` of another bill. Who has nothing left is left out; who has no live bill is
    charged everything, also nothing.
    """
    for charge, key in charges:
        known = billed.get(key)
        if known is None:
            yield charge
            continue
        lines = tuple(line for line in charge.lines if _is_left(line, known, instead=instead))
        if lines:
            yield Charge(charge.pupil_id, charge.period, lines)


def _is_left(line: ChargeLine, known: OnBills, *, instead: bool) -> bool:
    item = _item(line.item.code)
    return item not in known.live and (instead or line.item.opt_in or item in known.void)


def lowered_prices(session: Session, school_id: UUID, base_round_id: UUID) -> dict[str, Money]:
    """Return the items of which a price was lowered in all bills of a round since (by two people), and that price.

    Who is billed by a supplement pays no more than classmates. A lowering of which no live bill is left, since each
    was replaced at the old price, holds no more.
    """
    live = (
        select(BillCredit.id)
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(BillCredit.bill_id))
        .where(col(BillCredit.correction_id) == col(Correction.id), col(BillVoid.bill_id).is_(None))
    )
    rows = session.exec(
        select(Correction.content).where(
            Correction.school_id == school_id,
            Correction.round_id == base_round_id,
            Correction.kind == "price",
            live.exists(),
        )
    ).all()
    found: dict[str, Money] = {}
    for content in rows:
        price = Money(content["price"])
        found[content["item"]] = min(price, found.get(content["item"], price))
    return found


def at_lowered(schedule: Schedule, lowered: Mapping[str, Money]) -> Schedule:
    """Return the schedule at no more than these prices; an item lowered to 0 đ is charged no more."""
    return replace(schedule, prices=tuple(_prices(schedule.prices, lowered))) if lowered else schedule


def _prices(prices: Iterable[Price], lowered: Mapping[str, Money]) -> Iterator[Price]:
    for price in prices:
        most = lowered.get(price.item.code, price.amount)
        if most != ZERO:
            yield replace(price, amount=most) if most < price.amount else price


def _item(code: str) -> str:
    """Return the item of a code: health insurance is one item, for however many months it is bought."""
    return INSURANCE_ITEM if is_insurance(code) else code


def _of_family(billing_round: BillingRound) -> ColumnElement[bool]:
    base = billing_round.base_round_id or billing_round.id
    return or_(col(BillingRound.id) == base, col(BillingRound.base_round_id) == base)
