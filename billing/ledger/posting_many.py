"""Writing the book for thousands of facts at once, set-wise; the same rules as ``posting.post``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.ledger.accounts import account_id
from billing.ledger.posting import Fact, Line
from billing.loading import load_temporary

_ENTRIES = {"kind": "text", "source_id": "text", "value_date": "date", "note": "text"}
_POSTINGS = {
    "kind": "text",
    "source_id": "text",
    "debit": "bigint",
    "credit": "bigint",
    "amount": "bigint",
    "pupil_id": "uuid",
    "item_code": "text",
    "bill_id": "uuid",
}
_INSERT_ENTRIES = text("""
    INSERT INTO journal_entries (school_id, kind, source_id, value_date, recorded_at, note)
    SELECT :school_id, kind, source_id, value_date, :now, note FROM pg_temp.new_entries
""")
_INSERT_POSTINGS = text("""
    INSERT INTO postings (school_id, entry_id, debit_account_id, credit_account_id, amount, pupil_id, item_code,
                          bill_id)
    SELECT :school_id, e.id, p.debit, p.credit, p.amount, p.pupil_id, p.item_code, p.bill_id
    FROM pg_temp.new_postings p
    JOIN journal_entries e ON e.school_id = :school_id AND e.kind = p.kind AND e.source_id = p.source_id
""")

Posted = tuple[Fact, Sequence[Line]]


def post_many(session: Session, school_id: UUID, facts: Sequence[Posted], now: datetime) -> int:
    """Write one entry for each fact of a school and return how many.

    Lines of 0 đ are left out, and a fact without any other line makes no entry. A fact posted before is refused
    by the database (``IntegrityError``), and then nothing of the transaction stands.
    """
    kept = [(fact, lines) for fact, all_lines in facts if (lines := [line for line in all_lines if line.amount])]
    if any(fact.school_id != school_id for fact, _ in kept):
        raise ValueError("all facts must be of one school")
    session.flush()
    codes = {code for _, lines in kept for line in lines for code in (line.debit, line.credit)}
    accounts = {code: account_id(session, school_id, code) for code in sorted(codes)}
    entries = ((fact.kind, fact.source_id, fact.value_date, fact.note) for fact, _ in kept)
    load_temporary(session, "new_entries", _ENTRIES, entries)
    load_temporary(session, "new_postings", _POSTINGS, _rows(kept, accounts))
    session.execute(_INSERT_ENTRIES, {"school_id": school_id, "now": now})
    session.execute(_INSERT_POSTINGS, {"school_id": school_id})
    return len(kept)


def _rows(facts: Sequence[Posted], accounts: dict[str, int]) -> Iterator[tuple[object, ...]]:
    for fact, lines in facts:
        for line in lines:
            yield (
                fact.kind,
                fact.source_id,
                accounts[line.debit],
                accounts[line.credit],
                line.amount.dong,
                line.pupil_id,
                line.item_code,
                line.bill_id,
            )
