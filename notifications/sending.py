"""From a due row to a provider's answer: reserve, write, claim, call, store. A provider accepts a message at most once.

``reserve`` puts some due messages out of everybody else's sight for a minute, ``write`` makes their words and PDFs
together, and then each is claimed, sent and stored by itself; ``claim`` and ``store`` are committed before and after
the call, which is outside of any transaction. So almost nothing but the call lies between the two.
A process killed between reserving and claiming costs a minute: nobody can have got anything. One killed between
claiming and storing leaves a lease that runs out; then nobody knows whether the provider accepted the message, and
it is marked *unknown* and not sent again by this channel. It is sent again only after an answer that surely means
"not accepted". Its fallback, by another channel, is released in both cases: told twice is better than not told.
SMS alone is offered again on the same day, since its provider takes a text of one id once (``sms_course.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from billing.events.tables import Event
from notifications.channels.base import Accepted
from notifications.channels.base import Message as Outgoing
from notifications.errors import (
    DeliveryProblem,
    PermanentFailure,
    RepeatableDoubt,
    TemporaryFailure,
    UnfitText,
    UnknownOutcome,
    Unreachable,
)
from notifications.occasions import happenings, recipients
from notifications.quiet import SCHOOL_TIME, next_morning
from notifications.rendering import Desk, Papers, gather, render
from notifications.rules import Occasion, Via, earliest, still_wanted, too_late
from notifications.sms_course import after_try, close, take
from notifications.tables import Message, MessageAttempt

LEASE = timedelta(seconds=60)
RESERVED = timedelta(seconds=60)
REPEATED = "repeated"  # the outcome of a try whose text another try had brought there
MOST_TRIES = 40  # six hours; after an outage of two all is told within a quarter of an hour
_LONGEST_WAIT = timedelta(minutes=10)
_TEXT_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Reserved:
    """Messages of one school that nobody else looks at until a moment."""

    school_id: UUID
    message_ids: tuple[UUID, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """A message ready to be sent. ``tries`` and ``until`` say whether it is still ours when it is claimed."""

    message_id: UUID
    channel: str
    outgoing: Outgoing
    tries: int
    until: datetime


def reserve(session: Session, now: datetime, limit: int, together: int) -> list[Reserved]:
    """Reserve messages whose time has come, longest waiting first, also those with a lost lease.

    At most ``limit`` of them, in groups of one school of at most ``together``.
    """
    due = (
        select(col(Message.id))
        .where(
            Message.state == "pending",
            col(Message.next_try_at) <= now,
            (col(Message.lease_until).is_(None)) | (col(Message.lease_until) <= now),
        )
        .order_by(col(Message.next_try_at), col(Message.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    until = now + RESERVED
    rows = session.execute(
        update(Message)
        .where(col(Message.id).in_(select(due.c.id)))
        .values(next_try_at=until)
        .returning(col(Message.school_id), col(Message.id)),
        execution_options={"synchronize_session": False},
    ).all()
    by_school: dict[UUID, list[UUID]] = {}
    for school_id, message_id in sorted(rows, key=lambda row: row[1]):
        by_school.setdefault(school_id, []).append(message_id)
    return [
        Reserved(school_id, tuple(ids[start : start + together]), until)
        for school_id, ids in by_school.items()
        for start in range(0, len(ids), together)
    ]


def write(session: Session, reserved: Reserved, desk: Desk, now: datetime) -> list[Written]:
    """Write reserved messages; settle those that are no longer wanted, put off, lost, or fit for no channel."""
    messages = session.exec(
        select(Message)
        .where(
            col(Message.id).in_(reserved.message_ids),
            Message.state == "pending",
            Message.next_try_at == reserved.until,
            (col(Message.lease_until).is_(None)) | (col(Message.lease_until) <= now),
        )
        .order_by(col(Message.id))
        .with_for_update()
    ).all()
    free = [message for message in messages if not _is_lost(session, message, now)]
    events = _events(session, free)
    wanted = _wanted(session, free, events, now)
    if not wanted:
        return []
    papers = gather(session, wanted, events, desk, now)
    return [
        Written(message.id, message.channel, outgoing, message.attempts, reserved.until)
        for message in wanted
        if (outgoing := _words(session, message, papers, desk, now)) is not None
    ]


def claim(session: Session, written: Written, now: datetime) -> bool:
    """Lease a written message for its call; False if it is no longer ours, or is an SMS that nobody pays for.

    Waits for nobody but who takes another SMS of the same school.
    """
    if now >= written.until:
        return False
    ours = (
        select(col(Message.id))
        .where(
            Message.id == written.message_id,
            Message.state == "pending",
            col(Message.lease_until).is_(None),
            Message.attempts == written.tries,
            col(Message.next_try_at) <= written.until,
        )
        .with_for_update(skip_locked=True)
        .cte("ours")
    )
    leased = session.execute(
        update(Message)
        .where(col(Message.id).in_(select(ours.c.id)))
        .values(lease_until=now + LEASE, attempts=written.tries + 1)
        .returning(col(Message.id)),
        execution_options={"synchronize_session": False},
    )
    if leased.one_or_none() is None:
        return False
    return written.channel != Via.SMS or _is_paid(session, written.message_id, now)


def store(session: Session, message_id: UUID, answer: Accepted | DeliveryProblem, now: datetime) -> None:
    """Write down what the provider answered, and what follows from it.

    An answer may come after the lease was lost; then it settles the doubt.
    """
    message = session.exec(select(Message).where(Message.id == message_id).with_for_update()).one()
    if message.state == "unknown" and isinstance(answer, TemporaryFailure):
        answer = PermanentFailure(answer.message, channel=answer.channel, code=answer.code)
    if message.state == "accepted" and _is_of_one_text(message, answer):  # another try has brought it there
        _write_attempt(session, message, answer, now, outcome=REPEATED)
        return
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
    waiting = (
        select(col(Message.id))
        .where(
            Message.state == "pending",
            Message.channel == channel,
            Message.attempts > 0,
            col(Message.lease_until).is_(None),
            col(Message.next_try_at) > now,
            col(Message.next_try_at) <= now + _LONGEST_WAIT,
        )
        .with_for_update(skip_locked=True)  # those are being written just now
        .cte("waiting")
    )
    session.execute(
        update(Message).where(col(Message.id).in_(select(waiting.c.id))).values(next_try_at=now),
        execution_options={"synchronize_session": False},
    )


def wait_before(tries: int) -> timedelta:
    """Return how long to wait after this many failed tries: 1 s, 3 s, 9 s … at most ten minutes."""
    return min(timedelta(seconds=3 ** min(tries - 1, 9)), _LONGEST_WAIT)


def _is_of_one_text(message: Message, answer: Accepted | DeliveryProblem) -> bool:
    """Tell whether an answer about an accepted SMS is of that very text: one of two tries heard "taken before"."""
    return message.channel == Via.SMS and (
        not isinstance(answer, Accepted) or not (answer.provider_id and message.provider_id)
    )


def _is_paid(session: Session, message_id: UUID, now: datetime) -> bool:
    """Take a leased SMS from what its school pays for; put it off, or settle it, where that cannot be."""
    leased = select(Message).where(Message.id == message_id).execution_options(populate_existing=True)
    message = session.exec(leased).one()
    refusal = take(session, message, now)
    if refusal is None:
        return True
    if isinstance(refusal, datetime):
        message.lease_until, message.attempts, message.next_try_at = None, message.attempts - 1, refusal
        session.flush()
    else:
        _settle(session, message, refusal, now)
    return False


def _is_lost(session: Session, message: Message, now: datetime) -> bool:
    """Tell whether a message's lease ran out, and settle it then."""
    if message.lease_until is None:
        return False
    doubt = RepeatableDoubt if message.channel == Via.SMS else UnknownOutcome
    lost = doubt("Máy gửi dừng giữa chừng; không rõ tin đã đi hay chưa.", channel="", code="lost")
    _settle(session, message, lost, now)
    return True


