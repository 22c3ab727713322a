"""Which lines of a statement are money that we know: from a statement read before, or from what the bank told.

A line that an earlier statement showed is told by running balances (``chaining``); what is left may be the movement
that a callback told of (``pairing``). Where balances do not tell, the statement is refused with the remedy.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlmodel import Session, col, select

from billing.ledger.tables import BankAccount
from billing.money import Money
from reconciliation.errors import StatementUnreadable
from reconciliation.feeds.base import STATEMENT
from reconciliation.pairing import DAY_APART, Told, pair, told
from reconciliation.statements.chaining import Doubt, Shown, Sum, seen_before
from reconciliation.statements.lines import Statement, StatementLine, at_of
from reconciliation.tables import StatementFile, Transfer
from reconciliation.tables import StatementLine as StatementLineRow
from reconciliation.told_before import told_by

_MOST_ROWS = 10


def known_lines(session: Session, account: BankAccount, statement: Statement) -> dict[int, UUID]:
    """Return for each known line, by its place, the transfer it is about.

    Raises ``StatementUnreadable`` where it cannot be known whether lines stood on an earlier statement.
    """
    lines = statement.lines
    if not lines:
        return {}
    transfers = {each.id: each for each in _around(session, account, lines)}
    earlier = _shown(session, account, lines, transfers)
    known: dict[int, UUID] = {}
    if statement.opening is not None:
        same, doubts = seen_before(_showing(lines, statement.opening), earlier)
        _refuse(doubts)
        known = {place: each for place, other in same.items() if (each := earlier[other].transfer_id) is not None}
    on_earlier = {each.transfer_id for each in earlier}
    called = [each for each in transfers.values() if each.provider != STATEMENT and each.id not in on_earlier]
    return known | _by_callbacks(lines, known, called)


def told_of(line: StatementLine) -> Told:
    """Return what a line tells of its movement."""
    return told(line.day, line.time, line.memo, line.bank_reference, booked=True)


def used_keys(session: Session, account: BankAccount, lines: Sequence[StatementLine]) -> set[str]:
    """Return the keys by which transfers of statements around some days are known."""
    around = _around(session, account, lines, every_state=True) if lines else ()
    return {each.provider_id for each in around if each.provider == STATEMENT}


def unused(line: StatementLine, account: str, used: set[str]) -> StatementLine:
    """Return a new line as the next of its equals on that day, whichever statement showed those; and note its key."""
    while (key := line.key(account)) in used:
        line = replace(line, occurrence=line.occurrence + 1)
    used.add(key)
    return line


def _refuse(doubts: Sequence[Doubt]) -> None:
    """Refuse what balances do not tell: neither lose money nor count it twice. Raises ``StatementUnreadable``."""
    if not doubts:
        return
    days = "; ".join(f"ngày {each.day:%d/%m/%Y} dòng {', '.join(map(str, each.rows[:_MOST_ROWS]))}" for each in doubts)
    raise StatementUnreadable(
        f"Không rõ là tiền mới hay đã có trên sao kê nhập trước, vì số dư không nối với sao kê đó: {days}. "
        "Hãy tải từ ngân hàng sao kê đủ cả ngày, từ giao dịch đầu tiên trong ngày, rồi nhập lại (số dư gõ tay: xem "
        "lại số dư đầu kỳ); chưa lưu gì cả",
    )


def _showing(lines: Sequence[StatementLine], opening: Money) -> list[Shown]:
    shown, balance = [], opening
    for line in lines:
        shown.append(Shown(None, line.line, told_of(line), (line.direction.value, line.amount), balance))
        balance += line.signed
    return shown


def _by_callbacks(
    lines: Sequence[StatementLine], known: Collection[int], called: Iterable[Transfer]
) -> dict[int, UUID]:
    """Pair the lines that are left with what the bank told and no statement showed."""
    rest: dict[Sum, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        if place not in known:
            rest[line.direction.value, line.amount].append(place)
    of_sum: dict[Sum, list[Transfer]] = defaultdict(list)
    for each in called:
        of_sum[each.direction, each.amount].append(each)
    found: dict[int, UUID] = {}
    for money, places in rest.items():
        candidates = of_sum.get(money, [])
        pairs = pair([told_of(lines[place]) for place in places], [told_by(each) for each in candidates])
        found |= {places[line]: candidates[other].id for line, other in pairs.items()}
    return found


def _around(
    session: Session, account: BankAccount, lines: Sequence[StatementLine], *, every_state: bool = False
) -> Sequence[Transfer]:
    """Return the transfers on the account around the days of some lines; not those put aside, unless of every state."""
    days = [line.day for line in lines]
    aside = () if every_state else ("duplicate", "quarantined")
    return session.exec(
        select(Transfer)
        .where(
            Transfer.school_id == account.school_id,
            Transfer.bank_account_id == account.id,
            Transfer.value_date >= min(days) - DAY_APART,
            Transfer.value_date <= max(days) + DAY_APART,
            col(Transfer.state).not_in(aside),
        )
        .order_by(col(Transfer.occurred_at), col(Transfer.id)),
    ).all()


def _shown(
    session: Session, account: BankAccount, lines: Sequence[StatementLine], transfers: Mapping[UUID, Transfer]
) -> list[Shown]:
    """Return the lines of earlier statements around some days, each with the balance it found."""
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
    shown = []
    for row in rows:
        says = told(row.day, at_of(row.day, None), row.memo, row.bank_reference, booked=True)
        transfer_id = row.transfer_id if row.transfer_id in transfers else None
        each = Shown(row.file_id, row.line, says, (row.direction, row.amount), balances[row.file_id], transfer_id)
        balances[row.file_id] = each.after
        shown.append(each)
    return shown
