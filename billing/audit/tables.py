"""Rows of who did what. The chain holds salted digests; details sit in a side table that may be erased by law."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from billing.storage import Row, identity_column, in_school, json_column, number_column, time_column


class AuditEntry(Row, table=True):
    """One deed: actor, action, object, reason, and the salted digest of its details."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        Index("ix_audit_entries_object", "school_id", "object_kind", "object_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    at: datetime = time_column()
    actor_id: UUID | None = None
    actor_role: str = Field(max_length=30)
    action: str = Field(max_length=60)
    object_kind: str = Field(max_length=40)
    object_id: str = Field(max_length=80)
    reason: str = ""
    request_id: str | None = Field(default=None, max_length=64)
    digest: bytes = Field(sa_type=LargeBinary)


class AuditDetail(Row, table=True):
    """Before and after of a deed, with the salt of its digest; the only audit row that may be erased."""

    __tablename__ = "audit_details"
    __table_args__ = (in_school(["audit_id"], "audit_entries"),)

    audit_id: int = Field(sa_column=Column(BigInteger, ForeignKey("audit_entries.id"), primary_key=True))
    school_id: UUID = Field(foreign_key="schools.id")
    salt: bytes = Field(sa_type=LargeBinary)
    details: dict[str, Any] = json_column()


class AuditSeal(Row, table=True):
    """The link of an audit entry in its school's chain."""

    __tablename__ = "audit_seals"
    __table_args__ = (UniqueConstraint("school_id", "audit_id"), in_school(["audit_id"], "audit_entries"))

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    chain_seq: int = number_column(primary_key=True)
    audit_id: int = number_column()
    previous: bytes = Field(sa_type=LargeBinary)
    digest: bytes = Field(sa_type=LargeBinary)
    sealed_at: datetime = time_column()
