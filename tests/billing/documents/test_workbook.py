"""The workbook as it is written: texts that mean nothing but themselves, moments and sums that come back, no loss."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.documents.cells import SCHOOL_TIME, Digest, Value, plain_value, safe_text
from billing.documents.workbook import Column, workbook_into
from billing.money import Money
from tests.reconciliation.reports.making import wall

ESCAPE = re.compile("_x[0-9A-Fa-f]{4}_")
CREATED = datetime(2025, 10, 1, tzinfo=UTC)
MARKUP = (
    "<r></r>",
    '<r></r></is></c><c r="D1"><f>1+1</f></c><c r="E1"><is><r></r>',
    "<r><t>x</t></r>",
    "<r>_x003D_</r>",
    "<r>",
    "_x003D_1",
    "_x003d_x003D_x0041_",
    "__x003D__x003D_",
    "_x005F_x003D_",
    " _x0009_ ",
)


def written(rows: Sequence[Sequence[Value]], *, bold: bool = False) -> bytes:
    """Return a workbook of one sheet with these rows beside the data."""
    stream = io.BytesIO()
    with workbook_into(stream, ["Một"], name="Thử", created=CREATED) as workbook:
        sheet = workbook.sheet("Một", [Column("", 10)] * 4, freeze="A2")
        for row in rows:
            sheet.note(*row, bold=bold)
    return stream.getvalue()


def read(workbook: bytes) -> list[list[Any]]:
    """Return the one sheet's values."""
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(workbook))["Một"].iter_rows(values_only=True)]


def sheet_xml(workbook: bytes) -> bytes:
    """Return the one sheet as it stands in the file."""
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        return file.read("xl/worksheets/sheet1.xml")


@pytest.mark.parametrize("bold", [False, True])
@pytest.mark.parametrize("text", MARKUP)
def test_a_text_that_the_library_takes_for_markup_or_an_escape_stays_text(text: str, *, bold: bool) -> None:
    workbook = written([["a", text, "b"]], bold=bold)
    assert read(workbook) == [["a", text, "b"]]
    sheet = fromstring(sheet_xml(workbook))
    assert not list(sheet.iterfind(".//{*}f"))
    cells = list(sheet.iterfind(".//{*}c"))
    assert [cell.get("t") for cell in cells] == ["inlineStr"] * 3
    pieces = [piece.text or "" for piece in cells[1].iterfind(".//{*}t")]
    assert "".join(pieces) == text
    assert not [piece for piece in pieces if ESCAPE.search(piece)]


@given(st.lists(st.sampled_from(["<r>", "</r>", "_", "x003D", "x005F", "<f>", "=", "&", " ", "😀", "a"]), max_size=9))
@settings(max_examples=150, deadline=None)
def test_any_mixture_of_such_pieces_comes_back_as_it_was(parts: list[str]) -> None:
    text = "".join(parts)
    workbook = written([["a", text, "b"]])
    assert read(workbook) == [["a", text or None, "b"]]
    assert not list(fromstring(sheet_xml(workbook)).iterfind(".//{*}f"))


def test_headings_are_safe_text_too() -> None:
    stream = io.BytesIO()
    with workbook_into(stream, ["Một"], name="Thử", created=CREATED) as workbook:
        workbook.sheet("Một", [Column("", 10)] * 3, freeze="A2").heading(["<r>\t</r>", "=1", ""])
    assert read(stream.getvalue()) == [["<r> </r>", "=1"]]


@given(st.datetimes(wall(2000, 1, 1), wall(2099, 12, 31), timezones=st.just(UTC)))
@settings(max_examples=60, deadline=None)
def test_moments_days_and_sums_come_back(moment: datetime) -> None:
    ((_, when, day, amount),) = read(written([["x", moment, moment.date(), Money(10**15 - 1)]]))
    local = moment.astimezone(SCHOOL_TIME).replace(tzinfo=None, microsecond=0)
    assert abs(when - local) < timedelta(milliseconds=1)
    assert day == datetime.combine(moment.date(), datetime.min.time())
    assert amount == 10**15 - 1


