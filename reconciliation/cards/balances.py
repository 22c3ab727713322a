"""What Stripe says it holds, beside what its facts come to: a difference is money that nobody told us of.

Compared as of the moment at which Stripe was asked, so that what happened since makes none. What the book has on 113T
is more than that by what left Stripe and has not reached the bank, and by what Stripe keeps back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from billing.money import Money, total
from reconciliation.cards.facts import BALANCE_SIGNS, SIGNS, Kind
from reconciliation.cards.tables import CardBalance, CardFact, CardOpening


@dataclass(frozen=True, slots=True)
class Told:
    """What Stripe said it holds for an account at a moment, and what we know it should hold; ``others`` as there."""

    account_id: UUID
    at: datetime
    told: Money
    known: Money
    others: str = ""

    @property
    def difference(self) -> Money:
        """What Stripe holds more than we know of; below 0 what it took and told nobody."""
        return self.told - self.known


def balances(session: Session, school_id: UUID) -> list[Told]:
    """Return what Stripe said last of each account of a school, beside what its facts came to at that moment."""
    last = (
        select(func.max(col(CardBalance.id)))
        .where(CardBalance.school_id == school_id)
        .group_by(col(CardBalance.bank_account_id))
    )
    query = select(CardBalance).where(CardBalance.school_id == school_id, col(CardBalance.id).in_(last))
    newest = session.exec(query.order_by(col(CardBalance.bank_account_id))).all()
    return [Told(row.bank_account_id, row.at, row.amount, _known(session, row), row.others) for row in newest]


def other_currencies(session: Session, school_id: UUID, account_id: UUID) -> str:
    """Return which currencies beside đồng Stripe named last for an account; empty where it named none, or nothing."""
    query = (
        select(CardBalance.others)
        .where(CardBalance.school_id == school_id, CardBalance.bank_account_id == account_id)
        .order_by(col(CardBalance.id).desc())
    )
    return session.exec(query.limit(1)).first() or ""


def _known(session: Session, told: CardBalance) -> Money:
    """Return what the facts came to, and what two people said was there before them.

    A payment that is not ours is put aside and has no fact, so what Stripe gave back or lost of it counts for nothing
    either: the difference is what of it is still there. Its fees count, as Stripe took them from the school.
    """
    paid = aliased(CardFact)
    ours = select(col(paid.id)).where(
        col(paid.school_id) == col(CardFact.school_id),
        col(paid.intent_id) == col(CardFact.intent_id),
        col(paid.kind) == Kind.PAID.value,
    )
    rows = session.exec(
        select(col(CardFact.kind), func.sum(col(CardFact.amount)))
        .where(
            CardFact.school_id == told.school_id,
            CardFact.bank_account_id == told.bank_account_id,
            CardFact.occurred_at <= told.at,
            col(CardFact.kind).not_in([kind.value for kind in SIGNS]) | ours.exists(),
        )
        .group_by(col(CardFact.kind))
    ).all()
    before = session.exec(
        select(col(CardOpening.amount)).where(
            CardOpening.school_id == told.school_id, CardOpening.bank_account_id == told.bank_account_id
        )
    ).all()
    return total(before) + Money(sum(BALANCE_SIGNS.get(Kind(kind), 0) * _dong(amount) for kind, amount in rows))


def _dong(amount: Money | int) -> int:
    """Return a sum that the database made as a number, whichever type the column's own gives it."""
    return amount.dong if isinstance(amount, Money) else int(amount)
