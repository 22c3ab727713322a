"""What went astray in a school, from rows: messages of the bank or Stripe unread, ours that may not have arrived."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from billing.ledger.tables import BankAccount
from billing.people.tables import Contact, Guardian, Pupil
from notifications.tables import Message
from reconciliation.feeds.stripe import PROVIDER as STRIPE
from reconciliation.tables import Feed, InboxMessage, InboxResult, InboxSeen
from service.access.tables import User
from service.pages.trouble_views import SeenMessage, TroublePage, UnreadMessage, UnsureMessage

SHOWN = 200
_UNREAD_AFTER = timedelta(minutes=1)
_UNSURE_FOR = timedelta(days=60)  # later nobody asks any more whether a message of then arrived
_SEEN_FOR = timedelta(days=60)
_CHANNELS = {"zalo": "Zalo", "sms": "tin nhắn SMS", "email": "e-mail"}
_WHAT = {
    "bill_issued": "Thông báo thu",
    "bill_replaced": "Thông báo thu thay cho thông báo cũ",
    "bill_voided": "Thu hồi thông báo thu",
    "bill_credited": "Giảm thông báo thu",
    "credit_used": "Trừ tiền tồn",
    "payment_received": "Biên lai",
    "payment_taken_back": "Tiền nộp bị thu hồi hoặc hoàn về thẻ",
    "card_unpaid": "Lần trả thẻ chưa thành",
}


def trouble_page(session: Session, school_id: UUID, now: datetime) -> TroublePage:
    """Return the lists of one school."""
    return TroublePage(
        tuple(_unread_rows(session, school_id, now)),
        unread(session, school_id, now),
        tuple(_unsure_rows(session, school_id, now)),
        unsure(session, school_id, now),
        tuple(_unread_rows(session, school_id, now, cards=True)),
        unread(session, school_id, now, cards=True),
        tuple(_seen_rows(session, school_id, now)),
    )


def unread(session: Session, school_id: UUID, now: datetime, *, cards: bool = False) -> int:
    """Count the bank's messages, or Stripe's, that were put aside, or that nobody has read for a minute."""
    return session.exec(
        select(func.count())
        .select_from(InboxMessage)
        .join(Feed, col(Feed.id) == col(InboxMessage.feed_id))
        .outerjoin(InboxResult, col(InboxResult.inbox_id) == col(InboxMessage.id))
        .where(_is_unread(school_id, now, cards=cards))
    ).one()


def unsure(session: Session, school_id: UUID, now: datetime) -> int:
    """Count the messages of unknown fate whose family was told in no other way either."""
    return session.exec(
        select(func.count()).select_from(Message).where(_is_unsure(school_id, now), ~_told_otherwise())
    ).one()


def _is_unread(school_id: UUID, now: datetime, *, cards: bool) -> ColumnElement[bool]:
    outcome = col(InboxResult.outcome)
    forgotten = outcome.is_(None) & (col(InboxMessage.received_at) < now - _UNREAD_AFTER)
    whose = col(Feed.provider) == STRIPE if cards else col(Feed.provider) != STRIPE
    seen = select(InboxSeen.inbox_id).where(col(InboxSeen.inbox_id) == col(InboxMessage.id)).exists()
    return and_(col(Feed.school_id) == school_id, whose, ((outcome == "quarantined") & ~seen) | forgotten)


def _is_unsure(school_id: UUID, now: datetime) -> ColumnElement[bool]:
    return and_(
        col(Message.school_id) == school_id,
        col(Message.state) == "unknown",
        col(Message.made_at) > now - _UNSURE_FOR,
    )


def _told_otherwise() -> ColumnElement[bool]:
    other = aliased(Message)
    return (
        select(other.id)
        .where(
            col(other.school_id) == Message.school_id,
            col(other.event_id) == Message.event_id,
            col(other.guardian_id) == Message.guardian_id,
            col(other.state) == "accepted",
        )
        .exists()
    )


def _unread_rows(session: Session, school_id: UUID, now: datetime, *, cards: bool = False) -> list[UnreadMessage]:
    rows = session.exec(
        select(InboxMessage.received_at, BankAccount.number, InboxResult.reason, InboxResult.inbox_id)
        .join(Feed, col(Feed.id) == col(InboxMessage.feed_id))
        .join(BankAccount, col(BankAccount.id) == col(Feed.bank_account_id))
        .outerjoin(InboxResult, col(InboxResult.inbox_id) == col(InboxMessage.id))
        .where(_is_unread(school_id, now, cards=cards))
        .order_by(col(InboxMessage.id).desc())
        .limit(SHOWN)
    ).all()
    return [UnreadMessage(at, account, reason or "", aside) for at, account, reason, aside in rows]


def _seen_rows(session: Session, school_id: UUID, now: datetime) -> list[SeenMessage]:
    """Return what was marked as seen of late, the newest first."""
    rows = session.exec(
        select(InboxSeen, InboxMessage.received_at, BankAccount.number, User.full_name)
        .join(InboxMessage, col(InboxMessage.id) == col(InboxSeen.inbox_id))
        .join(Feed, col(Feed.id) == col(InboxMessage.feed_id))
        .join(BankAccount, col(BankAccount.id) == col(Feed.bank_account_id))
        .join(User, col(User.id) == col(InboxSeen.seen_by))
        .where(InboxSeen.school_id == school_id, col(InboxSeen.at) > now - _SEEN_FOR)
        .order_by(col(InboxSeen.at).desc(), col(InboxSeen.inbox_id))
        .limit(SHOWN)
    ).all()
    reasons = dict(
        session.exec(
            select(InboxResult.inbox_id, InboxResult.reason).where(
                col(InboxResult.inbox_id).in_([seen.inbox_id for seen, *_ in rows])
            )
        ).all()
    )
    return [
        SeenMessage(at, account, reasons[seen.inbox_id], seen.at, who, seen.reason) for seen, at, account, who in rows
    ]


def _unsure_rows(session: Session, school_id: UUID, now: datetime) -> list[UnsureMessage]:
    """Return the newest; those that nobody was told of otherwise stand first."""
    told = _told_otherwise().label("told")
    rows = session.exec(
        select(Message, Pupil.full_name, Guardian.full_name, told)
        .join(Pupil, col(Pupil.id) == col(Message.pupil_id))
        .join(Guardian, col(Guardian.id) == col(Message.guardian_id))
        .where(_is_unsure(school_id, now))
        .order_by(told, col(Message.made_at).desc(), col(Message.id))
        .limit(SHOWN)
    ).all()
    messages = [message for message, *_ in rows]
    contacts = _contacts(session, {message.guardian_id for message in messages})
    others = _accepted(session, school_id, messages)
    return [
        UnsureMessage(
            message.made_at,
            pupil,
            guardian,
            contacts.get((message.guardian_id, "email" if message.channel == "email" else "phone"), ""),
            _CHANNELS[message.channel],
            _WHAT.get(message.kind, message.kind),
            ", ".join(others.get((message.event_id, message.guardian_id), ())),
        )
        for message, pupil, guardian, _ in rows
    ]


def _contacts(session: Session, guardians: Collection[UUID]) -> dict[tuple[UUID, str], str]:
    """Return the masked contact of each guardian and kind, the first one entered."""
    rows = session.exec(
        select(Contact.guardian_id, Contact.kind, Contact.masked)
        .where(col(Contact.guardian_id).in_(guardians), col(Contact.valid_to).is_(None))
        .order_by(col(Contact.id).desc())
    ).all()
    return {(guardian, kind): shown for guardian, kind, shown in rows}


def _accepted(session: Session, school_id: UUID, messages: Sequence[Message]) -> dict[tuple[int, UUID], list[str]]:
    rows = session.exec(
        select(Message.event_id, Message.guardian_id, Message.channel).where(
            Message.school_id == school_id,
            col(Message.event_id).in_({message.event_id for message in messages}),
            Message.state == "accepted",
        )
    ).all()
    found: dict[tuple[int, UUID], list[str]] = defaultdict(list)
    for event_id, guardian_id, channel in rows:
        found[event_id, guardian_id].append(_CHANNELS[channel])
    return found
