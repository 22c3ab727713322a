"""Rows of SMS: how many a month a school pays for, and each text that was to be handed to the provider."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, identity_column, in_school, money_column, new_id, one_of, time_column

TEXT_STATES = ("taken", "accepted", "delivered", "undelivered", "refused", "unknown")


class SmsRule(Row, table=True):
    """How many SMS a month a school pays for, 0 for none; the newest row counts."""

    __tablename__ = "sms_rules"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        CheckConstraint("monthly BETWEEN 0 AND 100000", name="monthly_in_range"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    monthly: int
    made_by: UUID = Field(foreign_key="users.id")
    at: datetime = time_column()


class SmsText(Row, table=True):
    """One text taken from a school's budget, of a message or of a one-time code. What it says is not stored.

    ``accepted`` is what the provider said, ``delivered`` and ``undelivered`` what it says when it is asked later, with
    the ``cost`` in đồng. ``doubt_since``: when a call began of whose fate nothing is known. ``refused`` costs nothing.
    State, the provider's words, doubt, looks and cost change; everything else is written once.
    """

    __tablename__ = "sms_texts"
    __table_args__ = (
        UniqueConstraint("school_id", "message_id"),
        UniqueConstraint("school_id", "code_id"),
        in_school(["message_id"], "messages"),
        in_school(["code_id"], "guardian_codes"),
        one_of("state", TEXT_STATES),
        CheckConstraint("num_nonnulls(message_id, code_id) = 1", name="of_one"),
        CheckConstraint("looks >= 0 AND cost >= 0", name="counted"),
        Index("ix_sms_texts_month", "school_id", "at"),
        Index("ix_sms_texts_to_look", "next_look_at", postgresql_where=text("next_look_at IS NOT NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    message_id: UUID | None = None
    code_id: UUID | None = None
    phone_blind: bytes = Field(sa_type=LargeBinary)
    state: str = "taken"
    at: datetime = time_column()
    provider_id: str = Field(default="", max_length=120)
    provider_code: str = Field(default="", max_length=40)
    doubt_since: datetime | None = time_column(nullable=True)
    next_look_at: datetime | None = time_column(nullable=True)
    looks: int = 0
    cost: Money | None = money_column(nullable=True)
