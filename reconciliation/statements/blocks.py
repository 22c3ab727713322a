"""Reading the rows under the headings of a table: movements, totals and what else is said, account by account (pure).

Nothing is skipped in silence: a row with money is a movement, a total, or a problem with its sheet, row and column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from billing.errors import RowProblem
from billing.money import ZERO, Money
from reconciliation.errors import StatementUnreadable
from reconciliation.matching import Direction
from reconciliation.statements.cells import (
    fold,
    is_empty,
    read_account,
    read_amount,
    read_day_of,
    read_moment,
    read_period,
)
from reconciliation.statements.grid import SheetRow, cell_name
from reconciliation.statements.heading import Table
from reconciliation.statements.labels import (
    Other,
    begins_with,
    currency_place,
    first_of,
    is_dong,
    is_said,
    is_total,
    labelled,
)
from reconciliation.statements.layouts import (
    ACCOUNT_LABELS,
    CLOSING_LABELS,
    LOOSE_ACCOUNT_LABELS,
    OPENING_LABELS,
    TITLES,
    Column,
)
from reconciliation.statements.lines import StatementLine, at_of, clean

_COLUMN_NAMES = {
    Column.DAY: "Ngày",
    Column.MOMENT: "Ngày giao dịch",
    Column.DEBIT: "Ghi nợ",
    Column.CREDIT: "Ghi có",
    Column.AMOUNT: "Số tiền",
    Column.FEE: "Phí",
    Column.TAX: "Thuế",
    Column.BALANCE: "Số dư",
}
_REMEDY = "Tải lại sao kê từ ngân hàng, đừng sửa tệp; nếu vẫn vậy thì hỏi ngân hàng"
_MONEY = (Column.DEBIT, Column.CREDIT, Column.AMOUNT, Column.FEE, Column.TAX)
_BALANCES = (*OPENING_LABELS, *CLOSING_LABELS)
# A sum, also one with a letter typed for a digit; a footer of words is none.
_SUM = re.compile(r"[-+]?[0-9OolI.,\s]*[0-9][0-9OolI.,\s]*(?:VN[DĐ]|đồng|đ)?\.?", re.IGNORECASE)
_TWO_BLANKS = re.compile(r"\s{2,}|\n")


@dataclass(frozen=True, slots=True)
class PrintedTotal:
    """A row of totals: debits and credits, and how many movements stood above it."""

    number: int
    debit: Money
    credit: Money
    after: int


@dataclass(slots=True)
class Block:
    """What is said of one account: movements in the order of the file, other rows, totals, and every problem."""

    table: Table
    heading: int
    others: list[Other] = field(default_factory=list)
    lines: list[StatementLine] = field(default_factory=list)
    totals: list[PrintedTotal] = field(default_factory=list)
    problems: list[RowProblem] = field(default_factory=list)
    period: tuple[date, date] | None = None
    wide: int = field(init=False)
    currency_at: int | None = field(init=False)

    def __post_init__(self) -> None:
        self.wide = max(len(row) for row in self.table.sheet.rows[self.table.header : self.table.body])
        self.currency_at = currency_place(self.table)

    def account(self) -> tuple[str, bool] | None:
        """Return the account above or below the movements; raises ``StatementUnreadable`` for a rounded number."""
        for value in (*labelled(self.others, ACCOUNT_LABELS), *labelled(self.others, LOOSE_ACCOUNT_LABELS)):
            try:
                found = read_account(value)
            except ValueError as error:
                raise StatementUnreadable(f"“{value}”: {error}") from error
            if found is not None:
                return found
        return None

    def labelled_amount(self, labels: tuple[str, ...]) -> Money | None:
        """Return a labelled sum; raises ``StatementUnreadable`` when it cannot be read."""
        for value in labelled(self.others, labels, self.table):
            try:
                return read_amount(value)
            except ValueError as error:
                raise StatementUnreadable(f"Số dư “{value}” không đọc được") from error
        return None


def read_blocks(table: Table) -> list[Block]:
    """Read all rows; headings printed again begin another block where another account stands above them."""
    rows = table.sheet.rows
    block = Block(table, table.header + 1, [Other(place + 1, row) for place, row in enumerate(rows[: table.header])])
    block.period = _period(block.others)
    blocks, last_day = [block], None
    for place in range(table.body, len(rows)):
        row = rows[place]
        if all(is_empty(cell) for cell in row):
            continue
        if table.is_heading(row):
            block, last_day = _next_block(blocks, place + 1), None
        elif _is_line(table, block, place):
            last_day = _take_line(table, block, place, last_day)
        else:
            _take_other(table, block, place)
    return blocks


def _next_block(blocks: list[Block], heading: int) -> Block:
    """Return the block that goes on under headings printed again: the same account's, or a new one."""
    block = blocks[-1]
    ended = max(block.heading, block.lines[-1].line if block.lines else 0)
    block.heading = heading
    start = next((at for at, each in enumerate(block.others) if each.number > ended and _begins(each.row)), None)
    if start is None:
        return block
    above = Block(block.table, heading, block.others[start:])
    there = above.account()
    if there is None or there == Block(block.table, 0, block.others[:start]).account():
        return block
    block.others = block.others[:start]
    above.period = _period(above.others) or block.period
    blocks.append(above)
    return above


