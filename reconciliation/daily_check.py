"""Bank against book, account by account, at the end of a day. The difference must be 0 đ, whatever waits.

Both sides are net movements since the account was opened with us. The bank's side is what its messages say, and,
where a statement covers the day, what the statement says instead for the days it covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, type_coerce
from sqlmodel import Session, col, select

from billing.ledger.tables import BankAccount, JournalEntry, LedgerAccount, Posting
from billing.money import ZERO, Money
from billing.storage import MoneyColumn
from reconciliation.tables import DailyCheck, StatementFile, StatementLine, Transfer

# The bank does not know these, took them back, or told us twice: they are no movement on the account.
NOT_ON_ACCOUNT = ("duplicate", "quarantined", "reversed")
UNSETTLED = ("new", "held", "waiting")


def check_day(session: Session, school_id: UUID, day: date, now: datetime) -> list[DailyCheck]:
    """Write and return one check for each of the school's bank accounts that was open on the day."""
    accounts = session.exec(
        select(BankAccount)
        .where(BankAccount.school_id == school_id, BankAccount.opened_on <= day)
        .order_by(col(BankAccount.bank_bin), col(BankAccount.number)),
    ).all()
    return [_check(session, account, day, now) for account in accounts]


def _check(session: Session, account: BankAccount, day: date, now: datetime) -> DailyCheck:
    bank, book = bank_net(session, account, day), book_net(session, account, day)
    count, amount = _waiting(session, account, day)
    check = DailyCheck(
        school_id=account.school_id,
        bank_account_id=account.id,
        day=day,
        bank_net=bank,
        book_net=book,
        difference=bank - book,
        waiting_count=count,
        waiting_amount=amount,
        checked_at=now,
    )
    session.add(check)
    session.flush()
    return check


def bank_net(session: Session, account: BankAccount, day: date) -> Money:
    """Return what came in less what went out, to the end of the day, as the bank tells it."""
    statement = covering_statement(session, account, day)
    if statement is None:
        return _by_messages(session, account, col(Transfer.value_date) <= day)
    before = _by_messages(session, account, col(Transfer.value_date) < statement.first_day)
    return before + _by_statement(session, statement, day)


def covering_statement(session: Session, account: BankAccount, day: date) -> StatementFile | None:
    """Return the statement read last of those that cover a day."""
    return session.exec(
        select(StatementFile)
        .where(
            StatementFile.school_id == account.school_id,
            StatementFile.bank_account_id == account.id,
            StatementFile.first_day <= day,
            StatementFile.last_day >= day,
        )
        .order_by(col(StatementFile.read_at).desc())
        .limit(1),
    ).first()


def book_net(session: Session, account: BankAccount, day: date) -> Money:
    """Return debits less credits of the account in our book, by the bank's days, to the end of the day."""
    ledger = session.exec(
        select(LedgerAccount.id).where(
            LedgerAccount.school_id == account.school_id,
            LedgerAccount.bank_account_id == account.id,
        ),
    ).one_or_none()
    if ledger is None:
        return ZERO
    signed = _signed(Posting.amount, col(Posting.debit_account_id) == ledger)
    return session.exec(
        select(signed)
        .join(JournalEntry, col(JournalEntry.id) == col(Posting.entry_id))
        .where(
            Posting.school_id == account.school_id,
            (col(Posting.debit_account_id) == ledger) | (col(Posting.credit_account_id) == ledger),
            JournalEntry.value_date <= day,
        ),
    ).one()


def _by_messages(session: Session, account: BankAccount, days: ColumnElement[bool]) -> Money:
    return session.exec(
        select(_signed(Transfer.amount, col(Transfer.direction) == "in")).where(
            Transfer.school_id == account.school_id,
            Transfer.bank_account_id == account.id,
            col(Transfer.state).not_in(NOT_ON_ACCOUNT),
            days,
        ),
    ).one()


def _by_statement(session: Session, statement: StatementFile, day: date) -> Money:
    return session.exec(
        select(_signed(StatementLine.amount, col(StatementLine.direction) == "in")).where(
            StatementLine.school_id == statement.school_id,
            StatementLine.file_id == statement.id,
            StatementLine.day <= day,
        ),
    ).one()


def _waiting(session: Session, account: BankAccount, day: date) -> tuple[int, Money]:
    rows: Sequence[Money] = session.exec(
        select(col(Transfer.amount)).where(
            Transfer.school_id == account.school_id,
            Transfer.bank_account_id == account.id,
            Transfer.value_date <= day,
            col(Transfer.state).in_(UNSETTLED),
        ),
    ).all()
    return len(rows), sum(rows, ZERO)


def _signed(amount: Any, positive: ColumnElement[bool]) -> ColumnElement[Money]:  # noqa: ANN401  as in billing.storage
    """Return SQL for the sum of amounts, positive where the condition holds, negative elsewhere."""
    dong = type_coerce(amount, BigInteger)
    summed = func.coalesce(func.sum(case((positive, dong), else_=-dong)), 0)
    return type_coerce(cast(summed, BigInteger), MoneyColumn)
