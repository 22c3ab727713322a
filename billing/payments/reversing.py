"""Taking a payment back: its entry is reversed, its receipt becomes void and keeps its number, its bills open again.

Allocations live with their payment, so nothing is done to them. Who may do it, what is told and which deed is written
down is the caller's to say; the caller holds the pupil's credit and the bills.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import Text, any_, cast, insert
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session, col, select

from billing.ledger.posting import Fact, reverse_all
from billing.ledger.tables import JournalEntry
from billing.payments.tables import PaymentReversal, Receipt, ReceiptVoid
from billing.storage import among

_VIET_NAM = timedelta(hours=7)


def booked_from(session: Session, school_id: UUID, payments: Collection[UUID]) -> date:
    """Return the first day on which the entries of payments stand, which late money does not share with the bank's.

    What came for a closed month was booked on the first open day (``billing/ledger/periods``).
    """
    days = session.exec(
        select(col(JournalEntry.value_date)).where(
            JournalEntry.school_id == school_id,
            JournalEntry.kind == "payment",
            col(JournalEntry.source_id) == any_(cast([str(each) for each in payments], ARRAY(Text))),
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
    return reverse_payments(session, school_id, [payment_id], made_by, reason, now)[payment_id]


def reverse_payments(  # noqa: PLR0913, PLR0917  which payments, who says so, why and when
    session: Session, school_id: UUID, payments: Sequence[UUID], made_by: UUID | None, reason: str, now: datetime
) -> dict[UUID, UUID | None]:
    """Reverse payments set-wise, as ``reverse_payment`` does; return for each its receipt, now void, if it had one."""
    entries = _entries_of(session, school_id, payments)
    day = (now + _VIET_NAM).date()
    facts = [(entries[each], Fact(school_id, "payment_reversed", str(each), day, reason)) for each in payments]
    undone = reverse_all(session, facts, now)
    said = {"school_id": school_id, "reason": reason, "made_by": made_by, "at": now}
    # What is returned makes one statement of them, here and below.
    session.execute(
        insert(PaymentReversal).returning(col(PaymentReversal.payment_id)),
        [{"payment_id": each, "entry_id": entry, **said} for each, entry in zip(payments, undone, strict=True)],
    )
    query = select(Receipt.payment_id, Receipt.id).where(
        Receipt.school_id == school_id, among(Receipt.payment_id, payments)
    )
    receipts = dict(session.exec(query).all())
    if receipts:
        void = [{"receipt_id": receipts[each], **said} for each in payments if each in receipts]
        session.execute(insert(ReceiptVoid).returning(col(ReceiptVoid.receipt_id)), void)
    return {each: receipts.get(each) for each in payments}


def _entries_of(session: Session, school_id: UUID, payments: Sequence[UUID]) -> dict[UUID, int]:
    """Return the entry of each payment; raises ``ValueError`` for one that does not stand in the book."""
    names = cast([str(each) for each in payments], ARRAY(Text))
    rows = session.exec(
        select(JournalEntry.source_id, JournalEntry.id).where(
            JournalEntry.school_id == school_id,
            JournalEntry.kind == "payment",
            col(JournalEntry.source_id) == any_(names),
        )
    ).all()
    found = {UUID(source): entry for source, entry in rows if entry is not None}
    if missing := set(payments) - set(found):
        raise ValueError(f"payments {missing} do not stand in the book")
    return found