def _begins(row: SheetRow) -> bool:
    """Tell whether a row begins the top of a statement: its title or its account."""
    return begins_with(first_of(row), (*TITLES, *ACCOUNT_LABELS, *LOOSE_ACCOUNT_LABELS))


def _period(others: Iterable[Other]) -> tuple[date, date] | None:
    for other in others:
        text = " ".join(_shown(cell) for cell in other.row if not is_empty(cell))
        try:
            period = read_period(text)
        except ValueError:
            continue
        if period is not None:
            return period
    return None


def _shown(cell: object) -> str:
    return f"{cell:%d/%m/%Y}" if isinstance(cell, date) else str(cell)


def _is_line(table: Table, block: Block, place: int) -> bool:
    """Tell a movement from a total, a balance or a footer: it has a day, or money and no label.

    Below a total a row without a day is a movement too where a sum stands in it: the next page goes on.
    """
    row = table.sheet.rows[place]
    has_day = _has_day(table, block, place)
    moved = [cell for column in _MONEY if not is_empty(cell := table.cell(row, column))]
    balance = first_of(row).startswith(_BALANCES) or fold(table.cell(row, Column.MEMO)).startswith(_BALANCES)
    if (balance and not moved) or (not has_day and (balance or is_total(row))) or _is_bare_total(table, row):
        return False
    if block.totals and not has_day:
        return any(map(_is_sum, moved)) and not is_said(row)
    return bool(moved) or (has_day and not block.totals)


def _is_sum(cell: object) -> bool:
    if isinstance(cell, str):
        return _SUM.fullmatch(cell.strip()) is not None
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _is_bare_total(table: Table, row: SheetRow) -> bool:
    """Tell whether a row sums up without saying so: debits and credits, no day, no memo."""
    said = [column for column in (Column.DAY, Column.MEMO, Column.REFERENCE) if not is_empty(table.cell(row, column))]
    both = all(not is_empty(table.cell(row, column)) for column in (Column.DEBIT, Column.CREDIT))
    return both and not said


def _has_day(table: Table, block: Block, place: int) -> bool:
    """Tell whether a day stands in the row, or in a cell merged down into it."""
    try:
        _read_day(table, block, _day_cell(table, table.sheet.rows[place], place, None))
    except ValueError:
        return False
    return True


def _take_line(table: Table, block: Block, place: int, last_day: object) -> object:
    """Read one movement, or note everything that is wrong with it; return the cell of its day."""
    row, problems = table.sheet.rows[place], len(block.problems)
    told = _day_cell(table, row, place, last_day)
    day, clock = _moment(table, block, place, told)
    debit, credit = _moved(table, block, place)
    balance = _amount(table, block, place, Column.BALANCE) if Column.BALANCE in table.columns else None
    block.problems += _shape_problems(table, block, place)
    if len(block.problems) > problems or day is None:
        return told
    if min(debit, credit) < ZERO or bool(debit) == bool(credit):
        reason = "phải có đúng một trong hai số tiền ghi nợ, ghi có, và không âm"
        block.problems.append(RowProblem(place + 1, "Ghi nợ, Ghi có", reason, _REMEDY))
        return told
    block.lines.append(
        StatementLine(
            line=place + 1,
            day=day,
            time=at_of(day, clock),
            direction=Direction.IN if credit else Direction.OUT,
            amount=credit or debit,
            memo=_memo(table, row),
            bank_reference=_reference(table, row, told),
            balance=balance,
        )
    )
    return told


def _shape_problems(table: Table, block: Block, place: int) -> Iterable[RowProblem]:
    """Give what is wrong with a row as a whole: cells too many or too few in a text file, another currency."""
    row = table.sheet.rows[place]
    shifted = any(not is_empty(cell) for cell in row[block.wide :])
    if table.sheet.delimited and (shifted or len(row) <= max(each.start for each in table.columns.values())):
        reason = f"dòng có {len(row)} ô, tiêu đề có {block.wide}: dòng bị cắt, hoặc nội dung có dấu phân cách"
        yield RowProblem(place + 1, "Cả dòng", reason, _REMEDY)
    at = block.currency_at
    if at is not None and at < len(row) and not is_dong(row[at]):
        yield RowProblem(place + 1, "Loại tiền", f"“{row[at]}” không phải là đồng", "Chọn tài khoản tiền đồng")


