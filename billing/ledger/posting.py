"""Writing the book: one entry for one business fact, posted once; a mistake is reversed, never edited.

Whatever moves account 111 holds the cash of the school first, so that its entries are in order with every count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, any_, cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import Session, col, select

from billing.errors import Conflict
from billing.ledger.accounts import CASH, account_id
from billing.ledger.periods import dated, opens_on
from billing.ledger.tables import JournalEntry, Posting
from billing.ledger.till import hold_cash, hold_cash_moved_by
from billing.money import Money


@dataclass(frozen=True, slots=True)
class Line:
    """Money from the account ``credit`` to the account ``debit`` (codes), above 0 đ."""

    debit: str
    credit: str
    amount: Money
    pupil_id: UUID | None = None
    item_code: str | None = None
    bill_id: UUID | None = None


class Fact(NamedTuple):
    """What an entry is about. ``(school_id, kind, source_id)`` is posted once; ``value_date`` is the bank's day.

    Whatever it is, the entry stands on an open day (``periods.dated``).
    """

    school_id: UUID
    kind: str
    source_id: str
    value_date: date
    note: str = ""


def post(session: Session, fact: Fact, lines: Sequence[Line], now: datetime) -> int:
    """Write one entry with its postings and return its key.

    Lines of 0 đ are left out; at least one must remain. A fact posted before is refused by the database
    (``IntegrityError`` on the unique key), so a repeat can never double money.
    """
    return post_all(session, [(fact, lines)], now)[0]


def post_all(session: Session, facts: Sequence[tuple[Fact, Sequence[Line]]], now: datetime) -> list[int]:
    """Write one entry for each of several facts of one school, set-wise, as ``post`` does; return their keys."""
    if not facts:
        return []
    school_id = facts[0][0].school_id
    kept = [[line for line in lines if line.amount] for _, lines in facts]
    if not all(kept):
        raise ValueError("an entry needs at least one posting")
    if any(CASH in {line.debit, line.credit} for lines in kept for line in lines):
        hold_cash(session, school_id)
    opens = opens_on(session, school_id)
    entries = [_entry(fact, school_id, now, opens) for fact, _ in facts]
    session.add_all(entries)
    session.flush()
    codes = {code for lines in kept for line in lines for code in (line.debit, line.credit)}
    accounts = {code: account_id(session, school_id, code) for code in sorted(codes)}
    for entry, lines in zip(entries, kept, strict=True):
        session.add_all(_posting(entry, line, accounts) for line in lines)
    session.flush()
    return [_key(entry) for entry in entries]


def reverse(session: Session, entry_id: int, fact: Fact, now: datetime) -> int:
    """Write the entry that undoes another one, posting by posting; raises ``Conflict`` if that is done already."""
    return reverse_all(session, [(entry_id, fact)], now)[0]


def reverse_all(session: Session, undone: Sequence[tuple[int, Fact]], now: datetime) -> list[int]:
    """Write for each of several entries of one school the one that undoes it, set-wise, as ``reverse``; return keys."""
    if not undone:
        return []
    school_id, ids = undone[0][1].school_id, cast([entry for entry, _ in undone], ARRAY(BigInteger))
    done = session.exec(
        select(JournalEntry.id, JournalEntry.reverses_id).where(col(JournalEntry.reverses_id) == any_(ids))
    ).first()
    if done is not None:
        raise Conflict("Bút toán này đã được đảo", entry_id=done[1], reversed_by=done[0])
    hold_cash_moved_by(session, school_id, [entry for entry, _ in undone])
    opens = opens_on(session, school_id)
    undoing = {entry: _entry(fact, school_id, now, opens, undoes=entry) for entry, fact in undone}
    session.add_all(undoing.values())
    session.flush()
    # In this order the counter-entries are numbered like the entries.
    postings = select(Posting).where(Posting.school_id == school_id, col(Posting.entry_id) == any_(ids))
    session.add_all(_turned(each, undoing[each.entry_id]) for each in session.exec(postings.order_by(col(Posting.id))))
    session.flush()
    return [_key(undo) for undo in undoing.values()]


def _turned(posting: Posting, undo: JournalEntry) -> Posting:
    return Posting(
        school_id=posting.school_id,
        entry_id=_key(undo),
        debit_account_id=posting.credit_account_id,
        credit_account_id=posting.debit_account_id,
        amount=posting.amount,
        pupil_id=posting.pupil_id,
        item_code=posting.item_code,
        bill_id=posting.bill_id,
    )


def _entry(fact: Fact, school_id: UUID, now: datetime, opens: date | None, undoes: int | None = None) -> JournalEntry:
    at = dated(fact.value_date, opens)
    return JournalEntry(
        school_id=school_id,
        kind=fact.kind,
        source_id=fact.source_id,
        value_date=at.value_date,
        true_day=at.true_day,
        recorded_at=now,
        note=fact.note,
        reverses_id=undoes,
    )


def _posting(entry: JournalEntry, line: Line, accounts: dict[str, int]) -> Posting:
    return Posting(
        school_id=entry.school_id,
        entry_id=_key(entry),
        debit_account_id=accounts[line.debit],
        credit_account_id=accounts[line.credit],
        amount=line.amount,
        pupil_id=line.pupil_id,
        item_code=line.item_code,
        bill_id=line.bill_id,
    )


def _key(entry: JournalEntry) -> int:
    if entry.id is None:
        raise ValueError("the entry is not flushed")
    return entry.id
