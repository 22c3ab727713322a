"""A statement file as a grid of cells, and how large one may be (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciliation.errors import StatementUnreadable

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 150 * 1024 * 1024
MAX_ROWS = 200_000
MAX_CELLS = 2_000_000  # 200,000 rows of ten; reading takes time by the cell, so this bounds it
MAX_TAGS = 12_000_000  # of XML, in a whole workbook: six for a cell that holds its own text
MAX_MERGES = 50_000
MAX_MERGED_CELLS = 200_000
MAX_COLUMNS = 60
MAX_SHEETS = 40
MAX_CELL_LETTERS = 32_767  # Excel's own limit

_SHOWN_AS_TEXT = re.compile(r'\s*="([^"]*)"\s*')

SheetRow: TypeAlias = Sequence[object]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one sheet. ``name`` is empty where the format has no sheets.

    ``downward`` holds what a cell merged over several rows says for the rows below its first, by (row, column) from
    0. It stands apart from the rows: a day may be meant for all of them, a sum is meant once. In ``delimited`` text a
    row with more or fewer cells than the heading was cut or shifted.
    """

    name: str
    rows: Sequence[SheetRow]
    downward: Mapping[tuple[int, int], object] = field(default_factory=dict)
    delimited: bool = False


def demand_rows(rows: int) -> None:
    """Refuse one row too many; raises ``StatementUnreadable``."""
    if rows > MAX_ROWS:
        raise StatementUnreadable(f"Bảng có hơn {MAX_ROWS} dòng: hãy tải sao kê theo từng tháng")


def demand_sheets(sheets: int) -> None:
    """Refuse a workbook of more sheets than are looked at; raises ``StatementUnreadable``."""
    if sheets > MAX_SHEETS:
        raise StatementUnreadable(f"Tệp có hơn {MAX_SHEETS} trang: hãy tải sao kê theo từng tháng")


def demand_cells(cells: int) -> None:
    """Refuse one cell too many; raises ``StatementUnreadable``."""
    if cells > MAX_CELLS:
        raise StatementUnreadable(f"Bảng có hơn {MAX_CELLS} ô: hãy tải sao kê theo từng tháng")


def demand_merged(cells: int) -> None:
    """Refuse cells merged over more rows than a statement has use for; raises ``StatementUnreadable``."""
    if cells > MAX_MERGED_CELLS:
        raise StatementUnreadable("Tệp có quá nhiều ô gộp, không mở: hãy tải lại sao kê từ ngân hàng")


def plain(cell: object) -> object:
    """Return what a cell shows that is written ="…", as programs keep the zeros in front of a number."""
    if isinstance(cell, str) and (match := _SHOWN_AS_TEXT.fullmatch(cell)):
        return match[1]
    return cell


def cell_name(row: int, column: int) -> str:
    """Return a cell's name as Excel shows it; row and column count from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"
