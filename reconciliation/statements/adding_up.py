"""Whether a statement adds up: balances that run on, printed totals, and statements that follow each other (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from billing.money import Money, total
from reconciliation.errors import StatementTotalsDiffer, StatementUnreadable
from reconciliation.matching import Direction
from reconciliation.statements.blocks import Block, PrintedTotal
from reconciliation.statements.labels import other_currency
from reconciliation.statements.layouts import CLOSING_LABELS, OPENING_LABELS
from reconciliation.statements.lines import Statement, StatementLine, numbered

_AGAIN = "Hãy tải lại sao kê từ ngân hàng, đừng sửa tệp"
_SWAPPED = (
    "Thường do Excel đổi chỗ ngày và tháng: hãy tải lại từ ngân hàng và gửi thẳng tệp đó, đừng mở ra lưu lại hay sửa"
)
_NIGHT = timedelta(days=1)


def statement_of(block: Block) -> Statement:
    """Turn what was read into a statement; raises ``StatementUnreadable`` or ``StatementTotalsDiffer``."""
    if block.problems:
        first = block.problems[0]
        message = f"{len(block.problems)} ô không đọc được; đầu tiên: dòng {first.line}, cột {first.column}"
        raise StatementUnreadable(f"{message}: {first.reason}", problems=block.problems)
    currency = other_currency(block.others, block.table)
    if currency is not None:
        raise StatementUnreadable(f"Sao kê ghi bằng “{currency}”, không phải đồng: hãy chọn tài khoản tiền đồng")
    _check_totals(block)
    _check_period(block)
    lines = oldest_first(block.lines)
    opening, closing = block.labelled_amount(OPENING_LABELS), block.labelled_amount(CLOSING_LABELS)
    if lines and lines[0].balance is not None:
        opening = lines[0].balance - lines[0].signed if opening is None else opening
        closing = lines[-1].balance if closing is None else closing
    account = block.account()
    statement = Statement(
        bank=block.table.layout.bank,
        account=None if account is None else account[0],
        zeros_lost=account is not None and account[1],
        opening=opening,
        closing=closing,
        lines=tuple(numbered(lines)),
        period=block.period,
    )
    check_sums(statement)
    return statement


def oldest_first(lines: list[StatementLine]) -> list[StatementLine]:
    """Put lines in the order in which the balance runs on; banks print either way round."""
    newest_first = list(reversed(lines))
    if not lines or lines[0].balance is None:
        return newest_first if lines and lines[0].day > lines[-1].day else lines
    break_at = _break(lines)
    if break_at is not None and (backwards := _break(newest_first)) is not None:
        # The days tell which way round the file is written; of one day, the way that goes on further.
        first, last = lines[0].day, lines[-1].day
        further = lines.index(break_at[1]) >= newest_first.index(backwards[1])
        ahead = first < last or (first == last and further)
        raise _balance_differs(*(break_at if ahead else backwards))
    ordered = lines if break_at is None else newest_first
    _check_days(ordered)
    return ordered


def check_sums(statement: Statement) -> None:
    """Raise ``StatementTotalsDiffer`` unless opening + in - out = closing, as far as the file tells them."""
    if statement.lines and statement.lines[-1].balance not in (None, statement.closing):
        last = statement.lines[-1]
        shown = f"in {statement.closing}, khác số dư {last.balance} ở giao dịch cuối (dòng {last.line})"
        raise StatementTotalsDiffer(f"Số dư cuối kỳ {shown}. {_AGAIN}")
    if statement.opening is None or statement.closing is None:
        return
    expected = statement.opening + statement.money_in - statement.money_out
    if expected != statement.closing:
        shown = f"cộng phát sinh là {expected}, cuối kỳ là {statement.closing}"
        raise StatementTotalsDiffer(f"Số dư đầu kỳ {shown}. {_AGAIN}")


def joined(statements: Sequence[Statement]) -> Statement:
    """Join the statements of one account that follow each other; raises ``StatementTotalsDiffer`` for a gap."""
    if len(statements) == 1:
        return statements[0]
    for order in (statements, list(reversed(statements))):
        if all(one.closing is not None and one.closing == other.opening for one, other in pairwise(order)):
            periods = [each.period for each in order if each.period is not None]
            lines = [line for each in order for line in each.lines]
            return Statement(
                bank=order[0].bank,
                account=order[0].account,
                zeros_lost=order[0].zeros_lost,
                opening=order[0].opening,
                closing=order[-1].closing,
                lines=tuple(numbered(_counted(lines))),
                period=(min(first for first, _ in periods), max(last for _, last in periods)) if periods else None,
            )
    raise StatementTotalsDiffer(
        "Các phần sao kê của một tài khoản không nối nhau: số dư cuối phần này khác đầu phần sau"
    )


def _counted(lines: list[StatementLine]) -> list[StatementLine]:
    """Give lines new numbers where the parts' own row numbers meet."""
    rows = [line.line for line in lines]
    if len(set(rows)) == len(rows):
        return lines
    return [replace(line, line=place) for place, line in enumerate(lines, start=1)]


