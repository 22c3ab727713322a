"""Telling the head and the auditor of a school what happens to its bank accounts: one letter each, from the outbox.

A letter that may have been lost is sent again: twice read is better than never, and nothing in it can be spent twice.
Whose login is no e-mail address is told by the office's page only, and the page says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from billing.banking.changing import approval_of
from billing.events.recording import (
    ACCOUNT_APPROVED,
    ACCOUNT_ASKED,
    ACCOUNT_EVENTS,
    ACCOUNT_OPENED,
    ACCOUNT_WITHDRAWN,
)
from billing.events.tables import Event
from billing.ledger.account_tables import AccountChange, AccountWithdrawal
from billing.ledger.tables import BankAccount
from billing.payments.banks import bank_by_bin
from billing.people.tables import School
from notifications.errors import DeliveryProblem
from notifications.tables import StaffMessage
from notifications.wording.accounts import AccountNews, AccountTold, What
from notifications.wording.facts import SchoolInWords

MOST_TRIES = 12
_FIRST_WAIT = timedelta(minutes=1)
_LONGEST_WAIT = timedelta(hours=6)
_WHAT = {
    ACCOUNT_ASKED: What.ASKED,
    ACCOUNT_APPROVED: What.APPROVED,
    ACCOUNT_WITHDRAWN: What.STOPPED,
    ACCOUNT_OPENED: What.OPENED,
}


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff to be told; ``address`` is empty where the login is no e-mail address."""

    user_id: UUID
    name: str
    address: str


Colleagues = Callable[[Session, UUID], Sequence[Colleague]]
"""Who is told of the accounts of a school: handed in, since users are the service's."""


def nobody(session: Session, school_id: UUID) -> Sequence[Colleague]:
    """Tell no member of staff."""
    del session, school_id
    return ()


@dataclass(frozen=True, slots=True)
class Taken:
    """A letter that is ours to send until it is due again."""

    message_id: UUID
    school_id: UUID
    user_id: UUID
    event_id: int


def for_staff(event: Event, people: Sequence[Colleague], now: datetime, *, by_mail: bool) -> list[StaffMessage]:
    """Return one row for each colleague; families are never told of these events."""
    if event.kind not in ACCOUNT_EVENTS:
        return []
    return [_row(event, one, now, by_mail=by_mail) for one in {one.user_id: one for one in people}.values()]


def _row(event: Event, one: Colleague, now: datetime, *, by_mail: bool) -> StaffMessage:
    if event.id is None:
        raise ValueError("an event that was read has its number")
    state = "pending" if by_mail and one.address else "failed" if one.address else "no_address"
    return StaffMessage(
        school_id=event.school_id,
        event_id=event.id,
        user_id=one.user_id,
        state=state,
        next_try_at=now if state == "pending" else None,
        problem="no_channel" if state == "failed" else "",
        made_at=now,
    )


def take_due(session: Session, now: datetime, limit: int) -> list[Taken]:
    """Take letters that are due, with the next time already set: a killed process only delays them."""
    rows = session.exec(
        select(StaffMessage)
        .where(StaffMessage.state == "pending", col(StaffMessage.next_try_at) <= now)
        .order_by(col(StaffMessage.next_try_at), col(StaffMessage.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.attempts += 1
        row.next_try_at = now + min(_FIRST_WAIT * 2 ** (row.attempts - 1), _LONGEST_WAIT)
        session.add(row)
    session.flush()
    return [Taken(row.id, row.school_id, row.user_id, row.event_id) for row in rows]


def store_answer(session: Session, message_id: UUID, problem: DeliveryProblem | None, now: datetime) -> None:
    """Write down what the mail server said; after twelve tries nobody tries again, and the page says so."""
    row = session.exec(select(StaffMessage).where(StaffMessage.id == message_id).with_for_update()).one()
    if problem is None:
        values: dict[str, object] = {"state": "accepted", "next_try_at": None, "accepted_at": now, "problem": ""}
    elif row.attempts >= MOST_TRIES:
        values = {"state": "failed", "next_try_at": None, "problem": problem.code}
    else:
        values = {"problem": problem.code}
    session.execute(update(StaffMessage).where(col(StaffMessage.id) == message_id).values(**values))


def news_of(session: Session, school_id: UUID, event_id: int, link: str) -> AccountNews:
    """Return what there is to tell of an event of an account."""
    event = session.exec(select(Event).where(Event.school_id == school_id, Event.id == event_id)).one()
    change = session.exec(
        select(AccountChange).where(AccountChange.school_id == school_id, AccountChange.id == event.subject_id)
    ).one()
    approval = approval_of(session, school_id, change.id)
    stopped = session.exec(
        select(AccountWithdrawal).where(
            AccountWithdrawal.school_id == school_id, AccountWithdrawal.change_id == change.id
        )
    ).one_or_none()
    school = session.get_one(School, school_id)
    old = session.get_one(BankAccount, change.replaces_id) if change.replaces_id else None
    return AccountNews(
        school=SchoolInWords(school.name, school.phone),
        what=_WHAT[event.kind],
        new=_told(change.bank_bin, change.number, change.holder),
        old=_told(old.bank_bin, old.number, old.holder) if old else None,
        reason=stopped.reason if stopped else change.reason,
        at=event.occurred_at,
        in_force_at=approval.in_force_at if approval else None,
        link=link,
    )


def _told(bank_bin: str, number: str, holder: str) -> AccountTold:
    bank = bank_by_bin(bank_bin)
    return AccountTold(bank.short_name if bank else bank_bin, number, holder)
