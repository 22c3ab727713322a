"""Bringing a bank's statement into the book: all of its lines or none, each once, however often it is brought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.tables import BankAccount
from billing.money import ZERO, Money
from billing.vault import Vault
from reconciliation.errors import StatementUnreadable
from reconciliation.feeds.base import STATEMENT, NormalisedTransfer
from reconciliation.inbox import store_message
from reconciliation.pairing import DAY_APART, Told, pair, told
from reconciliation.plausible import implausible
from reconciliation.statements.reading import Statement, StatementLine, read_statement
from reconciliation.tables import Feed, InboxResult, StatementFile, Transfer
from reconciliation.tables import StatementLine as StatementLineRow
from reconciliation.transfers import Origin, lock_account, told_by, write_transfer


@dataclass(frozen=True, slots=True)
class Imported:
    """What a statement brought: its lines, those that were new money, and those we knew. None of them if ``again``."""

    file_id: UUID | None
    lines: int
    new: int
    known: int
    again: bool = False


def import_statement(  # noqa: PLR0913, PLR0917  the acts of a person at a moment
    session: Session, vault: Vault, feed: Feed, data: bytes, user_id: UUID | None, now: datetime
) -> Imported:
    """Store a statement's bytes and read it into transfers; the same or an overlapping file adds nothing twice.

    A line whose money a callback told us of is tied to that transfer, the best evidence of all lines first. The other
    lines become transfers: of n equal lines and m equal callbacks n - m. Raises ``StatementUnreadable``; nothing is
    stored then.
    """
    account = _account(session, feed)
    statement = read_statement(data)
    _judge(statement, account)
    _refuse_implausible(statement, now)
    inbox_id = store_message(session, vault, feed, data, now)
    if inbox_id is None:
        return Imported(None, len(statement.lines), 0, len(statement.lines), again=True)
    file = _file_row(statement, account, inbox_id, user_id, now)
    session.add(file)
    session.flush()
    lock_account(session, account.id)
    known = _known(session, account, statement.lines)
    new = 0
    for place, line in enumerate(statement.lines):
        transfer_id = known.get(place)
        if transfer_id is None:
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


def _known(session: Session, account: BankAccount, lines: Sequence[StatementLine]) -> dict[int, UUID]:
    """Return for each line, by its place, the transfer it is about: the line itself read before, or a callback."""
    transfers = _around(session, account, lines)
    by_key = {each.provider_id: each.id for each in transfers if each.provider == STATEMENT}
    known: dict[int, UUID] = {}
    rest: dict[tuple[str, Money], list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        same = by_key.pop(line.key(account.number), None)
        if same is None:
            rest[line.direction.value, line.amount].append(place)
        else:
            known[place] = same
    callbacks: dict[tuple[str, Money], list[Transfer]] = defaultdict(list)
    for each in transfers:
        if each.provider != STATEMENT:
            callbacks[each.direction, each.amount].append(each)
    days = _tied_days(session, account, lines)
    for money, places in rest.items():
        others = callbacks[money]
        told_by_lines = [_told_by_line(lines[place]) for place in places]
        pairs = pair(told_by_lines, [told_by(other, days.get(other.id)) for other in others])
        known |= {places[line]: others[other].id for line, other in pairs.items()}
    return known


def _told_by_line(line: StatementLine) -> Told:
    return told(line.day, line.time, line.memo, line.bank_reference, booked=True)


def _around(session: Session, account: BankAccount, lines: Sequence[StatementLine]) -> Sequence[Transfer]:
    """Return the transfers on the account around the days of some lines."""
    if not lines:
        return ()
    days = [line.day for line in lines]
    return session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == account.school_id,
            Transfer.bank_account_id == account.id,
            Transfer.value_date >= min(days) - DAY_APART,
            Transfer.value_date <= max(days) + DAY_APART,
            col(Transfer.state) != "duplicate",
        )
        .order_by(col(Transfer.occurred_at), col(Transfer.id)),
    ).all()


def _tied_days(session: Session, account: BankAccount, lines: Sequence[StatementLine]) -> dict[UUID, date]:
    """Return the days on which earlier statements show transfers: no line of another day is about them."""
    if not lines:
        return {}
    days = [line.day for line in lines]
    rows = session.exec(
        select(col(StatementLineRow.transfer_id), col(StatementLineRow.day))
        .join(StatementFile, col(StatementFile.id) == col(StatementLineRow.file_id))
        .where(
            StatementLineRow.school_id == account.school_id,
            StatementFile.school_id == account.school_id,
            StatementFile.bank_account_id == account.id,
            StatementLineRow.day >= min(days) - 2 * DAY_APART,
            StatementLineRow.day <= max(days) + 2 * DAY_APART,
        ),
    ).all()
    return {transfer_id: day for transfer_id, day in rows if transfer_id is not None}


def _account(session: Session, feed: Feed) -> BankAccount:
    return session.exec(
        select(BankAccount).where(
            BankAccount.school_id == feed.school_id,
            BankAccount.id == feed.bank_account_id,
        ),
    ).one()


def _judge(statement: Statement, account: BankAccount) -> None:
    if statement.account is not None and statement.account != account.number:
        raise StatementUnreadable(
            f"Sao kê của tài khoản {statement.account}, không phải {account.number}: hãy chọn đúng tài khoản",
        )
    if statement.opening is None or statement.closing is None:
        raise StatementUnreadable("Sao kê không có số dư đầu kỳ và cuối kỳ: hãy tải bản đầy đủ từ ngân hàng")


def _refuse_implausible(statement: Statement, now: datetime) -> None:
    for line in statement.lines:
        reason = implausible(line.amount, line.day, now)
        if reason is not None:
            raise StatementUnreadable(f"Dòng {line.line}: {reason}. Xem lại tệp, hoặc hỏi ngân hàng; chưa lưu gì cả")


def _file_row(
    statement: Statement, account: BankAccount, inbox_id: int, user_id: UUID | None, now: datetime
) -> StatementFile:
    days = [line.day for line in statement.lines] or [_today(now)]
    return StatementFile(
        school_id=account.school_id,
        bank_account_id=account.id,
        inbox_id=inbox_id,
        first_day=min(days),
        last_day=max(days),
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
