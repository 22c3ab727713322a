"""Tests of what cannot be true of a movement, whoever tells it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.plausible import MOST, implausible

NOW = datetime(2025, 10, 6, 20, 0, tzinfo=UTC)  # the 7th in Viet Nam
TODAY = date(2025, 10, 7)


@given(st.integers(1, MOST.dong), st.integers(-730, 2))
def test_what_a_school_may_see_is_let_through(dong: int, days: int) -> None:
    assert implausible(Money(dong), TODAY + timedelta(days=days), NOW) is None


@given(st.integers(1, MOST.dong), st.one_of(st.dates(max_value=date(2023, 10, 7)), st.dates(date(2025, 10, 10))))
def test_any_other_day_is_named(dong: int, day: date) -> None:
    reason = implausible(Money(dong), day, NOW)
    assert reason is not None
    assert f"{day:%d/%m/%Y}" in reason


@given(st.integers(MOST.dong + 1, 10**18))
def test_any_larger_amount_is_named(dong: int) -> None:
    assert str(Money(dong)) in (implausible(Money(dong), TODAY, NOW) or "")


@pytest.mark.parametrize(
    ("day", "fits"),
    [
        (date(2025, 10, 9), True),
        (date(2025, 10, 10), False),
        (date(2023, 10, 8), True),
        (date(2023, 10, 7), False),
    ],
)
def test_the_edges(day: date, *, fits: bool) -> None:
    assert (implausible(Money(1), day, NOW) is None) is fits
