"""The cash of a school, moved by one at a time: takings and counts, and refunds and support that are paid out of it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.errors import Refused
from billing.money import Money

_HELD = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
_HELD_IF_MOVED = text("""
SELECT pg_advisory_xact_lock(hashtextextended(:name, 0)) WHERE EXISTS (
    SELECT FROM postings x JOIN ledger_accounts l ON l.school_id = x.school_id AND l.code = '111'
      AND l.id IN (x.debit_account_id, x.credit_account_id)
    WHERE x.school_id = :school AND x.entry_id = ANY (CAST(:entries AS bigint[])))
""")
_LAST = text("""
SELECT max(x.entry_id) FROM postings x JOIN ledger_accounts l ON l.school_id = x.school_id AND l.code = '111'
  AND l.id IN (x.debit_account_id, x.credit_account_id)
WHERE x.school_id = :school
""")
_IN_TILL = text("SELECT cash_in_till(:school)")


def hold_cash(session: Session, school_id: UUID) -> None:
    """Wait until nobody else moves or counts the cash of the school."""
    session.execute(_HELD, {"name": f"cash {school_id}"})


def hold_cash_moved_by(session: Session, school_id: UUID, entries: Sequence[int]) -> None:
    """Hold the cash where one of these entries of the school moved it."""
    facts = {"name": f"cash {school_id}", "school": school_id, "entries": list(entries)}
    session.execute(_HELD_IF_MOVED, facts)


def last_movement(session: Session, school_id: UUID) -> int:
    """Return the newest entry that moved account 111, 0 where none ever did; the caller holds the cash."""
    found: int | None = session.execute(_LAST, {"school": school_id}).scalar_one()
    return found or 0


def in_the_till(session: Session, school_id: UUID) -> Money:
    """Return what can be paid out: what the book says, less what a count that waits found missing."""
    return Money(session.execute(_IN_TILL, {"school": school_id}).scalar_one())


def refuse_short(session: Session, school_id: UUID, amount: Money) -> None:
    """Hold the cash; raise ``Refused`` where the till holds less than is to be paid out; the database does too."""
    hold_cash(session, school_id)
    there = in_the_till(session, school_id)
    if there < amount:
        raise Refused(
            f"Trong quỹ chỉ còn {there}, không đủ {amount}. Hãy rút tiền mặt về quỹ trước "
            "(trang Quỹ tiền mặt, mục Rút về quỹ), hoặc chi bằng chuyển khoản."
        )