def _break(lines: list[StatementLine]) -> tuple[StatementLine, StatementLine] | None:
    """Return the first row whose balance does not follow from the row before, after that row."""
    for before, line in pairwise(lines):
        if before.balance is None or line.balance is None or before.balance + line.signed != line.balance:
            return before, line
    return None


def _balance_differs(before: StatementLine, line: StatementLine) -> StatementTotalsDiffer:
    expected = "?" if before.balance is None else before.balance + line.signed
    shown = f"tính từ dòng {before.line} phải là {expected}, sao kê in {line.balance}"
    return StatementTotalsDiffer(f"Số dư không khớp ở dòng {line.line}: {shown}. {_AGAIN}", line=line.line)


def _check_days(lines: Sequence[StatementLine]) -> None:
    """Refuse days that go back while the balances run on, as when a program took day and month for each other."""
    for before, line in pairwise(lines):
        if before.balance is not None and line.day + _NIGHT < before.day:
            raise StatementUnreadable(
                f"Dòng {line.line} ghi ngày {line.day:%d/%m/%Y} nhưng theo số dư lại đứng sau dòng {before.line} "
                f"ngày {before.day:%d/%m/%Y}. {_SWAPPED}",
                line=line.line,
            )


def _check_period(block: Block) -> None:
    """Refuse a day outside the period printed above; a booking of the night may stand a day beside it."""
    if block.period is None:
        return
    first, last = block.period
    outside = next((line for line in block.lines if not first - _NIGHT <= line.day <= last + _NIGHT), None)
    if outside is not None:
        raise StatementUnreadable(
            f"Dòng {outside.line} ghi ngày {outside.day:%d/%m/%Y}, ngoài kỳ in trên sao kê "
            f"({first:%d/%m/%Y} – {last:%d/%m/%Y}). {_SWAPPED}",
            line=outside.line,
        )


def _check_totals(block: Block) -> None:
    """Compare each printed total with movements above it: all, or those since the total before (page by page).

    A total printed above the movements is of all of them, or of those down to the next total.
    """
    before = 0
    ends = [*(printed.after for printed in block.totals[1:]), len(block.lines)]
    for printed, end in zip(block.totals, ends, strict=False):
        spans = [(0, printed.after), (before, printed.after)]
        if printed.after == 0:
            spans += [(0, len(block.lines)), (0, end)]
        if not any(_sums(block.lines[start:stop]) == (printed.debit, printed.credit) for start, stop in spans):
            stop = printed.after or len(block.lines)
            raise StatementTotalsDiffer(_difference(printed, *_sums(block.lines[:stop])), line=printed.number)
        before = printed.after


def _sums(lines: Sequence[StatementLine]) -> tuple[Money, Money]:
    """Return what went out and what came in."""
    return (
        total(line.amount for line in lines if line.direction is Direction.OUT),
        total(line.amount for line in lines if line.direction is Direction.IN),
    )


def _difference(printed: PrintedTotal, debit: Money, credit: Money) -> str:
    shown = f"nợ {printed.debit}, có {printed.credit}; cộng lại: nợ {debit}, có {credit}"
    return f"Dòng {printed.number}: tổng in trên sao kê là {shown}. {_AGAIN}"
