"""The page of bank feeds from rows of one school."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, func, select

from billing.ledger.tables import BankAccount
from billing.money import total
from reconciliation.feeds.base import STATEMENT
from reconciliation.lists.again import waiting_span
from reconciliation.lists.base import LIST, VIETNAM
from reconciliation.lists.polling import LATE, covered_to
from reconciliation.lists.tables import FeedRefusal, Poll, TransferRelease, TransferReleaseDecision
from reconciliation.releasing import PUT_ASIDE
from reconciliation.tables import Feed, InboxMessage, Transfer
from service.access.tables import User
from service.pages.feed_views import Asked, Compared, FeedPage, FeedRow, HeldRow
from service.watching import ADDRESS, SIGNATURE

_COUNTED = timedelta(days=7)
_MOST_HELD = 200


def feed_page(session: Session, school_id: UUID, user_id: UUID, now: datetime) -> FeedPage:
    """Return the open feeds with their freshness, and what is held."""
    rows = session.exec(
        select(Feed, BankAccount)
        .join(BankAccount, col(BankAccount.id) == col(Feed.bank_account_id))
        .where(Feed.school_id == school_id, col(Feed.closed_at).is_(None))
        .order_by(col(BankAccount.number), col(Feed.provider), col(Feed.opened_at))
    ).all()
    heard, refused = _heard(session, [feed.id for feed, _ in rows]), _refused(session, school_id, now)
    held = _held(session, school_id, user_id)
    return FeedPage(
        tuple(_row(session, feed, account, heard, refused, now) for feed, account in rows),
        held[:_MOST_HELD],
        sum(not each.booked for each in held),
        total(each.amount for each in held if each.incoming),
        total(each.amount for each in held if not (each.incoming or each.booked)),
    )


def _row(  # noqa: PLR0913, PLR0917  a feed and what is known of it
    session: Session,
    feed: Feed,
    account: BankAccount,
    heard: dict[UUID, datetime],
    refused: dict[tuple[UUID, str], int],
    now: datetime,
) -> FeedRow:
    listed = feed.scheme == LIST
    covered = covered_to(session, feed.school_id, feed.id, "window", now) if listed else None
    again = waiting_span(session, feed.school_id, feed.id, now) if listed else None
    return FeedRow(
        kind=LIST if listed else "file" if feed.provider == STATEMENT else "callback",
        provider=feed.provider,
        scheme=feed.scheme,
        account=f"…{account.number[-4:]}",
        hold_above=feed.hold_above,
        networks=tuple(feed.allowed_from),
        heard_at=heard.get(feed.id),
        covered_to=covered,
        late=listed and now - (covered or feed.opened_at) > LATE,
        trouble=_trouble(session, feed) if listed else "",
        compared=_compared(session, feed) if listed else None,
        refused=(refused.get((feed.id, ADDRESS), 0), refused.get((feed.id, SIGNATURE), 0)),
        feed_id=str(feed.id),
        again=(again.first_day, again.last_day) if again else None,
    )


def _heard(session: Session, feeds: list[UUID]) -> dict[UUID, datetime]:
    query = (
        select(InboxMessage.feed_id, func.max(InboxMessage.received_at))
        .where(col(InboxMessage.feed_id).in_(feeds))
        .group_by(col(InboxMessage.feed_id))
    )
    return dict(session.exec(query).all())


def _refused(session: Session, school_id: UUID, now: datetime) -> dict[tuple[UUID, str], int]:
    query = (
        select(FeedRefusal.feed_id, FeedRefusal.reason, func.sum(FeedRefusal.count))
        .where(FeedRefusal.school_id == school_id, FeedRefusal.day > (now + VIETNAM - _COUNTED).date())
        .group_by(col(FeedRefusal.feed_id), col(FeedRefusal.reason))
    )
    return {(feed_id, reason): int(count) for feed_id, reason, count in session.exec(query).all()}


def _trouble(session: Session, feed: Feed) -> str:
    """Return why the last asking failed, empty if it did not."""
    query = select(Poll.reason).where(Poll.school_id == feed.school_id, Poll.feed_id == feed.id)
    return session.exec(query.order_by(col(Poll.id).desc()).limit(1)).first() or ""


def _compared(session: Session, feed: Feed) -> Compared | None:
    """Return the last comparison of whole days."""
    poll = session.exec(
        select(Poll)
        .where(Poll.school_id == feed.school_id, Poll.feed_id == feed.id, Poll.kind != "window", Poll.outcome == "done")
        .order_by(col(Poll.id).desc())
        .limit(1)
    ).first()
    if poll is None:
        return None
    first, last = (poll.first + VIETNAM).date(), (poll.last + VIETNAM).date()
    return Compared(first, last, poll.listed, poll.fresh, poll.odd, poll.unlisted)


def _held(session: Session, school_id: UUID, user_id: UUID) -> tuple[HeldRow, ...]:
    asked = _asked(session, school_id, user_id)
    rows = session.exec(
        select(Transfer, BankAccount)
        .join(BankAccount, col(BankAccount.id) == col(Transfer.bank_account_id))
        .where(
            Transfer.school_id == school_id,
            (col(Transfer.state) == "held") | col(Transfer.id).in_(asked),
        )
        .order_by(col(Transfer.recorded_at), col(Transfer.id))
    ).all()
    return tuple(
        HeldRow(
            str(transfer.id),
            transfer.direction == "in",
            transfer.state != "held",
            transfer.amount,
            transfer.value_date,
            transfer.memo,
            f"…{account.number[-4:]}",
            transfer.provider,
            transfer.bank_reference or "",
            transfer.recorded_at,
            asked.get(transfer.id),
        )
        for transfer, account in rows
    )


def _asked(session: Session, school_id: UUID, user_id: UUID) -> dict[UUID, Asked]:
    """Return by transfer what was asked for and not decided."""
    decided = select(TransferReleaseDecision.release_id).where(TransferReleaseDecision.release_id == TransferRelease.id)
    rows = session.exec(
        select(TransferRelease, User.full_name)
        .join(User, col(User.id) == col(TransferRelease.made_by))
        .where(TransferRelease.school_id == school_id, ~decided.exists())
    ).all()
    return {
        row.transfer_id: Asked(
            str(row.id), row.wanted == PUT_ASIDE, maker, row.made_at, row.reason, row.made_by == user_id
        )
        for row, maker in rows
    }
