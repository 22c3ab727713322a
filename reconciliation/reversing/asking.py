"""Saying that a bank took money back that it had told of before: which money out takes which money in back.

Where the reference that the bank itself gave the money out is, or holds as a whole word, the bank's number of the money
in, the bank has said it, and one person's act carries it out. Everything else is asked by one and agreed by another
(decision 0027). The memo of money out proves nothing: whoever makes the payment order types it. Nor does a statement
that a person uploaded.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Session, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, NotFound, Refused
from billing.payments.reference import fold_memo
from billing.payments.tables import Payment
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.visible import is_blank
from reconciliation.concerned import named_pupils, suggested_pupils
from reconciliation.decided_elsewhere import refuse_decided_elsewhere
from reconciliation.feeds.base import STATEMENT
from reconciliation.live_payments import live_payments
from reconciliation.outgoing.reading import live, rest_of
from reconciliation.outgoing.standing import wait_for_purposes
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.queue.standing import hold_transfer
from reconciliation.reversing.carrying_out import bring_back, carry_out
from reconciliation.reversing.tables import BankReversal, BankReversalDecision
from reconciliation.tables import Transfer

SHORTEST_NUMBER = 6  # a shorter one of a bank's running numbers is met by chance
MOST_REASON = 300


def ask_reversal(  # noqa: PLR0913, PLR0917  which money takes which back, why, who says so and when
    session: Session, actor: Actor, school_id: UUID, out_id: UUID, came_id: UUID, reason: str, now: datetime
) -> BankReversal:
    """Say that money out takes a credited transfer back; done at once where the bank's own data names it.

    Raises ``NotFound``, ``Refused`` without a reason or for another account, sum or order of days, ``Conflict`` when
    either is under decision, explained, or no longer there to be taken back, ``OwnFamily``.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do: ngân hàng báo gì mà biết tiền này bị thu hồi.")
    wait_for_purposes(session, school_id)
    out, came = _pair(session, school_id, out_id, came_id)
    _refuse_unfit(session, out, came)
    refuse_own_family(session, actor, school_id, _concerned(session, came))
    asked = BankReversal(
        school_id=school_id,
        out_id=out_id,
        came_id=came_id,
        named=is_named(out, came),
        reason=reason.strip()[:MOST_REASON],
        made_by=person_of(actor),
        made_at=now,
    )
    session.add(asked)
    session.flush()
    deed = Deed(school_id, "bank_reversal.ask", "transfer", str(came_id), asked.reason)
    record_deed(session, actor, deed, now, out=str(out_id), amount=came.amount.dong, named=asked.named)
    if asked.named:
        _decide(session, actor, asked, now, approved=True)
        carry_out(session, actor, out, came, asked.reason, now)
    return asked


def ask_undoing(  # noqa: PLR0913, PLR0917  which purpose, why, who says so and when
    session: Session, actor: Actor, school_id: UUID, purpose_id: UUID, reason: str, now: datetime
) -> BankReversal:
    """Ask that a purpose *reversed* is taken back, for the bank took back other money or none; nothing moves yet.

    Raises ``NotFound``, ``Refused`` without a reason, ``Conflict`` when it was taken back or waits, ``OwnFamily``.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do: vì sao ghi thu hồi này là nhầm.")
    wait_for_purposes(session, school_id)
    purpose = _reversed_purpose(session, school_id, purpose_id)
    if purpose is None or purpose.leg_id is None:
        raise NotFound("Không có ghi thu hồi này, hoặc đã được hủy. Hãy tải lại trang.", purpose=purpose_id)
    out, came = _pair(session, school_id, purpose.transfer_id, purpose.leg_id)
    _refuse_asked(session, out, came)
    refuse_own_family(session, actor, school_id, _concerned(session, came))
    asked = BankReversal(
        school_id=school_id,
        out_id=out.id,
        came_id=came.id,
        named=False,
        undoes=purpose_id,
        reason=reason.strip()[:MOST_REASON],
        made_by=person_of(actor),
        made_at=now,
    )
    session.add(asked)
    session.flush()
    deed = Deed(school_id, "bank_reversal.ask_undoing", "transfer", str(came.id), asked.reason)
    record_deed(session, actor, deed, now, out=str(out.id), amount=came.amount.dong)
    return asked


def is_reversal(session: Session, school_id: UUID, purpose_id: UUID) -> bool:
    """Tell whether a purpose of money out that stands is what a bank took back: two people take that back."""
    return _reversed_purpose(session, school_id, purpose_id) is not None


def _reversed_purpose(session: Session, school_id: UUID, purpose_id: UUID) -> MoneyOut | None:
    return session.exec(
        select(MoneyOut).where(
            MoneyOut.school_id == school_id, MoneyOut.id == purpose_id, MoneyOut.kind == "reversed", live()
        )
    ).one_or_none()


def agree_reversal(session: Session, actor: Actor, school_id: UUID, reversal_id: UUID, now: datetime) -> BankReversal:
    """Agree, which carries it out; raises ``SamePerson``, ``OwnFamily``, ``NotFound``, ``Refused`` or ``Conflict``."""
    wait_for_purposes(session, school_id)
    asked = _undecided(session, school_id, reversal_id)
    out, came = _pair(session, school_id, asked.out_id, asked.came_id)
    own_word = "Người ghi ngân hàng thu hồi không tự duyệt được. Xin nhờ người duyệt khác."
    second_person(session, actor, Agreement(school_id, {asked.made_by}, _concerned(session, came), own_word))
    if asked.undoes is None:
        _refuse_unfit(session, out, came, asked)
    _decide(session, actor, asked, now, approved=True)
    if asked.undoes is None:
        carry_out(session, actor, out, came, asked.reason, now)
    else:
        bring_back(session, actor, school_id, asked.undoes, asked.reason, now)
    return asked


def refuse_reversal(  # noqa: PLR0913, PLR0917  as above
    session: Session, actor: Actor, school_id: UUID, reversal_id: UUID, reason: str, now: datetime
) -> None:
    """Say no, or take one's own back; nothing has moved."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không duyệt.")
    wait_for_purposes(session, school_id)
    _decide(session, actor, _undecided(session, school_id, reversal_id), now, approved=False, reason=reason.strip())


