"""The rows of an uploaded XLSX file, within limits (pure): a bomb or an endless sheet is refused, not read."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Any, TypeAlias

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from reconciliation.errors import StatementUnreadable

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 300 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 60

SheetRow: TypeAlias = Sequence[object]


def read_sheets(content: bytes) -> list[list[SheetRow]]:
    """Return the rows of each sheet; formulas come as their text, so they are refused where an amount stands.

    Raises ``StatementUnreadable``.
    """
    _judge_size(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
        return [_rows(sheet) for sheet in book.worksheets]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, EOFError, SyntaxError) as error:
        raise StatementUnreadable("Không mở được tệp: hãy lưu lại thành Excel (.xlsx) rồi gửi lại") from error


def _judge_size(content: bytes) -> None:
    if len(content) > MAX_FILE_BYTES:
        raise StatementUnreadable(f"Tệp lớn hơn {MAX_FILE_BYTES // 1024 // 1024} MB")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
    except zipfile.BadZipFile as error:
        raise StatementUnreadable("Tệp không phải là Excel (.xlsx): hãy lưu lại thành .xlsx rồi gửi lại") from error
    if unpacked > MAX_UNPACKED_BYTES:
        raise StatementUnreadable("Tệp nén bất thường, không mở")


def _rows(sheet: Any) -> list[SheetRow]:  # noqa: ANN401  the stubs know no read-only sheets
    # Bank exports often declare a wrong size; openpyxl would then stop at the first cell.
    sheet.reset_dimensions()
    rows: list[SheetRow] = []
    for row in sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS):
        if len(rows) == MAX_ROWS:
            raise StatementUnreadable(f"Bảng có hơn {MAX_ROWS} dòng")
        rows.append(row)
    return rows
