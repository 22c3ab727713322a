"""Giving money back to a card, in full or in part: asked by one, agreed to by another, then sent to Stripe once.

What Stripe makes of it comes back as facts, like everything it tells; the payment is lowered then and not before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.credits.reading import free_credit
from billing.credits.using import hold_credit
from billing.errors import Conflict, NotFound, Refused
from billing.money import ZERO, Money, total
from billing.payments.tables import Allocation, PaymentRequest
from billing.people.agreeing import Agreement, second_person
from billing.people.kinship import refuse_own_family
from billing.visible import is_blank
from reconciliation.cards.facts import Kind, worth
from reconciliation.cards.settling import facts_of, live_payment
from reconciliation.cards.tables import (
    CardCheckout,
    CardDispute,
    CardFact,
    CardRefund,
    CardRefundAnswer,
    CardRefundDecision,
)

DISPUTE_OVER = ("won", "lost", "warning_closed", "prevented")
"""Stripe's words for a dispute that is decided."""
_MOST_REASON = 300
OWN_WORD = "Người đề nghị không tự duyệt được. Xin nhờ người duyệt khác."


@dataclass(frozen=True, slots=True)
class ToSend:
    """An approved refund that Stripe has not answered yet, of a payment that brought ``paid``."""

    refund_id: UUID
    school_id: UUID
    bank_account_id: UUID
    checkout_id: UUID
    intent_id: str
    amount: Money
    paid: Money

    @property
    def fits_once(self) -> bool:
        """Whether it is more than half of what was paid: Stripe never gives back more than that, so not twice either.

        Source: Stripe API reference, "Create a refund": an error when trying to refund more than is left on a charge.
        """
        return self.amount + self.amount > self.paid


def refundable(session: Session, school_id: UUID, checkout_id: UUID) -> Money:
    """Return what of a payment can still be given back: its worth, less what was asked for and is not answered."""
    left = worth((fact.kind, fact.amount) for fact in facts_of(session, school_id, checkout_id))
    waiting = total(row.amount for row in _unanswered(session, school_id, checkout_id))
    return left - waiting if waiting < left else ZERO


def ask_refund(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, checkout_id: UUID, amount: Money, reason: str, now: datetime
) -> CardRefund:
    """Ask to give money back; raises ``Refused`` for more than is left, without a reason, or while it is disputed."""
    _hold(session, checkout_id)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do hoàn tiền.")
    facts = facts_of(session, school_id, checkout_id)
    if not facts:
        raise NotFound("Không có lần nộp thẻ này.")
    refuse_own_family(session, actor, school_id, {_pupil_of(session, school_id, checkout_id)})
    refuse_disputed(session, school_id, checkout_id)
    left = refundable(session, school_id, checkout_id)
    if not ZERO < amount <= left:
        raise Refused(f"Chỉ hoàn được từ 1 đ đến {left} của lần nộp thẻ này.")
    refuse_spent_credit(session, school_id, checkout_id)
    row = CardRefund(
        school_id=school_id,
        checkout_id=checkout_id,
        amount=amount,
        reason=reason.strip()[:_MOST_REASON],
        asked_by=person_of(actor),
        asked_at=now,
    )
    session.add(row)
    session.flush()
    deed = Deed(school_id, "card.refund.ask", "card_refund", str(row.id), reason)
    record_deed(session, actor, deed, now, amount=amount.dong)
    return row


def decide_refund(  # noqa: PLR0913  as above
    session: Session, actor: Actor, school_id: UUID, refund_id: UUID, now: datetime, *, approved: bool, reason: str = ""
) -> None:
    """Agree or say no; whoever asked may only take it back. Raises ``SamePerson``, ``Conflict``, ``NotFound``."""
    row = session.exec(
        select(CardRefund).where(CardRefund.school_id == school_id, CardRefund.id == refund_id)
    ).one_or_none()
    if row is None:
        raise NotFound("Không có đề nghị hoàn này.")
    if approved:
        about = {_pupil_of(session, school_id, row.checkout_id)}
        second_person(session, actor, Agreement(school_id, {row.asked_by}, about, OWN_WORD))
    elif is_blank(reason):
        raise Refused("Hãy ghi lý do không duyệt.")
    _hold(session, row.checkout_id)
    if session.get(CardRefundDecision, refund_id) is not None:
        raise Conflict("Đề nghị này đã được quyết định. Xin tải lại trang.")
    if approved:
        refuse_disputed(session, school_id, row.checkout_id)
        refuse_spent_credit(session, school_id, row.checkout_id)
    session.add(
        CardRefundDecision(
            refund_id=refund_id,
            school_id=school_id,
            approved=approved,
            decided_by=person_of(actor),
            reason=reason.strip()[:_MOST_REASON],
            at=now,
        )
    )
    session.flush()
    action = "card.refund.approve" if approved else "card.refund.refuse"
    deed = Deed(school_id, action, "card_refund", str(refund_id), reason)
    record_deed(session, actor, deed, now, amount=row.amount.dong)


def refuse_disputed(session: Session, school_id: UUID, checkout_id: UUID) -> None:
    """Raise ``Refused`` while the card's bank has taken the payment back: it would go back twice."""
    if is_disputed(session, school_id, facts_of(session, school_id, checkout_id)):
        raise Refused("Chủ thẻ đã đòi tiền qua ngân hàng của mình; không hoàn thêm khi tranh chấp chưa xong.")