def is_named(out: Transfer, came: Transfer) -> bool:
    """Tell whether the bank's own reference of money out, told by the bank, names the money in that it takes back."""
    if STATEMENT in {out.provider, came.provider} or len(came.bank_number or "") < SHORTEST_NUMBER:
        return False
    words = {fold_memo(word) for word in (out.bank_reference or "").split()}
    return came.bank_number in words | {out.bank_number}


def _pair(session: Session, school_id: UUID, out_id: UUID, came_id: UUID) -> tuple[Transfer, Transfer]:
    out = session.exec(
        select(Transfer).where(Transfer.school_id == school_id, Transfer.id == out_id, Transfer.direction == "out")
    ).one_or_none()
    if out is None:
        raise NotFound("Trường không có khoản tiền ra này.", transfer=out_id)
    return out, hold_transfer(session, school_id, came_id)


def _refuse_unfit(session: Session, out: Transfer, came: Transfer, asked: BankReversal | None = None) -> None:
    """Raise what speaks against the pair; ``asked`` is the very request that is decided."""
    if out.state != "ignored_out" or rest_of(session, out) != out.amount:
        raise Conflict("Tiền ra này đã được phân loại hoặc đã loại. Hãy hủy phân loại ở trang Tiền ra trước.")
    if came.bank_account_id != out.bank_account_id or came.amount != out.amount or came.value_date > out.value_date:
        raise Refused("Tiền bị thu hồi phải ở cùng tài khoản, đúng số tiền và vào trước khi bị lấy lại.")
    if came.state not in {"matched", "waiting"}:
        raise Conflict("Tiền vào đã chọn không còn ở đó để bị thu hồi: đã trả lại, đã loại hoặc đã thu hồi.")
    if came.state == "matched" and not live_payments(session, came):
        raise Conflict(
            "Đây là tiền của chính trường: hãy hủy phân loại ở trang Tiền ra, hoặc gỡ khoản chi trả ở trang Thẻ, trước."
        )
    refuse_decided_elsewhere(session, came)
    _refuse_asked(session, out, came, asked)


def _refuse_asked(session: Session, out: Transfer, came: Transfer, asked: BankReversal | None = None) -> None:
    others = [each for each in open_reversals(session, out.school_id) if asked is None or each.id != asked.id]
    if any(out.id == each.out_id or came.id == each.came_id for each in others):
        raise Conflict("Đã có người ghi ngân hàng thu hồi khoản này, đang chờ người khác duyệt.")


def _concerned(session: Session, came: Transfer) -> set[UUID]:
    """Return the pupils whom money paid, names or may be of."""
    paid = session.exec(
        select(Payment.pupil_id).where(
            Payment.school_id == came.school_id, Payment.source_kind == "transfer", Payment.source_id == came.id
        )
    ).all()
    return set(paid) | named_pupils(session, came) | suggested_pupils(session, came)


def open_reversals(session: Session, school_id: UUID) -> list[BankReversal]:
    """Return what waits for another person, oldest first."""
    decided = select(BankReversalDecision.reversal_id).where(BankReversalDecision.reversal_id == BankReversal.id)
    query = select(BankReversal).where(BankReversal.school_id == school_id, ~decided.exists())
    return sorted(session.exec(query).all(), key=lambda each: (each.made_at, each.id))


def _undecided(session: Session, school_id: UUID, reversal_id: UUID) -> BankReversal:
    asked = session.exec(
        select(BankReversal).where(BankReversal.school_id == school_id, BankReversal.id == reversal_id)
    ).one_or_none()
    if asked is None:
        raise NotFound("Không có đề nghị này.")
    if session.get(BankReversalDecision, reversal_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định.")
    return asked


def _decide(  # noqa: PLR0913  one decision with its facts
    session: Session, actor: Actor, asked: BankReversal, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    session.add(
        BankReversalDecision(
            reversal_id=asked.id,
            school_id=asked.school_id,
            approved=approved,
            decided_by=person_of(actor),
            reason=reason[:MOST_REASON],
            at=now,
        )
    )
    session.flush()
    action = f"bank_reversal.{'agree' if approved else 'refuse'}"
    record_deed(session, actor, Deed(asked.school_id, action, "transfer", str(asked.came_id), reason), now)
