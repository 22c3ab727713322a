"""The course of one SMS: taken from the school's month, tried, doubted and tried again, accepted, arrived or not.

A text is known to the provider by the id of its message. So what may have been accepted is offered again under the
same id, on the same day only; and what was doubted once stays doubted until the provider says that it has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from notifications.channels.base import Accepted
from notifications.channels.esms import Delivery, Told
from notifications.errors import DeliveryProblem, RepeatableDoubt, TemporaryFailure, UnknownOutcome, Unreachable
from notifications.occasions import contacts
from notifications.quiet import SCHOOL_TIME
from notifications.rules import Kind, Via
from notifications.sms_budget import Phone, may_repeat, phone_is_full, take_text, text_of
from notifications.sms_tables import SmsText
from notifications.tables import Message, MessageAttempt

LOOKS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 360, 1440, 4320))
"""After how long it is asked again what became of an accepted text; the provider keeps it for seven days."""
_HELD = timedelta(minutes=2)


def take(session: Session, message: Message, now: datetime) -> DeliveryProblem | datetime | None:
    """Take a message's text from the month; else return why that cannot be, or when it may."""
    today = now.astimezone(SCHOOL_TIME).date()
    contact = contacts(session, [message.guardian_id], today).get((message.guardian_id, Via.SMS))
    if contact is None:
        return Unreachable("Phụ huynh không còn liên lạc này.", channel=Via.SMS, code="no_contact")
    if text_of(session, message.school_id, message.id) is None:
        later = phone_is_full(session, message.school_id, contact.blind, Kind(message.kind), now)
        if later is not None:
            return later
    return take_text(session, message.school_id, Phone(contact.blind, message_id=message.id), now)


def after_try(
    session: Session, message: Message, answer: Accepted | DeliveryProblem, began: datetime, now: datetime
) -> Accepted | DeliveryProblem:
    """Write the provider's words down and return what they mean, given what was doubted before.

    ``began``: when the call did that is answered, or at most a lease before now.
    """
    row = text_of(session, message.school_id, message.id)
    if row is None:
        return answer
    if isinstance(answer, Accepted):
        row.provider_id, row.provider_code = answer.provider_id[:120] or row.provider_id, answer.code[:40]
        return answer
    row.provider_code = answer.code[:40]
    if isinstance(answer, RepeatableDoubt):
        row.doubt_since = row.doubt_since or began
    if row.doubt_since is None:
        return answer
    if isinstance(answer, RepeatableDoubt | TemporaryFailure) and may_repeat(row, now):
        return RepeatableDoubt(answer.message, channel=answer.channel, code=answer.code)
    return UnknownOutcome(answer.message, channel=answer.channel, code=answer.code)


def close(session: Session, message: Message, now: datetime) -> None:
    """Bring a message's text to the state that the message is in; given back is what was surely not accepted."""
    row = text_of(session, message.school_id, message.id)
    if row is None or message.state == "pending":
        return
    if message.state == "accepted":
        row.state, row.doubt_since = "accepted", None
        row.next_look_at = now + LOOKS[0] if row.provider_id else None
    else:
        row.state = "unknown" if row.doubt_since or message.state == "unknown" else "refused"


def settle_code(row: SmsText, answer: Accepted | DeliveryProblem, now: datetime) -> None:
    """Write down what became of the text of a one-time code, which is tried once."""
    if isinstance(answer, Accepted):
        row.state, row.provider_id, row.provider_code = "accepted", answer.provider_id[:120], answer.code[:40]
        row.next_look_at = now + LOOKS[0] if row.provider_id else None
    else:
        row.state = "unknown" if isinstance(answer, UnknownOutcome) else "refused"
        row.provider_code = answer.code[:40]


def to_look(session: Session, now: datetime, limit: int) -> list[tuple[UUID, UUID, str]]:
    """Return texts to be asked about: school, id and the provider's id; nobody else gets them for two minutes."""
    due = (
        select(col(SmsText.id))
        .where(col(SmsText.next_look_at) <= now)
        .order_by(col(SmsText.next_look_at), col(SmsText.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    rows = session.execute(
        update(SmsText)
        .where(col(SmsText.id).in_(select(due.c.id)))
        .values(next_look_at=now + _HELD)
        .returning(col(SmsText.school_id), col(SmsText.id), col(SmsText.provider_id)),
        execution_options={"synchronize_session": False},
    ).all()
    return [(school_id, text_id, provider_id) for school_id, text_id, provider_id in rows]


def note_look(session: Session, text_id: UUID, told: Told | None, now: datetime) -> None:
    """Write down what the provider told of a text (None: nothing); what did not arrive goes on by the next channel."""
    row = session.exec(select(SmsText).where(SmsText.id == text_id).with_for_update()).one()
    if row.state != "accepted":
        row.next_look_at = None
        return
    row.looks += 1
    row.next_look_at = now + LOOKS[row.looks] if row.looks < len(LOOKS) else None
    if told is None:
        return
    row.provider_code = told.code[:40]
    if told.delivery is Delivery.WAITING:
        return
    row.state, row.cost, row.next_look_at = told.delivery.value, told.cost, None
    if told.delivery is Delivery.UNDELIVERED and row.message_id is not None:
        _go_on(session, row.message_id, told, now)


def look_soon(session: Session, text_ids: Sequence[UUID], now: datetime) -> int:
    """Ask at once about accepted texts, named by our own ids: somebody says that there is news. Return how many."""
    found = session.execute(
        update(SmsText)
        .where(
            (col(SmsText.message_id).in_(text_ids)) | (col(SmsText.code_id).in_(text_ids)),
            col(SmsText.state) == "accepted",
            col(SmsText.next_look_at) > now,
        )
        .values(next_look_at=now)
        .returning(col(SmsText.id)),
        execution_options={"synchronize_session": False},
    )
    return len(found.all())


def _go_on(session: Session, message_id: UUID, told: Told, now: datetime) -> None:
    """Turn "accepted" into "failed", and let the channel that was put aside for it have its turn."""
    message = session.exec(select(Message).where(Message.id == message_id).with_for_update()).one()
    if message.state != "accepted":
        return
    message.state = "failed"
    session.add(
        MessageAttempt(
            school_id=message.school_id, message_id=message.id, outcome="undelivered", provider_code=told.code[:40],
            provider_text="Nhà mạng báo tin không đến máy.", at=now,
        )
    )  # fmt: skip
    waiting = select(Message).where(
        Message.school_id == message.school_id,
        Message.guardian_id == message.guardian_id,
        Message.fallback_of == message.id,
        Message.state == "superseded",
        Message.attempts == 0,
    )
    for fallback in session.exec(waiting.with_for_update()).all():
        fallback.state, fallback.next_try_at = "pending", now
    session.flush()
