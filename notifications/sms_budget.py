"""A school pays for SMS: how many a month, how many are gone, and each text taken from that before it is sent.

A text is taken once, however often it is tried, and given back when it was surely not accepted. Taking is done under
a lock of the school, so that four senders cannot take the last one twice.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import NotAllowed, Refused
from billing.money import ZERO, Money
from billing.storage import money_sum
from notifications.errors import DeliveryProblem, UnknownOutcome, Unreachable
from notifications.quiet import SCHOOL_TIME, next_morning
from notifications.rules import ASKING, Kind, Via
from notifications.sms_tables import SmsRule, SmsText

MOST_MONTHLY = 100_000
BY_PHONE = ((3, timedelta(hours=1)), (10, timedelta(days=1)))
"""How many texts a phone gets in a span before a reminder or an invitation waits."""

_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('sms of ' || :school_id, 0))")


@dataclass(frozen=True, slots=True)
class Month:
    """A school's SMS of a month: what it pays for, what is gone, and of the gone ones what is known of them.

    ``cost`` is what the provider told of ``told`` texts; of the others it has not told yet.
    """

    monthly: int
    used: int
    delivered: int
    undelivered: int
    told: int
    cost: Money

    @property
    def left(self) -> int:
        """How many more may go out this month."""
        return max(self.monthly - self.used, 0)


@dataclass(frozen=True, slots=True)
class Phone:
    """Whose text it is: of a message or of a one-time code, to which phone (a blind index)."""

    blind: bytes
    message_id: UUID | None = None
    code_id: UUID | None = None


def monthly_now(session: Session, school_id: UUID) -> int:
    """Return how many SMS a month a school pays for: what was set last, none before."""
    newest = select(SmsRule.monthly).where(SmsRule.school_id == school_id).order_by(col(SmsRule.id).desc()).limit(1)
    return session.exec(newest).first() or 0


def set_monthly(session: Session, school_id: UUID, monthly: int, actor: Actor, now: datetime) -> SmsRule:
    """Set how many SMS a month the school pays for from now on (0: none); raises ``Refused`` beyond sense."""
    if actor.user_id is None:
        raise NotAllowed("Số SMS mỗi tháng phải do một người có tên đặt.")
    if not 0 <= monthly <= MOST_MONTHLY:
        raise Refused(f"Số SMS mỗi tháng phải từ 0 (không dùng SMS) đến {MOST_MONTHLY}.", monthly=monthly)
    rule = SmsRule(school_id=school_id, monthly=monthly, made_by=actor.user_id, at=now)
    session.add(rule)
    session.flush()
    record_deed(session, actor, Deed(school_id, "sms.set", "school", str(school_id)), now, monthly=monthly)
    return rule


def wanted_ways(session: Session, school_id: UUID, available: Collection[Via]) -> frozenset[Via]:
    """Return the channels that a school's messages may be planned for: SMS only where the school pays for it."""
    ways = frozenset(available)
    return ways if Via.SMS not in ways or monthly_now(session, school_id) else ways - {Via.SMS}


def this_month(session: Session, school_id: UUID, now: datetime) -> Month:
    """Return the figures of the running month."""
    rows = session.exec(
        select(SmsText.state, func.count(), func.count(col(SmsText.cost)), money_sum(SmsText.cost))
        .where(*_of_month(school_id, now))
        .group_by(col(SmsText.state))
    ).all()
    states = {state: count for state, count, _, _ in rows}
    return Month(
        monthly_now(session, school_id),
        sum(states.values()),
        states.get("delivered", 0),
        states.get("undelivered", 0),
        sum(told for _, _, told, _ in rows),
        sum((cost for _, _, _, cost in rows), ZERO),
    )


def take_text(session: Session, school_id: UUID, whose: Phone, now: datetime) -> DeliveryProblem | None:
    """Take one text from the school's month, or say why it cannot be sent.

    What was taken before is not taken again; where nobody knows what became of it, only on the same day.
    """
    session.execute(_ONE_BY_ONE, {"school_id": str(school_id)})
    found = _text_of(session, school_id, whose.message_id) if whose.message_id else None
    if found is not None:
        return None if may_repeat(found, now) else UnknownOutcome(
            "Không rõ tin đã đi hay chưa, và đã quá ngày để hỏi lại.", channel=Via.SMS, code="window"
        )  # fmt: skip
    monthly = monthly_now(session, school_id)
    if not monthly:
        return Unreachable("Nhà trường không dùng SMS.", channel=Via.SMS, code="off")
    if session.exec(select(func.count()).select_from(SmsText).where(*_of_month(school_id, now))).one() >= monthly:
        return Unreachable("Đã hết số SMS nhà trường trả cho tháng này.", channel=Via.SMS, code="budget")
    session.add(
        SmsText(
            school_id=school_id,
            message_id=whose.message_id,
            code_id=whose.code_id,
            phone_blind=whose.blind,
            at=now,
        )
    )
    session.flush()
    return None


def phone_is_full(session: Session, school_id: UUID, blind: bytes, kind: Kind, now: datetime) -> datetime | None:
    """Return when a reminder or invitation may go to a phone that got too many texts lately; None: now."""
    if kind not in ASKING:
        return None
    longest = max(span for _, span in BY_PHONE)
    got = session.exec(
        select(SmsText.at)
        .where(
            SmsText.school_id == school_id,
            SmsText.phone_blind == blind,
            SmsText.at > now - longest,
            SmsText.state != "refused",
        )
        .order_by(col(SmsText.at).desc())
    ).all()
    if len(got) >= BY_PHONE[1][0]:
        return next_morning(now)
    most, span = BY_PHONE[0]
    recent = [at for at in got if at > now - span]
    return recent[most - 1] + span if len(recent) >= most else None


def text_of(session: Session, school_id: UUID, message_id: UUID) -> SmsText | None:
    """Return the text that was taken for a message."""
    return _text_of(session, school_id, message_id)


def may_repeat(row: SmsText, now: datetime) -> bool:
    """Tell whether a text may be offered (again): nobody doubts it, or the doubt is of today."""
    return row.doubt_since is None or _day(row.doubt_since) == _day(now)


def _text_of(session: Session, school_id: UUID, message_id: UUID) -> SmsText | None:
    query = select(SmsText).where(SmsText.school_id == school_id, SmsText.message_id == message_id)
    return session.exec(query).one_or_none()


def _of_month(school_id: UUID, now: datetime) -> tuple[bool, ...]:
    first = now.astimezone(SCHOOL_TIME).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return SmsText.school_id == school_id, SmsText.at >= first, SmsText.state != "refused"


def _day(at: datetime) -> object:
    return at.astimezone(SCHOOL_TIME).date()
