"""A statement file as a grid of cells, and how large one may be (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from reconciliation.errors import StatementUnreadable

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_UNPACKED_BYTES = 300 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 60
MAX_SHEETS = 40
MAX_CELL_LETTERS = 32_767  # Excel's own limit

SheetRow: TypeAlias = Sequence[object]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one sheet. ``name`` is empty where the format has no sheets.

    ``downward`` holds what a cell merged over several rows says for the rows below its first, by (row, column) from
    0. It stands apart from the rows: a day may be meant for all of them, a sum is meant once.
    """

    name: str
    rows: Sequence[SheetRow]
    downward: Mapping[tuple[int, int], object] = field(default_factory=dict)


def demand_rows(rows: int) -> None:
    """Refuse one row too many; raises ``StatementUnreadable``."""
    if rows > MAX_ROWS:
        raise StatementUnreadable(f"Bảng có hơn {MAX_ROWS} dòng: hãy tải sao kê theo từng tháng")


def cell_name(row: int, column: int) -> str:
    """Return a cell's name as Excel shows it; row and column count from 0."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row + 1}"
