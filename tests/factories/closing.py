"""A closed month, for tests of what comes after."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.closing.deciding import month_end, store_closing
from billing.closing.tables import PeriodAsk, PeriodDecision
from billing.ledger.periods import live_closings
from billing.ledger.tables import ClosedPeriod
from billing.storage import new_id


def shut(session: Session, school_id: UUID, month: date, at: datetime) -> None:
    """Close a month by two people who are in no table, whatever its turn and whatever is unfinished."""
    ask = PeriodAsk(school_id=school_id, kind="close", month=month, seen=[], made_by=new_id(), at=at)
    decision = PeriodDecision(ask_id=ask.id, school_id=school_id, agreed=True, decided_by=new_id(), at=at)
    session.add(ask)
    session.flush()
    session.add(decision)
    session.flush()
    before = live_closings(session, school_id)
    store_closing(
        session,
        ClosedPeriod(
            school_id=school_id,
            month=month,
            since=month_end(before[-1].month) if before else None,
            ask_id=ask.id,
            closed_by=decision.decided_by,
            closed_at=at,
        ),
    )
