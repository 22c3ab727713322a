"""A receipt with the bank's own reference of the money: billing does not know transfers, so it is handed in here."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlmodel import Session, col, select

from billing.documents.filling import receipt_documents
from billing.documents.receipt_pdf import ReceiptDocument
from billing.payments.tables import Payment, Receipt
from reconciliation.tables import Transfer


def sourced_receipt(session: Session, receipt_id: UUID, verify_url: str) -> ReceiptDocument:
    """Return one receipt as a record, with the bank's reference if a transfer paid it; raises ``NotFound``."""
    return sourced_receipts(session, {receipt_id: verify_url})[receipt_id]


def sourced_receipts(session: Session, verify_urls: Mapping[UUID, str]) -> dict[UUID, ReceiptDocument]:
    """Return receipts by id; ``verify_urls`` names them and where each is checked. Raises ``NotFound``."""
    references = session.exec(
        select(Receipt.id, Transfer.bank_reference)
        .join(Payment, col(Receipt.payment_id) == col(Payment.id))
        .join(Transfer, (col(Payment.source_id) == col(Transfer.id)) & (col(Payment.source_kind) == "transfer"))
        .where(col(Receipt.id).in_(verify_urls)),
    ).all()
    return receipt_documents(session, verify_urls, {receipt_id: told or "" for receipt_id, told in references})
