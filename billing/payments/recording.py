"""Recording money received: payment, allocations, postings, receipt and event, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.errors import Conflict, Refused
from billing.events.recording import PAYMENT_RECEIVED, record_event
from billing.ledger.accounts import CARD_CLEARING, CASH, FAMILY_CREDIT, FAMILY_RECEIVABLE, SUSPENSE
from billing.ledger.posting import Fact, Line, post
from billing.money import Money, total
from billing.payments.allocation import Part
from billing.payments.receipts import issue_receipt
from billing.payments.tables import Allocation, Payment, PaymentRequestBill, PaymentReversal
from billing.storage import new_id

# Where the money stands before it is explained. Credit that is used brings no money: billing.credits writes its
# payments.
_SOURCE_ACCOUNTS = {"transfer": SUSPENSE, "cash": CASH, "card": CARD_CLEARING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Money for one pupil from one source; ``value_date`` is the bank's day, ``paid_at`` its moment if told.

    ``on_paper``: the family holds the receipt of a paper book already, so none is made and nothing is told.
    """

    school_id: UUID
    pupil_id: UUID
    source_kind: str
    source_id: UUID
    amount: Money
    value_date: date
    paid_at: datetime | None = None
    on_paper: bool = False


Parts = Sequence[Part[UUID]]


def record_payment(session: Session, received: Received, parts: Parts, now: datetime) -> Payment:
    """Record one payment; what the parts leave over is the pupil's credit. See ``record_payments``."""
    return record_payments(session, [(received, parts)], now)[0]


def record_payments(
    session: Session, received: Sequence[tuple[Received, Parts]], now: datetime, *, tell: bool = True
) -> list[Payment]:
    """Record the payments that one source brings for several pupils.

    Allocations are written in the order of bill ids and receipt numbers are taken last, over all payments, so that
    two transactions never wait for each other in a circle. ``tell`` is false where no new money came: what is left of a
    payment that was lowered. Raises ``Conflict`` when the source has a live payment
    for the pupil already; the database refuses (``check_violation``) what a bill or payment cannot take.
    """
    for one, parts in received:
        _judge(one, parts)
    payments = [_write_payment(session, one, now) for one, _ in received]
    _write_allocations(session, list(zip(payments, [parts for _, parts in received], strict=True)))
    receipts: list[tuple[Payment, UUID]] = []
    for payment, (one, parts) in zip(payments, received, strict=True):
        _post(session, payment, parts, now)
        if one.on_paper:
            continue
        receipt_id = new_id()
        paid_at = one.paid_at.isoformat() if one.paid_at else None
        if tell:
            _tell(session, payment, parts, now, receipt_id=str(receipt_id), paid_at=paid_at)
        receipts.append((payment, receipt_id))
    session.flush()
    for payment, receipt_id in receipts:
        issue_receipt(session, payment, receipt_id, now)
    return payments


def _judge(received: Received, parts: Parts) -> None:
    allocated = total(part.amount for part in parts)
    if allocated > received.amount:
        raise Refused("Phân bổ nhiều hơn số tiền đã nhận", amount=received.amount.dong, allocated=allocated.dong)
    if received.source_kind not in _SOURCE_ACCOUNTS:
        raise ValueError(f"a payment of the kind {received.source_kind!r} is not recorded here")


def _write_payment(session: Session, received: Received, now: datetime) -> Payment:
    payment = Payment(
        school_id=received.school_id,
        pupil_id=received.pupil_id,
        source_kind=received.source_kind,
        source_id=received.source_id,
        turn=_next_turn(session, received),
        amount=received.amount,
        value_date=received.value_date,
        recorded_at=now,
    )
    session.add(payment)
    session.flush()
    return payment


def _next_turn(session: Session, received: Received) -> int:
    """Count the tries of this source for this pupil; all earlier ones must have been reversed."""
    earlier = session.exec(
        select(Payment.id, PaymentReversal.payment_id)
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(
            Payment.school_id == received.school_id,
            Payment.source_kind == received.source_kind,
            Payment.source_id == received.source_id,
            Payment.pupil_id == received.pupil_id,
        ),
    ).all()
    if any(reversal is None for _, reversal in earlier):
        raise Conflict("Khoản tiền này đã được ghi nhận cho học sinh", source_id=str(received.source_id))
    return len(earlier) + 1


def _write_allocations(session: Session, paid: Sequence[tuple[Payment, Parts]]) -> None:
    """Write all allocations in the order of bill ids: the database locks each bill as it comes."""
    rows = [(part.bill, payment, part.amount) for payment, parts in paid for part in parts]
    for bill_id, payment, amount in sorted(rows, key=lambda row: row[0]):
        session.add(
            Allocation(school_id=payment.school_id, payment_id=payment.id, bill_id=bill_id, amount=amount),
        )
        session.flush()


def _post(session: Session, payment: Payment, parts: Parts, now: datetime) -> None:
    source = _SOURCE_ACCOUNTS[payment.source_kind]
    lines = [
        Line(source, FAMILY_RECEIVABLE, part.amount, pupil_id=payment.pupil_id, bill_id=part.bill) for part in parts
    ]
    if rest := _rest(payment, parts):
        lines.append(Line(source, FAMILY_CREDIT, rest, pupil_id=payment.pupil_id))
    fact = Fact(payment.school_id, "payment", str(payment.id), payment.value_date)
    post(session, fact, lines, now)


def _tell(session: Session, payment: Payment, parts: Parts, now: datetime, **facts: str | None) -> None:
    """Write the event that notices are made from, with the requests whose bills were paid."""
    requests = session.exec(
        select(PaymentRequestBill.request_id)
        .where(
            PaymentRequestBill.school_id == payment.school_id,
            col(PaymentRequestBill.bill_id).in_([part.bill for part in parts]),
        )
        .distinct(),
    ).all()
    record_event(
        session,
        payment.school_id,
        PAYMENT_RECEIVED,
        payment.id,
        now,
        pupil_id=str(payment.pupil_id),
        amount=payment.amount.dong,
        credit=_rest(payment, parts).dong,
        request_ids=sorted(str(request_id) for request_id in requests),
        **facts,
    )


def _rest(payment: Payment, parts: Parts) -> Money:
    return payment.amount - total(part.amount for part in parts)
