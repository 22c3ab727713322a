"""The page of closing a month, from rows of one school."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.closing.deciding import Unfinished, closable, is_worse, mark_of, month_end, waiting_ask
from billing.closing.tables import PeriodAsk
from billing.ledger.periods import live_closings
from billing.money import Money
from reconciliation.closing.checking import KINDS, unfinished
from service.access.tables import User
from service.pages.closing_views import (
    UNFINISHED,
    AskedPeriod,
    ClosedRow,
    ClosingPage,
    ComparedThing,
    OpenThing,
)
from service.pages.typed import school_day

_CLOSED = text("""
SELECT c.month, c.closed_at, a.reason, jsonb_array_length(a.seen) AS left_open, u.full_name AS closed_by,
       m.full_name AS asked_by, r.at AS opened_at, coalesce(w.full_name, '') AS opened_by,
       coalesce(o.reason, '') AS opened_why,
       coalesce((SELECT sum(f.debit) FROM closed_figures f
                 WHERE f.school_id = c.school_id AND f.month = c.month AND f.turn = c.turn), 0)::bigint AS moved,
       (SELECT count(*) FROM journal_entries e WHERE e.school_id = c.school_id
        AND e.true_day >= coalesce(c.since, '-infinity'::date)
        AND e.true_day < (c.month + interval '1 month')::date) AS late
FROM closed_periods c
LEFT JOIN period_asks a ON a.school_id = c.school_id AND a.id = c.ask_id
LEFT JOIN users u ON u.id = c.closed_by
LEFT JOIN users m ON m.id = a.made_by
LEFT JOIN period_reopenings r ON r.school_id = c.school_id AND r.month = c.month AND r.turn = c.turn
LEFT JOIN period_asks o ON o.school_id = r.school_id AND o.id = r.ask_id
LEFT JOIN users w ON w.id = r.opened_by
WHERE c.school_id = :school ORDER BY c.month DESC, c.turn DESC LIMIT 60
""")


def closing_page(session: Session, school_id: UUID, user_id: UUID, now: datetime) -> ClosingPage:
    """Return the month whose turn it is, the request that waits, and the closed months, the newest first."""
    month, closings = closable(session, school_id, school_day(now)), live_closings(session, school_id)
    waiting = waiting_ask(session, school_id)
    found = unfinished(session, school_id, month, now) if month and waiting is None else ()
    return ClosingPage(
        month=month,
        things=_things(each.plain() for each in found),
        mark=mark_of(found),
        waiting=_asked(session, waiting, user_id, now) if waiting else None,
        rows=_closed(session, school_id),
        opens=month_end(closings[-1].month) if closings else None,
        last=closings[-1].month if closings else None,
    )


def _things(plain: Iterable[Mapping[str, Any]]) -> tuple[OpenThing, ...]:
    return tuple(_thing(each["what"], each["count"], each["amount"]) for each in plain)


def _thing(what: str, count: int, dong: int | None) -> OpenThing:
    return OpenThing(*UNFINISHED[what], count, None if dong is None else Money(dong))


def _compared(row: PeriodAsk, found: Iterable[Unfinished]) -> tuple[ComparedThing, ...]:
    """Return each kind that was unfinished when it was asked or is now, with both."""
    then = {each["what"]: (each["count"], each["amount"]) for each in row.seen}
    now = {each.what: each for each in found}
    return tuple(
        ComparedThing(
            then=_thing(what, *then.get(what, (0, None))),
            now=_thing(what, here.count, here.plain()["amount"]),
            worse=is_worse(row, here),
        )
        for what in KINDS
        if what in then or what in now
        for here in [now.get(what, Unfinished(what, 0))]
    )


def _asked(session: Session, row: PeriodAsk, user_id: UUID, now: datetime) -> AskedPeriod:
    by = session.get(User, row.made_by)
    found = unfinished(session, row.school_id, row.month, now) if row.kind == "close" else ()
    return AskedPeriod(
        ask_id=str(row.id),
        kind=row.kind,
        month=row.month,
        reason=row.reason,
        asked_by=by.full_name if by else "",
        asked_at=row.at,
        compared=_compared(row, found),
        mine=row.made_by == user_id,
    )


def _closed(session: Session, school_id: UUID) -> tuple[ClosedRow, ...]:
    return tuple(
        ClosedRow(
            month=row.month,
            asked_by=row.asked_by or "",
            closed_by=row.closed_by or "",
            closed_at=row.closed_at,
            reason=row.reason or "",
            left_open=row.left_open or 0,
            moved=Money(row.moved),
            late=row.late,
            opened_by=row.opened_by,
            opened_at=row.opened_at,
            opened_why=row.opened_why,
        )
        for row in session.execute(_CLOSED, {"school": school_id})
    )
