"""Closing prepaid months: one school and month is one transaction; killed anywhere, the month is simply still open."""

from __future__ import annotations

import logging
from datetime import date
from uuid import UUID

from billing.contracts.closing import close_income, open_months
from service.database import EVERYTHING, Scope
from service.wiring import Wiring

_log = logging.getLogger(__name__)
MOST_PER_CALL = 500


def close_months(wiring: Wiring) -> int:
    """Close what is over, oldest months first; return how many months. One school's fault keeps no other waiting."""
    with wiring.database.transaction(EVERYTHING) as session:
        found = open_months(session, wiring.clock(), MOST_PER_CALL)
    stuck: set[UUID] = set()
    done = 0
    for school_id, month in found:
        if school_id not in stuck:  # a school's later months wait for its earlier ones
            closed = _close(wiring, school_id, month)
            done += bool(closed)
            stuck |= set() if closed is not None else {school_id}
    if done:
        wiring.ring("ledger.seal")
    return done


def _close(wiring: Wiring, school_id: UUID, month: date) -> bool | None:
    """Close one month: True when closed here, False when somebody else was faster, None when it failed."""
    try:
        with wiring.database.transaction(Scope.of(school_id)) as session:
            return close_income(session, school_id, month, wiring.clock()) is not None
    except Exception:  # noqa: BLE001  whatever it was, it is logged, and the month stays open
        _log.exception("closing %s of school %s failed", month, school_id)
        return None
