"""The pages of card payments from rows of one school."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.accounts import CARD_CLEARING
from billing.ledger.balances import trial_balance
from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money, total
from billing.payments.tables import Payment, PaymentRequest, PaymentReversal
from reconciliation.cards.checking_out import LEAST, MOST
from reconciliation.cards.facts import Kind, worth
from reconciliation.cards.payouts import open_payouts
from reconciliation.cards.refunding import refundable
from reconciliation.cards.settling import facts_of
from reconciliation.cards.switching import card_feeds, is_switched_on, open_switch, takes_cards
from reconciliation.cards.tables import (
    CardCheckout,
    CardDispute,
    CardFact,
    CardRefund,
    CardRefundAnswer,
    CardRefundDecision,
)
from reconciliation.feeds.stripe import SCHEME
from reconciliation.lists.base import LIST
from reconciliation.reports.filling import account_name
from service.access.tables import User
from service.pages.card_views import (
    Asked,
    CardPage,
    DisputeRow,
    PaymentRow,
    PayoutRow,
    RefundRow,
    SwitchRow,
    TransferChoice,
)
from service.pages.family_rows import Opened
from service.pages.views import PAYABLE

SHOWN = 50
_DISPUTE_OVER = ("won", "lost", "warning_closed", "prevented")


def may_pay_by_card(session: Session, opened: Opened) -> bool:
    """Tell whether a family is offered cards: something is asked for, nothing is on its way, the school takes them."""
    request = opened.request
    return (
        opened.state in PAYABLE
        and not opened.received.on_the_way
        and LEAST <= opened.asked <= MOST
        and takes_cards(session, request.school_id, request.bank_account_id)
    )


def card_page(session: Session, school_id: UUID, user_id: UUID) -> CardPage:
    """Return the cards of a school."""
    return CardPage(
        switches=_switches(session, school_id, user_id),
        payments=_payments(session, school_id),
        refunds=_refunds(session, school_id, user_id),
        disputes=_disputes(session, school_id),
        payouts=_payouts(session, school_id),
        in_transit=trial_balance(session, school_id).get(CARD_CLEARING, ZERO),
    )


def _switches(session: Session, school_id: UUID, user_id: UUID) -> tuple[SwitchRow, ...]:
    accounts = session.exec(
        select(BankAccount)
        .where(BankAccount.school_id == school_id, col(BankAccount.closed_on).is_(None))
        .order_by(col(BankAccount.bank_bin), col(BankAccount.number))
    ).all()
    rows = []
    for account in accounts:
        asked, feeds = open_switch(session, school_id, account.id), card_feeds(session, school_id, account.id)
        row = None
        if asked is not None:
            maker = _names(session, [asked.asked_by])[asked.asked_by]
            row = Asked(str(asked.id), maker, asked.asked_at, asked.reason, asked.asked_by == user_id)
        rows.append(
            SwitchRow(
                account_id=str(account.id),
                account=account_name(account),
                on=is_switched_on(session, school_id, account.id),
                hooks=SCHEME in feeds,
                api=LIST in feeds,
                asked=row,
                asked_on=bool(asked and asked.turned_on),
            )
        )
    return tuple(rows)


def _payments(session: Session, school_id: UUID) -> tuple[PaymentRow, ...]:
    rows = session.exec(
        select(CardFact, CardCheckout, PaymentRequest.reference)
        .join(CardCheckout, col(CardCheckout.id) == col(CardFact.checkout_id))
        .join(PaymentRequest, col(PaymentRequest.id) == col(CardCheckout.request_id))
        .where(CardFact.school_id == school_id, CardFact.kind == Kind.PAID.value)
        .order_by(col(CardFact.id).desc())
        .limit(SHOWN)
    ).all()
    live = _live(session, school_id, [checkout.id for _, checkout, _ in rows])
    return tuple(_payment(session, fact, checkout, reference, live) for fact, checkout, reference in rows)


def _payment(
    session: Session, paid: CardFact, checkout: CardCheckout, reference: str, live: Mapping[UUID, Money]
) -> PaymentRow:
    facts = facts_of(session, checkout.school_id, checkout.id)
    now_worth = worth((fact.kind, fact.amount) for fact in facts)
    kinds = [fact.kind for fact in facts]
    return PaymentRow(
        checkout_id=str(checkout.id),
        reference=reference,
        day=paid.value_date,
        amount=checkout.amount,
        worth=now_worth,
        left=refundable(session, checkout.school_id, checkout.id),
        booked=live.get(checkout.id, ZERO) == now_worth,
        disputed=kinds.count(Kind.DISPUTED.value) > kinds.count(Kind.REINSTATED.value),
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


def _refunds(session: Session, school_id: UUID, user_id: UUID) -> tuple[RefundRow, ...]:
    query: Any = (
        select(CardRefund, PaymentRequest.reference, CardRefundDecision, CardRefundAnswer)
        .join(CardCheckout, col(CardCheckout.id) == col(CardRefund.checkout_id))
        .join(PaymentRequest, col(PaymentRequest.id) == col(CardCheckout.request_id))
        .outerjoin(CardRefundDecision, col(CardRefundDecision.refund_id) == col(CardRefund.id))
        .outerjoin(CardRefundAnswer, col(CardRefundAnswer.refund_id) == col(CardRefund.id))
        .where(CardRefund.school_id == school_id)
        .order_by(col(CardRefund.asked_at).desc())
        .limit(SHOWN)
    )
    rows = session.exec(query).all()
    names = _names(session, [refund.asked_by for refund, _, _, _ in rows])
    told = _told_of(session, school_id, [answer.stripe_id for _, _, _, answer in rows if answer is not None])
    return tuple(
        RefundRow(
            reference=reference,
            amount=refund.amount,
            state=_state(decision, answer, told),
            why=_why(decision, answer),
            asked=Asked(
                str(refund.id), names[refund.asked_by], refund.asked_at, refund.reason, refund.asked_by == user_id
            ),
        )
        for refund, reference, decision, answer in rows
    )


def _state(
    decision: CardRefundDecision | None, answer: CardRefundAnswer | None, told: frozenset[tuple[str, str]]
) -> str:
    if decision is None:
        return "asked"
    if not decision.approved or (answer is not None and answer.refused):
        return "refused"
    if answer is None:
        return "sending"
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


def _disputes(session: Session, school_id: UUID) -> tuple[DisputeRow, ...]:
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
        if before is None or before[0].status not in _DISPUTE_OVER:  # events come in any order; an end stays one
            newest[row.dispute_id] = (row, reference)
    found = [
        DisputeRow(row.dispute_id, reference, row.amount, row.status, row.reason, row.due_by)
        for row, reference in newest.values()
    ]
    return tuple(sorted(found, key=lambda row: (row.status in _DISPUTE_OVER, row.dispute_id)))


def _payouts(session: Session, school_id: UUID) -> tuple[PayoutRow, ...]:
    return tuple(
        PayoutRow(
            each.payout.stripe_id,
            each.payout.amount,
            each.payout.value_date,
            tuple(TransferChoice(str(one.id), one.value_date, one.memo) for one in each.transfers),
        )
        for each in open_payouts(session, school_id)
    )


def _names(session: Session, users: Sequence[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(users))).all())


def order_name(reference: str) -> str:
    """Return what stands on Stripe's page and receipt: the reference, and nobody's name."""
    return f"Học phí {reference}"
