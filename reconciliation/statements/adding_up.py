"""Whether a statement adds up: balances that run on, printed totals, and statements that follow each other (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from billing.money import Money, total
from reconciliation.errors import StatementTotalsDiffer, StatementUnreadable
from reconciliation.matching import Direction
from reconciliation.statements.blocks import Block, PrintedTotal
from reconciliation.statements.layouts import CLOSING_LABELS, OPENING_LABELS
from reconciliation.statements.lines import Statement, StatementLine, numbered


def statement_of(block: Block) -> Statement:
    """Turn what was read into a statement; raises ``StatementUnreadable`` or ``StatementTotalsDiffer``."""
    if block.problems:
        first = block.problems[0]
        message = f"{len(block.problems)} ô không đọc được; đầu tiên: dòng {first.line}, cột {first.column}"
        raise StatementUnreadable(f"{message}: {first.reason}", problems=block.problems)
    _check_totals(block)
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
    if break_at is not None and _break(newest_first) is not None:
        raise StatementTotalsDiffer(f"Số dư không khớp ở dòng {break_at}", line=break_at)
    return lines if break_at is None else newest_first


def check_sums(statement: Statement) -> None:
    """Raise ``StatementTotalsDiffer`` unless opening + in - out = closing, as far as the file tells them."""
    if statement.lines and statement.lines[-1].balance not in (None, statement.closing):
        raise StatementTotalsDiffer("Số dư cuối kỳ khác số dư ở giao dịch cuối cùng")
    if statement.opening is None or statement.closing is None:
        return
    expected = statement.opening + statement.money_in - statement.money_out
    if expected != statement.closing:
        raise StatementTotalsDiffer(f"Số dư đầu kỳ cộng phát sinh là {expected}, cuối kỳ là {statement.closing}")


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


def _break(lines: list[StatementLine]) -> int | None:
    """Return the first row whose balance does not follow from the row before."""
    for before, line in pairwise(lines):
        if before.balance is None or line.balance is None or before.balance + line.signed != line.balance:
            return line.line
    return None


def _check_totals(block: Block) -> None:
    """Compare each printed total with all movements above it, or with those since the total before (page by page)."""
    before = 0
    for printed in block.totals:
        if not any(
            _sums(block.lines[start : printed.after]) == (printed.debit, printed.credit) for start in (0, before)
        ):
            raise StatementTotalsDiffer(_difference(printed, *_sums(block.lines[: printed.after])), line=printed.number)
        before = printed.after


def _sums(lines: Sequence[StatementLine]) -> tuple[Money, Money]:
    """Return what went out and what came in."""
    return (
        total(line.amount for line in lines if line.direction is Direction.OUT),
        total(line.amount for line in lines if line.direction is Direction.IN),
    )


def _difference(printed: PrintedTotal, debit: Money, credit: Money) -> str:
    shown = f"nợ {printed.debit}, có {printed.credit}; cộng lại: nợ {debit}, có {credit}"
    return f"Dòng {printed.number}: tổng in trên sao kê là {shown}"
