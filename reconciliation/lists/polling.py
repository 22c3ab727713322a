"""Asking providers' lists: what is due, which span, keeping a page, and writing down what came of it.

Due is what has no row: a feed that was not asked for five minutes; from 06:00 Vietnamese time on a feed whose yesterday
was not yet compared in full, and on Sundays the last seven days; days that a person asked for (``again``). So the
poller may run twice, or not at all for a day: the span begins 48 hours before what was last covered, and every movement
has one key. Only the regular asking moves what is covered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, exists, func, select

from billing.ledger.tables import BankAccount
from billing.vault import Vault
from reconciliation.feeds.opening import feed_by_id, list_reader, secrets_of
from reconciliation.inbox import store_message
from reconciliation.lists.base import LIST, VIETNAM, Ask, ListReader, Told, movements, whole_days
from reconciliation.lists.comparing import compare, unlisted
from reconciliation.lists.tables import Poll, PollRequest
from reconciliation.tables import Feed

EVERY = timedelta(minutes=5)
BACK = timedelta(hours=48)
LATE = timedelta(minutes=15)
"""Longer ago than this, what was covered is too old: three askings were missed or failed."""
_DAY = timedelta(days=1)
_MOST_REASON = 300

# Stripe's lists are asked for by ``reconciliation.cards.asking``.
_ASKED = "f.scheme = 'list' AND f.closed_at IS NULL AND f.provider <> 'stripe'"
_TODAY = "date_trunc('day', CAST(:now AS timestamptz), 'Asia/Ho_Chi_Minh')"
# Midnight of the Sunday that is today or was last.
_SUNDAY = (
    "((date_trunc('week', (CAST(:now AS timestamptz) AT TIME ZONE 'Asia/Ho_Chi_Minh') + interval '1 day')"
    " - interval '1 day') AT TIME ZONE 'Asia/Ho_Chi_Minh')"
)
_LAST_TRY = (
    "SELECT max(p.ended_at) FROM polls p"
    " WHERE p.school_id = f.school_id AND p.feed_id = f.id AND p.kind = '%s' AND p.ended_at <= :now"
)
_NEXT_TRY = f"({_LAST_TRY}) + interval '{EVERY.seconds} seconds'"


def _whole(kind: str, begins: str) -> str:
    """Return SQL for comparing whole days up to where a day ``begins``, from 06:00 of it on, until it is done."""
    return f"""
        SELECT f.id, f.school_id, '{kind}', CAST(NULL AS uuid),
               greatest({begins} + interval '6 hours', {_NEXT_TRY % kind})
        FROM feeds f WHERE {_ASKED} AND f.opened_at < {begins}
          AND NOT EXISTS (
              SELECT FROM polls p WHERE p.school_id = f.school_id AND p.feed_id = f.id AND p.kind = '{kind}'
                AND p.outcome = 'done' AND p.ended_at <= :now
                AND p.last >= {begins} - interval '1 second')"""  # noqa: S608  our own words


# The moment since when each asking is due. A failed one is tried again with the next turn, as soon as a good one; what
# a person asked for is given up after a day of trying.
DUE = f"""
    SELECT feed_id, school_id, kind, request_id, since FROM (
        SELECT f.id AS feed_id, f.school_id, 'window' AS kind, CAST(NULL AS uuid) AS request_id,
               coalesce({_NEXT_TRY % "window"}, f.opened_at) AS since
        FROM feeds f WHERE {_ASKED}
        UNION ALL {_whole("day", _TODAY)}
        UNION ALL {_whole("week", _SUNDAY)}
        UNION ALL
        SELECT f.id, f.school_id, 'span', r.id, greatest(r.asked_at, {_NEXT_TRY % "span"})
        FROM poll_requests r JOIN feeds f ON f.school_id = r.school_id AND f.id = r.feed_id
        WHERE {_ASKED} AND r.asked_at > CAST(:now AS timestamptz) - interval '1 day'
          AND NOT EXISTS (SELECT FROM polls p
                          WHERE p.school_id = r.school_id AND p.request_id = r.id AND p.outcome = 'done')
    ) AS asking WHERE since <= :now
"""  # noqa: S608  our own numbers


@dataclass(frozen=True, slots=True)
class Due:
    """One asking that is due: of which feed of which school, of a kind of ``Poll``, and at whose request if any."""

    feed_id: UUID
    school_id: UUID
    kind: str
    request_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """What the poller needs to ask one feed, read before it asks: no transaction stays open meanwhile."""

    due: Due
    reader: ListReader
    account: BankAccount
    token: str
    span: Ask
    known_odd: int


@dataclass(slots=True)
class Tally:
    """What was found so far in one asking; ``ids`` are the provider's, for the comparison of a day."""

    pages: int = 0
    listed: int = 0
    fresh: int = 0
    odd: int = 0
    ids: set[str] = field(default_factory=set)


def due_askings(session: Session, now: datetime, limit: int) -> list[Due]:
    """Return what is due over all schools in scope, the longest waiting first."""
    rows = session.execute(text(f"{DUE} ORDER BY since, feed_id LIMIT :limit"), {"now": now, "limit": limit})
    return [Due(feed_id, school_id, kind, request_id) for feed_id, school_id, kind, request_id, _ in rows]


def prepare(session: Session, vault: Vault, due: Due, now: datetime) -> Asking | None:
    """Read what an asking needs; None when it is no longer due, since somebody else has asked meanwhile."""
    still = session.execute(
        text(
            f"SELECT 1 FROM ({DUE}) AS due "  # noqa: S608  our own text
            "WHERE feed_id = :feed AND kind = :kind AND request_id IS NOT DISTINCT FROM CAST(:request AS uuid)"
        ),
        {"now": now, "feed": due.feed_id, "kind": due.kind, "request": due.request_id},
    ).first()
    if still is None:
        return None
    feed = feed_by_id(session, due.school_id, due.feed_id)
    account = session.exec(
        select(BankAccount).where(BankAccount.school_id == due.school_id, BankAccount.id == feed.bank_account_id)
    ).one()
    span = _span(session, feed, due, now)
    return Asking(due, list_reader(feed.provider), account, secrets_of(feed, vault)[0], span, _odd_before(session, due))


