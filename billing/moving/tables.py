"""Rows of pupils who left: when, where to, what ended with it and which corrections were asked for."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from billing.storage import Row, in_school, json_column, new_id, one_of, time_column

NEVER_CAME = "never_came"
LEAVING_STATES = ("left", "transferred_out", "paused", "graduated", NEVER_CAME)


class Leaving(Row, table=True):
    """That a pupil left a school after ``last_day``; it owns no sum.

    ``ended`` is what ended with it, so that it can be taken back: {"ended_on", "placements": [[id, valid_to]],
    "opt_ins": [[id, valid_to]], "withdrawn": [id]}. ``corrections``: the ids of those that were asked for.
    """

    __tablename__ = "leavings"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["enrolment_id"], "enrolments"),
        one_of("state", LEAVING_STATES),
        CheckConstraint("reason <> ''", name="reason_given"),
        Index("ix_leavings_enrolment", "school_id", "enrolment_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    enrolment_id: UUID
    last_day: date
    state: str
    reason: str
    ended: dict[str, Any] = json_column()
    corrections: list[str] = json_column()
    made_by: UUID
    made_at: datetime = time_column()


class LeavingReturn(Row, table=True):
    """That a leaving was taken back, before anything of it was approved."""

    __tablename__ = "leaving_returns"
    __table_args__ = (
        in_school(["leaving_id"], "leavings"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    leaving_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    made_by: UUID
    at: datetime = time_column()
