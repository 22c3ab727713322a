"""A layout that a person explained: which column under which heading tells what (pure).

It is known again by its heading row, all of it and folded; a bank that adds a column is asked about once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billing.errors import Refused
from reconciliation.errors import StatementUnreadable
from reconciliation.statements.cells import is_empty
from reconciliation.statements.grid import Sheet
from reconciliation.statements.heading import Table, columns_of, find_same_heading, heading_of
from reconciliation.statements.layouts import ANY_BANK, Column, Layout
from reconciliation.statements.sheets import read_sheets

BANK = "khac"
_TWO_SUMS = frozenset({Column.DAY, Column.DEBIT, Column.CREDIT, Column.MEMO})
_ONE_SUM = frozenset({Column.DAY, Column.AMOUNT, Column.MEMO})
_HELD = frozenset(
    {Column.DAY, Column.DEBIT, Column.CREDIT, Column.AMOUNT, Column.BALANCE, Column.MEMO, Column.REFERENCE}
)
_SHOWN_ROWS = 60
_LIKELY_HEADINGS = 3
_HEADING_AND_LINE = 2


@dataclass(frozen=True, slots=True)
class Mapped:
    """A heading row, folded, and which of its columns (from 0) tells what."""

    heading: tuple[str, ...]
    columns: Mapping[Column, int]

    def __post_init__(self) -> None:
        told = self.columns.keys()
        if not (told >= _TWO_SUMS or told >= _ONE_SUM) or (Column.AMOUNT in told and Column.DEBIT in told):
            raise Refused(
                "Hãy chỉ ra cột ngày, nội dung, và hoặc hai cột ghi nợ – ghi có, hoặc một cột số tiền có dấu."
            )
        if not told <= _HELD or any(not 0 <= place < len(self.heading) for place in self.columns.values()):
            raise Refused("Cột đã chọn không có trong bảng.")
        if len(set(self.columns.values())) != len(self.columns):
            raise Refused("Mỗi cột chỉ cho một ý nghĩa.")


@dataclass(frozen=True, slots=True)
class Unknown:
    """The sheet to explain: its first rows, and which of them (from 0) is likely the heading."""

    rows: tuple[tuple[object, ...], ...]
    heading: int


def mapped_table(sheet: Sheet, mapped: Sequence[Mapped]) -> Table | None:
    """Return the table under a heading that somebody explained, the newest explanation first."""
    for each in mapped:
        layout = Layout(bank=BANK, marks=(), headings={}, needed=frozenset(each.columns), debit_signed=True, within=120)
        table = find_same_heading(sheet, each.heading, layout, each.columns)
        if table is not None:
            return table
    return None


def first_rows(content: bytes) -> Unknown:
    """Return the sheet with most filled rows, to be explained; raises ``StatementUnreadable`` without a table."""
    sheet = max(read_sheets(content), key=lambda each: sum(map(_filled, each.rows)))
    if sum(map(_filled, sheet.rows)) < _HEADING_AND_LINE:
        raise StatementUnreadable("Tệp không có bảng giao dịch nào, không phải sao kê: hãy tải sao kê từ ngân hàng")
    rows = [tuple(row) for row in sheet.rows[:_SHOWN_ROWS]]
    likely = max(range(len(rows)), key=lambda at: (_words(rows[at]), -at), default=0)
    return Unknown(tuple(rows), likely)


def explained(unknown: Unknown, heading: int, told: Sequence[str]) -> Mapped:
    """Return what a person said of the columns (one word for each, "" for none); raises ``Refused``."""
    if not 0 <= heading < len(unknown.rows):
        raise Refused("Hãy chọn dòng tiêu đề của bảng.")
    columns: dict[Column, int] = {}
    for place, word in enumerate(told):
        if not word:
            continue
        if word not in set(map(str, _HELD)) or Column(word) in columns:
            raise Refused("Mỗi ý nghĩa chỉ chọn cho một cột.")
        columns[Column(word)] = place
    return Mapped(heading_of(unknown.rows[heading]), columns)


def guessed(heading: Sequence[object]) -> dict[int, str]:
    """Return what the columns under a heading seem to tell, by place; a person decides."""
    return {place: column.value for column, place in columns_of(heading, ANY_BANK).items()}


def _filled(row: Sequence[object]) -> bool:
    return sum(not is_empty(cell) for cell in row) >= _LIKELY_HEADINGS


def _words(row: Sequence[object]) -> int:
    return sum(isinstance(cell, str) and not is_empty(cell) and not any(map(str.isdigit, cell)) for cell in row)
