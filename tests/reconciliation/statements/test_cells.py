"""Tests of reading one cell: what banks write, and what must never become an amount."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.statements.cells import read_amount, read_moment


@pytest.mark.parametrize(
    ("cell", "dong"),
    [
        (None, 0),
        ("", 0),
        (" - ", 0),
        ("0", 0),
        ("0,00", 0),
        ("0.00", 0),
        (650000, 650_000),
        (650000.0, 650_000),
        ("650000", 650_000),
        ("2,100,000.00", 2_100_000),
        ("2.100.000,00", 2_100_000),
        ("574.195,00", 574_195),
        ("500.000", 500_000),
        ("500,000", 500_000),
        ("1500,00", 1_500),
        ("+ 1.250.000 VND", 1_250_000),
        ("1.250.000VNĐ", 1_250_000),
        ("1.250.000 đ", 1_250_000),
        ("-2,100,000", -2_100_000),
        ("1,250,000\xa0", 1_250_000),
    ],
)
def test_amounts_as_banks_write_them(cell: object, dong: int) -> None:
    assert read_amount(cell) == Money(dong)


@pytest.mark.parametrize(
    "cell",
    [
        "1.5",
        "1,25",
        "500.50",
        "1,234.567",
        "1.234.5",
        "1,00,000",
        "12,34,567",
        "1.234,567.000",
        "1 250 000",
        "50O000",
        "=SUM(A1:A3)",
        "#REF!",
        "--5",
        "1e6",
        "٥٠٠",
        "9" * 17,
        650000.5,
        float("nan"),
        float("inf"),
        True,
        date(2025, 9, 8),
    ],
)
def test_what_is_no_amount_is_an_error_and_never_nothing(cell: object) -> None:
    with pytest.raises(ValueError, match=r"số tiền|convert"):
        read_amount(cell)


@given(st.integers(-(10**15), 10**15), st.sampled_from(["{:,}", "{:,}.00", "{}", "{:,} VND"]))
def test_every_amount_survives_each_way_of_writing(dong: int, shape: str) -> None:
    written = shape.format(dong)
    swapped = written.translate(str.maketrans(",.", ".,"))

    assert read_amount(written) == read_amount(swapped) == Money(dong)


NOON = datetime(2025, 9, 8, 12, 30, 5)  # noqa: DTZ001  a bank's wall clock


@pytest.mark.parametrize(
    ("cell", "day", "clock"),
    [
        ("08/09/2025", date(2025, 9, 8), None),
        ("8/9/2025", date(2025, 9, 8), None),
        ("08-09-2025 12:30:05", date(2025, 9, 8), NOON),
        ("2025-09-08T12:30:05", date(2025, 9, 8), NOON),
        ("2025-09-08", date(2025, 9, 8), None),
        ("08/09/2025 12:30", date(2025, 9, 8), NOON.replace(second=0)),
        (date(2025, 9, 8), date(2025, 9, 8), None),
        (NOON, date(2025, 9, 8), NOON),
        (NOON.replace(hour=0, minute=0, second=0), date(2025, 9, 8), None),
        (45908, date(2025, 9, 8), None),
        (45908.5, date(2025, 9, 8), NOON.replace(minute=0, second=0)),
    ],
)
def test_days_as_banks_write_them(cell: object, day: date, clock: datetime | None) -> None:
    assert read_moment(cell) == (day, clock)


@pytest.mark.parametrize(
    "cell",
    [
        None,
        "",
        "31/02/2025",
        "09/13/2025",
        "08/09",
        "08/09/25",
        "hôm qua",
        "08/09/2025 25:00",
        7,
        True,
        1e9,
        "01/01/0001",
        date.max,
    ],
)
def test_what_is_no_day_is_an_error(cell: object) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_moment(cell)
