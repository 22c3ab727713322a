"""The chart of accounts of one school, after the public-sector numbering (Circular 107/2017, editable by name).

Pupil, item and bill are columns of a posting, so the chart stays short.
"""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, select

from billing.errors import NotFound
from billing.ledger.tables import BankAccount, LedgerAccount

SUSPENSE = "3388S"  # money that arrived and is not yet explained
FAMILY_RECEIVABLE = "131"
STATE_RECEIVABLE = "131N"
FAMILY_CREDIT = "3383"  # tiền nộp thừa, kept for the pupil
CASH = "111"
UNCLASSIFIED_OUT = "1388"  # money that left and is not yet explained; opened with the first of it
UNCLASSIFIED_OUT_NAME = "Tiền ra chưa phân loại"
CARD_CLEARING = "113T"  # card money that the provider has not yet brought to the bank; opened with the first of it
TREASURY = "112KB"  # the school's deposit at the State Treasury: no bank tells us of it, so no check compares it
DEFERRED = "3387."  # doanh thu nhận trước, by the account of income that it becomes month by month

_COMMON = (
    (CASH, "Tiền mặt", "cash"),
    (SUSPENSE, "Tiền chờ xử lý", "suspense"),
    (FAMILY_RECEIVABLE, "Phải thu của gia đình", "receivable"),
    (STATE_RECEIVABLE, "Phải thu ngân sách nhà nước", "receivable"),
    (FAMILY_CREDIT, "Tiền nộp thừa của gia đình", "credit"),
)


def bank_code(account: BankAccount) -> str:
    """Return the ledger code of a bank account: 112 and its number."""
    return f"112.{account.bank_bin}.{account.number}"


def deferred_code(income: str) -> str:
    """Return the account on which income of ``income`` waits until it is earned."""
    return f"{DEFERRED}{income}"


def open_common_accounts(session: Session, school_id: UUID) -> None:
    """Give a new school the accounts that every school has; harmless when they are there."""
    for code, name, kind in _COMMON:
        open_account(session, school_id, code, name, kind)


def open_bank_ledger(session: Session, account: BankAccount) -> LedgerAccount:
    """Give a bank account its place in the book."""
    name = f"Tiền gửi {account.bank_bin}-{account.number}"
    return open_account(session, account.school_id, bank_code(account), name, "bank", bank_account_id=account.id)


def open_treasury(session: Session, school_id: UUID) -> str:
    """Return the code of the school's Treasury deposit, opened in the book if it is missing."""
    return open_account(session, school_id, TREASURY, "Tiền gửi Kho bạc", "bank").code


def open_account(  # noqa: PLR0913  the columns of one account
    session: Session,
    school_id: UUID,
    code: str,
    name: str,
    kind: str,
    *,
    bank_account_id: UUID | None = None,
) -> LedgerAccount:
    """Return the account with this code, made if it is missing."""
    found = _find(session, school_id, code)
    if found is not None:
        return found
    account = LedgerAccount(school_id=school_id, code=code, name=name, kind=kind, bank_account_id=bank_account_id)
    session.add(account)
    session.flush()
    return account


def account_id(session: Session, school_id: UUID, code: str) -> int:
    """Return the key of an account; raises ``NotFound`` when the school has none with this code."""
    found = _find(session, school_id, code)
    if found is None or found.id is None:
        raise NotFound(f"Trường chưa có tài khoản kế toán {code}", code=code)
    return found.id


def _find(session: Session, school_id: UUID, code: str) -> LedgerAccount | None:
    return session.exec(
        select(LedgerAccount).where(LedgerAccount.school_id == school_id, LedgerAccount.code == code),
    ).one_or_none()
