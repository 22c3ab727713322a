"""What is still due: a bill's state follows from its live allocations and is never stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, ScalarSelect, Subquery, cast, exists, func, type_coerce
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillVoid
from billing.money import ZERO, Money, total
from billing.payments.tables import Allocation, PaymentRequestBill, PaymentReversal
from billing.storage import money_sum


@dataclass(frozen=True, slots=True)
class BillBalance:
    """A bill with what was paid on it. ``status``: open, partial, paid, covered or void."""

    bill_id: UUID
    number: str
    pupil_id: UUID
    bank_account_id: UUID
    period: str
    due_on: date
    family_due: Money
    paid: Money
    void: bool

    @property
    def rest(self) -> Money:
        """What is still due; nothing on a void bill."""
        return ZERO if self.void else self.family_due - self.paid

    @property
    def status(self) -> str:
        """Return the one word for the state of the bill."""
        if self.void:
            return "void"
        if not self.family_due:
            return "covered"
        if not self.rest:
            return "paid"
        return "partial" if self.paid else "open"


def live_allocation() -> ColumnElement[bool]:
    """Return the condition that an allocation's payment was not reversed."""
    return ~exists().where(col(PaymentReversal.payment_id) == col(Allocation.payment_id))


def paid_by_bill() -> Subquery:
    """Return a subquery (bill_id, paid as BIGINT) over all live allocations in scope; for whole lists."""
    amount = type_coerce(col(Allocation.amount), BigInteger)
    paid = cast(func.sum(amount), BigInteger).label("paid")
    query: Any = select(col(Allocation.bill_id).label("bill_id"), paid)
    subquery: Subquery = query.where(live_allocation()).group_by(col(Allocation.bill_id)).subquery("paid_by_bill")
    return subquery


def paid_on_bill() -> ScalarSelect[Any]:
    """Return what was paid on the bill of the enclosing query, looked up by index; for few bills."""
    return (
        select(money_sum(Allocation.amount))
        .where(col(Allocation.school_id) == Bill.school_id, col(Allocation.bill_id) == Bill.id, live_allocation())
        .correlate(Bill)
        .scalar_subquery()
    )


def bill_balances(session: Session, *conditions: ColumnElement[bool]) -> list[BillBalance]:
    """Return balances of the bills that fulfil all conditions (on ``Bill``), oldest due first, then by number."""
    query = (
        select(Bill, paid_on_bill(), col(BillVoid.bill_id).is_not(None))
        .outerjoin(BillVoid, col(BillVoid.bill_id) == col(Bill.id))
        .where(*conditions)
        .order_by(col(Bill.due_on), col(Bill.number))
    )
    return [_balance(bill, bill_paid, void=void) for bill, bill_paid, void in session.exec(query).all()]


def request_balances(session: Session, school_id: UUID, request_ids: Sequence[UUID]) -> dict[UUID, list[BillBalance]]:
    """Return the bills of payment requests in the order in which they are paid."""
    links = session.exec(
        select(PaymentRequestBill.request_id, PaymentRequestBill.bill_id)
        .where(PaymentRequestBill.school_id == school_id, col(PaymentRequestBill.request_id).in_(request_ids))
        .order_by(col(PaymentRequestBill.position)),
    ).all()
    in_requests = col(Bill.id).in_([bill_id for _, bill_id in links])
    by_bill = {
        balance.bill_id: balance for balance in bill_balances(session, col(Bill.school_id) == school_id, in_requests)
    }
    found: dict[UUID, list[BillBalance]] = {request_id: [] for request_id in request_ids}
    for request_id, bill_id in links:
        found[request_id].append(by_bill[bill_id])
    return found


def rest_of(balances: Sequence[BillBalance]) -> Money:
    """Return what is still due on some bills together."""
    return total(balance.rest for balance in balances)


def _balance(bill: Bill, paid: Money, *, void: bool) -> BillBalance:
    return BillBalance(
        bill_id=bill.id,
        number=bill.number,
        pupil_id=bill.pupil_id,
        bank_account_id=bill.bank_account_id,
        period=bill.period,
        due_on=bill.due_on,
        family_due=bill.family_due,
        paid=paid,
        void=void,
    )
