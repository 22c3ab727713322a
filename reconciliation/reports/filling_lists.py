"""The lists of the report that stand beside its transfers: receipts of the period, and what is unpaid now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.documents.cells import SCHOOL_TIME
from billing.money import Money
from billing.people.names import sort_key
from reconciliation.reports.records import ReceiptLine, UnpaidLine

_CODES = text("""
SELECT DISTINCT ON (c.pupil_id) c.pupil_id, c.code FROM pupil_codes c
WHERE c.kind = 'moet' AND c.pupil_id IN (SELECT e.pupil_id FROM enrolments e WHERE e.school_id = :school)
ORDER BY c.pupil_id, c.valid_from DESC, c.id DESC
""")
_RECEIPTS = text("""
SELECT b.code, r.number, r.issued_at, p.pupil_id, u.full_name, r.amount, t.bank_reference, v.reason,
       v.receipt_id IS NOT NULL AS void
FROM receipts r
JOIN receipt_books b ON b.id = r.book_id
JOIN payments p ON p.id = r.payment_id
JOIN pupils u ON u.id = p.pupil_id
LEFT JOIN transfers t ON p.source_kind = 'transfer' AND t.id = p.source_id
LEFT JOIN receipt_voids v ON v.receipt_id = r.id
WHERE r.school_id = :school AND r.issued_at >= :first AND r.issued_at < :last
ORDER BY b.code, r.number
""")
_BOOKS_BEFORE = text("""
SELECT b.code, greatest(coalesce(max(r.number), 0), coalesce(max(s.last_number), 0)) FROM receipt_books b
LEFT JOIN receipts r ON r.book_id = b.id AND r.issued_at < :first
LEFT JOIN receipt_starts s ON s.book_id = b.id
WHERE b.school_id = :school GROUP BY b.code
""")
_UNPAID = text("""
SELECT b.id, coalesce(c.name, '(chưa xếp)') AS class_name, b.pupil_id, u.full_name, b.number, b.period, b.due_on,
       l.item_name,
       l.family_share - coalesce(n.off_rest + n.to_credit, 0) AS due,
       coalesce(p.paid, 0) - coalesce(k.to_credit, 0) AS paid
FROM bills b
JOIN bill_lines l ON l.bill_id = b.id AND l.family_share > 0
LEFT JOIN class_groups c ON c.id = b.class_id
JOIN pupils u ON u.id = b.pupil_id
LEFT JOIN (
    SELECT a.bill_id, sum(a.amount)::bigint AS paid FROM allocations a
    WHERE a.school_id = :school AND NOT EXISTS (SELECT FROM payment_reversals v WHERE v.payment_id = a.payment_id)
    GROUP BY a.bill_id) p ON p.bill_id = b.id
LEFT JOIN (
    SELECT c.bill_id, sum(c.off_rest)::bigint AS off_rest, sum(c.to_credit)::bigint AS to_credit FROM bill_credits c
    WHERE c.school_id = :school GROUP BY c.bill_id) k ON k.bill_id = b.id
LEFT JOIN (
    SELECT c.line_id, sum(c.off_rest)::bigint AS off_rest, sum(c.to_credit)::bigint AS to_credit FROM bill_credits c
    WHERE c.school_id = :school GROUP BY c.line_id) n ON n.line_id = l.id
WHERE b.school_id = :school AND coalesce(p.paid, 0) + coalesce(k.off_rest, 0) < b.family_due
  AND NOT EXISTS (SELECT FROM bill_voids v WHERE v.bill_id = b.id)
ORDER BY b.id, l.position
""")
_DatabaseRow = Any


def pupil_codes(session: Session, school_id: UUID) -> dict[UUID, str]:
    """Return the newest sector code of every pupil who is or was at the school."""
    return {row.pupil_id: row.code for row in session.execute(_CODES, {"school": school_id})}


def receipt_lines(session: Session, school_id: UUID, first_day: date, last_day: date) -> list[ReceiptLine]:
    """Return the receipts issued on the school's days from first to last, by book and number."""
    codes = pupil_codes(session, school_id)
    span = {"school": school_id, "first": _midnight(first_day), "last": _midnight(last_day + timedelta(days=1))}
    return [
        ReceiptLine(
            book=row.code,
            number=row.number,
            issued_on=row.issued_at.astimezone(SCHOOL_TIME).date(),
            pupil_code=codes.get(row.pupil_id, ""),
            pupil_name=row.full_name,
            amount=Money(row.amount),
            bank_reference=row.bank_reference or "",
            void_reason=row.reason or "",
            is_void=row.void,
        )
        for row in session.execute(_RECEIPTS, span)
    ]


def last_numbers(session: Session, school_id: UUID, first_day: date) -> dict[str, int]:
    """Return the last number that each receipt book had given out before a day, also by a former program."""
    rows = session.execute(_BOOKS_BEFORE, {"school": school_id, "first": _midnight(first_day)})
    return {code: number for code, number in rows}  # noqa: C416  rows are no tuples for the type checker


def unpaid_lines(session: Session, school_id: UUID) -> list[UnpaidLine]:
    """Return every item not fully paid, by class, name, due day; what was paid of a bill goes to its first items."""
    codes = pupil_codes(session, school_id)
    found: list[tuple[Any, UnpaidLine]] = []
    for _, rows in groupby(session.execute(_UNPAID, {"school": school_id}), key=lambda row: row.id):
        for row, paid in _dealt(rows):
            key = (row.class_name, sort_key(row.full_name), str(row.pupil_id), row.due_on, row.number)
            found.append((key, _unpaid(row, codes.get(row.pupil_id, ""), paid)))
    found.sort(key=lambda pair: pair[0])
    return [line for _, line in found]


def _dealt(rows: Iterator[_DatabaseRow]) -> Iterator[tuple[_DatabaseRow, Money]]:
    """Yield the lines of one bill that are not fully paid, with what of the bill's money fell to each."""
    left: Money | None = None
    for row in rows:
        left = Money(row.paid) if left is None else left
        share = min(left, Money(row.due))
        left -= share
        if share < Money(row.due):
            yield row, share


def _unpaid(row: _DatabaseRow, code: str, paid: Money) -> UnpaidLine:
    return UnpaidLine(
        class_name=row.class_name,
        pupil_code=code,
        pupil_name=row.full_name,
        bill=row.number,
        item=row.item_name,
        period=row.period,
        due_on=row.due_on,
        due=Money(row.due),
        paid=paid,
    )


def _midnight(day: date) -> datetime:
    """Return the first moment of a school day."""
    return datetime.combine(day, time(), SCHOOL_TIME)
