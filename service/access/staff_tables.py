"""Rows of how rights are given: what somebody asks for, and what another person decides about it. Written once."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from billing.storage import Row, in_school, new_id, one_of, time_column

# These see what families pay, or move money: two people give them.
ROLES_OF_TWO = ("accountant", "approver", "cashier", "auditor")


class StaffRequest(Row, table=True):
    """Somebody asks for a dated role at a school, or for a new first password, for somebody else.

    ``part_sealed``: the asker's half of a first password; whoever decides is shown the other half.
    """

    __tablename__ = "staff_requests"
    __table_args__ = (
        one_of("kind", ("role", "password")),
        CheckConstraint("(kind = 'role') = (role IS NOT NULL)", name="role_is_named"),
        CheckConstraint("(kind = 'role') = (valid_from IS NOT NULL)", name="role_has_a_first_day"),
        CheckConstraint(f"role IN {ROLES_OF_TWO}", name="role_of_a_school"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="ends_later"),
        CheckConstraint("asked_by <> user_id", name="not_for_oneself"),
        CheckConstraint("reason <> ''", name="reason_given"),
        UniqueConstraint("school_id", "id"),
        Index("ix_staff_requests_user", "school_id", "user_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    user_id: UUID = Field(foreign_key="users.id", index=True)
    kind: str
    role: str | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    part_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    reason: str
    asked_by: UUID = Field(foreign_key="users.id")
    asked_at: datetime = time_column()


class StaffDecision(Row, table=True):
    """What became of a request; the database refuses a yes from who asked, or whom it is for."""

    __tablename__ = "staff_decisions"
    __table_args__ = (
        one_of("verdict", ("granted", "refused")),
        in_school(["request_id"], "staff_requests"),
    )

    request_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    verdict: str
    reason: str = ""
    decided_by: UUID = Field(foreign_key="users.id")
    at: datetime = time_column()
