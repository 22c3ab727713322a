"""Which days of a school's book are closed, and the one rule for what comes late: it stands on the first open day.

A closed month closes every day before its end. Whoever posts asks ``opens_on`` first, which holds the book against a
closing until the transaction ends, as the database's own guards do (``book_opens``, ``entries_of_open_months``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import exists, text
from sqlmodel import Session, col, select

from billing.ledger.tables import ClosedPeriod, PeriodReopening

_OPENS = text("SELECT book_opens(:school)")


@dataclass(frozen=True, slots=True)
class Dated:
    """The day that an entry stands on, and the day it is of where that lies in a closed month."""

    value_date: date
    true_day: date | None = None


def opens_on(session: Session, school_id: UUID) -> date | None:
    """Return the first day that is open, None when no month was ever closed; none is closed until we are done."""
    opens: date | None = session.execute(_OPENS, {"school": school_id}).scalar_one()
    return opens


def dated(day: date, opens: date | None) -> Dated:
    """Return where in the book something of a day stands: there, or on the first open day."""
    return Dated(day) if opens is None or day >= opens else Dated(opens, day)


def live_closings(session: Session, school_id: UUID) -> list[ClosedPeriod]:
    """Return the closings that were not opened again, the earliest month first."""
    opened = exists().where(
        col(PeriodReopening.school_id) == col(ClosedPeriod.school_id),
        col(PeriodReopening.month) == col(ClosedPeriod.month),
        col(PeriodReopening.turn) == col(ClosedPeriod.turn),
    )
    query = select(ClosedPeriod).where(ClosedPeriod.school_id == school_id, ~opened)
    return list(session.exec(query.order_by(col(ClosedPeriod.month))).all())


def closed_at(closings: Sequence[ClosedPeriod], day: date) -> datetime | None:
    """Return when the month of a day was closed, by ``live_closings``; None while it is open."""
    at = bisect_left([each.month for each in closings], day.replace(day=1))
    return closings[at].closed_at if at < len(closings) else None


def is_closed(session: Session, school_id: UUID, day: date) -> bool:
    """Say whether the month of a day is closed."""
    return closed_at(live_closings(session, school_id), day) is not None
