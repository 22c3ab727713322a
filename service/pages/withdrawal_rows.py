"""What was fetched to the till, from rows of one school."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.cash.keeping import may_keep
from billing.cash.till_tables import CashWithdrawal, CashWithdrawalEnd
from billing.ledger.tables import BankAccount
from billing.ledger.till import in_the_till
from billing.storage import new_id
from reconciliation.outgoing.reading import live
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.reports.filling import account_name
from reconciliation.tables import Transfer
from service.access.tables import User
from service.pages.cash_views import Sheet
from service.pages.till_rows import PAGE, open_accounts, sheet_of
from service.pages.till_views import WithdrawalRow, WithdrawalsPage


def withdrawals_page(session: Session, school_id: UUID, user_id: UUID, number: int, now: datetime) -> WithdrawalsPage:
    """Return a page of the withdrawals, and from where cash can be fetched."""
    sheet = sheet_of(session, school_id, CashWithdrawal, number)
    return WithdrawalsPage(
        balance=in_the_till(session, school_id),
        accounts=open_accounts(session, school_id),
        form=str(new_id()),
        rows=_rows(session, school_id, user_id, sheet),
        keeps=may_keep(session, school_id, user_id, now),
        sheet=sheet,
    )


def _rows(session: Session, school_id: UUID, user_id: UUID, sheet: Sheet) -> tuple[WithdrawalRow, ...]:
    query: Any = (
        select(CashWithdrawal, BankAccount, CashWithdrawalEnd, User.full_name)
        .join(User, col(User.id) == col(CashWithdrawal.made_by))
        .outerjoin(BankAccount, col(BankAccount.id) == col(CashWithdrawal.bank_account_id))
        .outerjoin(CashWithdrawalEnd, col(CashWithdrawalEnd.withdrawal_id) == col(CashWithdrawal.id))
        .where(col(CashWithdrawal.school_id) == school_id)
        .order_by(col(CashWithdrawal.at).desc(), col(CashWithdrawal.id).desc())
        .offset((sheet.number - 1) * PAGE)
        .limit(PAGE)
    )
    rows = session.exec(query).all()
    tied = _tied(session, school_id)
    return tuple(
        WithdrawalRow(
            withdrawal_id=str(row.id),
            at=row.at,
            amount=row.amount,
            account="" if account is None else account_name(account),
            slip=row.slip,
            by=by,
            stands=_stands(row, ended, tied),
            about=ended.reason if ended else tied.get(row.id, ""),
            mine=row.made_by == user_id,
        )
        for row, account, ended, by in rows
    )


def _stands(row: CashWithdrawal, ended: CashWithdrawalEnd | None, tied: dict[UUID, str]) -> str:
    if ended is not None:
        return "ended"
    if row.bank_account_id is None:
        return "paper"
    return "tied" if row.id in tied else "transit"


def _tied(session: Session, school_id: UUID) -> dict[UUID, str]:
    """Return, by withdrawal, the bank's number of the money out that it is tied to."""
    rows = session.exec(
        select(MoneyOut.cash_withdrawal_id, Transfer.bank_reference, Transfer.provider_id)
        .join(Transfer, col(Transfer.id) == col(MoneyOut.transfer_id))
        .where(MoneyOut.school_id == school_id, col(MoneyOut.cash_withdrawal_id).is_not(None), live())
    ).all()
    return {key: number or told for key, number, told in rows if key is not None}
