"""Quiet hours (pure): no phone rings from 21:00 to 07:00, except for a receipt of money just paid."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SCHOOL_TIME = ZoneInfo("Asia/Ho_Chi_Minh")
QUIET_FROM = time(21)
QUIET_UNTIL = time(7)
JUST_PAID = timedelta(minutes=30)


def allowed_from(now: datetime) -> datetime:
    """Return ``now`` outside quiet hours, else the coming 07:00; in UTC. Refuses a time without zone."""
    if now.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    local = now.astimezone(SCHOOL_TIME)
    if QUIET_UNTIL <= local.time() < QUIET_FROM:
        return now.astimezone(UTC)
    return _at_seven(local.date() if local.time() < QUIET_UNTIL else local.date() + timedelta(days=1))


def next_morning(now: datetime) -> datetime:
    """Return 07:00 of tomorrow in Vietnam, for what waits for a new day's quota; in UTC."""
    return _at_seven(now.astimezone(SCHOOL_TIME).date() + timedelta(days=1))


def is_just_paid(paid_at: datetime | None, now: datetime) -> bool:
    """Say whether the payer still has the phone in hand: paid within the last 30 minutes.

    A payment of which only the day is known (``None``; a statement, the counter) is never "just paid".
    """
    return paid_at is not None and abs(now - paid_at) <= JUST_PAID


def _at_seven(day: date) -> datetime:
    return datetime.combine(day, QUIET_UNTIL, SCHOOL_TIME).astimezone(UTC)
