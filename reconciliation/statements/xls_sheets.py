"""The sheets of an old XLS file (pure). Of a formula the file keeps what Excel reckoned last; that is what is read."""

from __future__ import annotations

import io
import struct
from datetime import datetime
from typing import Any

import xlrd
from xlrd.biffh import XLRDError
from xlrd.compdoc import CompDocError

from reconciliation.errors import StatementUnreadable
from reconciliation.statements import grid
from reconciliation.statements.grid import Sheet, SheetRow

# xlrd reads bytes as they say they are, so a damaged file fails wherever its bytes lead.
_BROKEN = (
    XLRDError,
    CompDocError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    TypeError,
    ValueError,
)


def read_xls(content: bytes) -> list[Sheet]:
    """Return the sheets within the limits; raises ``StatementUnreadable``."""
    try:
        book = xlrd.open_workbook(file_contents=content, logfile=io.StringIO(), ragged_rows=True, formatting_info=True)
        grid.demand_sheets(book.nsheets)
        return [_sheet(book, book.sheet_by_index(place)) for place in range(book.nsheets)]
    except _BROKEN as error:
        raise StatementUnreadable(
            "Không mở được tệp Excel cũ (.xls), có thể tệp bị cắt hoặc có mật khẩu: hãy tải lại, hoặc lưu thành .xlsx",
        ) from error


def _sheet(book: xlrd.Book, sheet: Any) -> Sheet:  # noqa: ANN401  the stubs leave its cells untyped
    grid.demand_rows(sheet.nrows)
    rows: list[SheetRow] = [
        [_value(book, cell) for cell in sheet.row(place)[: grid.MAX_COLUMNS]] for place in range(sheet.nrows)
    ]
    said: dict[tuple[int, int], object] = {}
    for top, bottom, column, _ in sheet.merged_cells:
        if top < len(rows) and column < len(rows[top]):
            said |= {(row, column): rows[top][column] for row in range(top + 1, min(bottom, len(rows)))}
    return Sheet(sheet.name, rows, said)


def _value(book: xlrd.Book, cell: Any) -> object:  # noqa: ANN401  as above
    match cell.ctype:
        case xlrd.XL_CELL_EMPTY | xlrd.XL_CELL_BLANK:
            return None
        case xlrd.XL_CELL_DATE:
            day: datetime = xlrd.xldate.xldate_as_datetime(cell.value, book.datemode)
            return day
        case xlrd.XL_CELL_BOOLEAN:
            return bool(cell.value)
        case xlrd.XL_CELL_ERROR:
            return xlrd.error_text_from_code.get(cell.value, "#ERROR!")
        case _:
            return cell.value
