"""Deciding about refunds where transfers are known: what goes back follows its line from *waiting* to *refunding*."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.credits.paying_out import take_back, undo_step
from billing.credits.refund_code import codes_in
from billing.credits.refunding import Move, agreement_to, approve_refund, decision_of, find_refund, lines_of, pupils_of
from billing.credits.tables import RefundLine, RefundStep
from billing.errors import Conflict, NotFound
from billing.money import Money
from billing.payments.reference import exact
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.vault import Vault
from reconciliation.concerned import suggested_pupils
from reconciliation.decided_elsewhere import refuse_decided_elsewhere
from reconciliation.outgoing.classifying import Purpose, classify
from reconciliation.outgoing.classifying import take_back as take_purpose_back
from reconciliation.outgoing.going_back import step_by_hand
from reconciliation.outgoing.kinds import Tie
from reconciliation.outgoing.reading import live
from reconciliation.outgoing.standing import wait_for_purposes
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.returning.asking import waiting_transfer
from reconciliation.returning.payees import refuse_stale_payees
from reconciliation.tables import Transfer

_VIET_NAM = timedelta(hours=7)
APPROVED, TAKEN_BACK = "refund_approved", "refund_taken_back"


def approve(session: Session, vault: Vault, refund_id: UUID, actor: Actor, now: datetime) -> Money:
    """Approve a request of either kind; a transfer among its lines is *refunding* from now on.

    Raises ``SamePerson``, and ``Conflict`` when it was decided, when the money waits no more, or when an account may
    not be paid to any more.
    """
    refund = find_refund(session, refund_id)
    lines = lines_of(session, refund)
    if decision_of(session, refund) is None:
        refuse_stale_payees(session, vault, lines, (now + _VIET_NAM).date())
    for line in lines:
        if line.transfer_id is not None:
            transfer = waiting_transfer(session, line.school_id, line.transfer_id)
            second_person(session, actor, agreement_to(refund, suggested_pupils(session, transfer)))
    return approve_refund(session, refund_id, actor, now, _mover(session, "refunding", APPROVED, actor, now))


def give_up(session: Session, line_id: UUID, actor: Actor, reason: str, now: datetime) -> RefundStep:
    """Take an approved line back before it is paid out: credit is the pupil's again, a transfer waits again."""
    return take_back(session, line_id, actor, reason, now, _mover(session, "waiting", TAKEN_BACK, actor, now))


def bring_back(  # noqa: PLR0913, PLR0917  which line, by which money, who says so and when
    session: Session, actor: Actor, school_id: UUID, line_id: UUID, came_id: UUID, now: datetime
) -> None:
    """Write down that the bank brought a line's money back: the line is open again, both movements meet on 1388.

    ``came_id``: money in that waits, of the very sum, not before the money went, on the account that it left. Where
    its memo does not name the line's code, somebody says so who neither asked for the refund nor tied it, since the
    line is then paid a second time. Raises ``NotFound`` when nothing is tied to the line, ``Conflict`` for other money,
    ``SamePerson``.
    """
    wait_for_purposes(session, school_id)
    tied = session.exec(
        select(MoneyOut).where(MoneyOut.school_id == school_id, MoneyOut.refund_line_id == line_id, live())
    ).one_or_none()
    if tied is None:
        raise NotFound("Khoản hoàn này chưa gắn với tiền ra nào, nên ngân hàng chưa thể trả lại.", line=line_id)
    came = waiting_transfer(session, school_id, came_id)
    if came.amount != tied.amount:
        raise Conflict(f"Ngân hàng trả lại {came.amount}, khác {tied.amount} đã chuyển. Hãy chọn giao dịch khác.")
    named = _refuse_other_money(session, actor, tied, line_id, came)
    said = f"Ngân hàng trả lại ngày {came.value_date:%d/%m/%Y}"
    take_purpose_back(session, actor, school_id, tied.id, said, now)
    undo_step(session, line_id, actor, said, now, told_by_bank=named)
    purpose = Purpose("returned", tie=Tie.RETURNED, tied_id=came.id, reason=said)
    classify(session, actor, school_id, tied.transfer_id, [purpose], now)


def _refuse_other_money(session: Session, actor: Actor, tied: MoneyOut, line_id: UUID, came: Transfer) -> bool:
    """Refuse money that speaks of something else, that others decide about, or that one person alone takes for it.

    Return whether its memo names the line's code.
    """
    went = session.exec(
        select(Transfer).where(Transfer.school_id == tied.school_id, Transfer.id == tied.transfer_id)
    ).one()
    if came.bank_account_id != went.bank_account_id:
        raise Conflict("Tiền vào một tài khoản khác với tài khoản đã chuyển đi. Hãy chọn giao dịch khác.")
    if exact(came.memo):
        raise Conflict("Nội dung giao dịch này nêu mã nộp của một gia đình, không phải tiền ngân hàng trả lại.")
    refuse_decided_elsewhere(session, came)
    refuse_own_family(session, actor, came.school_id, suggested_pupils(session, came))
    line = session.exec(
        select(RefundLine).where(RefundLine.school_id == came.school_id, RefundLine.id == line_id)
    ).one()
    if line.code in codes_in(came.memo):
        return True
    own_word = (
        "Nội dung tiền vào không nêu mã hoàn của dòng này: người không đề nghị hoàn và không gắn tiền ra, "
        "như người duyệt, mới ghi được là ngân hàng trả lại."
    )
    about = suggested_pupils(session, came) | pupils_of([line])
    asked_by = {tied.made_by, find_refund(session, line.refund_id).made_by}
    second_person(session, actor, Agreement(came.school_id, asked_by, about, own_word))
    return False


def _mover(session: Session, state: str, reason: str, actor: Actor, now: datetime) -> Move:
    """Return what moves the transfer of a line to a state."""

    def move(line: RefundLine) -> None:
        transfer = session.exec(select(Transfer).where(Transfer.id == line.transfer_id).with_for_update()).one()
        step_by_hand(session, actor, transfer, state, reason, now)

    return move