def _day_cell(table: Table, row: SheetRow, place: int, last_day: object) -> object:
    """Return the cell of the day: its own, the merged one above it, or where the bank leaves it out the last one."""
    cell = table.cell(row, Column.DAY)
    if not is_empty(cell):
        return cell
    merged = table.sheet.downward.get((place, table.columns[Column.DAY].start))
    return merged if merged is not None or not table.layout.fill_down else last_day


def _read_day(table: Table, block: Block, cell: object) -> tuple[date, datetime | None]:
    if table.layout.no_year:
        try:
            return read_day_of(cell, block.period), None
        except ValueError:
            if not isinstance(cell, str) or len(cell.strip()) < len("dd-mm-yyyy"):
                raise
    if table.layout.day_holds_reference and isinstance(cell, str):
        cell = _TWO_BLANKS.split(cell.strip(), maxsplit=1)[0]
    return read_moment(cell)


def _moment(table: Table, block: Block, place: int, told: object) -> tuple[date | None, datetime | None]:
    """Read the booking day, and the clock from the column that has one."""
    day: date | None = None
    clock: datetime | None = None
    try:
        day, clock = _read_day(table, block, told)
    except ValueError as error:
        block.problems.append(_problem(table, place, Column.DAY, told, error))
    cell = table.cell(table.sheet.rows[place], Column.MOMENT)
    if is_empty(cell) or table.layout.no_year:
        return day, clock
    try:
        return day, clock or read_moment(cell)[1]
    except ValueError as error:
        block.problems.append(_problem(table, place, Column.MOMENT, cell, error))
    return day, clock


def _moved(table: Table, block: Block, place: int) -> tuple[Money, Money]:
    """Read what went out and what came in; fees and taxes of the bank go out with the sum beside them."""
    debit = _amount(table, block, place, Column.DEBIT)
    credit = _amount(table, block, place, Column.CREDIT)
    if Column.AMOUNT in table.columns:
        signed = _amount(table, block, place, Column.AMOUNT)
        return (-signed, ZERO) if signed < ZERO else (ZERO, signed)
    if not table.layout.debit_signed:
        return debit, credit
    extra = _amount(table, block, place, Column.FEE) + _amount(table, block, place, Column.TAX)
    out = abs_money(debit) - extra
    return (ZERO, -out + credit) if out < ZERO else (out, credit)


def abs_money(amount: Money) -> Money:
    """Return how much, whatever the sign."""
    return -amount if amount < ZERO else amount


def _memo(table: Table, row: SheetRow) -> str:
    places = table.columns[Column.MEMO]
    said = [row[place] for place in range(places.start, min(places.stop, len(row))) if not is_empty(row[place])]
    return " ".join(map(clean, said))


def _reference(table: Table, row: SheetRow, told: object) -> str | None:
    if table.layout.day_holds_reference and isinstance(told, str):
        _, _, rest = _TWO_BLANKS.sub("\n", told.strip()).partition("\n")
        return clean(rest.replace("\n", " ")) or None
    return clean(table.cell(row, Column.REFERENCE)) or None


def _take_other(table: Table, block: Block, place: int) -> None:
    """Keep a row that is no movement: totals, balances, footers, and the second row of a long memo."""
    row = table.sheet.rows[place]
    block.others.append(Other(place + 1, row))
    if is_total(row) or _is_bare_total(table, row):
        if any(not is_empty(table.cell(row, column)) for column in (Column.DEBIT, Column.CREDIT)):
            debit = _amount(table, block, place, Column.DEBIT)
            credit = _amount(table, block, place, Column.CREDIT)
            block.totals.append(PrintedTotal(place + 1, abs_money(debit), credit, len(block.lines)))
        return
    filled = [at for at, cell in enumerate(row) if not is_empty(cell)]
    if not block.totals and block.lines and filled == [table.place(row, Column.MEMO)]:
        last = block.lines[-1]
        block.lines[-1] = replace(last, memo=f"{last.memo} {_memo(table, row)}".strip())


def _amount(table: Table, block: Block, place: int, column: Column) -> Money:
    cell = table.cell(table.sheet.rows[place], column)
    try:
        if column is Column.BALANCE and is_empty(cell):
            raise ValueError("để trống")  # noqa: TRY301  told like any other unreadable cell
        return read_amount(cell)
    except ValueError as error:
        block.problems.append(_problem(table, place, column, cell, error))
        return ZERO


def _problem(table: Table, place: int, column: Column, cell: object, error: Exception) -> RowProblem:
    """Name the sheet, the row and the cell, so that a person finds it in Excel."""
    shown = "" if cell is None else str(cell)[:40]
    where = cell_name(place, table.place(table.sheet.rows[place], column))
    sheet = f"trang “{table.sheet.name}”, " if table.sheet.name else ""
    return RowProblem(place + 1, _COLUMN_NAMES[column], f"{sheet}ô {where} “{shown}”: {error}", _REMEDY)
