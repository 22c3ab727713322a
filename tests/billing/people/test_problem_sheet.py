"""The downloadable list of bad rows: complete, readable, and never a formula."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from billing.errors import RowProblem
from billing.people.problem_sheet import write_problems

DANGEROUS = ("=1+1", "+84912345678", "-5", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=1+1", "＝1+1", "'=1+1")


def lines_of(data: bytes) -> list[list[object]]:
    """Return the cells below the headings."""
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]


def test_a_problem_is_one_line() -> None:
    data = write_problems(
        [RowProblem(0, "Cả tệp", "Tệp có macro.", "Lưu lại."), RowProblem(12, "Họ tên", "Thiếu.", "Điền.")]
    )
    assert lines_of(data) == [["Cả tệp", "Cả tệp", "Tệp có macro.", "Lưu lại."], ["12", "Họ tên", "Thiếu.", "Điền."]]


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_looks_like_a_formula_stays_text_also_when_retyped(text: str) -> None:
    data = write_problems([RowProblem(1, text, text, text)])
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    for cell in next(sheet.iter_rows(min_row=2, min_col=2)):
        assert (cell.data_type, cell.value) == ("s", text)
        assert cell.number_format == "@"
        assert cell.quotePrefix
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not re.search(rb"<(\w+:)?f[ >]", archive.read("xl/worksheets/sheet1.xml"))


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_survives_without_its_control_characters(text: str) -> None:
    data = write_problems([RowProblem(3, "Họ tên", text, "x")])
    ((_, _, kept, _),) = lines_of(data)
    visible = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)
    assert (
        str(kept or "").replace("\r\n", "\n") == visible.replace("\r\n", "\n").replace("\r", "\n")
        or "_x" in visible
        or "\r" in visible
    )


def test_a_very_long_text_is_cut_to_what_a_cell_may_hold() -> None:
    ((_, _, kept, _),) = lines_of(write_problems([RowProblem(3, "Họ tên", "a" * 40_000, "x")]))
    assert kept == "a" * 32_767
