"""Receipts: one for each payment, numbered without a gap within the book of a school year."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.payments.tables import Payment, Receipt, ReceiptBook, ReceiptCounter
from billing.storage import new_id

_VIETNAM = timedelta(hours=7)
_YEAR_STARTS_IN = 8  # pupils are enrolled in August; fees of the new year begin then


def school_year_of(day: date) -> str:
    """Return the school year of a day, such as ``2025-2026``; it starts on 1 August."""
    first = day.year if day.month >= _YEAR_STARTS_IN else day.year - 1
    return f"{first}-{first + 1}"


def issue_receipts(session: Session, paid: Sequence[tuple[Payment, UUID]], now: datetime) -> None:
    """Write the receipts of payments of one school, each with the id given for it and the next number of the book.

    The school year's book is made on demand. Call it last in a transaction: from here on, every other receipt of the
    book waits for our commit.
    """
    if not paid:
        return
    school_id = paid[0][0].school_id
    book_id = book_of(session, school_id, school_year_of((now + _VIETNAM).date()))
    last = session.execute(
        update(ReceiptCounter)
        .where(col(ReceiptCounter.book_id) == book_id)
        .values(last_number=col(ReceiptCounter.last_number) + len(paid))
        .returning(col(ReceiptCounter.last_number)),
    ).scalar_one()
    rows = [
        {
            "id": receipt_id,
            "school_id": school_id,
            "book_id": book_id,
            "number": number,
            "payment_id": payment.id,
            "amount": payment.amount,
            "issued_at": now,
        }
        for number, (payment, receipt_id) in enumerate(paid, start=last - len(paid) + 1)
    ]
    # What is returned makes one statement of them, so that their guards ask once.
    session.execute(insert(Receipt).returning(col(Receipt.id), sort_by_parameter_order=True), rows)


def book_of(session: Session, school_id: UUID, school_year: str) -> UUID:
    """Return the book of a year; of two who make it at once, the second waits and finds the first one's."""
    query = select(ReceiptBook.id).where(ReceiptBook.school_id == school_id, ReceiptBook.code == school_year)
    found = session.exec(query).one_or_none()
    if found is None:
        book = {"id": new_id(), "school_id": school_id, "code": school_year, "school_year": school_year}
        session.execute(insert(ReceiptBook).values(book).on_conflict_do_nothing())
        found = session.exec(query).one()
        counter = {"book_id": found, "school_id": school_id, "last_number": 0}
        session.execute(insert(ReceiptCounter).values(counter).on_conflict_do_nothing())
    return found
