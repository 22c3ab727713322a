"""Closing the feeds of a replaced account a year after: late money was heard of until then."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import SYSTEM, Deed, record_deed
from billing.ledger.account_tables import AccountOpening
from reconciliation.feeds.base import STATEMENT
from reconciliation.tables import Feed


def close_feeds_of_replaced(session: Session, school_id: UUID, today: date, now: datetime) -> list[Feed]:
    """Close the open feeds of accounts whose last day is over; safe to do twice.

    Statements can still be read in by hand: a file that a bank prints later is evidence all the same.
    """
    feeds = session.exec(
        select(Feed)
        .join(AccountOpening, col(AccountOpening.replaces_id) == col(Feed.bank_account_id))
        .where(
            Feed.school_id == school_id,
            AccountOpening.school_id == school_id,
            col(AccountOpening.keeps_until) < today,
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
