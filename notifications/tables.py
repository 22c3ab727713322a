"""Rows of notifications: the plan made from an event, one outbox row for each message, and every attempt."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from billing.storage import Row, identity_column, in_school, json_column, new_id, number_column, one_of, time_column

CHANNELS = ("zalo", "sms", "email")
MESSAGE_STATES = ("pending", "accepted", "failed", "unknown", "superseded")

STAFF_STATES = ("pending", "accepted", "failed", "no_address")


class NoticePlan(Row, table=True):
    """Says that an event was turned into messages (perhaps none). Work is found by the absence of this row."""

    __tablename__ = "notice_plans"
    __table_args__ = (in_school(["event_id"], "events"),)

    event_id: int = number_column(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id", index=True)
    messages: int
    reason: str = ""
    planned_at: datetime = time_column()


class Message(Row, table=True):
    """One message to one guardian by one channel. What it says is made again from ids when it is sent.

    ``fallback_of`` names the message that had to fail before this one is tried. State, attempts, lease and the
    provider's id change; everything else is written once.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "event_id", "guardian_id", "channel"),
        in_school(["event_id"], "events"),
        in_school(["fallback_of"], "messages"),
        one_of("channel", CHANNELS),
        one_of("state", MESSAGE_STATES),
        Index("ix_messages_due", "next_try_at", postgresql_where=text("state = 'pending'")),
        Index("ix_messages_guardian", "school_id", "guardian_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    event_id: int = number_column()
    guardian_id: UUID = Field(foreign_key="guardians.id")
    pupil_id: UUID = Field(foreign_key="pupils.id")
    kind: str = Field(max_length=40)
    channel: str
    fallback_of: UUID | None = None
    state: str = "pending"
    attempts: int = 0
    next_try_at: datetime | None = time_column(nullable=True)
    lease_until: datetime | None = time_column(nullable=True)
    provider_id: str | None = Field(default=None, max_length=120)
    made_at: datetime = time_column()


class StaffMessage(Row, table=True):
    """One letter to one member of staff about an event of the office, such as a change of account.

    Its words are made from ids when it is sent. ``no_address``: the login is no e-mail address, so it is only seen on
    screen. State, attempts and times change; everything else is written once.
    """

    __tablename__ = "staff_messages"
    __table_args__ = (
        in_school(["event_id"], "events"),
        UniqueConstraint("school_id", "event_id", "user_id"),
        one_of("state", STAFF_STATES),
        Index("ix_staff_messages_due", "next_try_at", postgresql_where=text("state = 'pending'")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    event_id: int = number_column()
    user_id: UUID = Field(foreign_key="users.id")
    state: str = "pending"
    attempts: int = 0
    next_try_at: datetime | None = time_column(nullable=True)
    problem: str = ""
    made_at: datetime = time_column()
    accepted_at: datetime | None = time_column(nullable=True)


class MessageAttempt(Row, table=True):
    """One try to send a message and the provider's answer; raw code and text are kept."""

    __tablename__ = "message_attempts"
    __table_args__ = (
        in_school(["message_id"], "messages"),
        Index("ix_message_attempts_message", "school_id", "message_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    message_id: UUID
    outcome: str = Field(max_length=20)
    provider_code: str = Field(default="", max_length=40)
    provider_text: str = ""
    at: datetime = time_column()


class ReminderRule(Row, table=True):
    """On which days from the due day on (below zero: before it) a school reminds; the newest row counts."""

    __tablename__ = "reminder_rules"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        CheckConstraint("jsonb_typeof(days) = 'array' AND jsonb_array_length(days) <= 5", name="few_days"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    days: list[int] = json_column()
    made_by: UUID = Field(foreign_key="users.id")
    at: datetime = time_column()


class ReminderDay(Row, table=True):
    """That it was looked whom a school reminds on a day: at most once, so nobody is reminded twice a day.

    ``muted``: how many requests were left alone because money for them is on its way.
    """

    __tablename__ = "reminder_days"
    __table_args__ = (CheckConstraint("reminded >= 0 AND muted >= 0", name="counted"),)

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    day: date = Field(primary_key=True)
    reminded: int
    muted: int
    at: datetime = time_column()


class ProviderToken(Row, table=True):
    """Access and refresh token of a provider, changed together under a lock (no school policy)."""

    __tablename__ = "provider_tokens"

    provider: str = Field(primary_key=True, max_length=40)
    access_sealed: bytes = Field(sa_type=LargeBinary)
    refresh_sealed: bytes = Field(sa_type=LargeBinary)
    expires_at: datetime = time_column()
    refreshed_at: datetime = time_column()