def _events(session: Session, messages: Sequence[Message]) -> dict[int, Event]:
    ids = {message.event_id for message in messages}
    events = session.exec(select(Event).where(col(Event.id).in_(ids))).all() if ids else ()
    return {event.id: event for event in events if event.id is not None}


def _wanted(session: Session, messages: Sequence[Message], events: Mapping[int, Event], now: datetime) -> list[Message]:
    """Ask the rules again: a night or an outage may lie between planning and sending.

    Also whether this person is still to be told: who took a consent back, or answers for the child no more, is not.
    """
    told = happenings(session, events.values())
    willing = _willing(session, messages, now)
    return [
        message
        for message in messages
        if _is_its_time(
            session,
            message,
            told[message.event_id].occasion,
            now,
            is_told=(message.guardian_id, message.pupil_id) in willing,
        )
    ]


def _willing(session: Session, messages: Sequence[Message], now: datetime) -> set[tuple[UUID, UUID]]:
    """Return who is told about whom today: guardian and pupil."""
    people = recipients(session, {message.pupil_id for message in messages}, now.astimezone(SCHOOL_TIME).date())
    return {(each.guardian_id, pupil) for pupil, found in people.items() for each in found if each.wants_notices}


def _is_its_time(session: Session, message: Message, occasion: Occasion, now: datetime, *, is_told: bool) -> bool:
    if not is_told or not still_wanted(occasion) or too_late(occasion, now):
        message.state, message.next_try_at = "superseded", None
        _close_text(session, message, now)
        _drop_fallback(session, message)
        return False
    allowed = earliest(occasion, now)
    if allowed > now:
        message.next_try_at = allowed
        return False
    return True


