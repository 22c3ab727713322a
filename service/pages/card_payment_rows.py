"""Card payments, refunds and disputes of one school as the office's page shows them: whose, against what, how far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.bills.tables import Bill
from billing.money import ZERO, Money, total
from billing.payments.tables import Allocation, Payment, PaymentRequest, PaymentReversal
from billing.people.tables import Pupil
from reconciliation.cards.checking_out import unheard
from reconciliation.cards.explaining import open_card_acts
from reconciliation.cards.facts import Kind, loss, worth
from reconciliation.cards.refunding import DISPUTE_OVER, is_disputed, refundable
from reconciliation.cards.settling import booked_loss, facts_of, unsettled
from reconciliation.cards.tables import (
    CardCheckout,
    CardDispute,
    CardFact,
    CardRefund,
    CardRefundAnswer,
    CardRefundDecision,
)
from service.access.tables import User
from service.pages.card_views import Asked, DisputeRow, PaidFor, PaymentRow, RefundRow, UnheardRow
from service.pages.round_more_rows import class_codes
from service.pages.typed import school_day

SHOWN = 50
_SENT_WITHIN = timedelta(hours=1)


def payments(session: Session, school_id: UUID, before: int, day: date) -> tuple[tuple[PaymentRow, ...], int]:
    """Return a page of payments, newest first from behind ``before`` on, and what the next page is behind (or 0)."""
    query = _paid(school_id).order_by(col(CardFact.id).desc()).limit(SHOWN + 1)
    rows = session.exec(query.where(col(CardFact.id) < before) if before else query).all()
    shown = rows[:SHOWN]
    older = (shown[-1][0].id or 0) if len(rows) > SHOWN else 0
    return _rows(session, school_id, shown, day), older


def unbooked(session: Session, school_id: UUID, day: date) -> tuple[PaymentRow, ...]:
    """Return the payments of which the book says another sum than Stripe, however old they are."""
    left = [each.checkout_id for each in unsettled(session, SHOWN) if each.school_id == school_id]
    rows = session.exec(_paid(school_id).where(col(CardFact.checkout_id).in_(left)).order_by(col(CardFact.id))).all()
    return _rows(session, school_id, rows, day)


def unheard_pages(session: Session, school_id: UUID, now: datetime) -> tuple[UnheardRow, ...]:
    """Return the pages that are over and neither booked nor ended."""
    found = unheard(session, school_id, now, SHOWN)
    told = about(session, school_id, [checkout.id for checkout, _ in found], school_day(now))
    asked = {act.subject for act in open_card_acts(session, school_id) if act.kind == "end_page"}
    return tuple(
        UnheardRow(page, checkout.amount, checkout.created_at, told[checkout.id], page in asked)
        for checkout, page in found
    )


def about(session: Session, school_id: UUID, checkouts: Collection[UUID], day: date) -> dict[UUID, PaidFor]:
    """Return whom and what payments are about: child, class, and what stands against which bill or nothing."""
    asked = session.exec(
        select(CardCheckout.id, Pupil.id, Pupil.full_name)
        .join(PaymentRequest, col(PaymentRequest.id) == col(CardCheckout.request_id))
        .join(Pupil, col(Pupil.id) == col(PaymentRequest.pupil_id))
        .where(CardCheckout.school_id == school_id, col(CardCheckout.id).in_(checkouts))
    ).all()
    groups = class_codes(session, school_id, {pupil for _, pupil, _ in asked}, day)
    placed: dict[UUID, list[tuple[str, Money]]] = defaultdict(list)
    for source, number, period, amount in session.execute(
        select(col(Payment.source_id), col(Bill.number), col(Bill.period), col(Allocation.amount))
        .join(
            Allocation,
            (col(Allocation.school_id) == col(Payment.school_id)) & (col(Allocation.payment_id) == col(Payment.id)),
        )
        .join(Bill, col(Bill.id) == col(Allocation.bill_id))
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(
            Payment.school_id == school_id,
            Payment.source_kind == "card",
            col(Payment.source_id).in_(checkouts),
            col(PaymentReversal.payment_id).is_(None),
        )
        .order_by(col(Bill.number))
    ):
        placed[source].append((f"{number} ({period})", amount))
    live = _live(session, school_id, list(checkouts))
    return {
        checkout: PaidFor(
            name,
            groups.get(pupil, ""),
            tuple(placed[checkout]),
            live.get(checkout, ZERO) - total(amount for _, amount in placed[checkout]),
        )
        for checkout, pupil, name in asked
    }


def _paid(school_id: UUID) -> Any:  # noqa: ANN401  a query of rows of three tables
    return (
        select(CardFact, CardCheckout, PaymentRequest.reference)
        .join(CardCheckout, col(CardCheckout.id) == col(CardFact.checkout_id))
        .join(PaymentRequest, col(PaymentRequest.id) == col(CardCheckout.request_id))
        .where(CardFact.school_id == school_id, CardFact.kind == Kind.PAID.value)
    )


def _rows(session: Session, school_id: UUID, rows: Sequence[Any], day: date) -> tuple[PaymentRow, ...]:
    checkouts = [checkout.id for _, checkout, _ in rows]
    live, told = _live(session, school_id, checkouts), about(session, school_id, checkouts, day)
    return tuple(
        _payment(session, fact, checkout, reference, (live, told[checkout.id])) for fact, checkout, reference in rows
    )


def _payment(
    session: Session,
    paid: CardFact,
    checkout: CardCheckout,
    reference: str,
    known: tuple[Mapping[UUID, Money], PaidFor],
) -> PaymentRow:
    """Return the row of a payment; ``known`` is what stands of payments, and what this one is about."""
    live, told = known
    facts = facts_of(session, checkout.school_id, checkout.id)
    sums = [(fact.kind, fact.amount) for fact in facts]
    now_worth = worth(sums)
    lost = booked_loss(session, checkout.school_id, checkout.id)
    return PaymentRow(
        checkout_id=str(checkout.id),
        reference=reference,
        day=paid.value_date,
        amount=checkout.amount,
        worth=now_worth,
        left=refundable(session, checkout.school_id, checkout.id),
        booked=live.get(checkout.id, ZERO) == now_worth and lost == loss(sums),
        disputed=is_disputed(session, checkout.school_id, facts),
        about=told,
    )


def _live(session: Session, school_id: UUID, checkouts: Sequence[UUID]) -> dict[UUID, Money]:
    rows = session.exec(
        select(col(Payment.source_id), col(Payment.amount))
        .outerjoin(PaymentReversal, col(PaymentReversal.payment_id) == col(Payment.id))
        .where(
            Payment.school_id == school_id,
            Payment.source_kind == "card",
            col(Payment.source_id).in_(checkouts),
            col(PaymentReversal.payment_id).is_(None),
        )
    ).all()
    return {source: total(amount for other, amount in rows if other == source) for source, _ in rows}


def refunds(session: Session, school_id: UUID, user_id: UUID, now: datetime) -> tuple[RefundRow, ...]:
    """Return what was asked to be given back: all that waits for somebody, then the newest."""
    query: Any = (
        select(CardRefund, PaymentRequest.reference, CardRefundDecision, CardRefundAnswer)
        .join(CardCheckout, col(CardCheckout.id) == col(CardRefund.checkout_id))
        .join(PaymentRequest, col(PaymentRequest.id) == col(CardCheckout.request_id))
        .outerjoin(CardRefundDecision, col(CardRefundDecision.refund_id) == col(CardRefund.id))
        .outerjoin(CardRefundAnswer, col(CardRefundAnswer.refund_id) == col(CardRefund.id))
        .where(CardRefund.school_id == school_id)
        .order_by(col(CardRefundDecision.refund_id).is_not(None), col(CardRefund.asked_at).desc())
        .limit(SHOWN)
    )
    rows = session.exec(query).all()
    told_about = about(session, school_id, {refund.checkout_id for refund, _, _, _ in rows}, school_day(now))
    names = names_of(session, [refund.asked_by for refund, _, _, _ in rows])
    told = _told_of(session, school_id, [answer.stripe_id for _, _, _, answer in rows if answer is not None])
    return tuple(
        RefundRow(
            reference=reference,
            amount=refund.amount,
            state=_state(decision, answer, told, now),
            why=_why(decision, answer),
            asked=Asked(
                str(refund.id), names[refund.asked_by], refund.asked_at, refund.reason, refund.asked_by == user_id
            ),
            about=told_about[refund.checkout_id],
        )
        for refund, reference, decision, answer in rows
    )


def _state(
    decision: CardRefundDecision | None,
    answer: CardRefundAnswer | None,
    told: frozenset[tuple[str, str]],
    now: datetime,
) -> str:
    if decision is None:
        return "asked"
    if not decision.approved or (answer is not None and answer.refused):
        return "refused"
    if answer is None:
        return "sending" if decision.at > now - _SENT_WITHIN else "stuck"
    if (Kind.REFUND_FAILED.value, answer.stripe_id) in told:
        return "failed"
    return "done" if (Kind.REFUNDED.value, answer.stripe_id) in told else "sent"


def _why(decision: CardRefundDecision | None, answer: CardRefundAnswer | None) -> str:
    if answer is not None and answer.refused:
        return answer.refused
    return decision.reason if decision is not None and not decision.approved else ""


def _told_of(session: Session, school_id: UUID, refunds: Sequence[str]) -> frozenset[tuple[str, str]]:
    query = select(CardFact.kind, CardFact.stripe_id).where(
        CardFact.school_id == school_id, col(CardFact.stripe_id).in_(refunds)
    )
    return frozenset((kind, stripe_id) for kind, stripe_id in session.exec(query).all())


def disputes(session: Session, school_id: UUID) -> tuple[DisputeRow, ...]:
    """Return the newest word on each dispute; what is over comes last."""
    rows = session.exec(
        select(CardDispute, PaymentRequest.reference)
        .join(CardFact, col(CardFact.intent_id) == col(CardDispute.intent_id))
        .join(CardCheckout, col(CardCheckout.id) == col(CardFact.checkout_id))
        .join(PaymentRequest, col(PaymentRequest.id) == col(CardCheckout.request_id))
        .where(CardDispute.school_id == school_id, CardFact.school_id == school_id, CardFact.kind == Kind.PAID.value)
        .order_by(col(CardDispute.told_at), col(CardDispute.id))
    ).all()
    newest: dict[str, tuple[CardDispute, str]] = {}
    for row, reference in rows:
        before = newest.get(row.dispute_id)
        if before is None or before[0].status not in DISPUTE_OVER:  # events come in any order; an end stays one
            newest[row.dispute_id] = (row, reference)
    found = [
        DisputeRow(row.dispute_id, reference, row.amount, row.status, row.reason, row.due_by)
        for row, reference in newest.values()
    ]
    return tuple(sorted(found, key=lambda row: (row.status in DISPUTE_OVER, row.dispute_id)))


def names_of(session: Session, users: Sequence[UUID]) -> dict[UUID, str]:
    """Return the names of users."""
    return dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(users))).all())
