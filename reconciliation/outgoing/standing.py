"""What money out and its purposes hold on to is not undone beneath them: said in words before the database refuses."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.errors import Conflict
from reconciliation.outgoing.reading import live
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.tables import Transfer


def wait_for_purposes(session: Session, school_id: UUID) -> None:
    """Let one transaction at a time write or need purposes in a school, as the database's guards do."""
    name = {"name": f"money out {school_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)


def refuse_explained(session: Session, transfer: Transfer) -> None:
    """Raise ``Conflict`` while money out has a purpose, and let nobody write one until the transaction ends."""
    wait_for_purposes(session, transfer.school_id)
    query = select(MoneyOut.id).where(
        MoneyOut.school_id == transfer.school_id, MoneyOut.transfer_id == transfer.id, live()
    )
    if session.exec(query.limit(1)).first() is not None:
        raise Conflict(
            "Tiền ra này đã được phân loại. Hãy hủy phân loại ở trang Tiền ra trước.", transfer=str(transfer.id)
        )


def refuse_tied(session: Session, school_id: UUID, tied_id: UUID) -> None:
    """Raise ``Conflict`` while money out is tied to a payout, a line of a refund, support handed out, fetched cash."""
    ties = (MoneyOut.insurance_payout_id, MoneyOut.refund_line_id, MoneyOut.payout_id, MoneyOut.cash_withdrawal_id)
    for column in ties:
        query = select(MoneyOut.id).where(MoneyOut.school_id == school_id, col(column) == tied_id, live())
        if session.exec(query.limit(1)).first() is not None:
            raise Conflict(
                "Ngân hàng đã chuyển khoản này, và tiền ra đã gắn với nó. Hãy hủy phân loại ở trang Tiền ra trước.",
                tied=tied_id,
            )
