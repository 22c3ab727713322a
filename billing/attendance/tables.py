"""Rows of attendance: whose class it is, days off, absences, closed months. No price and no bill anywhere."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field

from billing.storage import Row, identity_column, in_school, one_of, time_column

ENTERED_BY = ("teacher", "office")


class ClassTeacher(Row, table=True):
    """Who ticks a class, from a day on; a class may have two, a teacher several classes."""

    __tablename__ = "class_teachers"
    __table_args__ = (
        in_school(["class_id"], "class_groups"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates_in_order"),
        Index("uq_class_teachers_open", "class_id", "user_id", unique=True, postgresql_where="valid_to IS NULL"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    class_id: UUID
    user_id: UUID = Field(index=True)
    valid_from: date
    valid_to: date | None = None


class SchoolDayOff(Row, table=True):
    """A day on which the whole school has no meals; it can be taken back, and stays written."""

    __tablename__ = "school_days_off"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="reason_given"),
        CheckConstraint("(cancelled_by IS NULL) = (cancelled_at IS NULL)", name="cancelled_by_a_person"),
        Index("uq_school_days_off_live", "school_id", "day", unique=True, postgresql_where="cancelled_at IS NULL"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    day: date
    reason: str
    made_by: UUID
    made_at: datetime = time_column()
    cancelled_by: UUID | None = None
    cancelled_at: datetime | None = time_column(nullable=True)


class Absence(Row, table=True):
    """A pupil was not there on a day. ``credited``: the meal was called off in time, or the office says so.

    ``after_close``: entered by the office, with a reason, when the class's month was closed already.
    """

    __tablename__ = "absences"
    __table_args__ = (
        in_school(["enrolment_id"], "enrolments"),
        in_school(["class_id"], "class_groups"),
        one_of("entered_by", ENTERED_BY),
        CheckConstraint("NOT after_close OR (entered_by = 'office' AND reason <> '')", name="late_by_the_office"),
        CheckConstraint("(withdrawn_by IS NULL) = (withdrawn_at IS NULL)", name="withdrawn_by_a_person"),
        Index("uq_absences_live", "enrolment_id", "day", unique=True, postgresql_where="withdrawn_at IS NULL"),
        Index("ix_absences_class", "school_id", "class_id", "day"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    enrolment_id: UUID
    class_id: UUID
    day: date
    credited: bool
    after_close: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    entered_by: str
    reason: str = ""
    made_by: UUID
    made_at: datetime = time_column()
    withdrawn_by: UUID | None = None
    withdrawn_at: datetime | None = time_column(nullable=True)


class AttendanceMonth(Row, table=True):
    """A class's month is closed: its absences count for money and teachers change them no more."""

    __tablename__ = "attendance_months"
    __table_args__ = (
        in_school(["class_id"], "class_groups"),
        CheckConstraint("extract(day FROM month) = 1", name="first_of_the_month"),
        Index("ix_attendance_months_school", "school_id", "month"),
    )

    class_id: UUID = Field(primary_key=True)
    month: date = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    closed_by: UUID
    closed_at: datetime = time_column()
