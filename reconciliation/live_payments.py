"""The payments that stand on a transfer: what is undone, reversed or accepted short begins with them."""

from __future__ import annotations

from sqlmodel import Session, col, select

from billing.payments.tables import Payment, PaymentReversal
from reconciliation.tables import Transfer


def live_payments(session: Session, transfer: Transfer) -> list[Payment]:
    """Return the payments that a transfer brought and that were not reversed, in the order of their pupils."""
    rows = session.exec(
        select(Payment)
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(
            Payment.school_id == transfer.school_id,
            Payment.source_kind == "transfer",
            Payment.source_id == transfer.id,
            col(PaymentReversal.payment_id).is_(None),
        )
        .order_by(col(Payment.pupil_id))
    ).all()
    return list(rows)
