"""A bank's statement file, read into lines that add up (pure).

The header is found by its headings, the layout by words above it. A file is taken whole or not at all: a cell that
cannot be read, balances that do not run on, and totals that differ are errors that name the row.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

from billing.errors import RowProblem
from billing.money import ZERO, Money, total
from reconciliation.errors import StatementTotalsDiffer, StatementUnreadable
from reconciliation.matching import Direction
from reconciliation.statements.cells import fold, is_empty, read_amount, read_moment
from reconciliation.statements.layouts import (
    ACCOUNT_LABELS,
    CLOSING_LABELS,
    HEADER_WITHIN_ROWS,
    LAYOUTS,
    OPENING_LABELS,
    TOTAL_LABELS,
    Column,
    Layout,
)
from reconciliation.statements.sheets import SheetRow, read_sheets

_BANK_TIME = timezone(timedelta(hours=7))
_ACCOUNT = re.compile(r"[0-9A-Za-z]{6,19}")
_COLUMN_NAMES = {
    Column.DAY: "Ngày",
    Column.MOMENT: "Ngày giao dịch",
    Column.DEBIT: "Ghi nợ",
    Column.CREDIT: "Ghi có",
    Column.BALANCE: "Số dư",
}
_REMEDY = "Sửa ô này theo bản gốc của ngân hàng hoặc tải lại sao kê"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One movement; ``line`` is its row in the sheet, ``time`` UTC, ``day`` the day the bank booked it.

    Equal lines of one day are told apart by ``occurrence`` (1, 2, …), so a statement is a multiset.
    """

    line: int
    day: date
    time: datetime
    direction: Direction
    amount: Money
    memo: str
    bank_reference: str | None
    balance: Money | None
    occurrence: int = 1

    @property
    def signed(self) -> Money:
        """The amount as the balance sees it."""
        return self.amount if self.direction is Direction.IN else -self.amount

    def key(self, account: str) -> str:
        """Return a name that is the same however often and over whatever days the statement is exported."""
        parts = (account, self.day, self.direction, self.amount.dong, self.memo, self.bank_reference, self.occurrence)
        return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement that adds up: opening + in - out = closing. Lines are oldest first.

    ``account``, ``opening`` and ``closing`` are None where the file does not tell them.
    """

    bank: str
    account: str | None
    opening: Money | None
    closing: Money | None
    lines: tuple[StatementLine, ...]

    @property
    def money_in(self) -> Money:
        """Sum of the credits."""
        return total(line.amount for line in self.lines if line.direction is Direction.IN)

    @property
    def money_out(self) -> Money:
        """Sum of the debits."""
        return total(line.amount for line in self.lines if line.direction is Direction.OUT)


@dataclass(frozen=True, slots=True)
class _Table:
    """Where the table stands: its layout, sheet rows, header row (counted from 0) and columns."""

    layout: Layout
    rows: Sequence[SheetRow]
    header: int
    columns: Mapping[Column, int]

    def cell(self, row: SheetRow, column: Column) -> object:
        place = self.columns.get(column)
        return row[place] if place is not None and place < len(row) else None


@dataclass(slots=True)
class _Reading:
    """What was read so far: lines, other rows, printed totals, and everything that could not be read."""

    lines: list[StatementLine]
    others: list[SheetRow]
    problems: list[RowProblem]
    totals: tuple[int, Money, Money] | None = None


def read_statement(content: bytes, bank: str | None = None) -> Statement:
    """Read an XLSX statement; ``bank`` names the layout where the file does not tell it.

    Raises ``StatementUnreadable`` (with all bad rows in ``facts["problems"]``) or ``StatementTotalsDiffer``.
    """
    layouts = [layout for layout in LAYOUTS if bank in (None, layout.bank)]
    if not layouts:
        known = ", ".join(layout.bank for layout in LAYOUTS)
        raise StatementUnreadable(f"Chưa có mẫu sao kê của {bank}; hiện có: {known}")
    for rows in read_sheets(content):
        if table := _find_table(rows, layouts, named=bank is not None):
            return _checked(table, _read_rows(table))
    raise StatementUnreadable("Không nhận ra mẫu sao kê: không thấy dòng tiêu đề cột của ngân hàng nào đã biết")


def _find_table(rows: Sequence[SheetRow], layouts: Iterable[Layout], *, named: bool) -> _Table | None:
    """Score the first rows against each layout; the row with most headings of a layout wins."""
    top = rows[:HEADER_WITHIN_ROWS]
    words = " ".join(fold(cell) for row in top for cell in row if isinstance(cell, str))
    best: tuple[int, _Table] | None = None
    for layout in layouts:
        if not named and not any(mark in words for mark in layout.marks):
            continue
        for place, row in enumerate(top):
            columns = _columns(row, layout)
            if layout.needed <= columns.keys() and (best is None or len(columns) > best[0]):
                best = len(columns), _Table(layout, rows, place, columns)
    return None if best is None else best[1]


def _columns(row: SheetRow, layout: Layout) -> dict[Column, int]:
    """Find each role's column; headings are often "Vietnamese/English", and either half may fit."""
    halves = [[half.strip() for half in fold(cell).split("/")] for cell in row]
    found: dict[Column, int] = {}
    for column, headings in layout.headings.items():
        for heading in headings:
            fitting = [i for i, parts in enumerate(halves) if any(part.startswith(heading) for part in parts)]
            if fitting:
                found[column] = fitting[0]
                break
    return found


