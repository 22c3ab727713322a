"""Writing the book for thousands of facts at once, set-wise; the same rules as ``posting.post``."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.ledger.accounts import account_id
from billing.ledger.periods import dated, opens_on
from billing.ledger.posting import Fact, Line
from billing.loading import load_temporary, number_shared

_ENTRIES = {
    "kind": "text",
    "source_id": "text",
    "value_date": "date",
    "true_day": "date",
    "note": "text",
    "pupil_id": "uuid",
    "bill_id": "uuid",
    "lines": "int",
}
_POSTINGS = {
    "lines": "int",
    "debit": "bigint",
    "credit": "bigint",
    "amount": "bigint",
    "pupil_id": "uuid",
    "item_code": "text",
    "bill_id": "uuid",
}
# One statement, so that a posting finds the key of its entry without a search in the whole book.
_INSERT = text("""
    WITH written AS (
        INSERT INTO journal_entries (school_id, kind, source_id, value_date, true_day, recorded_at, note)
        SELECT :school_id, kind, source_id, value_date, true_day, :now, note FROM pg_temp.new_entries
        RETURNING id, kind, source_id
    )
    INSERT INTO postings (school_id, entry_id, debit_account_id, credit_account_id, amount, pupil_id, item_code,
                          bill_id)
    SELECT :school_id, w.id, p.debit, p.credit, p.amount, coalesce(p.pupil_id, n.pupil_id), p.item_code,
           coalesce(p.bill_id, n.bill_id)
    FROM pg_temp.new_entries n
    JOIN pg_temp.new_postings p ON p.lines = n.lines
    JOIN written w ON w.kind = n.kind AND w.source_id = n.source_id
""")


class Posted(NamedTuple):
    """A fact with its lines. Facts may share one tuple of lines; it is then sent to the database once.

    ``pupil_id`` and ``bill_id`` hold for the lines that name none.
    """

    fact: Fact
    lines: tuple[Line, ...]
    pupil_id: UUID | None = None
    bill_id: UUID | None = None


def post_many(session: Session, school_id: UUID, posted: Sequence[Posted], now: datetime) -> int:
    """Write one entry for each fact of a school and return how many.

    Lines of 0 đ are left out, and a fact without any other line makes no entry. A fact posted before is refused
    by the database (``IntegrityError``), and then nothing of the transaction stands.
    """
    shared = number_shared(each.lines for each in posted)
    lines = [(number, line) for number, some in shared.values() for line in some if line.amount]
    paying = {number for number, _ in lines}
    kept = [each for each in posted if shared[id(each.lines)][0] in paying]
    if any(each.fact.school_id != school_id for each in kept):
        raise ValueError("all facts must be of one school")
    session.flush()
    codes = {code for _, line in lines for code in (line.debit, line.credit)}
    accounts = {code: account_id(session, school_id, code) for code in sorted(codes)}
    opens = opens_on(session, school_id)
    entries = (_entry(each, shared[id(each.lines)][0], opens) for each in kept)
    postings = (_posting(number, line, accounts) for number, line in lines)
    load_temporary(session, "new_entries", _ENTRIES, entries, joined_by=["kind", "source_id", "lines"])
    load_temporary(session, "new_postings", _POSTINGS, postings, joined_by=["lines"])
    session.execute(_INSERT, {"school_id": school_id, "now": now})
    return len(kept)


def _entry(each: Posted, lines: int, opens: date | None) -> tuple[object, ...]:
    fact, at = each.fact, dated(each.fact.value_date, opens)
    return fact.kind, fact.source_id, at.value_date, at.true_day, fact.note, each.pupil_id, each.bill_id, lines


def _posting(number: int, line: Line, accounts: dict[str, int]) -> tuple[object, ...]:
    return (
        number,
        accounts[line.debit],
        accounts[line.credit],
        line.amount.dong,
        line.pupil_id,
        line.item_code,
        line.bill_id,
    )
