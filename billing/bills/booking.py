"""The book entries of bills that were just written: what the database holds of them already is not sent once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.bills.writing import NewBill
from billing.ledger.posting import Line
from billing.ledger.posting_rows import post_rows
from billing.loading import number_shared

Booked = tuple[NewBill, tuple[Line, ...]]
"""A bill and what is posted for it; the lines name neither pupil nor bill."""

_FACTS = """
    SELECT b.place, CAST(b.id AS text) AS source_id, b.number AS note, b.pupil_id, b.id AS bill_id, b.lines
    FROM pg_temp.new_bills b
"""


def book_bills(session: Session, school_id: UUID, booked: Sequence[Booked], day: date, now: datetime) -> None:
    """Write one entry for each bill that ``write_bills`` wrote last, in its order; the same rules as ``posting.post``.

    Bills that share one tuple of ``NewLine`` share what is posted. Lines of 0 đ are left out, and a bill without any
    other line makes no entry.
    """
    postings = {id(bill.lines): lines for bill, lines in booked}
    shared = number_shared(bill.lines for bill, _ in booked)
    lines = [(number, line) for number, some in shared.values() for line in postings[id(some)]]
    post_rows(session, school_id, "bill_issued", _FACTS, lines, day, now)
