"""Tests of moments as providers write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.errors import CallbackUnreadable
from reconciliation.feeds.moments import (
    DAY_FIRST,
    PACKED,
    SPACED,
    TO_THE_MINUTE,
    ZONED,
    Form,
    moment,
    moment_of_milliseconds,
)

_PLAUSIBLE = st.datetimes(datetime(2000, 1, 2), datetime(2100, 12, 30))  # noqa: DTZ001  the bank's own time, without a zone


@pytest.mark.parametrize("form", [SPACED, PACKED, DAY_FIRST, TO_THE_MINUTE])
@given(at=_PLAUSIBLE)
def test_the_banks_time_is_seven_hours_ahead(form: Form, at: datetime) -> None:
    written = at.strftime(form.layout)
    at = at.replace(microsecond=0, second=0 if form is TO_THE_MINUTE else at.second)

    assert moment({"t": written}, "t", form) == at.replace(tzinfo=UTC) - timedelta(hours=7)


@pytest.mark.parametrize("written", ["2025-12-12T09:00:00+07:00", "2025-12-12T02:00:00Z", "2025-12-11T21:00:00-05:00"])
def test_a_zone_that_is_written_holds(written: str) -> None:
    assert moment({"t": written}, "t", SPACED, ZONED) == datetime(2025, 12, 12, 2, tzinfo=UTC)


@pytest.mark.parametrize("written", [None, "", "x", "2025-1-02 03:04:05", "٢٠٢٥-01-02 03:04:05"])
def test_another_look_is_refused_with_the_looks_that_are_read(written: str | None) -> None:
    with pytest.raises(CallbackUnreadable, match="YYYY-MM-DD HH:MM:SS hoặc YYYYMMDDHHMMSS"):
        moment({"t": written}, "t", SPACED, PACKED)


@pytest.mark.parametrize(
    "written", ["2025-02-29 00:00:00", "2025-01-01 24:00:00", "1999-12-31 23:59:59", "2101-01-01 00:00:00"]
)
def test_a_moment_that_never_was_or_of_no_plausible_year_is_refused(written: str) -> None:
    with pytest.raises(CallbackUnreadable, match="t:"):
        moment({"t": written}, "t", SPACED)


@given(st.integers() | st.floats() | st.booleans() | st.text(max_size=20))
def test_milliseconds_are_read_or_refused(value: object) -> None:
    try:
        found = moment_of_milliseconds({"t": value}, "t")
    except CallbackUnreadable:
        return
    assert type(value) is int
    assert found == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value // 1000)


def test_a_published_moment_in_milliseconds() -> None:
    assert moment_of_milliseconds({"t": 1757342061000}, "t") == datetime(2025, 9, 8, 14, 34, 21, tzinfo=UTC)
