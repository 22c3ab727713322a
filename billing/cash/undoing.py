"""Reversing a taking: one person asks with a reason, another decides. The receipt becomes void and keeps its number.

The money goes back over the counter, so it leaves the till on the day of the decision. Neither who took it nor who
asked may approve.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.holding import hold_bills
from billing.cash.tables import CashReversal, CashReversalDecision, CashTaking
from billing.credits.reading import free_credit
from billing.credits.using import hold_credit
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.events.recording import PAYMENT_REVERSED, record_event
from billing.ledger.periods import is_closed
from billing.ledger.till import hold_cash, in_the_till
from billing.money import ZERO, Money, total
from billing.payments.reversing import booked_from, reverse_payment
from billing.payments.tables import Allocation, Payment
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.visible import is_blank


def find_taking(session: Session, school_id: UUID, taking_id: UUID) -> CashTaking:
    """Return a taking; raises ``NotFound`` outside the school."""
    found = session.exec(
        select(CashTaking).where(CashTaking.school_id == school_id, CashTaking.id == taking_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy lần thu tiền mặt này.", taking=taking_id)
    return found


def payment_of(session: Session, taking: CashTaking) -> Payment:
    """Return the payment that a taking brought."""
    return session.exec(
        select(Payment).where(
            Payment.school_id == taking.school_id, Payment.source_kind == "cash", Payment.source_id == taking.id
        )
    ).one()


def ask_reversal(  # noqa: PLR0913, PLR0917  who asks for what, why
    session: Session, actor: Actor, school_id: UUID, taking_id: UUID, reason: str, now: datetime
) -> CashReversal:
    """Ask for a taking to be reversed; raises ``Conflict`` when that is asked for or done already."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do đảo lần thu này.")
    taking = _held(session, school_id, taking_id)
    refuse_own_family(session, actor, school_id, [taking.pupil_id])
    _refuse_closed(session, taking)
    open_ = (
        select(CashReversal.id, CashReversalDecision.approved)
        .outerjoin(CashReversalDecision, col(CashReversalDecision.reversal_id) == CashReversal.id)
        .where(CashReversal.school_id == school_id, CashReversal.taking_id == taking_id)
    )
    if any(approved is not False for _, approved in session.exec(open_).all()):
        raise Conflict("Lần thu này đã có đề nghị đảo, hoặc đã đảo. Hãy tải lại trang.", taking=taking_id)
    row = CashReversal(school_id=school_id, taking_id=taking_id, reason=reason.strip(), made_by=_person(actor), at=now)
    session.add(row)
    session.flush()
    deed = Deed(school_id, "cash.ask_reversal", "cash_taking", str(taking_id), reason.strip())
    record_deed(session, actor, deed, now, amount=taking.amount.dong)
    return row


def approve_reversal(session: Session, actor: Actor, school_id: UUID, reversal_id: UUID, now: datetime) -> UUID:
    """Reverse the taking as another person asked, and return its id.

    Raises ``SamePerson`` for who took the money or asked, ``Conflict`` when it is decided already, ``Refused`` when
    the month was closed meanwhile, credit that came from the money was used, or the till holds less than was taken.
    """
    asked = _open(session, school_id, reversal_id)
    taking = _held(session, school_id, asked.taking_id)
    own_word = "Người thu tiền và người đề nghị không tự duyệt đảo. Hãy nhờ người khác duyệt."
    asked_by = {asked.made_by, taking.made_by}
    second_person(session, actor, Agreement(school_id, asked_by, {taking.pupil_id}, own_word))
    _refuse_closed(session, taking)
    hold_cash(session, school_id)
    _refuse_short(session, taking)
    payment = payment_of(session, taking)
    _refuse_used(session, payment)
    _decide(session, actor, asked, now, approved=True)
    receipt = reverse_payment(session, school_id, payment.id, actor.user_id, asked.reason, now)
    _refuse_closed(session, taking)  # again: from the first entry on, nobody closes a month
    record_event(
        session, school_id, PAYMENT_REVERSED, payment.id, now,
        pupil_id=str(payment.pupil_id), amount=payment.amount.dong,
    )  # fmt: skip
    for kind, key in (("payment", payment.id), ("receipt", receipt), ("cash_taking", taking.id)):
        if key is not None:
            deed = Deed(school_id, "cash.reverse", kind, str(key), asked.reason)
            record_deed(session, actor, deed, now, amount=payment.amount.dong)
    return taking.id


