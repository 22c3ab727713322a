"""Quiet hours, at their edges and everywhere between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.quiet import SCHOOL_TIME, allowed_from, is_just_paid, next_morning

moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  naive bounds are asked for


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SCHOOL_TIME)


@pytest.mark.parametrize(
    ("now", "allowed"),
    [
        ("2025-09-08T07:00:00", "2025-09-08T07:00:00"),
        ("2025-09-08T20:59:59.999999", "2025-09-08T20:59:59.999999"),
        ("2025-09-08T21:00:00", "2025-09-09T07:00:00"),
        ("2025-12-31T23:59:59", "2026-01-01T07:00:00"),
        ("2025-09-08T00:00:00", "2025-09-08T07:00:00"),
        ("2025-09-08T06:59:59", "2025-09-08T07:00:00"),
    ],
)
def test_edges(now: str, allowed: str) -> None:
    assert allowed_from(local(now)) == local(allowed)


@given(moments)
def test_always_in_the_day_never_earlier_never_long(now: datetime) -> None:
    allowed = allowed_from(now)
    assert allowed.tzinfo is UTC
    assert 7 <= allowed.astimezone(SCHOOL_TIME).hour < 21
    assert timedelta(0) <= allowed - now <= timedelta(hours=10)
    assert allowed_from(allowed) == allowed


@given(moments)
def test_next_morning_is_tomorrow_at_seven(now: datetime) -> None:
    morning = next_morning(now).astimezone(SCHOOL_TIME)
    assert morning.date() - now.astimezone(SCHOOL_TIME).date() == timedelta(days=1)
    assert (morning.hour, morning.minute) == (7, 0)


def test_just_paid_is_half_an_hour_and_never_a_guess() -> None:
    now = local("2025-09-08T22:30:00")
    assert is_just_paid(now - timedelta(minutes=30), now)
    assert not is_just_paid(now - timedelta(minutes=31), now)
    assert is_just_paid(now + timedelta(minutes=2), now)  # the bank's clock goes ahead of ours
    assert not is_just_paid(None, now)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        allowed_from(datetime(2025, 9, 8, 12))  # noqa: DTZ001  that is the point
