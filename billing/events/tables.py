"""Rows of what happened; notifications and the auditor read them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from billing.storage import Row, identity_column, json_column, time_column


class Event(Row, table=True):
    """A thing that happened, written in the same transaction. ``facts`` holds ids and amounts, never names.

    Its school is there: the trigger *point_home* refuses others, like a foreign key (see decision 0012).
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        Index("ix_events_subject", "school_id", "kind", "subject_id"),
    )

    id: int | None = identity_column()
    school_id: UUID
    kind: str = Field(max_length=40)
    subject_id: UUID
    facts: dict[str, Any] = json_column()
    occurred_at: datetime = time_column()