def refuse_spent_credit(session: Session, school_id: UUID, checkout_id: UUID) -> None:
    """Raise ``Refused`` where what the payment left over is not free any more: used, handed out, or asked back.

    The payment is reversed whole and written anew, so all of its surplus must still be the pupil's free credit; else
    the same money would go back twice, once as credit and once to the card.
    """
    payment = live_payment(session, school_id, checkout_id)
    if payment is None:
        return
    set_against_bills = total(
        session.exec(
            select(col(Allocation.amount)).where(Allocation.school_id == school_id, Allocation.payment_id == payment.id)
        ).all()
    )
    surplus = payment.amount - set_against_bills
    if not surplus:
        return
    hold_credit(session, school_id)
    kept = free_credit(session, school_id, [payment.pupil_id], apart_from=checkout_id)
    free = kept.get((payment.pupil_id, None), ZERO)
    if free < surplus:
        raise Refused(
            f"Lần nộp thẻ này thừa {surplus}, nay chỉ còn {free} chưa dùng và chưa hoàn: hoàn về thẻ nữa là trả hai "
            "lần. Hãy rút lại khoản đã dùng hoặc đề nghị hoàn kia trước."
        )


def refunds_to_send(session: Session, school_id: UUID, account_id: UUID) -> list[ToSend]:
    """Return the approved refunds of an account's payments that Stripe has not answered, the oldest first."""
    answered = select(CardRefundAnswer.refund_id).where(CardRefundAnswer.refund_id == CardRefund.id)
    rows = session.exec(
        select(CardRefund, CardFact)
        .join(CardRefundDecision, col(CardRefundDecision.refund_id) == col(CardRefund.id))
        .join(CardFact, col(CardFact.checkout_id) == col(CardRefund.checkout_id))
        .where(
            CardRefund.school_id == school_id,
            CardFact.school_id == school_id,
            CardFact.bank_account_id == account_id,
            col(CardRefundDecision.approved).is_(True),
            ~answered.exists(),
        )
        .order_by(col(CardRefund.asked_at))
    ).all()
    return [
        ToSend(row.id, school_id, account_id, row.checkout_id, fact.stripe_id, row.amount, fact.amount)
        for row, fact in rows
    ]


def answer_refund(
    session: Session, sent: ToSend, now: datetime, *, stripe_id: str = "", refused: str = ""
) -> CardRefundAnswer:
    """Write down what Stripe answered: the id there, or why not; harmless when it is written already."""
    found = session.get(CardRefundAnswer, sent.refund_id)
    if found is not None:
        return found
    row = CardRefundAnswer(
        refund_id=sent.refund_id,
        school_id=sent.school_id,
        stripe_id=stripe_id,
        refused=refused[:_MOST_REASON],
        at=now,
    )
    session.add(row)
    session.flush()
    return row


def _unanswered(session: Session, school_id: UUID, checkout_id: UUID) -> list[CardRefund]:
    """Return refunds that were asked for and may still take money: open, or approved and not yet a fact."""
    query = select(CardRefund).where(
        CardRefund.school_id == school_id, CardRefund.checkout_id == checkout_id, *unanswered()
    )
    return list(session.exec(query).all())


def unanswered() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a refund that was neither refused nor told as done."""
    refused = select(CardRefundDecision.refund_id).where(
        CardRefundDecision.refund_id == CardRefund.id, col(CardRefundDecision.approved).is_(False)
    )
    told = (
        select(CardRefundAnswer.refund_id)
        .outerjoin(
            CardFact,
            (col(CardFact.school_id) == col(CardRefundAnswer.school_id))
            & (col(CardFact.kind) == Kind.REFUNDED.value)
            & (col(CardFact.stripe_id) == col(CardRefundAnswer.stripe_id)),
        )
        .where(
            CardRefundAnswer.refund_id == CardRefund.id,
            (col(CardRefundAnswer.refused) != "") | col(CardFact.id).is_not(None),
        )
    )
    return ~refused.exists(), ~told.exists()


def _pupil_of(session: Session, school_id: UUID, checkout_id: UUID) -> UUID:
    return session.exec(
        select(PaymentRequest.pupil_id)
        .join(CardCheckout, col(CardCheckout.request_id) == col(PaymentRequest.id))
        .where(CardCheckout.school_id == school_id, CardCheckout.id == checkout_id)
    ).one()


def is_disputed(session: Session, school_id: UUID, facts: Sequence[CardFact]) -> bool:
    """Tell whether money of a payment was taken by the card's bank and not all of its disputes are over.

    What a dispute took that is lost is gone, and counts in what the payment is worth; the rest can be given back.
    """
    kinds = [fact.kind for fact in facts]
    if kinds.count(Kind.DISPUTED.value) <= kinds.count(Kind.REINSTATED.value):
        return False
    rows = session.exec(
        select(CardDispute.dispute_id, CardDispute.status).where(
            CardDispute.school_id == school_id, col(CardDispute.intent_id).in_({fact.intent_id for fact in facts})
        )
    ).all()
    over = {dispute for dispute, status in rows if status in DISPUTE_OVER}  # in any order; an end stays one
    return not over or any(dispute not in over for dispute, _ in rows)


def _hold(session: Session, checkout_id: UUID) -> None:
    name = {"name": f"card {checkout_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
