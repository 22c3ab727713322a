"""Which notices a family has got, which stand in the place of another, and which a newer one says all of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.events.recording import BILL_ISSUED
from billing.events.tables import Event
from billing.payments.balances import BillBalance
from billing.payments.tables import PaymentRequest, PaymentRequestBill
from notifications.tables import Message


@dataclass(frozen=True, slots=True)
class Instead:
    """A bill that a request asks for the first time, in the place of a void one; both by their numbers, too."""

    request_id: UUID
    bill_id: UUID
    number: str
    old_id: UUID
    old_number: str


def announced(session: Session, school_id: UUID, bills: Collection[UUID]) -> set[UUID]:
    """Return those of some bills whose notice has reached a family, or may have; also if it stood in another's place.

    A notice that waits, or was put aside, has reached nobody: its end is no news.
    """
    older = _older(session, school_id, bills)
    told = session.exec(
        select(PaymentRequestBill.bill_id)
        .join(Event, col(Event.subject_id) == col(PaymentRequestBill.request_id))
        .join(Message, col(Message.event_id) == col(Event.id))
        .where(
            PaymentRequestBill.school_id == school_id,
            col(PaymentRequestBill.bill_id).in_(older),
            Event.school_id == school_id,
            Event.kind == BILL_ISSUED,
            Message.school_id == school_id,
            col(Message.state).in_(["accepted", "unknown"]) | col(Message.lease_until).is_not(None),
        )
        .distinct()
    ).all()
    return {asked for bill in told for asked in older[bill]}


def instead_of_announced(session: Session, school_id: UUID, requests: Collection[UUID]) -> list[Instead]:
    """Return the bills that requests ask for first, each in the place of one whose notice a family has got."""
    old = aliased(Bill)
    rows = session.exec(
        select(col(PaymentRequestBill.request_id), Bill, old)
        .join(PaymentRequest, col(PaymentRequest.id) == col(PaymentRequestBill.request_id))
        .join(Bill, col(Bill.id) == col(PaymentRequestBill.bill_id))
        .join(old, col(old.id) == col(Bill.replaces_id))
        .where(
            PaymentRequestBill.school_id == school_id,
            col(PaymentRequestBill.request_id).in_(requests),
            Bill.issued_at == PaymentRequest.created_at,  # a later month's request asks for it again
        )
        .order_by(col(PaymentRequestBill.position))
    ).all()
    found = [Instead(request_id, new.id, new.number, before.id, before.number) for request_id, new, before in rows]
    known = announced(session, school_id, {each.old_id for each in found})
    return [each for each in found if each.old_id in known]


def asked_anew(session: Session, school_id: UUID, requests: Mapping[UUID, Sequence[BillBalance]]) -> set[UUID]:
    """Return those of some requests all of whose open bills a later request of the same account asks for, too."""
    open_bills = {
        request: {balance.bill_id for balance in balances if balance.rest} for request, balances in requests.items()
    }
    bills = {bill for found in open_bills.values() for bill in found}
    rows = session.exec(
        select(PaymentRequest.id, PaymentRequest.created_at, PaymentRequestBill.bill_id)
        .join(PaymentRequestBill, col(PaymentRequestBill.request_id) == col(PaymentRequest.id))
        .where(PaymentRequest.school_id == school_id, col(PaymentRequestBill.bill_id).in_(bills))
    ).all()
    asks: dict[UUID, set[UUID]] = defaultdict(set)
    for request, _, bill in rows:
        asks[request].add(bill)
    since = {request: created_at for request, created_at, _ in rows}
    return {
        request
        for request, wanted in open_bills.items()
        if wanted and any(wanted <= asks[other] and since[other] > since[request] for other in asks)
    }


def _older(session: Session, school_id: UUID, bills: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Return each bill and all that it came in the place of, with the bills asked about it leads to."""
    leads_to: dict[UUID, set[UUID]] = {bill: {bill} for bill in bills}
    newest = set(bills)
    while newest:
        rows = session.exec(
            select(Bill.id, Bill.replaces_id).where(
                Bill.school_id == school_id, col(Bill.id).in_(newest), col(Bill.replaces_id).is_not(None)
            )
        ).all()
        for bill, old in rows:
            if old is not None:
                leads_to.setdefault(old, set()).update(leads_to[bill])
        newest = {old for _, old in rows if old is not None}
    return leads_to
