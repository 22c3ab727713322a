"""What is kept for families, read from the book: the balance of its credit account by pupil and item."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, and_, case, cast, func, or_, type_coerce
from sqlmodel import Session, col, select

from billing.credits.dealing import Credit, Rule
from billing.credits.tables import Refund, RefundDecision, RefundLine
from billing.credits.under_way import under_way
from billing.fees.tables import FeeItem
from billing.ledger.accounts import FAMILY_CREDIT
from billing.ledger.tables import LedgerAccount, Posting
from billing.money import ZERO, Money
from billing.storage import among, money_sum

Kept = dict[tuple[UUID, str | None], Money]
"""Credit by pupil and item code; no item means money that was paid too much. Only amounts above 0 đ."""


def credit_of(session: Session, school_id: UUID, pupils: Collection[UUID] | None = None) -> Kept:
    """Return all credit that a school keeps, or that of some pupils; together it is the account's balance."""
    account = session.exec(
        select(LedgerAccount.id).where(LedgerAccount.school_id == school_id, LedgerAccount.code == FAMILY_CREDIT)
    ).one_or_none()
    if account is None:
        return {}
    amount = type_coerce(col(Posting.amount), BigInteger)
    kept = cast(func.sum(case((col(Posting.credit_account_id) == account, amount), else_=-amount)), BigInteger)
    touching = or_(col(Posting.credit_account_id) == account, col(Posting.debit_account_id) == account)
    query: Any = (
        select(col(Posting.pupil_id), col(Posting.item_code), kept)
        .where(Posting.school_id == school_id, touching, *_of(Posting.pupil_id, pupils))
        .group_by(col(Posting.pupil_id), col(Posting.item_code))
        .having(kept != 0)
    )
    return {(pupil, item): Money(amount) for pupil, item, amount in session.exec(query).all()}


def asked_back(
    session: Session, school_id: UUID, pupils: Collection[UUID] | None = None, *, apart_from: UUID | None = None
) -> Kept:
    """Return the credit that families are to get back: by open requests for a refund, and over a card (``under_way``).

    ``apart_from`` is a card checkout whose own money on its way back is not counted.
    """
    rows = session.exec(
        select(col(RefundLine.pupil_id), col(RefundLine.item_code), money_sum(RefundLine.amount))
        .join(Refund, and_(col(Refund.school_id) == RefundLine.school_id, col(Refund.id) == RefundLine.refund_id))
        .outerjoin(RefundDecision, col(RefundDecision.refund_id) == Refund.id)
        .where(
            RefundLine.school_id == school_id,
            col(RefundLine.pupil_id).is_not(None),
            col(RefundDecision.refund_id).is_(None),
            *_of(RefundLine.pupil_id, pupils),
        )
        .group_by(col(RefundLine.pupil_id), col(RefundLine.item_code))
    ).all()
    asked = {(pupil, item): amount for pupil, item, amount in rows if pupil is not None}
    for pupil, amount in under_way(session, school_id, pupils, apart_from=apart_from).items():
        asked[pupil, None] = asked.get((pupil, None), ZERO) + amount
    return asked


def free_credit(
    session: Session, school_id: UUID, pupils: Collection[UUID] | None = None, *, apart_from: UUID | None = None
) -> Kept:
    """Return the credit that can be used or asked back: what is kept less what is asked back already.

    ``apart_from`` as in ``asked_back``.
    """
    kept = credit_of(session, school_id, pupils)
    asked = asked_back(session, school_id, pupils, apart_from=apart_from) if kept else {}
    free = {key: amount - asked.get(key, ZERO) for key, amount in kept.items()}
    return {key: amount for key, amount in free.items() if amount > ZERO}


def rules_of(session: Session, school_id: UUID) -> dict[str, Rule]:
    """Return what the credit of each of the school's items is used for."""
    rows = session.exec(select(FeeItem.code, FeeItem.carry_over).where(FeeItem.school_id == school_id)).all()
    return {code: Rule(rule) for code, rule in rows}


def as_credits(kept: Kept, rules: dict[str, Rule]) -> dict[UUID, tuple[Credit, ...]]:
    """Return credit by pupil, each item with its rule; an item that the school does not know stays."""
    found: dict[UUID, list[Credit]] = {}
    for (pupil, item), amount in sorted(kept.items(), key=lambda each: (str(each[0][0]), each[0][1] or "")):
        rule = rules.get(item, Rule.STAYS) if item is not None else Rule.OFFSET
        found.setdefault(pupil, []).append(Credit(item, amount, rule))
    return {pupil: tuple(each) for pupil, each in found.items()}


def _of(column: Any, pupils: Iterable[UUID] | None) -> list[Any]:  # noqa: ANN401  SQLModel types a column as its value
    return [] if pupils is None else [among(column, pupils)]