def _words(session: Session, message: Message, papers: Papers, desk: Desk, now: datetime) -> Outgoing | None:
    """Write one message, or settle it if that cannot be."""
    try:
        return render(message, papers, desk, now)
    except Unreachable as problem:
        _settle(session, message, problem, now)
    except UnfitText as problem:
        unfit = PermanentFailure(problem.message, channel=message.channel, code="unfit")
        _settle(session, message, unfit, now)
    return None


def _settle(session: Session, message: Message, answer: Accepted | DeliveryProblem, now: datetime) -> None:
    _write_attempt(session, message, answer, now)
    if message.channel == Via.SMS:
        began = (message.lease_until or now + LEASE) - LEASE
        answer = after_try(session, message, answer, began, now)
    message.lease_until = None
    if isinstance(answer, TemporaryFailure | RepeatableDoubt):
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
    _close_text(session, message, now)
    session.flush()


def _close_text(session: Session, message: Message, now: datetime) -> None:
    if message.channel == Via.SMS:
        close(session, message, now)


def _next_try(
    session: Session, message: Message, answer: TemporaryFailure | RepeatableDoubt, now: datetime
) -> datetime | None:
    """Return when to try again, or None when it was the last time or another channel is quicker."""
    if message.attempts >= MOST_TRIES:
        return None
    if isinstance(answer, RepeatableDoubt) or not answer.next_day:
        return now + wait_before(max(message.attempts, 1))
    waiting = session.exec(select(Message.id).where(*_fallback_of(message))).first()
    return None if waiting else next_morning(now)


def _write_attempt(
    session: Session, message: Message, answer: Accepted | DeliveryProblem, now: datetime, outcome: str = ""
) -> None:
    if isinstance(answer, Accepted):
        outcome, code, words = outcome or "accepted", answer.code, answer.raw
    else:
        outcome, code, words = outcome or _OUTCOMES[type(answer)], answer.code, answer.message
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
    RepeatableDoubt: "unknown",
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
        Message.guardian_id == message.guardian_id,  # always the same, and there is an index
        Message.fallback_of == message.id,
        Message.state == "pending",
        Message.attempts == 0,
    )
