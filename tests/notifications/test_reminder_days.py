"""The days of reminders: as the school set them, within bounds, and never about another day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from notifications.reminder_days import EARLIEST, LATEST, MOST, check_days, day_meant

DAYS = st.dates(date(2025, 8, 1), date(2026, 8, 31))


@given(st.lists(st.integers(-20, 60), max_size=8))
def test_days_are_few_different_and_within_bounds_or_refused(days: list[int]) -> None:
    sound = len(days) == len(set(days)) <= MOST and all(EARLIEST <= day <= LATEST for day in days)
    if sound:
        assert check_days(days) == tuple(sorted(days))
        return
    with pytest.raises(Refused):
        check_days(days)


@given(st.lists(DAYS, max_size=4), DAYS, st.sets(st.integers(EARLIEST, LATEST), max_size=MOST))
def test_a_family_is_reminded_just_so_many_days_from_a_due_day(due: list[date], today: date, days: set[int]) -> None:
    meant = day_meant(due, today, days)
    fitting = [day for day in due if any(day + timedelta(days=each) == today for each in days)]
    assert meant == (max(fitting) if fitting else None)
