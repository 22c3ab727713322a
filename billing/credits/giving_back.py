"""Giving used credit back: the payment that stood for it is reversed, and the pupil has it again under its item."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.credits.tables import CreditUse
from billing.events.recording import PAYMENT_REVERSED, record_event
from billing.money import Money, total
from billing.payments.reversing import reverse_payment
from billing.payments.tables import Payment, PaymentReversal


@dataclass(frozen=True, slots=True)
class LiveUse:
    """A use of credit that was not given back, with the payment that stands for it."""

    row: CreditUse
    payment_id: UUID


def uses_on(session: Session, school_id: UUID, bill_id: UUID) -> list[LiveUse]:
    """Return the credit that pays a bill, use by use."""
    rows = session.exec(
        select(CreditUse, Payment.id)
        .join(
            Payment,
            (col(Payment.school_id) == CreditUse.school_id)
            & (col(Payment.source_kind) == "credit")
            & (col(Payment.source_id) == CreditUse.id),
        )
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == Payment.id)
        .where(
            CreditUse.school_id == school_id,
            CreditUse.bill_id == bill_id,
            col(PaymentReversal.payment_id).is_(None),
        )
        .order_by(col(Payment.id))
    ).all()
    return [LiveUse(row, payment_id) for row, payment_id in rows]


def give_back(session: Session, school_id: UUID, bill_id: UUID, actor: Actor, reason: str, now: datetime) -> Money:  # noqa: PLR0913, PLR0917  whose deed, and why
    """Take all credit off a bill again and return how much it was; each item has its own back."""
    uses = uses_on(session, school_id, bill_id)
    for use in uses:
        _reverse(session, use, actor, reason, now)
    session.flush()
    return total(each.row.amount for each in uses)


def _reverse(session: Session, use: LiveUse, actor: Actor, reason: str, now: datetime) -> None:
    school_id, payment = use.row.school_id, str(use.payment_id)
    reverse_payment(session, school_id, use.payment_id, actor.user_id, reason, now)
    facts = {"pupil_id": str(use.row.pupil_id), "amount": use.row.amount.dong, "bill": str(use.row.bill_id)}
    record_event(session, school_id, PAYMENT_REVERSED, use.payment_id, now, **facts)
    deed = Deed(school_id, "credit.give_back", "payment", payment, reason)
    record_deed(session, actor, deed, now, item=use.row.item_code, amount=use.row.amount.dong)
