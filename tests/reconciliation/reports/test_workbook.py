"""The file format itself: names of columns, moments without floats, and rows that are what they say."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from billing.money import Money
from reconciliation.reports.cells import SCHOOL_TIME, Digest, plain_value, safe_text
from reconciliation.reports.workbook import Column, Workbook, column_letter
from tests.reconciliation.reports.making import wall

CREATED = datetime(2025, 10, 1, tzinfo=UTC)


@given(st.integers(0, 16_383))
def test_columns_are_named_as_spreadsheets_name_them(number: int) -> None:
    assert column_letter(number) == get_column_letter(number + 1)


@given(st.datetimes(wall(2000, 1, 1), wall(2099, 12, 31), timezones=st.just(UTC)))
@settings(max_examples=60, deadline=None)
def test_moments_days_and_sums_come_back(moment: datetime) -> None:
    columns = [Column("", 10)] * 4
    workbook = Workbook(["Một"], name="Thử", created=CREATED)
    with workbook.sheet("Một", columns, freeze="A2") as sheet:
        sheet.note("x", moment, moment.date(), Money(10**15 - 1))
    rows: Any = openpyxl.load_workbook(io.BytesIO(workbook.finish()))["Một"].iter_rows(values_only=True)
    _, when, day, amount = next(rows)
    local = moment.astimezone(SCHOOL_TIME).replace(tzinfo=None, microsecond=0)
    assert abs(when - local) < timedelta(milliseconds=1)
    assert day == datetime.combine(moment.date(), datetime.min.time())
    assert amount == 10**15 - 1


def test_only_data_rows_begin_with_a_number_and_only_with_a_digest() -> None:
    workbook = Workbook(["Một"], name="Thử", created=CREATED)
    with workbook.sheet("Một", [Column("STT", 5)], freeze="A2") as sheet:
        with pytest.raises(TypeError, match="only data rows"):
            sheet.note(5)
        with pytest.raises(TypeError, match="only data rows"):
            sheet.note(Money(5))
        with pytest.raises(TypeError, match="on a sheet with a digest"):
            sheet.data(1, "x")


def test_a_row_wider_than_its_sheet_is_an_error_and_loses_nothing_silently() -> None:
    workbook = Workbook(["Một"], name="Thử", created=CREATED)
    opened = workbook.sheet("Một", [Column("STT", 5)], freeze="A2", digest=Digest())
    with opened as sheet, pytest.raises(ValueError, match="2 cells"):
        sheet.data(1, "x")


@given(st.text(max_size=80))
def test_text_is_one_legal_line_and_cleaning_it_twice_changes_nothing(text: str) -> None:
    clean = safe_text(text)
    assert not set(clean) & set("\t\r\n\x00\x1f")
    assert safe_text(clean) == clean


def test_too_long_text_is_cut_visibly() -> None:
    assert safe_text("a" * 40_000).endswith("a…")
    assert len(safe_text("a" * 40_000)) == 32_000


def test_what_a_file_holds_for_each_kind() -> None:
    assert plain_value(Money(-5)) == -5
    assert plain_value("") is None
    assert plain_value(date(2025, 9, 5)) == date(2025, 9, 5)
    assert plain_value(datetime(2025, 9, 5, 20, 0, 0, 9, tzinfo=UTC)) == wall(2025, 9, 6, 3)


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        plain_value(datetime(2025, 9, 5))  # noqa: DTZ001  the refusal is what is tested
