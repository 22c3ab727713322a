"""Tests of the one rule for what comes late: it stands on the first open day and keeps its own."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from billing.ledger.periods import Dated, closed_at, dated
from billing.ledger.tables import ClosedPeriod
from billing.storage import new_id

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 12, 31))


@given(day=DAYS, opens=st.none() | DAYS)
def test_never_before_the_first_open_day_and_nothing_is_lost(day: date, opens: date | None) -> None:
    found = dated(day, opens)
    assert found.value_date == (day if opens is None else max(day, opens))
    assert (found.true_day or found.value_date) == day
    assert dated(found.value_date, opens) == Dated(found.value_date), "an open day stays"


def test_a_closed_month_closes_the_days_before_it() -> None:
    moments = [datetime(2025, month, 3, tzinfo=UTC) for month in (9, 11)]
    closings = [
        ClosedPeriod(school_id=new_id(), month=date(2025, month, 1), closed_by=new_id(), closed_at=at)
        for month, at in zip((8, 10), moments, strict=True)
    ]
    asked = [date(2025, 7, 31), date(2025, 8, 31), date(2025, 9, 1), date(2025, 10, 31), date(2025, 11, 1)]
    assert [closed_at(closings, day) for day in asked] == [moments[0], moments[0], moments[1], moments[1], None]
