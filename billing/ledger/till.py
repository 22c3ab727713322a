"""The cash of a school, moved by one at a time: takings and counts, and refunds and support that are paid out of it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

_HELD = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_LAST = text("""
SELECT max(x.entry_id) FROM postings x JOIN ledger_accounts l ON l.school_id = x.school_id AND l.code = '111'
  AND l.id IN (x.debit_account_id, x.credit_account_id)
WHERE x.school_id = :school
""")


def hold_cash(session: Session, school_id: UUID) -> None:
    """Wait until nobody else moves or counts the cash of the school."""
    session.execute(_HELD, {"name": f"cash {school_id}"})


def last_movement(session: Session, school_id: UUID) -> int:
    """Return the newest entry that moved account 111, 0 where none ever did; the caller holds the cash."""
    found: int | None = session.execute(_LAST, {"school": school_id}).scalar_one()
    return found or 0
