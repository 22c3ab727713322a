"""Asking to compare days of a provider's list again: what it lists late is found without waiting for a statement."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, exists, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.choices.offering import person_of
from billing.errors import Conflict, NotFound, Refused
from reconciliation.lists.base import LIST, VIETNAM
from reconciliation.lists.providers import LISTS
from reconciliation.lists.tables import Poll, PollRequest
from reconciliation.tables import Feed

MOST_DAYS = 31
_DAY = timedelta(days=1)


def ask_span(  # noqa: PLR0913, PLR0917  an act of a person with its facts
    session: Session, actor: Actor, school_id: UUID, feed_id: UUID, days: tuple[date, date], now: datetime
) -> PollRequest:
    """Ask to compare whole days of a list with the book, a month at most and none to come.

    What a provider lists late is found so; the regular asking goes on as before. Raises ``NotFound``, ``Refused``, and
    ``Conflict`` while another request waits.
    """
    first, last = days
    feed = session.exec(
        select(Feed).where(
            Feed.school_id == school_id,
            Feed.id == feed_id,
            Feed.scheme == LIST,
            col(Feed.closed_at).is_(None),
            col(Feed.provider).in_(LISTS),
        )
    ).one_or_none()
    if feed is None:
        raise NotFound("Không có kênh danh sách này đang mở.")
    if not first <= last <= (now + VIETNAM).date() or (last - first).days >= MOST_DAYS:
        raise Refused(f"Chọn từ ngày đến ngày đã qua, nhiều nhất {MOST_DAYS} ngày một lần.")
    if waiting_span(session, school_id, feed_id, now) is not None:
        raise Conflict("Kênh này đang có một lần so lại chờ chạy. Xin đợi vài phút.")
    asked = PollRequest(
        school_id=school_id, feed_id=feed_id, first_day=first, last_day=last, asked_by=person_of(actor), asked_at=now
    )
    session.add(asked)
    session.flush()
    record_deed(session, actor, Deed(school_id, "feed.compare", "feed", str(feed_id), f"{first} – {last}"), now)
    return asked


def waiting_span(session: Session, school_id: UUID, feed_id: UUID, now: datetime) -> PollRequest | None:
    """Return what a person asked to compare and is not done, nor given up after a day."""
    done = exists().where(col(Poll.request_id) == col(PollRequest.id), col(Poll.outcome) == "done")
    return session.exec(
        select(PollRequest)
        .where(
            PollRequest.school_id == school_id, PollRequest.feed_id == feed_id, PollRequest.asked_at > now - _DAY, ~done
        )
        .limit(1)
    ).first()
