"""Recording money received: payment, allocations, postings, receipt and event, in the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert
from sqlmodel import Session, col, select

from billing.errors import Conflict, Refused
from billing.events.recording import PAYMENT_RECEIVED, record_events
from billing.ledger.accounts import CARD_CLEARING, CASH, FAMILY_CREDIT, FAMILY_RECEIVABLE, SUSPENSE
from billing.ledger.posting import Fact, Line, post_all
from billing.money import Money, total
from billing.payments.allocation import Part
from billing.payments.receipts import issue_receipts
from billing.payments.tables import Allocation, Payment, PaymentRequestBill, PaymentReversal
from billing.storage import among, new_id

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
    """Record payments of one school and kind of source: of one source for several pupils, or of several sources.

    Each pupil stands once for a source. All is written set-wise, so that a payment among thousands costs what one does.

    Allocations are written in the order of bill ids and receipt numbers are taken last, over all payments, so that
    two transactions never wait for each other in a circle. ``tell`` is false where no new money came: what is left of a
    payment that was lowered. Raises ``Conflict`` when the source has a live payment
    for the pupil already; the database refuses (``check_violation``) what a bill or payment cannot take.
    """
    if not received:
        return []
    for one, parts in received:
        _judge(one, parts)
    payments = _write_payments(session, [one for one, _ in received], now)
    paid = list(zip(payments, [parts for _, parts in received], strict=True))
    _write_allocations(session, paid)
    _post(session, paid, now)
    receipts = [new_id() for _ in received]
    new = [index for index, (one, _) in enumerate(received) if not one.on_paper]
    if tell:
        paid_at = [one.paid_at.isoformat() if one.paid_at else None for one, _ in received]
        _tell(session, [(*paid[index], receipts[index], paid_at[index]) for index in new], now)
    issue_receipts(session, [(payments[index], receipts[index]) for index in new], now)
    return payments


def _judge(received: Received, parts: Parts) -> None:
    allocated = total(part.amount for part in parts)
    if allocated > received.amount:
        raise Refused("Phân bổ nhiều hơn số tiền đã nhận", amount=received.amount.dong, allocated=allocated.dong)
    if received.source_kind not in _SOURCE_ACCOUNTS:
        raise ValueError(f"a payment of the kind {received.source_kind!r} is not recorded here")


def _write_payments(session: Session, received: Sequence[Received], now: datetime) -> list[Payment]:
    turns = _next_turns(session, received)
    rows = [
        {
            "id": new_id(),
            "school_id": one.school_id,
            "pupil_id": one.pupil_id,
            "source_kind": one.source_kind,
            "source_id": one.source_id,
            "turn": turns[one.source_id, one.pupil_id],
            "amount": one.amount,
            "value_date": one.value_date,
            "recorded_at": now,
        }
        for one in received
    ]
    # What is returned makes one statement of them.
    written = session.execute(insert(Payment).returning(Payment, sort_by_parameter_order=True), rows)
    return list(written.scalars().all())


def _next_turns(session: Session, received: Sequence[Received]) -> dict[tuple[UUID, UUID], int]:
    """Count by source and pupil the tries of these sources; all earlier ones must have been reversed."""
    earlier = session.exec(
        select(Payment.source_id, Payment.pupil_id, PaymentReversal.payment_id)
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(
            Payment.school_id == received[0].school_id,
            Payment.source_kind == received[0].source_kind,
            among(Payment.source_id, {one.source_id for one in received}),
            among(Payment.pupil_id, {one.pupil_id for one in received}),
        ),
    ).all()
    turns = dict.fromkeys([(one.source_id, one.pupil_id) for one in received], 1)
    for source_id, pupil_id, reversal in earlier:
        if (source_id, pupil_id) not in turns:
            continue
        if reversal is None:
            raise Conflict("Khoản tiền này đã được ghi nhận cho học sinh", source_id=str(source_id))
        turns[source_id, pupil_id] += 1
    return turns


def _write_allocations(session: Session, paid: Sequence[tuple[Payment, Parts]]) -> None:
    """Write all allocations in the order of bill ids: the database locks each bill as it comes."""
    rows = [(part.bill, payment, part.amount) for payment, parts in paid for part in parts]
    session.add_all(
        Allocation(school_id=payment.school_id, payment_id=payment.id, bill_id=bill_id, amount=amount)
        for bill_id, payment, amount in sorted(rows, key=lambda row: row[0])
    )
    session.flush()


def _post(session: Session, paid: Sequence[tuple[Payment, Parts]], now: datetime) -> None:
    entries = [
        (Fact(payment.school_id, "payment", str(payment.id), payment.value_date), _lines(payment, parts))
        for payment, parts in paid
    ]
    post_all(session, entries, now)


def _lines(payment: Payment, parts: Parts) -> list[Line]:
    source = _SOURCE_ACCOUNTS[payment.source_kind]
    lines = [
        Line(source, FAMILY_RECEIVABLE, part.amount, pupil_id=payment.pupil_id, bill_id=part.bill) for part in parts
    ]
    if rest := _rest(payment, parts):
        lines.append(Line(source, FAMILY_CREDIT, rest, pupil_id=payment.pupil_id))
    return lines


def _tell(session: Session, told: Sequence[tuple[Payment, Parts, UUID, str | None]], now: datetime) -> None:
    """Write the events that notices are made from, with the requests whose bills were paid."""
    if not told:
        return
    school_id = told[0][0].school_id
    requests = _requests_of(session, school_id, {part.bill for _, parts, _, _ in told for part in parts})
    happened = [
        (
            payment.id,
            {
                "pupil_id": str(payment.pupil_id),
                "amount": payment.amount.dong,
                "credit": _rest(payment, parts).dong,
                "request_ids": sorted({request for part in parts for request in requests[part.bill]}),
                "receipt_id": str(receipt_id),
                "paid_at": paid_at,
            },
        )
        for payment, parts, receipt_id, paid_at in told
    ]
    record_events(session, school_id, PAYMENT_RECEIVED, happened, now)


def _requests_of(session: Session, school_id: UUID, bills: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the payment requests that ask for each of some bills."""
    found: dict[UUID, list[str]] = defaultdict(list)
    rows = session.exec(
        select(PaymentRequestBill.bill_id, PaymentRequestBill.request_id).where(
            PaymentRequestBill.school_id == school_id, among(PaymentRequestBill.bill_id, bills)
        )
    ).all()
    for bill_id, request_id in rows:
        found[bill_id].append(str(request_id))
    return found


def _rest(payment: Payment, parts: Parts) -> Money:
    return payment.amount - total(part.amount for part in parts)
