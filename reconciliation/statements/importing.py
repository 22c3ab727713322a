"""Bringing a bank's statement into the book: all of its lines or none, each once, however often it is brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, select

from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money
from billing.vault import Vault
from reconciliation.errors import StatementLayoutUnknown, StatementUnreadable
from reconciliation.feeds.base import STATEMENT, NormalisedTransfer
from reconciliation.inbox import store_message
from reconciliation.plausible import implausible
from reconciliation.statements.adding_up import check_sums
from reconciliation.statements.knowing import known_lines, unused, used_keys
from reconciliation.statements.layouts import BANK_OF_BIN
from reconciliation.statements.lines import Statement, StatementLine
from reconciliation.statements.mapping import Mapped
from reconciliation.statements.reading import read_statement
from reconciliation.statements.vouching import vouch
from reconciliation.tables import Feed, InboxResult, StatementFile
from reconciliation.tables import StatementLine as StatementLineRow
from reconciliation.transfers import Origin, lock_account, write_transfer


@dataclass(frozen=True, slots=True)
class How:
    """What people say of a file: layouts they explained, balances it does not tell, and that it is of this account."""

    mapped: tuple[Mapped, ...] = ()
    opening: Money | None = None
    closing: Money | None = None
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What a statement brought: its lines, those that were new money, and those we knew. None of them if ``again``."""

    file_id: UUID | None
    lines: int
    new: int
    known: int
    again: bool = False


def import_statement(  # noqa: PLR0913, PLR0917  the acts of a person at a moment
    session: Session,
    vault: Vault,
    feed: Feed,
    data: bytes,
    user_id: UUID | None,
    now: datetime,
    how: How | None = None,
) -> Imported:
    """Store a statement's bytes and read it into transfers; the same or an overlapping file adds nothing twice.

    A line whose money a callback told us of is tied to that transfer, the best evidence of all lines first. The other
    lines become transfers: of n equal lines and m equal callbacks n - m. ``how`` is what people said of the
    file. Raises ``StatementUnreadable``; nothing is stored then.
    """
    account = _account(session, feed)
    statement = read_for(account, data, how or How(), now)
    if statement.opening is None or statement.closing is None:
        raise StatementUnreadable("Sao kê không có số dư đầu kỳ và cuối kỳ: hãy tải bản đầy đủ từ ngân hàng")
    covered = covered_days(statement, now)
    inbox_id = store_message(session, vault, feed, data, now)
    if inbox_id is None:
        return Imported(None, len(statement.lines), 0, len(statement.lines), again=True)
    file = _file_row(statement, account, inbox_id, covered, user_id, now)
    session.add(file)
    session.flush()
    lock_account(session, account.id)
    known = known_lines(session, account, statement)
    vouch(session, account, statement.lines, known, now)
    new, used = 0, used_keys(session, account, statement.lines)
    for place, each in enumerate(statement.lines):
        line, transfer_id = each, known.get(place)
        if transfer_id is None:
            line = unused(each, account.number, used)
            origin = Origin(account, inbox_id, value_date=line.day)
            transfer_id = write_transfer(session, vault, origin, _as_transfer(line, account.number), now)
            new += 1
        session.add(_line_row(file, line, transfer_id))
    lines = len(statement.lines)
    outcome = "normalised" if lines else "ignored"
    session.add(
        InboxResult(inbox_id=inbox_id, outcome=outcome, transfers=new, duplicates=lines - new, at=now),
    )
    session.flush()
    return Imported(file.id, lines, new, lines - new)


def read_for(account: BankAccount, data: bytes, how: How, now: datetime) -> Statement:
    """Read a file as the statement of an account; raises ``StatementUnreadable`` where it is not, or cannot be true.

    Balances that the file does not tell are taken from what was typed, and then have to add up.
    """
    statement = _read(account, data, how.mapped)
    if statement.account is not None and not statement.is_of(account.number):
        raise StatementUnreadable(
            f"Sao kê của tài khoản {statement.account}, không phải {account.number}: hãy chọn đúng tài khoản",
        )
    _refuse_implausible(statement, now)
    opening = how.opening if statement.opening is None else statement.opening
    closing = how.closing if statement.closing is None else statement.closing
    statement = replace(statement, opening=opening, closing=closing)
    check_sums(statement)
    return statement


def _read(account: BankAccount, data: bytes, mapped: Sequence[Mapped]) -> Statement:
    """Read as the file says; where it names no bank, as the account's bank writes."""
    try:
        return read_statement(data, account=account.number, mapped=mapped)
    except StatementLayoutUnknown:
        bank = BANK_OF_BIN.get(account.bank_bin)
        if bank is None:
            raise
        return read_statement(data, bank, account.number, mapped)


def _account(session: Session, feed: Feed) -> BankAccount:
    return session.exec(
        select(BankAccount).where(
            BankAccount.school_id == feed.school_id,
            BankAccount.id == feed.bank_account_id,
        ),
    ).one()


def _refuse_implausible(statement: Statement, now: datetime) -> None:
    for line in statement.lines:
        reason = implausible(line.amount, line.day, now)
        if reason is not None:
            raise StatementUnreadable(f"Dòng {line.line}: {reason}. Xem lại tệp, hoặc hỏi ngân hàng; chưa lưu gì cả")


def covered_days(statement: Statement, now: datetime) -> tuple[date, date]:
    """Return the first and the last day that a statement speaks for: its printed period, not beyond today.

    Where it prints no period, the days of its lines. Raises ``StatementUnreadable`` for a file that tells neither, or
    whose period has not begun: it says nothing of any day.
    """
    spoken = [day for each in (statement.days, statement.period) if each is not None for day in each]
    today = _today(now)
    if not spoken or (not statement.lines and min(spoken) > today):
        raise StatementUnreadable(
            "Tệp không có giao dịch nào và không ghi kỳ đã qua (từ ngày … đến ngày …) nên không cho biết điều gì: "
            "hãy tải bản sao kê có ghi kỳ",
        )
    last = max([today, *(line.day for line in statement.lines)])  # a bank may be a day ahead of us
    return min(spoken), min(max(spoken), last)


def _file_row(  # noqa: PLR0913, PLR0917  one row with its facts
    statement: Statement,
    account: BankAccount,
    inbox_id: int,
    covered: tuple[date, date],
    user_id: UUID | None,
    now: datetime,
) -> StatementFile:
    return StatementFile(
        school_id=account.school_id,
        bank_account_id=account.id,
        inbox_id=inbox_id,
        first_day=covered[0],
        last_day=covered[1],
        opening=statement.opening or ZERO,
        money_in=statement.money_in,
        money_out=statement.money_out,
        closing=statement.closing or ZERO,
        read_by=user_id,
        read_at=now,
    )


def _today(now: datetime) -> date:
    return (now + timedelta(hours=7)).date()


def _line_row(file: StatementFile, line: StatementLine, transfer_id: UUID | None) -> StatementLineRow:
    return StatementLineRow(
        school_id=file.school_id,
        file_id=file.id,
        line=line.line,
        day=line.day,
        direction=line.direction.value,
        amount=line.amount,
        memo=line.memo,
        bank_reference=line.bank_reference,
        occurrence=line.occurrence,
        transfer_id=transfer_id,
    )


def _as_transfer(line: StatementLine, account: str) -> NormalisedTransfer:
    return NormalisedTransfer(
        provider=STATEMENT,
        provider_id=line.key(account),
        account=account,
        direction=line.direction,
        amount=line.amount,
        memo=line.memo,
        bank_reference=line.bank_reference,
        time=line.time,
    )
