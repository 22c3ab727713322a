"""Late charges: only by the clause of the version agreed to, after its grace, never on late charges, up to its cap.

Who was given more time by two people is late only from the end of it. The accountant adds charges to the next round as
registrations of an item of 1,000 đ; the round is approved as any other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.tables import Bill, BillLine, BillVoid
from billing.contracts.reading import DEPOSIT_ITEM, contracts_of, steps_of, terms_of
from billing.contracts.reckoning import Charged, late_charge, month_of
from billing.contracts.stepping import person, today_of
from billing.contracts.tables import Contract, LateCharge
from billing.contracts.terms import LATE_STEP, LateTerms
from billing.contracts.versions import refuse_public
from billing.errors import Refused
from billing.fees.contracted import LATE_ITEM, evidence_of
from billing.fees.item_rows import find_item, live_prices
from billing.fees.items import MAX_COUNT, Quantity, last_day
from billing.fees.pricing import NewPrice, add_price
from billing.fees.registering import Registration, take_registrations
from billing.fees.tables import FeeItem, OptIn
from billing.money import ZERO, Money, total
from billing.payments.balances import BillBalance, bill_balances, line_dues
from billing.payments.grace import muted
from billing.rounds.tables import BillingRound

_CALCULATED = ("regular", "supplementary")  # rounds whose bills take up registrations
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LateBill:
    """A bill that may bear a late charge: its contract and clause, what is open, and what would be added."""

    contract: Contract
    enrolment_id: UUID
    terms: LateTerms
    balance: BillBalance
    days: int
    charge: Charged
    before: Money


class _Billed(NamedTuple):
    """That a month is billed: by which bill, and whether there is a line of late charges."""

    number: str
    late: bool


def late_bills(session: Session, school_id: UUID, today: date) -> list[LateBill]:
    """Return the late bills of children whose contract has the clause, with what may be added today, oldest first."""
    found = []
    for contract in contracts_of(session, school_id):
        terms, steps = terms_of(session, contract).late, steps_of(session, contract)
        enrolled = steps.get("enrolled")
        if terms is None or enrolled is None or enrolled.enrolment_id is None or "withdrawn" in steps:
            continue
        balances = bill_balances(
            session, col(Bill.school_id) == school_id, col(Bill.enrolment_id) == enrolled.enrolment_id
        )
        days = _days_late(session, school_id, [each for each in balances if not each.void and each.rest], today)
        late = [each for each in balances if days.get(each.bill_id, 0) > 0]
        before = _before(session, school_id, enrolled.enrolment_id, [each.bill_id for each in late])
        rests = _own_rests(session, late)
        for balance in late:
            earlier = before[balance.bill_id]
            charge = late_charge(terms, rests[balance.bill_id], days[balance.bill_id], earlier)
            charged = total(each.amount for each in earlier if each.months)
            found.append(
                LateBill(contract, enrolled.enrolment_id, terms, balance, days[balance.bill_id], charge, charged)
            )
    return sorted(found, key=lambda each: (each.balance.due_on, each.balance.number))


def add_late_charges(  # noqa: PLR0913, PLR0917  of which bills, into which month, by whom
    session: Session, school_id: UUID, bill_ids: Sequence[UUID], month: date, actor: Actor, now: datetime
) -> Money:
    """Register the late charges of these bills for the round of a month; return their sum.

    Raises ``NotAllowed`` for a public school, ``Refused`` for a bill that bears none today, a month that is over or
    for which the child has its bill already, or more for one child than one line can hold.
    """
    school = refuse_public(session, school_id)
    today = today_of(now)
    if month_of(month) < month_of(today):
        raise Refused(f"Tháng {month:%m/%Y} đã qua. Hãy ghi phí chậm nộp vào tháng này hoặc tháng sau.")
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"late {school_id}"})
    bearing = {each.balance.bill_id: each for each in late_bills(session, school_id, today) if each.charge.amount}
    if not bill_ids or set(bill_ids) - bearing.keys():
        raise Refused("Có thông báo không chịu phí chậm nộp hôm nay. Hãy tải lại danh sách.")
    chosen = [bearing[each] for each in dict.fromkeys(bill_ids)]
    first = month_of(month)
    _refuse_billed(session, school_id, chosen, first)
    item = find_item(session, school_id, LATE_ITEM)
    if all(row.valid_from != first for row in live_prices(session, item)):
        price = NewPrice(LATE_STEP, first, last_day(first), quantity=Quantity.REGISTERED)
        add_price(session, school, LATE_ITEM, price, actor, now)
    for each in chosen:
        session.add(
            LateCharge(
                school_id=school_id,
                contract_id=each.contract.id,
                bill_id=each.balance.bill_id,
                months=each.charge.months,
                amount=each.charge.amount,
                month=first,
                made_by=person(actor),
                at=now,
            )
        )
        session.flush()
        deed = Deed(school_id, "contract.late_charge", "bill", str(each.balance.bill_id))
        record_deed(session, actor, deed, now, amount=each.charge.amount.dong, months=each.charge.months)
    _register(session, school_id, item.id, chosen, first, now)
    return total(each.charge.amount for each in chosen)


def _register(  # noqa: PLR0913, PLR0917  one month's charges of some children
    session: Session, school_id: UUID, item_id: UUID, chosen: Sequence[LateBill], first: date, now: datetime
) -> None:
    of_child: dict[UUID, list[LateBill]] = defaultdict(list)
    for each in chosen:
        of_child[each.enrolment_id].append(each)
    registered = {
        row.enrolment_id: row
        for row in session.exec(
            select(OptIn).where(
                OptIn.school_id == school_id,
                OptIn.item_id == item_id,
                OptIn.valid_from == first,
                col(OptIn.withdrawn_at).is_(None),
                col(OptIn.enrolment_id).in_(list(of_child)),
            )
        ).all()
    }
    wanted = []
    for enrolment, bills in of_child.items():
        held = registered.get(enrolment)
        quantity = sum(each.charge.quantity for each in bills) + (held.quantity if held else 0)
        if quantity > MAX_COUNT:
            raise Refused(
                f"Phí chậm nộp của một em trong một tháng không quá {LATE_STEP * MAX_COUNT}. Hãy chọn ít hơn."
            )
        words = ", ".join(f"{each.balance.number} chậm {each.days} ngày" for each in bills)
        evidence = f"{held.evidence}; {words}" if held else f"{evidence_of(bills[0].contract.number)}: {words}"
        wanted.append(Registration(enrolment, LATE_ITEM, first, evidence, quantity, last_day(first), "contract"))
    take_registrations(session, school_id, wanted, now)


def _refuse_billed(session: Session, school_id: UUID, chosen: Sequence[LateBill], month: date) -> None:
    """Raise ``Refused`` when a child has its bill of the month: no line would be added to it any more."""
    for each in chosen:
        billed = _billed_months(session, school_id, each.enrolment_id)
        if month not in billed:
            continue
        number, following = billed[month].number, month
        while following in billed:
            following = month_of(last_day(following) + _ONE_DAY)
        raise Refused(
            f"Tháng {month:%m/%Y} em của hợp đồng {each.contract.number} đã có thông báo thu {number}, không thêm phí"
            f" vào được. Hãy chọn tháng {following:%m/%Y}."
        )


def _days_late(session: Session, school_id: UUID, balances: Sequence[BillBalance], today: date) -> dict[UUID, int]:
    """Return by how many days bills are late; with more time, from its end on."""
    if not balances:
        return {}
    oldest = min(each.due_on for each in balances)
    more = muted(session, school_id, {each.pupil_id for each in balances}, oldest)
    until = {each.bill_id: more.until(each.pupil_id, each.bill_id) for each in balances}
    return {each.bill_id: (today - max(each.due_on, until[each.bill_id] or each.due_on)).days for each in balances}


def _billed_months(session: Session, school_id: UUID, enrolment_id: UUID) -> dict[date, _Billed]:
    """Return the months for which a child has a bill that is not void, with whether late charges are on it."""
    rows = session.exec(
        select(col(BillingRound.period_from), col(BillingRound.period_to), col(Bill.number), col(BillLine.id))
        .join(Bill, (col(Bill.school_id) == col(BillingRound.school_id)) & (col(Bill.round_id) == col(BillingRound.id)))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .outerjoin(BillLine, (col(BillLine.bill_id) == col(Bill.id)) & (col(BillLine.item_code) == LATE_ITEM))
        .where(
            BillingRound.school_id == school_id,
            Bill.enrolment_id == enrolment_id,
            col(BillingRound.kind).in_(_CALCULATED),
            col(BillVoid.bill_id).is_(None),
        )
        .order_by(col(Bill.number))
    ).all()
    found: dict[date, _Billed] = {}
    for start, end, number, line in rows:
        month = month_of(start)
        while month <= end:
            late = line is not None or (month in found and found[month].late)
            found[month] = _Billed(number, late)
            month = month_of(last_day(month) + _ONE_DAY)
    return found


def _before(session: Session, school_id: UUID, enrolment_id: UUID, bills: Sequence[UUID]) -> dict[UUID, list[Charged]]:
    """Return what was charged before for bills.

    Months count while the charge is on a bill that stands or will be on one to come. Its amount always counts towards
    the cap, as the database counts it.
    """
    billed = _billed_months(session, school_id, enrolment_id)
    coming = set(
        session.exec(
            select(col(OptIn.valid_from))
            .join(FeeItem, col(FeeItem.id) == col(OptIn.item_id))
            .where(
                OptIn.school_id == school_id,
                OptIn.enrolment_id == enrolment_id,
                FeeItem.code == LATE_ITEM,
                col(OptIn.withdrawn_at).is_(None),
            )
        ).all()
    )
    found: dict[UUID, list[Charged]] = defaultdict(list)
    rows = session.exec(
        select(LateCharge)
        .where(LateCharge.school_id == school_id, col(LateCharge.bill_id).in_(bills))
        .order_by(col(LateCharge.id))
    ).all()
    for row in rows:
        month = billed.get(row.month)
        stands = row.month in coming if month is None else month.late
        found[row.bill_id].append(Charged(row.months if stands else 0, row.amount))
    return found


def _own_rests(session: Session, balances: Sequence[BillBalance]) -> dict[UUID, Money]:
    """Return what is open of each bill without its lines of late charges; what was paid pays the others first."""
    dues = line_dues(session, balances)
    late: dict[UUID, Money] = defaultdict(lambda: ZERO)
    rows = session.exec(
        select(BillLine).where(
            col(BillLine.bill_id).in_([each.bill_id for each in balances]),
            col(BillLine.item_code).in_([LATE_ITEM, DEPOSIT_ITEM]),
        )
    ).all()
    for row in rows:
        late[row.bill_id] += dues[row.id or 0]
    return {each.bill_id: max(min(each.rest, each.due - late[each.bill_id] - each.paid), ZERO) for each in balances}
