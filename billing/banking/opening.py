"""Bringing an account into force when its wait is over: new bills and requests name it from that moment.

An account that the school used before is the same row again: its book, its statements and its feeds go on.

What the replaced account was asked for before stays open on it, and money on it is the school's; it only is named by
nothing new. Bills and requests look up what stands in an account's place (``billing.ledger.replacing``).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from billing.audit.recording import SYSTEM, Deed, record_deed
from billing.banking.changing import approval_of, earlier_account, pending_changes
from billing.events.recording import ACCOUNT_OPENED, record_event
from billing.fees.tables import FeeItem
from billing.ledger.account_tables import AccountApproval, AccountChange, AccountOpening
from billing.ledger.accounts import open_bank_ledger
from billing.ledger.tables import BankAccount

_LOCAL = timezone(timedelta(hours=7))


def open_due_accounts(session: Session, school_id: UUID, now: datetime) -> list[AccountOpening]:
    """Open every account of a school that was agreed to and has waited; safe to do twice."""
    made = []
    for change in pending_changes(session, school_id):
        approval = approval_of(session, school_id, change.id)
        if approval is not None and approval.in_force_at <= now:
            made.append(_open(session, change, approval, now))
    return made


def a_year_later(day: date) -> date:
    """Return the same day of the next year; 28 February for a leap day."""
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + 1, day=28 if leap_day else day.day)


def _open(session: Session, change: AccountChange, approval: AccountApproval, now: datetime) -> AccountOpening:
    today = now.astimezone(_LOCAL).date()
    earlier = earlier_account(session, change.school_id, change.bank_bin, change.number)
    account = earlier or _new_account(session, change, approval, today)
    opening = AccountOpening(
        change_id=change.id,
        school_id=change.school_id,
        account_id=account.id,
        replaces_id=change.replaces_id,
        keeps_until=a_year_later(today) if change.replaces_id else None,
        at=now,
    )
    session.add(opening)
    session.flush()
    if earlier is not None:
        _reopen(session, earlier, change)
    if change.replaces_id is not None:
        _replace(session, change.school_id, change.replaces_id, account.id, today)
    session.flush()
    deed = Deed(change.school_id, "account.open", "bank_account", str(account.id), change.reason)
    record_deed(session, SYSTEM, deed, now, number=account.number, change=str(change.id))
    record_event(session, change.school_id, ACCOUNT_OPENED, change.id, now)
    return opening


def _reopen(session: Session, earlier: BankAccount, change: AccountChange) -> None:
    """Take an account into use again, with the abilities that were agreed to now."""
    earlier.closed_on = None
    earlier.told_by, earlier.only_virtual = change.told_by, change.only_virtual
    earlier.can_qr, earlier.memo_code = change.can_qr, change.memo_code
    session.add(earlier)


def _new_account(session: Session, change: AccountChange, approval: AccountApproval, today: date) -> BankAccount:
    account = BankAccount(
        school_id=change.school_id,
        bank_bin=change.bank_bin,
        number=change.number,
        holder=change.holder,
        told_by=change.told_by,
        only_virtual=change.only_virtual,
        can_qr=change.can_qr,
        memo_code=change.memo_code,
        opened_on=today,
        made_by=change.asked_by,
        approved_by=approval.approved_by,
    )
    session.add(account)
    session.flush()
    open_bank_ledger(session, account)
    return account


def _replace(session: Session, school_id: UUID, old_id: UUID, new_id: UUID, today: date) -> None:
    old = session.exec(select(BankAccount).where(BankAccount.school_id == school_id, BankAccount.id == old_id)).one()
    old.closed_on = today
    session.add(old)
    session.execute(
        update(FeeItem)
        .where(col(FeeItem.school_id) == school_id, col(FeeItem.bank_account_id) == old_id)
        .values(bank_account_id=new_id)
    )