def keep_page(  # noqa: PLR0913, PLR0917  a page, where it belongs, and what was found so far
    session: Session, vault: Vault, asking: Asking, tally: Tally, body: bytes, told: Sequence[Told], now: datetime
) -> bool:
    """Put a page into the inbox if it tells something; return whether it did.

    A page that tells nothing we do not know is only counted: lists are asked every five minutes, and kept as they are
    they would fill the inbox with what it holds already. What is odd is kept once, not every five minutes.
    """
    found = compare(session, asking.account, told)
    tally.pages += 1
    tally.listed += found.listed
    tally.fresh += len(found.fresh)
    tally.odd += found.odd
    tally.ids |= {each.provider_id for each in movements(told)}
    if not found.fresh and (not found.odd or tally.odd <= asking.known_odd):
        return False
    feed = feed_by_id(session, asking.due.school_id, asking.due.feed_id)
    return store_message(session, vault, feed, body, now) is not None


def record_poll(  # noqa: PLR0913, PLR0917  one row with its facts
    session: Session, asking: Asking, tally: Tally, reason: str, began_at: datetime, now: datetime
) -> Poll:
    """Write down an asking that is over; it failed if there is a reason."""
    whole_days_ = asking.due.kind != "window" and not reason
    span = (asking.span.first, asking.span.last)
    poll = Poll(
        school_id=asking.due.school_id,
        feed_id=asking.due.feed_id,
        kind=asking.due.kind,
        request_id=asking.due.request_id,
        first=asking.span.first,
        last=min(asking.span.last, max(began_at, asking.span.first)),
        outcome="failed" if reason else "done",
        reason=reason[:_MOST_REASON],
        pages=tally.pages,
        listed=tally.listed,
        fresh=tally.fresh,
        odd=tally.odd,
        unlisted=unlisted(session, asking.account, asking.reader.provider, span, tally.ids) if whole_days_ else 0,
        began_at=began_at,
        ended_at=now,
    )
    session.add(poll)
    session.flush()
    return poll


def covered_to(session: Session, school_id: UUID, feed_id: UUID, kind: str, now: datetime) -> datetime | None:
    """Return to which moment a feed's list was covered when it was last asked with success.

    What a clock that ran ahead wrote down is left alone until the time is there: it says nothing of what was asked.
    """
    return session.exec(
        select(func.max(Poll.last)).where(
            Poll.school_id == school_id,
            Poll.feed_id == feed_id,
            Poll.kind == kind,
            Poll.outcome == "done",
            Poll.ended_at <= now,
        )
    ).one()


def late_feeds(session: Session, now: datetime) -> int:
    """Count the open lists over all schools in scope that were not read with success for a quarter of an hour.

    A list with an asking that ended in the future counts too: a clock ran ahead, and what it wrote has to be looked at.
    """
    covered = (
        select(func.max(Poll.last))
        .where(
            Poll.school_id == Feed.school_id,
            Poll.feed_id == Feed.id,
            Poll.kind == "window",
            Poll.outcome == "done",
            Poll.ended_at <= now,
        )
        .scalar_subquery()
    )
    ahead = exists().where(
        col(Poll.school_id) == col(Feed.school_id), col(Poll.feed_id) == col(Feed.id), col(Poll.ended_at) > now
    )
    is_late = (func.coalesce(covered, Feed.opened_at) < now - LATE) | ahead
    return session.exec(
        select(func.count()).select_from(Feed).where(Feed.scheme == LIST, col(Feed.closed_at).is_(None), is_late)
    ).one()


def _span(session: Session, feed: Feed, due: Due, now: datetime) -> Ask:
    """Return the span that an asking is about, in whole days."""
    if due.request_id is not None:
        asked = session.get_one(PollRequest, due.request_id)
        first, last = (datetime.combine(day, time(), UTC) - VIETNAM for day in (asked.first_day, asked.last_day))
        return whole_days(first, last)
    if due.kind == "window":
        covered = covered_to(session, feed.school_id, feed.id, "window", now) or feed.opened_at
        return whole_days(covered - BACK, now)
    # Back to yesterday; of a week to Saturday, from whichever day on it is that the week is compared.
    back = 1 if due.kind == "day" else (now + VIETNAM).isoweekday() % 7 + 1
    return _whole_days(session, feed, due.kind, now, back)


def _whole_days(session: Session, feed: Feed, kind: str, now: datetime, back: int) -> Ask:
    """Return the days up to ``back`` days ago that nobody compared so, a month at most; of a week all seven."""
    last = whole_days(now - back * _DAY, now - back * _DAY)
    covered = covered_to(session, feed.school_id, feed.id, kind, now) or feed.opened_at
    least = last.first - (6 * _DAY if kind == "week" else timedelta())
    return whole_days(min(max(covered + timedelta(seconds=1), last.first - 30 * _DAY), least), last.last)


def _odd_before(session: Session, due: Due) -> int:
    """Return how many odd rows the last good asking of this kind had."""
    query: Any = (
        select(Poll.odd)
        .where(Poll.school_id == due.school_id, Poll.feed_id == due.feed_id)
        .where(Poll.kind == due.kind, Poll.outcome == "done")
        .order_by(col(Poll.id).desc())
        .limit(1)
    )
    return int(session.exec(query).first() or 0)
