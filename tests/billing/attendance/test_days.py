"""The cut-off hour, months, and days on which nobody can be absent."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.attendance.days import (
    MOST_DAYS_AHEAD,
    day_of,
    days_there,
    first_of,
    is_in_time,
    last_of,
    local_day,
    month_from,
    refuse_day,
)
from billing.errors import Refused

DAY = date(2025, 10, 6)
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def test_the_kitchen_is_told_in_time_until_the_minute_before() -> None:
    assert is_in_time(DAY, datetime(2025, 10, 6, 0, 59, 59, tzinfo=UTC), time(8))
    assert not is_in_time(DAY, datetime(2025, 10, 6, 1, 0, tzinfo=UTC), time(8))
    assert is_in_time(DAY, datetime(2025, 10, 5, 16, 0, tzinfo=UTC), time(8))  # the evening before


def test_the_school_day_begins_at_midnight_in_viet_nam() -> None:
    assert local_day(datetime(2025, 10, 5, 17, 0, tzinfo=UTC)) == DAY
    assert local_day(datetime(2025, 10, 5, 16, 59, tzinfo=UTC)) == DAY - timedelta(days=1)


@given(DAYS)
def test_a_month_is_all_its_days_and_no_other(day: date) -> None:
    month = first_of(day)
    assert month <= day <= last_of(month)
    assert first_of(last_of(month) + timedelta(days=1)) != month
    assert month_from(f"{month:%Y-%m}") == month
    assert day_of(month, day.day) == day


@pytest.mark.parametrize("number", [0, -1, 32, 31])
def test_no_month_has_a_day_too_many(number: int) -> None:
    with pytest.raises(Refused, match="không có ngày"):
        day_of(date(2025, 11, 1), number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10/2025",
        "2025-13",
        "2025-00",
        "0000-10",
        "1999-12",
        "2101-01",
        "9999-12",
        "2025-1",
        "2025-10-1",
        "2025-10-01",
    ],
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="không phải là tháng"):
        month_from(text)


def test_days_off_and_days_far_ahead_take_no_absence() -> None:
    with pytest.raises(Refused, match="toàn trường nghỉ"):
        refuse_day(DAY, DAY, {DAY})
    with pytest.raises(Refused, match="còn quá xa"):
        refuse_day(DAY + timedelta(days=MOST_DAYS_AHEAD + 1), DAY, ())
    refuse_day(DAY + timedelta(days=MOST_DAYS_AHEAD), DAY, ())


@given(DAYS, st.none() | DAYS, DAYS)
def test_days_there_are_the_common_ones(start: date, end: date | None, day: date) -> None:
    month = first_of(day)
    common = [
        each
        for each in (month + timedelta(days=number) for number in range(last_of(month).day))
        if start <= each and (end is None or each <= end)
    ]
    there = days_there(start, end, month)
    assert there == ((common[0], common[-1]) if common else None)