def _read_rows(table: _Table) -> _Reading:
    reading = _Reading([], list(table.rows[: table.header]), [])
    for place in range(table.header + 1, len(table.rows)):
        row = table.rows[place]
        if all(is_empty(cell) for cell in row):
            continue
        if reading.totals is None and _is_line(table, row):
            _take_line(table, reading, place + 1, row)
        else:
            _take_other(table, reading, place + 1, row)
    return reading


def _is_line(table: _Table, row: SheetRow) -> bool:
    """Tell a movement from a total, a balance or a footer: it has a day, or money and no label."""
    if _label(row, (*TOTAL_LABELS, *OPENING_LABELS, *CLOSING_LABELS)):
        return False
    money = any(not is_empty(table.cell(row, column)) for column in (Column.DEBIT, Column.CREDIT))
    return money or (not is_empty(table.cell(row, Column.DAY)) and _is_day(table.cell(row, Column.DAY)))


def _is_day(cell: object) -> bool:
    try:
        read_moment(cell)
    except ValueError:
        return False
    return True


def _label(row: SheetRow, labels: tuple[str, ...]) -> bool:
    first = next((fold(cell) for cell in row if not is_empty(cell)), "")
    return first.startswith(labels)


def _take_line(table: _Table, reading: _Reading, number: int, row: SheetRow) -> None:
    """Read one movement, or note everything that is wrong with it."""
    problems = len(reading.problems)
    day, clock = _moment(table, reading, number, row)
    debit = _amount(table, reading, number, row, Column.DEBIT)
    credit = _amount(table, reading, number, row, Column.CREDIT)
    has_balance = Column.BALANCE in table.columns
    balance = _amount(table, reading, number, row, Column.BALANCE) if has_balance else None
    if len(reading.problems) > problems or day is None:
        return
    if min(debit, credit) < ZERO or bool(debit) == bool(credit):
        reason = "phải có đúng một trong hai số tiền ghi nợ, ghi có, và không âm"
        reading.problems.append(RowProblem(number, "Ghi nợ, Ghi có", reason, _REMEDY))
        return
    local = clock or datetime(day.year, day.month, day.day)  # noqa: DTZ001  given its zone on the next lines
    reading.lines.append(
        StatementLine(
            line=number,
            day=day,
            time=local.replace(tzinfo=_BANK_TIME).astimezone(UTC),
            direction=Direction.IN if credit else Direction.OUT,
            amount=credit or debit,
            memo=_text(table.cell(row, Column.MEMO)),
            bank_reference=_text(table.cell(row, Column.REFERENCE)) or None,
            balance=balance,
        )
    )


def _take_other(table: _Table, reading: _Reading, number: int, row: SheetRow) -> None:
    """Keep a row that is no movement: totals, balances, footers, and the second row of a long memo."""
    reading.others.append(row)
    if reading.totals is None and _label(row, TOTAL_LABELS):
        debit = _amount(table, reading, number, row, Column.DEBIT)
        credit = _amount(table, reading, number, row, Column.CREDIT)
        reading.totals = (number, debit, credit)
        return
    filled = [place for place, cell in enumerate(row) if not is_empty(cell)]
    if reading.totals is None and reading.lines and filled == [table.columns[Column.MEMO]]:
        last = reading.lines[-1]
        memo = f"{last.memo} {_text(table.cell(row, Column.MEMO))}".strip()
        reading.lines[-1] = replace(last, memo=memo)


def _moment(table: _Table, reading: _Reading, number: int, row: SheetRow) -> tuple[date | None, datetime | None]:
    """Read the booking day, and the clock from the column that has one."""
    day: date | None = None
    clock: datetime | None = None
    for column in (Column.DAY, Column.MOMENT):
        cell = table.cell(row, column)
        if column is Column.MOMENT and is_empty(cell):
            continue
        try:
            read_day, read_clock = read_moment(cell)
        except ValueError as error:
            reading.problems.append(_problem(number, column, cell, error))
            continue
        day, clock = day or read_day, clock or read_clock
    return day, clock


