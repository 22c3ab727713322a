"""Tests of what people type into forms."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import Refused
from billing.money import Money
from service.pages.typed import (
    read_day,
    read_grades,
    read_id,
    read_money,
    read_percent,
    read_words,
    school_day,
)


@given(st.integers(0, 999_999_999_999), st.sampled_from(["", " đ", "đ", " đồng", " VND", "₫"]))
def test_what_money_prints_is_read_back(dong: int, tail: str) -> None:
    assert read_money(str(dong) + tail) == Money(dong)
    assert read_money(str(Money(dong))) == Money(dong)
    assert read_money(f"{dong:,}".replace(",", " ") + tail) == Money(dong)


@pytest.mark.parametrize(
    "text", ["", "  ", "-5", "1,5", "1.25", "12.34.567", "1.000,000", "1e6", "ba trăm", "９", "1.0000", "1" * 13]
)
def test_what_is_no_sum_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_money(text)


@given(st.text(max_size=12))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (read_money, read_percent, read_grades, read_day, read_id):
        with suppress(Refused):
            read(text)


def test_percentages_days_grades_and_classes() -> None:
    assert (read_percent(""), read_percent(" 50 % "), read_percent("100")) == (None, 50, 100)
    assert (read_day(""), read_day("2025-10-06")) == (None, date(2025, 10, 6))
    assert read_grades("6, 7;8") == {6, 7, 8}
    assert read_grades("-3,-1 0 05") == {-3, -1, 0, 5}
    assert read_words("1A, 1B\nLá 2") == {"1A", "1B", "Lá 2"}
    assert read_id(str(UUID(int=5))) == UUID(int=5)
    for read, text in (
        (read_percent, "0"),
        (read_percent, "101"),
        (read_grades, "13"),
        (read_grades, "-4"),
        (read_day, "6/10/2025"),
    ):
        with pytest.raises(Refused):
            read(text)


def test_the_school_s_day_begins_at_midnight_in_viet_nam() -> None:
    assert school_day(datetime(2025, 10, 5, 16, 59, tzinfo=UTC)) == date(2025, 10, 5)
    assert school_day(datetime(2025, 10, 5, 17, 0, tzinfo=UTC)) == date(2025, 10, 6)
