"""Money that waits is decided in one place at a time: who wants it there refuses while others decide about it here.

A transfer may be asked back to its payer, assigned by an act that a second person has not agreed to, or taken for
something else (a payout of card money, what the bank brought back of a refund). Each of these doors asks this first,
holding the transfer.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from billing.credits.tables import RefundDecision, RefundLine, RefundStep
from billing.errors import Conflict
from reconciliation.cards.tables import CardAct, CardActDecision, CardActPart
from reconciliation.depositing.tables import CashTieAsk, CashTieDecision
from reconciliation.queue.standing import open_act
from reconciliation.tables import Transfer

ASKED_BACK = "Đã có đề nghị trả lại giao dịch này, đang chờ người khác quyết định. Hãy mở trang Hoàn tiền."
AS_PAYOUT = "Có đề nghị gắn giao dịch này với khoản chi trả thẻ, đang chờ người khác quyết định. Hãy mở trang Thẻ."
AS_DEPOSIT = (
    "Có đề nghị gắn giao dịch này với lần nộp tiền mặt, đang chờ người khác quyết định. Hãy mở trang Nộp ngân hàng."
)
ACT_OPEN = "Có đề nghị về giao dịch này đang chờ người thứ hai. Hãy để việc ấy xong trước."


def decided_elsewhere(session: Session, transfer: Transfer) -> str:
    """Return in words what others are deciding about a transfer, or nothing."""
    return asked_back(session, transfer) or (
        ACT_OPEN if open_act(session, transfer.school_id, transfer.id) is not None else ""
    )


def asked_back(session: Session, transfer: Transfer) -> str:
    """Return in words that a transfer is asked back to its payer, or asked for as cards' or the till's; or nothing."""
    if open_request(session, transfer.school_id, transfer.id) is not None:
        return ASKED_BACK
    decided = select(CardActDecision.act_id).where(CardActDecision.act_id == CardAct.id)
    query = select(CardAct.id).where(
        CardAct.school_id == transfer.school_id,
        (col(CardAct.transfer_id) == transfer.id) | _named_by_a_part(transfer),
        ~decided.exists(),
    )
    if session.exec(query.limit(1)).first() is not None:
        return AS_PAYOUT
    agreed = select(CashTieDecision.ask_id).where(CashTieDecision.ask_id == CashTieAsk.id)
    cash = select(CashTieAsk.id).where(
        CashTieAsk.school_id == transfer.school_id, CashTieAsk.transfer_id == transfer.id, ~agreed.exists()
    )
    return AS_DEPOSIT if session.exec(cash.limit(1)).first() is not None else ""


def _named_by_a_part(transfer: Transfer) -> ColumnElement[bool]:
    part = select(CardActPart.act_id).where(
        CardActPart.school_id == transfer.school_id,
        CardActPart.transfer_id == transfer.id,
        CardActPart.act_id == CardAct.id,
    )
    return part.exists()


def refuse_decided_elsewhere(session: Session, transfer: Transfer) -> None:
    """Raise ``Conflict`` while others decide about a transfer; the caller holds it."""
    _refuse(decided_elsewhere(session, transfer), transfer)


def refuse_asked_back(session: Session, transfer: Transfer) -> None:
    """Raise ``Conflict`` while a transfer is asked back: for the act of the queue itself, which is open by nature."""
    _refuse(asked_back(session, transfer), transfer)


def open_request(session: Session, school_id: UUID, transfer_id: UUID) -> RefundLine | None:
    """Return the line that asks a transfer back and was neither refused nor taken back, if there is one."""
    taken = select(RefundStep.id).where(
        RefundStep.school_id == RefundLine.school_id,
        RefundStep.line_id == RefundLine.id,
        RefundStep.kind == "taken_back",
    )
    return session.exec(
        select(RefundLine)
        .outerjoin(RefundDecision, col(RefundDecision.refund_id) == RefundLine.refund_id)
        .where(
            RefundLine.school_id == school_id,
            RefundLine.transfer_id == transfer_id,
            col(RefundDecision.approved).is_not(False),
            ~taken.exists(),
        )
    ).one_or_none()


def _refuse(words: str, transfer: Transfer) -> None:
    if words:
        raise Conflict(words, transfer=transfer.id)
