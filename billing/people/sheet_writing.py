"""A sheet written to be edited and brought back (pure): text stays text, no formula can arise."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.utils.cell import get_column_letter
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from billing.money import Money
from billing.people.problem_sheet import text_cell
from billing.people.workbook import Column

Value = str | int | Money | date | None
_WIDTHS = {"legal_name": 44, "legal_basis": 50, "evidence": 40, "full_name": 30, "name": 40, "reason": 40}
_USUAL_WIDTH, _DAY_WIDTH = 16, 8


def write_sheet(title: str, columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> bytes:
    """Return an XLSX with the columns' labels as headings; đồng and counts are numbers, days are days."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for place, column in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = _width(column)
    sheet.freeze_panes = "A2"
    sheet.append([text_cell(sheet, column.label, bold=True) for column in columns])
    for row in rows:
        sheet.append([_cell(sheet, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _width(column: Column) -> int:
    return _DAY_WIDTH if column.field.startswith("day_") else _WIDTHS.get(column.field, _USUAL_WIDTH)


def _cell(sheet: WriteOnlyWorksheet, value: Value) -> Cell | None:
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return text_cell(sheet, value)
    if isinstance(value, date):
        return _formatted(WriteOnlyCell(sheet, datetime(value.year, value.month, value.day)), "dd/mm/yyyy")  # noqa: DTZ001  a day has no zone
    if isinstance(value, Money):
        return _formatted(WriteOnlyCell(sheet, value.dong), "#,##0")
    return _formatted(WriteOnlyCell(sheet, value), "0")


def _formatted(cell: Cell, number_format: str) -> Cell:
    cell.number_format = number_format
    return cell
