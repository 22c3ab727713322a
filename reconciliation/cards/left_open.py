"""What would be left open where an account's feed of Stripe is closed: nobody would hear how it ends."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col, select

from billing.money import Money, total
from reconciliation.cards.checking_out import still_open
from reconciliation.cards.facts import Kind
from reconciliation.cards.payouts import open_payouts
from reconciliation.cards.refunding import DISPUTE_OVER, unanswered
from reconciliation.cards.tables import CardCheckout, CardDispute, CardFact, CardRefund, CardSession

_ON_THE_WAY = {Kind.SENT.value: 1, Kind.UNSENT.value: -1, Kind.PAYOUT.value: -1, Kind.PAYOUT_FAILED.value: 1}
"""How a fact counts towards what left Stripe and was not told to have arrived; one that failed is back by *unsent*."""


def left_open(session: Session, school_id: UUID, account_id: UUID) -> list[str]:
    """Return in words what is open of an account's card money, with how many and how much; empty where nothing is."""
    told = (
        ("trang trả thẻ còn mở hoặc chưa có kết quả", _pages(session, school_id, account_id)),
        ("đề nghị hoàn về thẻ chưa xong", _refunds(session, school_id, account_id)),
        ("tranh chấp chưa xong", _disputes(session, school_id, account_id)),
        ("khoản chi trả chưa gắn với tiền vào ngân hàng", _payouts(session, school_id, account_id)),
    )
    words = [f"{len(sums)} {what} ({total(sums)})" for what, sums in told if sums]
    under_way = _under_way(session, school_id, account_id)
    return [*words, f"{under_way} đang trên đường từ Stripe về ngân hàng"] if under_way else words


def _pages(session: Session, school_id: UUID, account_id: UUID) -> list[Money]:
    query = (
        select(col(CardCheckout.amount))
        .join(CardSession, col(CardSession.checkout_id) == col(CardCheckout.id))
        .where(CardCheckout.school_id == school_id, CardCheckout.bank_account_id == account_id, *still_open())
    )
    return list(session.exec(query).all())


def _refunds(session: Session, school_id: UUID, account_id: UUID) -> list[Money]:
    query = (
        select(col(CardRefund.amount))
        .join(CardCheckout, col(CardCheckout.id) == col(CardRefund.checkout_id))
        .where(CardRefund.school_id == school_id, CardCheckout.bank_account_id == account_id, *unanswered())
    )
    return list(session.exec(query).all())


def _disputes(session: Session, school_id: UUID, account_id: UUID) -> list[Money]:
    paid = select(col(CardFact.intent_id)).where(
        CardFact.school_id == school_id,
        CardFact.bank_account_id == account_id,
        CardFact.kind == Kind.PAID.value,
    )
    rows = session.exec(
        select(CardDispute).where(CardDispute.school_id == school_id, col(CardDispute.intent_id).in_(paid))
    ).all()
    over = {row.dispute_id for row in rows if row.status in DISPUTE_OVER}  # in any order; an end stays one
    return list({row.dispute_id: row.amount for row in rows if row.dispute_id not in over}.values())


def _payouts(session: Session, school_id: UUID, account_id: UUID) -> list[Money]:
    found = (each.payout for each in open_payouts(session, school_id))
    return [payout.amount for payout in found if payout.bank_account_id == account_id]


def _under_way(session: Session, school_id: UUID, account_id: UUID) -> Money:
    rows = session.exec(
        select(CardFact.kind, col(CardFact.amount)).where(
            CardFact.school_id == school_id,
            CardFact.bank_account_id == account_id,
            col(CardFact.kind).in_(_ON_THE_WAY),
        )
    ).all()
    return Money(max(sum(_ON_THE_WAY[kind] * amount.dong for kind, amount in rows), 0))
