"""Which lines of a statement are money that we know: from a statement read before, or from what the bank told.

A line is known by itself (its key), by an earlier statement that began the day with the same balance (then the day is
the same, however another template words it), or as the movement that a callback told of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.tables import BankAccount
from billing.money import Money
from reconciliation.feeds.base import STATEMENT
from reconciliation.pairing import DAY_APART, Told, pair, told
from reconciliation.statements.lines import Statement, StatementLine
from reconciliation.tables import StatementFile, Transfer
from reconciliation.tables import StatementLine as StatementLineRow
from reconciliation.transfers import told_by

_Sum: TypeAlias = tuple[str, Money]


@dataclass(frozen=True, slots=True)
class _Shown:
    """A line of an earlier statement: its day, the balance with which that day began, and its transfer."""

    day: date
    began: Money
    transfer_id: UUID


def known_lines(session: Session, account: BankAccount, statement: Statement) -> dict[int, UUID]:
    """Return for each known line, by its place, the transfer it is about."""
    lines = statement.lines
    if not lines:
        return {}
    transfers = {each.id: each for each in _around(session, account, lines)}
    by_key = {each.provider_id: each.id for each in transfers.values() if each.provider == STATEMENT}
    known = {
        place: same
        for place, line in enumerate(lines)
        if (same := by_key.pop(line.key(account.number), None)) is not None
    }
    shown = _shown(session, account, lines)
    known |= _by_earlier(statement, shown, transfers, known)
    known |= _by_callbacks(lines, shown, transfers, known)
    return known


def _by_earlier(
    statement: Statement, shown: Sequence[_Shown], transfers: dict[UUID, Transfer], known: dict[int, UUID]
) -> dict[int, UUID]:
    """Pair lines with those of earlier statements on days that began with the same balance, as multisets."""
    began = _beginnings(statement)
    taken = set(known.values())
    same = {each.transfer_id for each in shown if began.get(each.day) == each.began} - taken
    days = {each.transfer_id: each.day for each in shown}
    others = [(transfers[each], days[each]) for each in sorted(same) if each in transfers]
    return _paired(statement.lines, known, others)


def _by_callbacks(
    lines: Sequence[StatementLine], shown: Sequence[_Shown], transfers: dict[UUID, Transfer], known: dict[int, UUID]
) -> dict[int, UUID]:
    """Pair the lines that are left with what the bank told."""
    taken, days = set(known.values()), {each.transfer_id: each.day for each in shown}
    free = [each for each in transfers.values() if each.provider != STATEMENT and each.id not in taken]
    return _paired(lines, known, [(each, days.get(each.id)) for each in free])


def _paired(
    lines: Sequence[StatementLine], known: dict[int, UUID], others: Iterable[tuple[Transfer, date | None]]
) -> dict[int, UUID]:
    rest: dict[_Sum, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        if place not in known:
            rest[line.direction.value, line.amount].append(place)
    of_sum: dict[_Sum, list[tuple[Transfer, date | None]]] = defaultdict(list)
    for other, day in others:
        of_sum[other.direction, other.amount].append((other, day))
    found: dict[int, UUID] = {}
    for money, places in rest.items():
        candidates = of_sum.get(money, [])
        pairs = pair([_told(lines[place]) for place in places], [told_by(other, day) for other, day in candidates])
        found |= {places[line]: candidates[other][0].id for line, other in pairs.items()}
    return found


def _told(line: StatementLine) -> Told:
    return told(line.day, line.time, line.memo, line.bank_reference, booked=True)


def _beginnings(statement: Statement) -> dict[date, Money]:
    """Return the balance with which each day of a statement began; nothing where it tells no opening balance."""
    began: dict[date, Money] = {}
    balance = statement.opening
    if balance is None:
        return began
    for line in statement.lines:
        began.setdefault(line.day, balance)
        balance += line.signed
    return began


def _around(session: Session, account: BankAccount, lines: Sequence[StatementLine]) -> Sequence[Transfer]:
    """Return the transfers on the account around the days of some lines."""
    days = [line.day for line in lines]
    return session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == account.school_id,
            Transfer.bank_account_id == account.id,
            Transfer.value_date >= min(days) - DAY_APART,
            Transfer.value_date <= max(days) + DAY_APART,
            col(Transfer.state).not_in(("duplicate", "quarantined")),
        )
        .order_by(col(Transfer.occurred_at), col(Transfer.id)),
    ).all()


def _shown(session: Session, account: BankAccount, lines: Sequence[StatementLine]) -> list[_Shown]:
    """Return the lines of earlier statements around some days, each with the balance its day began with."""
    days = [line.day for line in lines]
    files = session.exec(
        select(col(StatementFile.id), col(StatementFile.opening)).where(
            StatementFile.school_id == account.school_id,
            StatementFile.bank_account_id == account.id,
            StatementFile.first_day <= max(days) + 2 * DAY_APART,
            StatementFile.last_day >= min(days) - 2 * DAY_APART,
        ),
    ).all()
    rows = session.exec(
        select(StatementLineRow)
        .where(
            StatementLineRow.school_id == account.school_id,
            col(StatementLineRow.file_id).in_([file_id for file_id, _ in files]),
        )
        .order_by(col(StatementLineRow.id)),
    ).all()
    balances = dict(files)
    began: dict[tuple[UUID, date], Money] = {}
    shown = []
    for row in rows:
        first = began.setdefault((row.file_id, row.day), balances[row.file_id])
        balances[row.file_id] += row.amount if row.direction == "in" else -row.amount
        if row.transfer_id is not None:
            shown.append(_Shown(row.day, first, row.transfer_id))
    return shown
