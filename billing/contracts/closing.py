"""Prepaid months close by themselves: once for each private school and month, as soon as the month is over.

A month that is over and has no row in ``income_closings`` is to be closed; where it was released by hand before, the
close finds nothing left. What changes later (a correction, a withdrawal) the next month's close takes up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.audit.recording import SYSTEM
from billing.contracts.releasing import hold_releases, release_month
from billing.contracts.tables import IncomeClosing
from billing.fees.items import last_day
from billing.money import Money

# Every month since a school's first prepaid price that is over (Viet Nam) and not closed; ``since``: when it was over.
TO_CLOSE = """
    SELECT d.school_id, m.month::date AS month, (m.month + interval '1 month') AT TIME ZONE 'Asia/Ho_Chi_Minh' AS since
    FROM (SELECT DISTINCT a.school_id FROM ledger_accounts a WHERE a.kind = 'deferred') d
    CROSS JOIN LATERAL (
        SELECT date_trunc('month', min(p.valid_from)::timestamp) AS first
        FROM fee_items i JOIN fee_prices p ON p.school_id = i.school_id AND p.item_id = i.id
        WHERE i.school_id = d.school_id AND i.revenue_account LIKE '3387.%') f
    CROSS JOIN LATERAL generate_series(
        f.first, date_trunc('month', CAST(:now AS timestamptz) AT TIME ZONE 'Asia/Ho_Chi_Minh') - interval '1 month',
        interval '1 month') AS m (month)
    WHERE NOT EXISTS (
        SELECT FROM income_closings c WHERE c.school_id = d.school_id AND c.month = m.month::date)"""
_MONTHS = text(f"SELECT school_id, month FROM ({TO_CLOSE}) AS open ORDER BY month, school_id LIMIT :most")  # noqa: S608  our own literal


def open_months(session: Session, now: datetime, most: int) -> Sequence[tuple[UUID, date]]:
    """Return school and month (its first day) of what is to be closed, oldest months first, of all schools seen."""
    return [(school_id, month) for school_id, month in session.execute(_MONTHS, {"now": now, "most": most})]


def close_income(session: Session, school_id: UUID, month: date, now: datetime) -> Money | None:
    """Close a month that is over; return what became income, or None when somebody has closed it before.

    The entry bears the month's last day, so the income stands in its month however late the close runs.
    """
    hold_releases(session, school_id)
    if session.get(IncomeClosing, (school_id, month)) is not None:
        return None
    done = release_month(session, school_id, month, SYSTEM, now, last_day(month))
    moved = [each for each in done.releases if each.amount]
    closing = IncomeClosing(school_id=school_id, month=month, lines=len(moved), amount=done.amount, at=now)
    session.add(closing)
    session.flush()
    return done.amount
