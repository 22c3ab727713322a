"""Virtual accounts: a number for each pupil that the bank books to the school's account."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text, update
from sqlmodel import Session, col, func, select

from billing.errors import Refused
from billing.ledger.tables import BankAccount
from billing.payments.tables import VirtualAccount

LONGEST = 19  # EMV field 38-01 and the banks' own limit
_SERIAL_DIGITS = 6


def assign_virtual_accounts(
    session: Session, account: BankAccount, pupil_ids: Collection[UUID], now: datetime
) -> dict[UUID, str]:
    """Return each pupil's number at this account; who has none gets a free one, or a new one behind the account's own.

    A number stays with its pupil from bill to bill. One transaction at a time gives out numbers of an account.
    Raises ``Refused`` when a new number would be longer than 19 characters.
    """
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"virtual accounts {account.id}"},
    )
    held = _held(session, account)
    missing = sorted(set(pupil_ids) - held.keys())
    free = session.exec(
        select(VirtualAccount)
        .where(
            VirtualAccount.school_id == account.school_id,
            VirtualAccount.bank_account_id == account.id,
            col(VirtualAccount.pupil_id).is_(None),
        )
        .order_by(col(VirtualAccount.id))
        .limit(len(missing)),
    ).all()
    for row, pupil in zip(free, missing, strict=False):
        session.execute(
            update(VirtualAccount).where(col(VirtualAccount.id) == row.id).values(pupil_id=pupil, assigned_at=now)
        )
        held[pupil] = row.number
    held |= _make(session, account, missing[len(free) :], now)
    return {pupil: held[pupil] for pupil in pupil_ids}


def _held(session: Session, account: BankAccount) -> dict[UUID, str]:
    rows = session.exec(
        select(VirtualAccount.pupil_id, VirtualAccount.number).where(
            VirtualAccount.school_id == account.school_id,
            VirtualAccount.bank_account_id == account.id,
            col(VirtualAccount.released_at).is_(None),
        ),
    ).all()
    return {pupil: number for pupil, number in rows if pupil is not None}


def _make(session: Session, account: BankAccount, pupils: Iterable[UUID], now: datetime) -> dict[UUID, str]:
    """Make numbers behind the account's own: its number and a serial of six digits."""
    count = session.exec(
        select(func.count())
        .select_from(VirtualAccount)
        .where(VirtualAccount.school_id == account.school_id, VirtualAccount.bank_account_id == account.id),
    ).one()
    made = {pupil: f"{account.number}{serial:0{_SERIAL_DIGITS}d}" for serial, pupil in enumerate(pupils, count + 1)}
    if any(len(number) > LONGEST for number in made.values()):
        raise Refused(
            f"Số tài khoản {account.number} quá dài để thêm số định danh của học sinh; hãy nhập dải tài khoản ảo"
            " mà ngân hàng đã cấp.",
            account=account.number,
        )
    session.add_all(
        VirtualAccount(
            school_id=account.school_id,
            bank_account_id=account.id,
            number=number,
            pupil_id=pupil,
            assigned_at=now,
        )
        for pupil, number in made.items()
    )
    session.flush()
    return made