def refuse_reversal(  # noqa: PLR0913, PLR0917  who says no to what, why
    session: Session, actor: Actor, school_id: UUID, reversal_id: UUID, reason: str, now: datetime
) -> UUID:
    """Say no, or take one's own request back; the taking, whose id is returned, stands."""
    if is_blank(reason):
        raise Refused("Hãy ghi lý do không đảo.")
    asked = _open(session, school_id, reversal_id)
    _decide(session, actor, asked, now, approved=False, reason=reason.strip())
    deed = Deed(school_id, "cash.keep", "cash_taking", str(asked.taking_id), reason.strip())
    record_deed(session, actor, deed, now)
    return asked.taking_id


def _refuse_closed(session: Session, taking: CashTaking) -> None:
    """Raise ``Refused`` for a taking that stands in a closed month, and so does its receipt.

    A leaf of a closed month that was entered late stands on the first open day and is undone while that one is open.
    """
    booked = booked_from(session, taking.school_id, [payment_of(session, taking).id])
    if is_closed(session, taking.school_id, booked):
        raise Refused(
            f"Sổ tháng {booked:%m/%Y} đã khóa: không đảo lần thu của tháng đó. "
            "Tiền phải trả thì làm phiếu hoàn tiền, hoặc đề nghị mở lại sổ."
        )


def _refuse_short(session: Session, taking: CashTaking) -> None:
    """Raise ``Refused`` where the till holds less than would be given back over the counter; the caller holds it."""
    there = in_the_till(session, taking.school_id)
    if there < taking.amount:
        raise Refused(
            f"Trong quỹ chỉ còn {there}, không đủ {taking.amount} để trả lại, nên không đảo lần thu này được. "
            "Hãy rút tiền mặt về quỹ rồi duyệt; hoặc từ chối đề nghị đảo, tiền phải trả thì làm phiếu hoàn tiền, "
            "hoặc rút lại lần nộp ngân hàng chưa tới."
        )


def _open(session: Session, school_id: UUID, reversal_id: UUID) -> CashReversal:
    found = session.exec(
        select(CashReversal).where(CashReversal.school_id == school_id, CashReversal.id == reversal_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Không tìm thấy đề nghị đảo này.", reversal=reversal_id)
    _held(session, school_id, found.taking_id)
    if session.get(CashReversalDecision, reversal_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định. Hãy tải lại trang.", reversal=reversal_id)
    return found


def _held(session: Session, school_id: UUID, taking_id: UUID) -> CashTaking:
    """Wait until nobody else decides about a taking, and return it."""
    name = {"name": f"cash taking {taking_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
    return find_taking(session, school_id, taking_id)


def _refuse_used(session: Session, payment: Payment) -> None:
    """Hold the credit and the bills of a payment; raise ``Refused`` when its surplus was used or is asked back."""
    hold_credit(session, payment.school_id)
    parts = session.exec(
        select(Allocation).where(Allocation.school_id == payment.school_id, Allocation.payment_id == payment.id)
    ).all()
    hold_bills(session, payment.school_id, [part.bill_id for part in parts])
    surplus: Money = payment.amount - total(part.amount for part in parts)
    free = free_credit(session, payment.school_id, [payment.pupil_id]).get((payment.pupil_id, None), ZERO)
    if surplus > free:
        raise Refused(
            f"Lần thu này để lại {surplus} tiền nộp thừa, nay chỉ còn {free} chưa dùng. "
            "Hãy hoàn hoặc gỡ phần đã dùng trước, rồi duyệt đảo."
        )


def _decide(  # noqa: PLR0913  one decision
    session: Session, actor: Actor, asked: CashReversal, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    session.add(
        CashReversalDecision(
            reversal_id=asked.id,
            school_id=asked.school_id,
            approved=approved,
            reason=reason,
            decided_by=_person(actor),
            at=now,
        )
    )
    session.flush()


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise NotAllowed("Việc này phải do một người có tên làm.")
    return actor.user_id
