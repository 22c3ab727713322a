"""Deciding about refunds where transfers are known: what goes back follows its line from *waiting* to *refunding*."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.credits.paying_out import take_back, undo_step
from billing.credits.refunding import Move, approve_refund, find_refund, lines_of
from billing.credits.tables import RefundLine, RefundStep
from billing.errors import Conflict, NotFound
from billing.money import Money
from billing.people.kinship import refuse_own_family
from reconciliation.outgoing.classifying import Purpose, classify
from reconciliation.outgoing.classifying import take_back as take_purpose_back
from reconciliation.outgoing.going_back import step_by_hand
from reconciliation.outgoing.kinds import Tie
from reconciliation.outgoing.reading import live
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.returning.asking import suggested_pupils, waiting_transfer
from reconciliation.tables import Transfer

APPROVED, TAKEN_BACK = "refund_approved", "refund_taken_back"


def approve(session: Session, refund_id: UUID, actor: Actor, now: datetime) -> Money:
    """Approve a request of either kind; a transfer among its lines is *refunding* from now on.

    Raises ``SamePerson``, and ``Conflict`` when it was decided, or when the money waits no more.
    """
    refund = find_refund(session, refund_id)
    for line in lines_of(session, refund):
        if line.transfer_id is not None:
            transfer = waiting_transfer(session, line.school_id, line.transfer_id)
            refuse_own_family(session, actor, line.school_id, suggested_pupils(session, transfer))
    return approve_refund(session, refund_id, actor, now, _mover(session, "refunding", APPROVED, actor, now))


def give_up(session: Session, line_id: UUID, actor: Actor, reason: str, now: datetime) -> RefundStep:
    """Take an approved line back before it is paid out: credit is the pupil's again, a transfer waits again."""
    return take_back(session, line_id, actor, reason, now, _mover(session, "waiting", TAKEN_BACK, actor, now))


def bring_back(  # noqa: PLR0913, PLR0917  which line, by which money, who says so and when
    session: Session, actor: Actor, school_id: UUID, line_id: UUID, came_id: UUID, now: datetime
) -> None:
    """Write down that the bank brought a line's money back: the line is open again, both movements meet on 1388.

    ``came_id``: money in that waits, of the very sum, not before the money went. Raises ``NotFound`` when nothing is
    tied to the line, ``Conflict`` for other money.
    """
    tied = session.exec(
        select(MoneyOut).where(MoneyOut.school_id == school_id, MoneyOut.refund_line_id == line_id, live())
    ).one_or_none()
    if tied is None:
        raise NotFound("Khoản hoàn này chưa gắn với tiền ra nào, nên ngân hàng chưa thể trả lại.", line=line_id)
    came = waiting_transfer(session, school_id, came_id)
    if came.amount != tied.amount:
        raise Conflict(f"Ngân hàng trả lại {came.amount}, khác {tied.amount} đã chuyển. Hãy chọn giao dịch khác.")
    said = f"Ngân hàng trả lại ngày {came.value_date:%d/%m/%Y}"
    take_purpose_back(session, actor, school_id, tied.id, said, now)
    undo_step(session, line_id, actor, said, now)
    purpose = Purpose("returned", tie=Tie.RETURNED, tied_id=came.id, reason=said)
    classify(session, actor, school_id, tied.transfer_id, [purpose], now)


def _mover(session: Session, state: str, reason: str, actor: Actor, now: datetime) -> Move:
    """Return what moves the transfer of a line to a state."""

    def move(line: RefundLine) -> None:
        transfer = session.exec(select(Transfer).where(Transfer.id == line.transfer_id).with_for_update()).one()
        step_by_hand(session, actor, transfer, state, reason, now)

    return move
