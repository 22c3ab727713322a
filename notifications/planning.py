"""Events become messages: one row for each message of the outbox, and one that says the event was looked at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing.events.tables import Event
from billing.storage import new_id
from notifications.occasions import Happening, happening, recipients
from notifications.quiet import SCHOOL_TIME
from notifications.rules import Kind, Plan, PlannedMessage, Recipient, Via, plan
from notifications.tables import Message, NoticePlan

NOT_ANNOUNCED = "not_announced"
NO_CHANNEL = "no_channel"


def unplanned(session: Session, limit: int) -> list[tuple[UUID, int]]:
    """Return school and id of events that nobody has planned yet, oldest first."""
    rows = session.exec(
        select(Event.school_id, Event.id)
        .outerjoin(NoticePlan, col(NoticePlan.event_id) == col(Event.id))
        .where(col(NoticePlan.event_id).is_(None))
        .order_by(col(Event.id))
        .limit(limit)
    ).all()
    return [(school_id, event_id) for school_id, event_id in rows if event_id is not None]


def plan_event(session: Session, event_id: int, now: datetime, available: Collection[Via]) -> int | None:
    """Write the messages of one event; return how many, or None if somebody else plans or has planned it.

    A receipt goes out by every channel there is (the PDF comes by mail); a notice by the first that accepts it.
    """
    lock = func.hashtextextended(f"notice plan {event_id}", 0)
    if not session.exec(select(func.pg_try_advisory_xact_lock(lock))).one():
        return None
    if session.get(NoticePlan, event_id) is not None:
        return None
    event = session.get_one(Event, event_id)
    happened = happening(session, event)
    made, reason = [], NOT_ANNOUNCED if happened is None else ""
    if happened is not None:
        decided = _decide(session, happened, now, available)
        reason = decided.silence or ("" if available else NO_CHANNEL)
        made = [
            row for one in decided.messages for row in _rows(event_id, event.school_id, happened.pupil_id, one, now)
        ]
    for row in made:
        session.add(row)
        session.flush()  # a fallback names the message before it
    session.add(
        NoticePlan(event_id=event_id, school_id=event.school_id, messages=len(made), reason=str(reason), planned_at=now)
    )
    session.flush()
    return len(made)


def _decide(session: Session, happened: Happening, now: datetime, available: Collection[Via]) -> Plan:
    today = now.astimezone(SCHOOL_TIME).date()
    people = [_reachable(one, available) for one in recipients(session, happened.pupil_id, today)]
    both = happened.occasion.kind is Kind.PAYMENT_RECEIVED
    decided = plan(happened.occasion, people, now, every_channel=both)
    return decided if available else Plan(())


def _reachable(recipient: Recipient, available: Collection[Via]) -> Recipient:
    return replace(
        recipient,
        phone=recipient.phone if Via.ZALO in available else None,
        mail=recipient.mail if Via.MAIL in available else None,
    )


def _rows(event_id: int, school_id: UUID, pupil_id: UUID, planned: PlannedMessage, now: datetime) -> list[Message]:
    """One row for each channel; only the first is due, each other waits for the one before it to fail."""
    ids = [new_id() for _ in planned.channels]
    return [
        Message(
            id=ids[place],
            school_id=school_id,
            event_id=event_id,
            guardian_id=planned.guardian_id,
            pupil_id=pupil_id,
            kind=planned.kind,
            channel=via,
            fallback_of=ids[place - 1] if place else None,
            next_try_at=None if place else planned.not_before,
            made_at=now,
        )
        for place, via in enumerate(planned.channels)
    ]
