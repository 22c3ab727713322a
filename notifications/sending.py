"""From a due row to a provider's answer: take, call, store. A message is accepted by a provider at most once.

``take`` and ``store`` are transactions of their own, and the provider is called between them, outside of both.
The message is written (its words, its PDF) before it is taken, so almost nothing but the call lies between.
A process killed there leaves a lease that runs out; then nobody knows whether the provider accepted the message, and
it is marked *unknown* and not sent again by this channel. It is sent again only after an answer that surely means
"not accepted". Its fallback, by another channel, is released in both cases: told twice is better than not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from billing.events.tables import Event
from notifications.channels.base import Accepted
from notifications.channels.base import Message as Outgoing
from notifications.errors import (
    DeliveryProblem,
    PermanentFailure,
    TemporaryFailure,
    UnfitText,
    UnknownOutcome,
    Unreachable,
)
from notifications.occasions import happening
from notifications.quiet import next_morning
from notifications.rendering import Desk, render
from notifications.rules import Occasion, earliest, still_wanted
from notifications.tables import Message, MessageAttempt

LEASE = timedelta(seconds=60)
MOST_TRIES = 12
_LONGEST_WAIT = timedelta(hours=1)
_TEXT_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is ours to send until its lease runs out."""

    channel: str
    outgoing: Outgoing
    tries: int


class Untaken(Enum):
    """Why there is nothing to send."""

    HELD = "somebody else has it"
    SETTLED = "no longer wanted, put off, or lost: written down"


def due(session: Session, now: datetime, limit: int) -> list[tuple[UUID, UUID]]:
    """Return school and id of messages whose time has come, longest waiting first; also those with a lost lease."""
    rows = session.exec(
        select(Message.school_id, Message.id)
        .where(
            Message.state == "pending",
            col(Message.next_try_at) <= now,
            (col(Message.lease_until).is_(None)) | (col(Message.lease_until) <= now),
        )
        .order_by(col(Message.next_try_at), col(Message.id))
        .limit(limit)
    ).all()
    return list(rows)


def take(session: Session, message_id: UUID, desk: Desk, now: datetime) -> Taken | Untaken:
    """Write a due message and lease it, if it is free, still wanted, and not put off by the night."""
    message = session.exec(
        select(Message)
        .where(Message.id == message_id, Message.state == "pending", col(Message.next_try_at) <= now)
        .with_for_update(skip_locked=True)
    ).one_or_none()
    if message is None or (message.lease_until and message.lease_until > now):
        return Untaken.HELD
    if message.lease_until:
        lost = UnknownOutcome("Máy gửi dừng giữa chừng; không rõ tin đã đi hay chưa.", channel="", code="lost")
        _settle(session, message, lost, now)
        return Untaken.SETTLED
    if not _is_its_time(session, message, now):
        return Untaken.SETTLED
    try:
        outgoing = render(session, message, desk, now)
    except Unreachable as problem:
        _settle(session, message, problem, now)
        return Untaken.SETTLED
    except UnfitText as problem:
        unfit = PermanentFailure(problem.message, channel=message.channel, code="unfit")
        _settle(session, message, unfit, now)
        return Untaken.SETTLED
    message.lease_until = now + LEASE
    message.attempts += 1
    session.flush()
    return Taken(message.channel, outgoing, message.attempts)


def store(session: Session, message_id: UUID, answer: Accepted | DeliveryProblem, now: datetime) -> None:
    """Write down what the provider answered, and what follows from it.

    An answer may come after the lease was lost; then it settles the doubt.
    """
    message = session.exec(select(Message).where(Message.id == message_id).with_for_update()).one()
    if message.state == "unknown" and isinstance(answer, TemporaryFailure):
        answer = PermanentFailure(answer.message, channel=answer.channel, code=answer.code)
    _settle(session, message, answer, now)


def note_breakdown(session: Session, message_id: UUID, now: datetime) -> None:
    """Put a message back that our own program could not write, so that others are not held up by it."""
    message = session.exec(select(Message).where(Message.id == message_id).with_for_update()).one()
    if message.state != "pending" or message.lease_until is not None:
        return
    message.attempts += 1
    fault = TemporaryFailure("Lỗi chương trình khi soạn tin.", channel=message.channel, code="program")
    _settle(session, message, fault, now)