def _amount(table: _Table, reading: _Reading, number: int, row: SheetRow, column: Column) -> Money:
    cell = table.cell(row, column)
    try:
        if column is Column.BALANCE and is_empty(cell):
            raise ValueError("để trống")  # noqa: TRY301  told like any other unreadable cell
        return read_amount(cell)
    except ValueError as error:
        reading.problems.append(_problem(number, column, cell, error))
        return ZERO


def _problem(number: int, column: Column, cell: object, error: Exception) -> RowProblem:
    shown = "" if cell is None else str(cell)[:40]
    return RowProblem(number, _COLUMN_NAMES[column], f"“{shown}”: {error}", _REMEDY)


def _text(cell: object) -> str:
    text = "" if cell is None else str(cell)
    return " ".join(unicodedata.normalize("NFC", text).replace("\0", " ").split("\n")).strip()


def _checked(table: _Table, reading: _Reading) -> Statement:
    """Turn what was read into a statement, or say what does not add up."""
    if reading.problems:
        first = reading.problems[0]
        message = f"{len(reading.problems)} ô không đọc được; đầu tiên: dòng {first.line}, cột {first.column}"
        raise StatementUnreadable(f"{message}: {first.reason}", problems=reading.problems)
    lines = _oldest_first(reading.lines)
    opening = _labelled_amount(reading.others, OPENING_LABELS)
    closing = _labelled_amount(reading.others, CLOSING_LABELS)
    if lines and lines[0].balance is not None:
        opening = lines[0].balance - lines[0].signed if opening is None else opening
        closing = lines[-1].balance if closing is None else closing
    statement = Statement(
        bank=table.layout.bank,
        account=_account(reading.others),
        opening=opening,
        closing=closing,
        lines=tuple(_numbered(lines)),
    )
    _check_sums(statement, reading.totals)
    return statement


def _oldest_first(lines: list[StatementLine]) -> list[StatementLine]:
    """Put lines in the order in which the balance runs on; banks print either way round."""
    newest_first = list(reversed(lines))
    if not lines or lines[0].balance is None:
        return newest_first if lines and lines[0].day > lines[-1].day else lines
    break_at = _break(lines)
    if break_at is not None and _break(newest_first) is not None:
        raise StatementTotalsDiffer(f"Số dư không khớp ở dòng {break_at}", line=break_at)
    return lines if break_at is None else newest_first


def _break(lines: list[StatementLine]) -> int | None:
    """Return the first row whose balance does not follow from the row before."""
    for before, line in pairwise(lines):
        if before.balance is None or line.balance is None or before.balance + line.signed != line.balance:
            return line.line
    return None


def _numbered(lines: list[StatementLine]) -> Iterable[StatementLine]:
    seen: Counter[tuple[object, ...]] = Counter()
    for line in lines:
        same = (line.day, line.direction, line.amount, line.memo, line.bank_reference)
        seen[same] += 1
        yield replace(line, occurrence=seen[same])


def _check_sums(statement: Statement, totals: tuple[int, Money, Money] | None) -> None:
    if totals is not None and totals[1:] != (statement.money_out, statement.money_in):
        shown = f"nợ {totals[1]}, có {totals[2]}; cộng lại: nợ {statement.money_out}, có {statement.money_in}"
        raise StatementTotalsDiffer(f"Dòng {totals[0]}: tổng in trên sao kê là {shown}", line=totals[0])
    if statement.lines and statement.lines[-1].balance not in (None, statement.closing):
        raise StatementTotalsDiffer("Số dư cuối kỳ khác số dư ở giao dịch cuối cùng")
    if statement.opening is None or statement.closing is None:
        return
    expected = statement.opening + statement.money_in - statement.money_out
    if expected != statement.closing:
        raise StatementTotalsDiffer(f"Số dư đầu kỳ cộng phát sinh là {expected}, cuối kỳ là {statement.closing}")


def _labelled(rows: Iterable[SheetRow], labels: tuple[str, ...]) -> Iterable[object]:
    """Give what stands behind a label: after its colon, or in the next filled cell of the row."""
    for row in rows:
        for place, cell in enumerate(row):
            if not isinstance(cell, str) or not fold(cell).startswith(labels):
                continue
            _, _, rest = cell.partition(":")
            yield from [rest] if rest.strip() else [next_ for next_ in row[place + 1 :] if not is_empty(next_)][:1]


def _labelled_amount(rows: Iterable[SheetRow], labels: tuple[str, ...]) -> Money | None:
    for value in _labelled(rows, labels):
        try:
            return read_amount(value)
        except ValueError as error:
            raise StatementUnreadable(f"Số dư “{value}” không đọc được") from error
    return None


def _account(rows: Iterable[SheetRow]) -> str | None:
    for value in _labelled(rows, ACCOUNT_LABELS):
        match = _ACCOUNT.match(str(value).replace(" ", ""))
        if match:
            return match[0]
    return None