@pytest.mark.parametrize("amount", [Money(10**15), Money(-(10**15)), 10**15])
def test_a_number_that_would_be_rounded_is_refused(amount: Money | int) -> None:
    with pytest.raises(ValueError, match="round"):
        written([["x", amount]])


def test_only_data_rows_begin_with_a_number_and_only_with_a_digest() -> None:
    with workbook_into(io.BytesIO(), ["Một"], name="Thử", created=CREATED) as workbook:
        sheet = workbook.sheet("Một", [Column("STT", 5)], freeze="A2")
        with pytest.raises(TypeError, match="only data rows"):
            sheet.note(5)
        with pytest.raises(TypeError, match="only data rows"):
            sheet.note(Money(5))
        with pytest.raises(TypeError, match="on a sheet with a digest"):
            sheet.data(1, "x")


def test_a_row_wider_than_its_sheet_is_an_error_and_loses_nothing_silently() -> None:
    digest = Digest()
    with workbook_into(io.BytesIO(), ["Một"], name="Thử", created=CREATED) as workbook:
        sheet = workbook.sheet("Một", [Column("STT", 5)], freeze="A2", digest=digest)
        with pytest.raises(ValueError, match="2 cells"):
            sheet.data(1, "x")
    assert digest.rows == 0


@pytest.mark.parametrize("value", ["x", "_x003D_", 5, date(2025, 9, 5)])
def test_a_row_below_the_last_one_of_the_format_is_an_error(value: Value) -> None:
    with workbook_into(io.BytesIO(), ["Một"], name="Thử", created=CREATED) as workbook:
        sheet = workbook.sheet("Một", [Column("", 5)] * 2, freeze="A2")
        sheet._count = 1_048_576
        with pytest.raises(ValueError, match="does not fit"):
            sheet.note(None, value)


def test_waiting_rows_leave_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert read(written([["x"]])) == [["x"]]
    with pytest.raises(ValueError, match="round"):
        written([["x"], ["y", 10**15]])
    assert not list(tmp_path.iterdir())


def test_the_file_says_when_its_figures_are_of_and_never_the_time_of_day() -> None:
    workbook = written([["x"]])
    properties = openpyxl.load_workbook(io.BytesIO(workbook)).properties
    assert (properties.title, properties.creator) == ("Thử", "Hocphi")
    assert properties.created == properties.modified == CREATED.replace(tzinfo=None)
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        assert {part.date_time for part in file.infolist()} == {(1980, 1, 31, 0, 0, 0)}
        assert {part.external_attr >> 16 & 0o777 for part in file.infolist()} == {0o600}


@given(st.text(max_size=80))
def test_text_is_one_legal_line_and_cleaning_it_twice_changes_nothing(text: str) -> None:
    clean = safe_text(text)
    assert not set(clean) & set("\t\r\n\x00\x1f")
    assert safe_text(clean) == clean


def test_too_long_text_is_cut_visibly() -> None:
    assert safe_text("a" * 40_000).endswith("a…")
    assert len(safe_text("a" * 40_000)) == 32_000
    assert safe_text("a" * 32_000) == "a" * 32_000


@pytest.mark.parametrize("text", ["😀" * 20_000, "a" + "😀" * 20_000, "😀" * 16_000])
def test_signs_that_count_twice_are_cut_between_signs_and_before_the_library_cuts(text: str) -> None:
    clean = safe_text(text)
    assert len(clean.encode("utf-16-le")) // 2 in {32_000, 31_999}
    assert clean == text or (clean.endswith("😀…") and text.startswith(clean[:-1]))
    assert read(written([["x", clean]])) == [["x", clean]]


def test_what_a_file_holds_for_each_kind() -> None:
    assert plain_value(Money(-5)) == -5
    assert plain_value("") is None
    assert plain_value(date(2025, 9, 5)) == date(2025, 9, 5)
    assert plain_value(datetime(2025, 9, 5, 20, 0, 0, 9, tzinfo=UTC)) == wall(2025, 9, 6, 3)


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        plain_value(datetime(2025, 9, 5))  # noqa: DTZ001  the refusal is what is tested
