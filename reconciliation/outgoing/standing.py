"""What the bank's own transfer is tied to is not undone beneath it: said in words before the database refuses."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col, select

from billing.errors import Conflict
from reconciliation.outgoing.reading import live
from reconciliation.outgoing.tables import MoneyOut


def refuse_tied(session: Session, school_id: UUID, tied_id: UUID) -> None:
    """Raise ``Conflict`` while money out is tied to a payout, a line of a refund, or support handed out."""
    ties = (MoneyOut.insurance_payout_id, MoneyOut.refund_line_id, MoneyOut.payout_id)
    for column in ties:
        query = select(MoneyOut.id).where(MoneyOut.school_id == school_id, col(column) == tied_id, live())
        if session.exec(query.limit(1)).first() is not None:
            raise Conflict(
                "Ngân hàng đã chuyển khoản này, và tiền ra đã gắn với nó. Hãy hủy phân loại ở trang Tiền ra trước.",
                tied=tied_id,
            )
