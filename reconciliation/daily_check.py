"""Bank against book, account by account, at the end of a day. The difference must be 0 đ, whatever waits.

Both sides are net movements since the account was opened with us. The bank's side is what its statements show, each
movement once however many files show it; what its messages say for the days that no statement covers; and what the
balances of two statements that do not follow each other say without any movement (``statements.following``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, text, type_coerce
from sqlmodel import Session, col, select

from billing.ledger.tables import BankAccount, JournalEntry, LedgerAccount, Posting
from billing.money import ZERO, Money, total
from billing.storage import MoneyColumn
from reconciliation.statements.following import Gap, Span, gaps
from reconciliation.tables import DailyCheck, Transfer

# The bank does not know these, took them back, or told us twice: they are no movement on the account.
NOT_ON_ACCOUNT = ("duplicate", "quarantined")
UNSETTLED = ("new", "held", "waiting")
_PAIR = 2

# Each movement once: (day of the bank, day for the book, signed sum). A line of several files is one movement by its
# transfer; lines without one are told apart as in one file. A message counts where no statement read after it covers
# its day, and a movement of such a day counts from that day on even if a line shows it on the next one. That money left
# nobody believes of a mere key: held money out counts only by a line.
_MOVEMENTS = """
WITH files AS (
    SELECT id, first_day, last_day, read_at FROM statement_files
    WHERE school_id = :school AND bank_account_id = :account
), lines AS (
    SELECT l.* FROM statement_lines l JOIN files f ON f.id = l.file_id WHERE l.school_id = :school
), shown AS (
    SELECT transfer_id, min(day) AS day, max(CASE direction WHEN 'in' THEN amount ELSE -amount END) AS signed
    FROM lines WHERE transfer_id IS NOT NULL GROUP BY transfer_id
), untied AS (
    SELECT DISTINCT day, CASE direction WHEN 'in' THEN amount ELSE -amount END AS signed, memo, bank_reference,
           occurrence
    FROM lines WHERE transfer_id IS NULL
), told AS (
    SELECT t.id, t.value_date, CASE t.direction WHEN 'in' THEN t.amount ELSE -t.amount END AS signed,
           t.state <> ALL (:not_on_account) AND NOT (t.state = 'held' AND t.direction = 'out') AS counts,
           EXISTS (SELECT FROM files f WHERE t.value_date BETWEEN f.first_day AND f.last_day
                   AND t.occurred_at <= f.read_at) AS covered
    FROM transfers t WHERE t.school_id = :school AND t.bank_account_id = :account
), movements AS (
    SELECT s.day AS bank_day, CASE WHEN t.covered THEN s.day ELSE least(s.day, t.value_date) END AS day, s.signed
    FROM shown s JOIN told t ON t.id = s.transfer_id
    UNION ALL SELECT day, day, signed FROM untied
    UNION ALL SELECT value_date, value_date, signed FROM told
    WHERE counts AND NOT covered AND NOT EXISTS (SELECT FROM shown s WHERE s.transfer_id = told.id)
)
"""
_NET = text(f"{_MOVEMENTS} SELECT coalesce(sum(signed), 0)::bigint FROM movements WHERE day <= :day")  # noqa: S608  our own text
_BY_DAY = text(f"{_MOVEMENTS} SELECT bank_day, sum(signed)::bigint FROM movements GROUP BY bank_day")  # noqa: S608  as above
_FILES = text("""
SELECT f.id, f.first_day, f.last_day, f.opening, f.closing, l.day, l.signed
FROM statement_files f LEFT JOIN (
    SELECT file_id, day, array_agg(CASE direction WHEN 'in' THEN amount ELSE -amount END ORDER BY id) AS signed
    FROM statement_lines WHERE school_id = :school GROUP BY file_id, day) l ON l.file_id = f.id
WHERE f.school_id = :school AND f.bank_account_id = :account ORDER BY f.read_at, f.id
""")


def check_day(session: Session, school_id: UUID, day: date, now: datetime) -> list[DailyCheck]:
    """Write and return one check for each of the school's bank accounts that was open on the day."""
    accounts = session.exec(
        select(BankAccount)
        .where(BankAccount.school_id == school_id, BankAccount.opened_on <= day)
        .order_by(col(BankAccount.bank_bin), col(BankAccount.number)),
    ).all()
    return [_check(session, account, day, now) for account in accounts]