def bring_forward(session: Session, channel: str, now: datetime) -> None:
    """Let what waits after failed tries be tried now: the channel works again."""
    session.execute(
        update(Message)
        .where(
            col(Message.state) == "pending",
            col(Message.channel) == channel,
            col(Message.attempts) > 0,
            col(Message.lease_until).is_(None),
            col(Message.next_try_at) > now,
            col(Message.next_try_at) <= now + _LONGEST_WAIT,
        )
        .values(next_try_at=now)
    )


def wait_before(tries: int) -> timedelta:
    """Return how long to wait after this many failed tries: 1 s, 3 s, 9 s … at most an hour."""
    return min(timedelta(seconds=3 ** (tries - 1)), _LONGEST_WAIT)


def _is_its_time(session: Session, message: Message, now: datetime) -> bool:
    """Ask the rules again: a night or an outage may lie between planning and sending."""
    occasion = _occasion(session, message)
    if not still_wanted(occasion):
        message.state, message.next_try_at = "superseded", None
        _drop_fallback(session, message)
        return False
    allowed = earliest(occasion, now)
    if allowed > now:
        message.next_try_at = allowed
        return False
    return True


def _occasion(session: Session, message: Message) -> Occasion:
    happened = happening(session, session.get_one(Event, message.event_id))
    if happened is None:
        raise ValueError(f"message {message.id} is about an event that no family is told")
    return happened.occasion


def _settle(session: Session, message: Message, answer: Accepted | DeliveryProblem, now: datetime) -> None:
    _write_attempt(session, message, answer, now)
    message.lease_until = None
    if isinstance(answer, TemporaryFailure):
        later = _next_try(session, message, answer, now)
        if later is not None:
            message.next_try_at = later
            session.flush()
            return
    message.next_try_at = None
    if isinstance(answer, Accepted):
        message.state, message.provider_id = "accepted", answer.provider_id[:120]
        _drop_fallback(session, message)
    else:
        message.state = "unknown" if isinstance(answer, UnknownOutcome) else "failed"
        _release_fallback(session, message, now)
    session.flush()


def _next_try(session: Session, message: Message, answer: TemporaryFailure, now: datetime) -> datetime | None:
    """Return when to try again, or None when it was the last time or another channel is quicker."""
    if message.attempts >= MOST_TRIES:
        return None
    if not answer.next_day:
        return now + wait_before(max(message.attempts, 1))
    waiting = session.exec(select(Message.id).where(*_fallback_of(message))).first()
    return None if waiting else next_morning(now)


def _write_attempt(session: Session, message: Message, answer: Accepted | DeliveryProblem, now: datetime) -> None:
    if isinstance(answer, Accepted):
        outcome, code, words = "accepted", "", answer.raw
    else:
        outcome, code, words = _OUTCOMES[type(answer)], answer.code, answer.message
    session.add(
        MessageAttempt(
            school_id=message.school_id,
            message_id=message.id,
            outcome=outcome,
            provider_code=code[:40],
            provider_text=words[:_TEXT_LIMIT],
            at=now,
        )
    )


_OUTCOMES: dict[type[DeliveryProblem], str] = {
    TemporaryFailure: "temporary",
    PermanentFailure: "permanent",
    Unreachable: "unreachable",
    UnknownOutcome: "unknown",
}


def _drop_fallback(session: Session, message: Message) -> None:
    """Nobody needs the other channels any more, however many are in line."""
    for waiting in session.exec(select(Message).where(*_fallback_of(message)).with_for_update()).all():
        waiting.state = "superseded"
        _drop_fallback(session, waiting)


def _release_fallback(session: Session, message: Message, now: datetime) -> None:
    for waiting in session.exec(select(Message).where(*_fallback_of(message)).with_for_update()).all():
        waiting.next_try_at = now


def _fallback_of(message: Message) -> tuple[bool, ...]:
    return (
        Message.school_id == message.school_id,
        Message.fallback_of == message.id,
        Message.state == "pending",
        Message.attempts == 0,
    )
