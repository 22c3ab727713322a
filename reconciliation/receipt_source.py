"""A receipt with the bank's own reference of the money: billing does not know transfers, so it is handed in here."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col, select

from billing.documents.filling import receipt_document
from billing.documents.receipt_pdf import ReceiptDocument
from billing.payments.tables import Payment, Receipt
from reconciliation.tables import Transfer


def sourced_receipt(session: Session, receipt_id: UUID, verify_url: str) -> ReceiptDocument:
    """Return one receipt as a record, with the bank's reference if a transfer paid it; raises ``NotFound``."""
    reference = session.exec(
        select(Transfer.bank_reference)
        .join(Payment, (col(Payment.source_id) == col(Transfer.id)) & (col(Payment.source_kind) == "transfer"))
        .join(Receipt, col(Receipt.payment_id) == col(Payment.id))
        .where(Receipt.id == receipt_id),
    ).one_or_none()
    return receipt_document(session, receipt_id, verify_url, bank_reference=reference or "")
