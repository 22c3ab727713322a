"""School years, days one year on, and the class after a class."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.newyear.years import (
    a_year_on,
    class_after,
    days_of,
    first_school_day,
    read_year,
    year_after,
    year_before,
)


def test_years_follow_each_other() -> None:
    assert (year_before("2026-2027"), year_after("2026-2027")) == ("2025-2026", "2027-2028")
    assert days_of("2026-2027").start == date(2026, 8, 1)
    assert days_of("2026-2027").end == date(2027, 7, 31)
    assert first_school_day("2026-2027") == date(2026, 9, 1)
    for wrong in ("2026", "2026-2028", "2026/2027", ""):
        with pytest.raises(Refused, match="không phải năm học"):
            read_year(wrong)


@given(day=st.dates(date(2020, 1, 1), date(2060, 12, 31)))
def test_a_year_on_keeps_the_month_and_its_ends(day: date) -> None:
    later = a_year_on(day)
    assert (later.year, later.month) == (day.year + 1, day.month)
    assert (day.day == 1) == (later.day == 1)
    ends = {date(2024, 2, 29): date(2025, 2, 28), date(2027, 2, 28): date(2028, 2, 29)}
    assert {each: a_year_on(each) for each in ends} == ends


def test_the_class_after_a_class() -> None:
    assert (class_after("1A", 1), class_after("9/2", 9), class_after("10A1", 10)) == ("2A", "10/2", "11A1")
    assert (class_after("Lá 1", 5), class_after("A1", 1), class_after("2A", 1)) == (None, None, None)