def _check(session: Session, account: BankAccount, day: date, now: datetime) -> DailyCheck:
    bank, book = bank_net(session, account, day), book_net(session, account, day)
    count, amount = _waiting(session, account, day)
    check = DailyCheck(
        school_id=account.school_id,
        bank_account_id=account.id,
        day=day,
        bank_net=bank,
        book_net=book,
        difference=bank - book,
        waiting_count=count,
        waiting_amount=amount,
        checked_at=now,
    )
    session.add(check)
    session.flush()
    return check


def bank_net(session: Session, account: BankAccount, day: date) -> Money:
    """Return what came in less what went out, to the end of the day, as the bank tells it."""
    net = session.execute(_NET, {**_of(account), "day": day}).scalar_one()
    return Money(net) + total(gap.missing for gap in statement_gaps(session, account) if gap.before <= day)


def statement_gaps(session: Session, account: BankAccount, brought: Span | None = None) -> list[Gap]:
    """Return where the account's statements do not follow each other, the earliest first.

    With a file that is only looked at so far (``brought``): the gaps that are there once it is read in.
    """
    spans = _spans(session, account)
    spans += [] if brought is None else [brought]
    if len(spans) < _PAIR:
        return []
    told = {day: Money(signed) for day, signed in session.execute(_BY_DAY, _of(account))}
    return gaps(spans, told)


def _spans(session: Session, account: BankAccount) -> list[Span]:
    of_file: dict[UUID, Span] = {}
    moved: dict[UUID, dict[date, list[Money]]] = defaultdict(dict)
    for row in session.execute(_FILES, _of(account)):
        of_file[row.id] = Span(row.first_day, row.last_day, Money(row.opening), Money(row.closing), moved[row.id])
        if row.day is not None:
            moved[row.id][row.day] = [Money(each) for each in row.signed]
    return list(of_file.values())


def _of(account: BankAccount) -> dict[str, Any]:
    return {"school": account.school_id, "account": account.id, "not_on_account": list(NOT_ON_ACCOUNT)}


def book_net(session: Session, account: BankAccount, day: date) -> Money:
    """Return debits less credits of the account in our book, by the bank's days, to the end of the day."""
    ledger = session.exec(
        select(LedgerAccount.id).where(
            LedgerAccount.school_id == account.school_id,
            LedgerAccount.bank_account_id == account.id,
        ),
    ).one_or_none()
    if ledger is None:
        return ZERO
    signed = _signed(Posting.amount, col(Posting.debit_account_id) == ledger)
    return session.exec(
        select(signed)
        .join(JournalEntry, col(JournalEntry.id) == col(Posting.entry_id))
        .where(
            Posting.school_id == account.school_id,
            (col(Posting.debit_account_id) == ledger) | (col(Posting.credit_account_id) == ledger),
            func.coalesce(JournalEntry.true_day, JournalEntry.value_date) <= day,
        ),
    ).one()


def _waiting(session: Session, account: BankAccount, day: date) -> tuple[int, Money]:
    rows: Sequence[Money] = session.exec(
        select(col(Transfer.amount)).where(
            Transfer.school_id == account.school_id,
            Transfer.bank_account_id == account.id,
            Transfer.value_date <= day,
            Transfer.direction == "in",
            col(Transfer.state).in_(UNSETTLED),
        ),
    ).all()
    return len(rows), sum(rows, ZERO)


def _signed(amount: Any, positive: ColumnElement[bool]) -> ColumnElement[Money]:  # noqa: ANN401  as in billing.storage
    """Return SQL for the sum of amounts, positive where the condition holds, negative elsewhere."""
    dong = type_coerce(amount, BigInteger)
    summed = func.coalesce(func.sum(case((positive, dong), else_=-dong)), 0)
    return type_coerce(cast(summed, BigInteger), MoneyColumn)
