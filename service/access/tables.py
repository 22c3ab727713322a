"""Rows of access: staff, their dated roles, sessions, parents' links. None has a school policy: they decide it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlmodel import Field

from billing.storage import Row, identity_column, in_school, new_id, one_of, time_column

ROLES = ("accountant", "approver", "cashier", "class_teacher", "auditor", "province", "admin")


class User(Row, table=True):
    """A member of staff. The login name is lower-case; the password is an Argon2id hash."""

    __tablename__ = "users"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    login: str = Field(unique=True, max_length=120)
    full_name: str
    password_hash: str
    must_change_password: bool = False
    second_factor_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    disabled_at: datetime | None = time_column(nullable=True)
    created_at: datetime = time_column()


class RoleGrant(Row, table=True):
    """A dated role of a user at one school, or at an authority and all schools below it; it only ever ends earlier.

    ``granted_by`` is empty for what the operator gave by the command line.
    """

    __tablename__ = "role_grants"
    __table_args__ = (
        one_of("role", ROLES),
        CheckConstraint("(school_id IS NULL) <> (authority_id IS NULL)", name="one_place"),
        CheckConstraint("granted_by IS NULL OR granted_by <> user_id", name="not_to_oneself"),
        CheckConstraint(
            "granted_by IS NULL OR role = 'class_teacher' OR confirmed_by IS NOT NULL", name="money_needs_two"
        ),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> user_id", name="confirmed_for_another"),
        CheckConstraint("confirmed_by IS NULL OR confirmed_by <> granted_by", name="two_people"),
        Index("ix_role_grants_user", "user_id"),
    )

    id: int | None = identity_column()
    user_id: UUID = Field(foreign_key="users.id")
    role: str
    school_id: UUID | None = Field(default=None, foreign_key="schools.id")
    authority_id: UUID | None = Field(default=None, foreign_key="authorities.id")
    valid_from: date
    valid_to: date | None = None
    granted_by: UUID | None = Field(default=None, foreign_key="users.id")
    confirmed_by: UUID | None = Field(default=None, foreign_key="users.id")


class StaffSession(Row, table=True):
    """A log-in. Only the SHA-256 of the token is stored."""

    __tablename__ = "staff_sessions"

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    user_id: UUID = Field(foreign_key="users.id", index=True)
    created_at: datetime = time_column()
    seen_at: datetime = time_column()
    ended_at: datetime | None = time_column(nullable=True)


class LinkToken(Row, table=True):
    """A parent's link to one payment request: a narrow capability, not a log-in. Only its SHA-256 is stored."""

    __tablename__ = "link_tokens"
    __table_args__ = (in_school(["request_id"], "payment_requests"),)

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    school_id: UUID
    request_id: UUID
    version: int
    created_at: datetime = time_column()
    expires_at: datetime = time_column()
    revoked_at: datetime | None = time_column(nullable=True)


class AccessEvent(Row, table=True):
    """A log-in, a refusal, an export, a look at something guarded."""

    __tablename__ = "access_events"

    id: int | None = identity_column()
    at: datetime = time_column()
    user_id: UUID | None = Field(default=None, foreign_key="users.id", index=True)
    school_id: UUID | None = None
    action: str = Field(max_length=60)
    outcome: str = Field(max_length=20)
    address: str = Field(default="", max_length=45)
    request_id: str | None = Field(default=None, max_length=64)
