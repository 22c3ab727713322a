"""The book entries of bills that were just written: what the database holds of them already is not sent once more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.bills.writing import NewBill
from billing.ledger.accounts import account_id
from billing.ledger.periods import dated, opens_on
from billing.ledger.posting import Line
from billing.loading import as_text, load_lines, number_shared

Booked = tuple[NewBill, tuple[Line, ...]]
"""A bill and what is posted for it; the lines name neither pupil nor bill."""

_POSTINGS = {"lines": "int", "debit": "bigint", "credit": "bigint", "amount": "bigint", "item_code": "varchar(40)"}
# One statement, so that a posting finds the key of its entry without a search in the whole book.
_INSERT = text("""
    WITH written AS (
        INSERT INTO journal_entries (school_id, kind, source_id, value_date, true_day, recorded_at, note)
        SELECT :school_id, 'bill_issued', CAST(b.id AS text), :value_date, :true_day, :now, b.number
        FROM pg_temp.new_bills b
        WHERE EXISTS (SELECT FROM pg_temp.new_bill_postings p WHERE p.lines = b.lines)
        ORDER BY b.place
        RETURNING id, source_id
    )
    INSERT INTO postings (school_id, entry_id, debit_account_id, credit_account_id, amount, pupil_id, item_code,
                          bill_id)
    SELECT :school_id, w.id, p.debit, p.credit, p.amount, b.pupil_id, p.item_code, b.id
    FROM written w
    JOIN pg_temp.new_bills b ON b.id = CAST(w.source_id AS uuid)
    JOIN pg_temp.new_bill_postings p ON p.lines = b.lines
""")


def book_bills(session: Session, school_id: UUID, booked: Sequence[Booked], day: date, now: datetime) -> None:
    """Write one entry for each bill that ``write_bills`` wrote last, in its order; the same rules as ``posting.post``.

    Bills that share one tuple of ``NewLine`` share what is posted. Lines of 0 đ are left out, and a bill without any
    other line makes no entry.
    """
    postings = {id(bill.lines): lines for bill, lines in booked}
    shared = number_shared(bill.lines for bill, _ in booked)
    lines = [line for some in postings.values() for line in some if line.amount]
    accounts = {code: account_id(session, school_id, code) for code in sorted(_codes(lines))}
    at = dated(day, opens_on(session, school_id))
    texts = (
        f"{number}\t{accounts[line.debit]}\t{accounts[line.credit]}\t{line.amount.dong}\t{as_text(line.item_code)}\n"
        for number, some in shared.values()
        for line in postings[id(some)]
        if line.amount
    )
    load_lines(session, "new_bill_postings", _POSTINGS, texts, joined_by=["lines"])
    days = {"value_date": at.value_date, "true_day": at.true_day}
    session.execute(_INSERT, {"school_id": school_id, "now": now, **days})


def _codes(lines: Iterable[Line]) -> set[str]:
    return {code for line in lines for code in (line.debit, line.credit)}
