"""The sheets of an XLSX file (pure): formulas come as their text, so they are refused where an amount stands."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.exceptions import InvalidFileException

from reconciliation.errors import StatementUnreadable
from reconciliation.statements import grid
from reconciliation.statements.grid import Sheet, SheetRow

_MERGE = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3})([0-9]{1,7}):[A-Z]{1,3}([0-9]{1,7})"')
_MERGE_TAG = re.compile(rb"<(?:\w+:)?mergeCell\s")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_CHUNK = 1 << 20
_MOST_MERGED_ROWS = 200
_BROKEN = (
    InvalidFileException,
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    EOFError,
    SyntaxError,
    OSError,
    RuntimeError,
    zlib.error,
)


def read_xlsx(content: bytes) -> list[Sheet]:
    """Return the sheets within the limits; raises ``StatementUnreadable``."""
    _demand_size(content)
    try:
        # Banks write pivot caches and print settings that openpyxl warns about; only cells are read.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
            grid.demand_sheets(len(book.worksheets))
            return [_sheet(content, sheet) for sheet in book.worksheets]
    except _BROKEN as error:
        raise StatementUnreadable("Không mở được tệp: hãy lưu lại thành Excel (.xlsx) rồi gửi lại") from error


def _demand_size(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(entry.file_size for entry in packed.infolist())
    except zipfile.BadZipFile as error:
        raise StatementUnreadable("Tệp không phải là Excel (.xlsx): hãy lưu lại thành .xlsx rồi gửi lại") from error
    if unpacked > grid.MAX_UNPACKED_BYTES:
        raise StatementUnreadable("Tệp nén bất thường, không mở")
    _demand_cells(content)


def _demand_cells(content: bytes) -> None:
    """Count cells, merges and tags of all parts before any is parsed: that takes seconds for each million."""
    cells = merges = tags = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for entry in packed.infolist():
                with packed.open(entry) as part:
                    while chunk := part.read(_CHUNK):
                        cells += len(_CELL.findall(chunk))
                        merges += len(_MERGE_TAG.findall(chunk))
                        tags += chunk.count(b"<")
                        _demand_counts(cells, merges, tags)
    except _BROKEN as error:
        raise StatementUnreadable("Tệp Excel bị cắt hoặc hỏng: hãy tải lại từ ngân hàng") from error


def _demand_counts(cells: int, merges: int, tags: int) -> None:
    grid.demand_cells(cells)
    if merges > grid.MAX_MERGES or tags > grid.MAX_TAGS:
        raise StatementUnreadable("Tệp Excel có quá nhiều ô gộp hoặc phần tử, không mở: hãy tải lại từ ngân hàng")


def _sheet(content: bytes, sheet: Any) -> Sheet:  # noqa: ANN401  the stubs know no read-only sheets
    # Bank exports often declare a wrong size; openpyxl would then stop at the first cell.
    sheet.reset_dimensions()
    rows: list[SheetRow] = []
    for row in sheet.iter_rows(values_only=True, max_col=grid.MAX_COLUMNS):
        grid.demand_rows(len(rows) + 1)
        rows.append([grid.plain(cell) for cell in row])
    return Sheet(str(sheet.title), rows, _downward(content, sheet._worksheet_path, rows))  # noqa: SLF001  as billing.people.workbook


def _downward(content: bytes, path: str, rows: list[SheetRow]) -> dict[tuple[int, int], object]:
    """Return what cells merged over rows say further down; the streaming reader does not tell."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        merges = _MERGE.findall(packed.read(path.lstrip("/")))
    said: dict[tuple[int, int], object] = {}
    for letters, first, last in merges:
        column, top, bottom = column_index_from_string(letters.decode()) - 1, int(first) - 1, int(last) - 1
        if bottom - top > _MOST_MERGED_ROWS or top >= len(rows) or column >= len(rows[top]):
            continue
        grid.demand_merged(len(said) + bottom - top)
        said |= {(row, column): rows[top][column] for row in range(top + 1, bottom + 1)}
    return said
