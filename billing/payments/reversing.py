"""Taking a payment back: its entry is reversed, its receipt becomes void and keeps its number, its bills open again.

Allocations live with their payment, so nothing is done to them. Who may do it, what is told and which deed is written
down is the caller's to say; the caller holds the pupil's credit and the bills.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.posting import Fact, reverse
from billing.ledger.tables import JournalEntry
from billing.payments.tables import PaymentReversal, Receipt, ReceiptVoid

_VIET_NAM = timedelta(hours=7)


def booked_from(session: Session, school_id: UUID, payments: Collection[UUID]) -> date:
    """Return the first day on which the entries of payments stand, which late money does not share with the bank's.

    What came for a closed month was booked on the first open day (``billing/ledger/periods``).
    """
    days = session.exec(
        select(col(JournalEntry.value_date)).where(
            JournalEntry.school_id == school_id,
            JournalEntry.kind == "payment",
            col(JournalEntry.source_id).in_([str(each) for each in payments]),
        )
    ).all()
    return min(days)


def reverse_payment(  # noqa: PLR0913, PLR0917  which payment, who says so, why and when
    session: Session, school_id: UUID, payment_id: UUID, made_by: UUID | None, reason: str, now: datetime
) -> UUID | None:
    """Reverse a payment on the day it is done; return its receipt, now void, or None where it had none.

    Raises ``Conflict`` when the payment was reversed before. The database refuses (``check_violation``) if credit that
    came from it was used.
    """
    entry = session.exec(
        select(JournalEntry.id).where(
            JournalEntry.school_id == school_id,
            JournalEntry.kind == "payment",
            JournalEntry.source_id == str(payment_id),
        )
    ).one()
    if entry is None:
        raise ValueError(f"payment {payment_id} does not stand in the book")
    fact = Fact(school_id, "payment_reversed", str(payment_id), (now + _VIET_NAM).date(), reason)
    session.add(
        PaymentReversal(
            payment_id=payment_id,
            school_id=school_id,
            entry_id=reverse(session, entry, fact, now),
            reason=reason,
            made_by=made_by,
            at=now,
        )
    )
    receipt = session.exec(
        select(Receipt.id).where(Receipt.school_id == school_id, Receipt.payment_id == payment_id)
    ).one_or_none()
    if receipt is not None:
        session.add(ReceiptVoid(receipt_id=receipt, school_id=school_id, reason=reason, made_by=made_by, at=now))
    session.flush()
    return receipt
