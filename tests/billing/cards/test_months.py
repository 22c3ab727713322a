"""Months to 31 December, as schools count them, and over any day and choice."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.cards.months import (
    Stretch,
    covered_from,
    doubled,
    first_day,
    later,
    months_left,
    stretches,
    under_six_end,
)

OCTOBER = date(2025, 10, 1)


@pytest.mark.parametrize(
    ("card_end", "enrolled", "months"),
    [
        (date(2025, 9, 30), date(2025, 9, 5), 3),  # the usual card: October to December
        (date(2025, 10, 15), date(2025, 9, 5), 3),  # from 16 October: the month begun is a month
        (None, date(2025, 9, 5), 4),  # no card at all: from the enrolment
        (date(2025, 12, 31), date(2025, 9, 5), 0),  # good until the year's end
        (date(2026, 3, 31), date(2025, 9, 5), 0),
        (date(2024, 12, 31), date(2024, 9, 5), 12),  # the whole year
    ],
)
def test_months_from_the_day_after_the_card_or_from_the_enrolment(
    card_end: date | None, enrolled: date, months: int
) -> None:
    assert months_left(2025, first_day(2025, card_end, enrolled)) == months


@pytest.mark.parametrize(
    ("born", "end"),
    [
        (date(2019, 3, 14), date(2025, 9, 30)),  # six in spring: until school has begun
        (date(2019, 9, 30), date(2025, 9, 30)),
        (date(2019, 11, 2), date(2025, 11, 30)),  # six after school began: until the month's end
        (date(2019, 12, 31), date(2025, 12, 31)),
        (date(2020, 2, 29), date(2026, 9, 30)),
    ],
)
def test_a_first_graders_free_card(born: date, end: date) -> None:
    assert under_six_end(born) == end


def test_a_family_that_buys_six_months_at_a_time() -> None:
    bought = stretches(2026, date(2026, 1, 1), 6, date(2025, 12, 1))
    assert bought == (
        Stretch(date(2026, 1, 1), 6, date(2025, 12, 1)),
        Stretch(date(2026, 7, 1), 6, date(2026, 6, 1)),
    )


def test_who_is_collected_late_is_collected_in_december_at_the_latest() -> None:
    bought = stretches(2025, date(2025, 4, 1), 3, date(2025, 10, 1))
    assert [each.collected_in for each in bought] == [date(2025, 10, 1), date(2025, 12, 1), date(2025, 12, 1)]


@given(
    st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    st.sampled_from([None, 3, 6, 12]),
    st.dates(date(2024, 8, 1), date(2025, 12, 31)),
)
def test_parts_follow_without_a_gap_to_the_end_of_the_year(start: date, at_a_time: int | None, collected: date) -> None:
    bought = stretches(2025, start, at_a_time, collected)
    months = [later(each.first, number) for each in bought for number in range(each.months)]
    first = max(start, date(2025, 1, 1)).replace(day=1)
    wanted = [] if start.year > 2025 else [date(2025, month, 1) for month in range(first.month, 13)]
    assert months == wanted
    assert sum(each.months for each in bought) == months_left(2025, start)
    assert all(collected.replace(day=1) <= each.collected_in <= date(2025, 12, 1) for each in bought)


@given(st.integers(1, 12), st.integers(1, 12), st.dates(date(2024, 6, 1), date(2026, 6, 30)))
def test_another_card_takes_off_exactly_the_months_that_it_covers_in_full(month: int, months: int, day: date) -> None:
    first = date(2025, month, 1)
    off = doubled(first, months, covered_from(day))
    covered = [each for number in range(months) if (each := later(first, number)) >= day]
    assert off == len(covered)


@given(st.dates(date(2000, 1, 1), date(2090, 12, 31)))
def test_a_small_childs_card_holds_on_the_last_day_before_six(born: date) -> None:
    end = under_six_end(born)
    assert (end + timedelta(days=1)).day == 1
    assert (end.year, end.month) >= (born.year + 6, born.month)
