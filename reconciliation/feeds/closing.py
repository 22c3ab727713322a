"""Closing the feeds of a replaced account a year after: late money was heard of until then."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, func, select

from billing.audit.recording import SYSTEM, Deed, record_deed
from billing.ledger.account_tables import AccountOpening
from billing.ledger.tables import BankAccount
from reconciliation.feeds.base import STATEMENT
from reconciliation.tables import Feed


def close_feeds_of_replaced(session: Session, school_id: UUID, today: date, now: datetime) -> list[Feed]:
    """Close the open feeds of accounts whose last day is over; safe to do twice.

    An account that is in use again keeps them; one that was left again keeps them for a year from the last time.
    Statements can still be read in by hand: a file that a bank prints later is evidence all the same.
    """
    last_day = (
        select(func.max(AccountOpening.keeps_until))
        .where(AccountOpening.school_id == school_id, col(AccountOpening.replaces_id) == col(Feed.bank_account_id))
        .scalar_subquery()
    )
    feeds = session.exec(
        select(Feed)
        .join(BankAccount, col(BankAccount.id) == col(Feed.bank_account_id))
        .where(
            Feed.school_id == school_id,
            col(BankAccount.closed_on).is_not(None),
            last_day < today,
            col(Feed.closed_at).is_(None),
            Feed.provider != STATEMENT,
        )
    ).all()
    for feed in feeds:
        feed.closed_at = now
        session.add(feed)
        deed = Deed(school_id, "feed.close", "feed", str(feed.id), "Tài khoản đã được thay hơn 12 tháng")
        record_deed(session, SYSTEM, deed, now, provider=feed.provider, scheme=feed.scheme)
    session.flush()
    return list(feeds)
