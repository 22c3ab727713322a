"""The page of bank accounts from rows of one school."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from billing.events.recording import ACCOUNT_EVENTS
from billing.events.tables import Event
from billing.ledger.account_tables import AccountApproval, AccountChange, AccountOpening, AccountWithdrawal
from billing.ledger.tables import BankAccount
from billing.payments.banks import all_banks, bank_by_bin
from billing.payments.still_open import open_bills
from billing.payments.tables import PaymentRequest
from billing.payments.virtual_accounts import numbers_shown
from billing.people.names import sort_key
from billing.people.tables import Pupil
from notifications.tables import StaffMessage
from reconciliation.feeds.base import STATEMENT
from reconciliation.tables import Feed
from service.access.tables import User
from service.pages.bank_account_views import Abilities, AccountRow, BankAccountsPage, ChangeRow
from service.pages.feed_views import PROVIDER_NAMES, SCHEME_NAMES

_MOST_CHANGES = 30
_MOST_NAMES = 200
_Change = tuple[AccountChange, AccountApproval | None, AccountWithdrawal | None, AccountOpening | None]


def bank_accounts_page(session: Session, school_id: UUID, user_id: UUID, wait_hours: int) -> BankAccountsPage:
    """Return the accounts of a school, those in use first, and what was asked for, newest first."""
    accounts = session.exec(
        select(BankAccount)
        .where(BankAccount.school_id == school_id)
        .order_by(col(BankAccount.closed_on).is_not(None), col(BankAccount.opened_on).desc(), col(BankAccount.id))
    ).all()
    numbers = {each.id: f"{_bank(each.bank_bin)} …{each.number[-4:]}" for each in accounts}
    return BankAccountsPage(
        accounts=_accounts(session, school_id, accounts),
        changes=_changes(session, school_id, user_id, numbers),
        banks=tuple((bank.bin, bank.short_name) for bank in all_banks()),
        wait_hours=wait_hours,
    )


def _bank(bank_bin: str) -> str:
    bank = bank_by_bin(bank_bin)
    return bank.short_name if bank else bank_bin


def _abilities(row: BankAccount | AccountChange) -> Abilities:
    return Abilities(row.told_by, row.only_virtual, row.can_qr, row.memo_code or "")


def _feed_name(feed: Feed) -> str:
    provider = PROVIDER_NAMES.get(feed.provider, feed.provider)
    return f"{provider} ({SCHEME_NAMES.get(feed.scheme, (feed.scheme,))[0]})"


def _accounts(session: Session, school_id: UUID, accounts: Sequence[BankAccount]) -> tuple[AccountRow, ...]:
    openings = session.exec(
        select(AccountOpening).where(AccountOpening.school_id == school_id).order_by(col(AccountOpening.at))
    ).all()
    keeps = {row.replaces_id: row.keeps_until for row in openings if row.replaces_id}  # the last time it was left
    feeds: dict[UUID, list[str]] = defaultdict(list)
    for feed in session.exec(select(Feed).where(Feed.school_id == school_id, col(Feed.closed_at).is_(None))).all():
        if feed.provider != STATEMENT:
            feeds[feed.bank_account_id].append(_feed_name(feed))
    return tuple(
        AccountRow(
            account_id=str(each.id),
            bank=_bank(each.bank_bin),
            number=each.number,
            holder=each.holder,
            abilities=_abilities(each),
            since=each.opened_on,
            closed_on=each.closed_on,
            keeps_until=keeps.get(each.id) if each.closed_on else None,
            feeds=tuple(sorted(feeds[each.id])),
            lacking=lacking(session, school_id, each.id) if each.only_virtual else (),
        )
        for each in accounts
    )


def lacking(session: Session, school_id: UUID, account_id: UUID) -> tuple[str, ...]:
    """Return the pupils who owe something on an account where only numbers tell, and have none."""
    requests = session.exec(
        select(PaymentRequest).where(
            PaymentRequest.school_id == school_id, PaymentRequest.bank_account_id == account_id
        )
    ).all()
    shown = numbers_shown(session, school_id, requests)
    without = {each.pupil_id for each in requests if shown[each.id] is None}
    owing = {each.pupil_id for each in open_bills(session, school_id, without)}
    names = session.exec(select(Pupil.full_name).where(col(Pupil.id).in_(owing))).all()
    return tuple(sorted(names, key=sort_key)[:_MOST_NAMES])


def _changes(session: Session, school_id: UUID, user_id: UUID, numbers: Mapping[UUID, str]) -> tuple[ChangeRow, ...]:
    query: Any = (  # outer joins: SQLModel does not know that they may give nothing
        select(AccountChange, AccountApproval, AccountWithdrawal, AccountOpening)
        .outerjoin(AccountApproval, col(AccountApproval.change_id) == col(AccountChange.id))
        .outerjoin(AccountWithdrawal, col(AccountWithdrawal.change_id) == col(AccountChange.id))
        .outerjoin(AccountOpening, col(AccountOpening.change_id) == col(AccountChange.id))
        .where(AccountChange.school_id == school_id)
        .order_by(col(AccountChange.asked_at).desc(), col(AccountChange.id).desc())
        .limit(_MOST_CHANGES)
    )
    rows: Sequence[_Change] = session.exec(query).all()
    told = _told(session, school_id)
    people = {
        key
        for change, approval, stop, _ in rows
        for key in (
            change.asked_by,
            approval.approved_by if approval is not None else None,
            stop.made_by if stop is not None else None,
        )
        if key is not None
    }
    names = dict(session.exec(select(User.id, User.full_name).where(col(User.id).in_(people))).all())
    return tuple(
        ChangeRow(
            change_id=str(change.id),
            bank=_bank(change.bank_bin),
            number=change.number,
            holder=change.holder,
            abilities=_abilities(change),
            replaces=numbers.get(change.replaces_id, "") if change.replaces_id else "",
            reason=change.reason,
            asked_by=names[change.asked_by],
            asked_at=change.asked_at,
            stands="stopped" if stop else "opened" if opening else "agreed" if approval else "waiting",
            mine=change.asked_by == user_id,
            approved_by=names[approval.approved_by] if approval else "",
            in_force_at=approval.in_force_at if approval else None,
            stopped_by=names[stop.made_by] if stop else "",
            stopped_for=stop.reason if stop else "",
            told=tuple(told[change.id].items()),
        )
        for change, approval, stop, opening in rows
    )


def _told(session: Session, school_id: UUID) -> dict[UUID, dict[str, str]]:
    """Return, by change, who was told last and what became of that letter."""
    rows = session.exec(
        select(Event.subject_id, User.full_name, StaffMessage.state)
        .join(StaffMessage, col(StaffMessage.event_id) == col(Event.id))
        .join(User, col(User.id) == col(StaffMessage.user_id))
        .where(StaffMessage.school_id == school_id, col(Event.kind).in_(ACCOUNT_EVENTS))
        .order_by(col(Event.id), col(User.full_name))
    ).all()
    found: dict[UUID, dict[str, str]] = defaultdict(dict)
    for change_id, name, state in rows:
        found[change_id][name] = state
    return found
