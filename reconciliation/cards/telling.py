"""Telling a family that money it paid by card went back: given back by the school, or taken by the card's bank.

One event for each time a payment is lowered, about the bill that was paid with it, else about the newest one that its
request asks for; the notice says what is still to be paid now.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.events.going_back import BY_CARD_DISPUTE, BY_CARD_REFUND
from billing.events.recording import PAYMENT_TAKEN_BACK, record_event
from billing.money import Money
from billing.payments.tables import Allocation, Payment, PaymentRequestBill
from reconciliation.cards.facts import Kind
from reconciliation.cards.tables import CardCheckout, CardFact

_BY = {Kind.REFUNDED.value: BY_CARD_REFUND, Kind.DISPUTED.value: BY_CARD_DISPUTE}


def tell_lowered(session: Session, was: Payment, less: Money, facts: Sequence[CardFact], now: datetime) -> None:
    """Write the event that a payment was lowered by ``less``; ``was`` is the payment before, reversed by now."""
    by = next((_BY[fact.kind] for fact in reversed(facts) if fact.kind in _BY), BY_CARD_REFUND)
    bill = _bill_of(session, was)
    if bill is not None:
        told = {"pupil_id": str(was.pupil_id), "used": less.dong, "payment": str(was.id), "by": by}
        record_event(session, was.school_id, PAYMENT_TAKEN_BACK, bill, now, **told)


def _bill_of(session: Session, was: Payment) -> UUID | None:
    """Return the bill that a message is about."""
    paid = select(Allocation.bill_id).where(Allocation.school_id == was.school_id, Allocation.payment_id == was.id)
    asked = (
        select(PaymentRequestBill.bill_id)
        .join(CardCheckout, col(CardCheckout.request_id) == col(PaymentRequestBill.request_id))
        .where(PaymentRequestBill.school_id == was.school_id, CardCheckout.id == was.source_id)
        .order_by(col(PaymentRequestBill.position).desc())
    )
    paid = paid.order_by(col(Allocation.amount).desc(), col(Allocation.bill_id))
    return session.exec(paid.limit(1)).first() or session.exec(asked.limit(1)).first()
