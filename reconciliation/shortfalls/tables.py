"""Rows of the limit within which one person accepts what foreign money lacks: asked by one, agreed by another."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, in_school, money_column, new_id, time_column

HIGHEST = Money(2_000_000)  # correspondent banks take some 10 to 50 US dollars; more is no fee


class ShortfallLimit(Row, table=True):
    """How much of one transfer from abroad may be missing at most; 0 accepts nothing. The newest agreed one counts."""

    __tablename__ = "shortfall_limits"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        CheckConstraint(f"most BETWEEN 0 AND {HIGHEST.dong}", name="most_is_a_fee"),
        CheckConstraint("reason <> ''", name="reason_given"),
        Index("ix_shortfall_limits_school", "school_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    most: Money = money_column()
    reason: str
    made_by: UUID
    made_at: datetime = time_column()


class ShortfallLimitDecision(Row, table=True):
    """Another person's yes to a limit, or a no with a reason; once."""

    __tablename__ = "shortfall_limit_decisions"
    __table_args__ = (
        in_school(["limit_id"], "shortfall_limits"),
        CheckConstraint("approved OR reason <> ''", name="refusing_has_a_reason"),
    )

    limit_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()
