"""Events become messages: one row for each message of the outbox, and one that says the event was looked at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, text
from sqlmodel import Session, col, select

from billing.events.recording import ACCOUNT_EVENTS
from billing.events.tables import Event
from billing.storage import new_id
from notifications.occasions import Happening, happenings, recipients
from notifications.quiet import SCHOOL_TIME
from notifications.rules import Kind, Plan, PlannedMessage, Recipient, Via, plan
from notifications.sms_budget import wanted_ways
from notifications.staff_telling import Colleagues, for_staff, nobody
from notifications.tables import Message, NoticePlan, StaffMessage

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


def plan_events(
    session: Session,
    event_ids: Sequence[int],
    now: datetime,
    available: Collection[Via],
    colleagues: Colleagues = nobody,
) -> dict[int, int]:
    """Write the messages of events of one school; return how many, by event, without those somebody else plans.

    A receipt goes to the phone and by mail (the PDF comes by mail); a notice by the first channel that accepts it. What
    staff are told of goes to ``colleagues``.
    """
    events = _ours_to_plan(session, event_ids)
    told = happenings(session, events)
    today = now.astimezone(SCHOOL_TIME).date()
    families = recipients(session, {happened.pupil_id for happened in told.values()}, today) if told else {}
    ways = wanted_ways(session, events[0].school_id, available) if told else frozenset(available)
    made: dict[int, int] = {}
    for event in events:
        if event.id is None:
            raise ValueError("an event that was read has its number")
        happened = told.get(event.id)
        rows: list[Message] | list[StaffMessage] = []
        reason = NOT_ANNOUNCED
        if event.kind in ACCOUNT_EVENTS:
            people = colleagues(session, event.school_id)
            rows, reason = for_staff(event, people, now, by_mail=Via.MAIL in available), ""
        if happened is not None:
            decided = _decide(happened, families[happened.pupil_id], now, ways)
            reason = decided.silence or ("" if ways else NO_CHANNEL)
            rows = [
                row for one in decided.messages for row in _rows(event.id, event.school_id, happened.pupil_id, one, now)
            ]
        session.add_all(rows)  # in this order: a fallback names the message before it
        made[event.id] = len(rows)
        session.add(
            NoticePlan(
                event_id=event.id, school_id=event.school_id, messages=len(rows), reason=str(reason), planned_at=now
            )
        )
    session.flush()
    return made


def _ours_to_plan(session: Session, event_ids: Sequence[int]) -> Sequence[Event]:
    """Return the events that nobody else plans now or has planned; they are ours until the transaction ends."""
    free = session.execute(_TRY_LOCKS, {"ids": list(event_ids)}).scalars().all()
    planned = exists().where(col(NoticePlan.event_id) == col(Event.id))
    return session.exec(select(Event).where(col(Event.id).in_(free), ~planned).order_by(col(Event.id))).all()


# Locked first and looked at afterwards, in a statement of its own: it sees what the last owner of a lock has written.
_TRY_LOCKS = text("""
    SELECT id FROM unnest(CAST(:ids AS bigint[])) AS wanted (id)
    WHERE pg_try_advisory_xact_lock(hashtextextended('notice plan ' || id, 0))""")


def _decide(happened: Happening, people: Sequence[Recipient], now: datetime, available: Collection[Via]) -> Plan:
    reachable = [_reachable(one, available) for one in people]
    both = happened.occasion.kind is Kind.PAYMENT_RECEIVED
    decided = plan(happened.occasion, reachable, now, every_channel=both)
    return decided if available else Plan(())


def _reachable(recipient: Recipient, available: Collection[Via]) -> Recipient:
    return replace(
        recipient,
        phone=recipient.phone if {Via.ZALO, Via.SMS} & set(available) else None,
        refuses_zalo=recipient.refuses_zalo or Via.ZALO not in available,
        takes_sms=Via.SMS in available,
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
