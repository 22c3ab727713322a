"""Reading the book: what an account holds, in all or for one pupil. Balances are never stored."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, type_coerce
from sqlmodel import Session, col, select

from billing.ledger.tables import LedgerAccount, Posting
from billing.money import ZERO, Money
from billing.storage import MoneyColumn


def _net(account: int | ColumnElement[int]) -> ColumnElement[Money]:
    amount = type_coerce(col(Posting.amount), BigInteger)
    signed = case((col(Posting.debit_account_id) == account, amount), else_=-amount)
    return type_coerce(cast(func.coalesce(func.sum(signed), 0), BigInteger), MoneyColumn)


def debit_balance(session: Session, school_id: UUID, code: str, *, pupil_id: UUID | None = None) -> Money:
    """Return debits less credits of one account (0 đ when there is none); for a credit account negate it."""
    account = session.exec(
        select(LedgerAccount.id).where(LedgerAccount.school_id == school_id, LedgerAccount.code == code),
    ).one_or_none()
    if account is None:
        return ZERO
    touching = (col(Posting.debit_account_id) == account) | (col(Posting.credit_account_id) == account)
    query = select(_net(account)).where(Posting.school_id == school_id, touching)
    if pupil_id is not None:
        query = query.where(Posting.pupil_id == pupil_id)
    return session.exec(query).one()


def trial_balance(session: Session, school_id: UUID) -> dict[str, Money]:
    """Return debits less credits of every account of a school by code; all of them together are 0 đ."""
    touching = (col(Posting.debit_account_id) == col(LedgerAccount.id)) | (
        col(Posting.credit_account_id) == col(LedgerAccount.id)
    )
    query = (
        select(LedgerAccount.code, _net(col(LedgerAccount.id)))  # type: ignore[arg-type]  # id is None only before insert
        .join(Posting, (col(Posting.school_id) == col(LedgerAccount.school_id)) & touching)
        .where(LedgerAccount.school_id == school_id)
        .group_by(LedgerAccount.code)
        .order_by(LedgerAccount.code)
    )
    return dict(session.exec(query).all())
