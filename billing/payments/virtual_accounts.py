"""Virtual accounts: a number for each pupil that the bank books to the school's account."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text, update
from sqlmodel import Session, col, func, select

from billing.ledger.tables import BankAccount
from billing.payments.tables import PaymentRequest, VirtualAccount

LONGEST = 19  # EMV field 38-01 and the banks' own limit
_SERIAL_DIGITS = 6


def assign_virtual_accounts(
    session: Session, account: BankAccount, pupil_ids: Collection[UUID], now: datetime
) -> dict[UUID, str]:
    """Return each pupil's number at this account; who has none gets a free one, or a new one behind the account's own.

    A number stays with its pupil from bill to bill. One transaction at a time gives out numbers of an account.
    Where a new number would be longer than 19 characters, the pupil gets none until the bank's own are entered: its
    bills say so, and the page of accounts lists who waits.
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
    return {pupil: held[pupil] for pupil in pupil_ids if pupil in held}


def numbers_shown(session: Session, school_id: UUID, requests: Collection[PaymentRequest]) -> dict[UUID, str | None]:
    """Return, by request, the number its family pays to: the request's own, or what the pupil was given since.

    None where there is neither.
    """
    without = [request for request in requests if request.virtual_account is None]
    since: dict[tuple[UUID, UUID], str] = {}
    if without:
        rows = session.exec(
            select(VirtualAccount)
            .join(BankAccount, col(BankAccount.id) == col(VirtualAccount.bank_account_id))
            .where(
                VirtualAccount.school_id == school_id,
                col(BankAccount.only_virtual).is_(True),
                col(VirtualAccount.pupil_id).in_({request.pupil_id for request in without}),
                col(VirtualAccount.released_at).is_(None),
            )
        ).all()
        since = {(row.bank_account_id, row.pupil_id): row.number for row in rows if row.pupil_id is not None}
    return {
        request.id: request.virtual_account or since.get((request.bank_account_id, request.pupil_id))
        for request in requests
    }


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
        return {}
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
