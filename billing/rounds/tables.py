"""Rows of billing rounds. A round belongs to one school and is issued in one transaction."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Date, LargeBinary, UniqueConstraint
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, json_column, money_column, new_id, one_of, time_column

ROUND_STATES = ("draft", "previewed", "submitted", "approved", "issued", "withdrawn")


class BillingRound(Row, table=True):
    """A billing round: what is approved is exactly what was previewed (same digest), by another person."""

    __tablename__ = "billing_rounds"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "school_year", "code"),
        one_of("state", ROUND_STATES),
        CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name="two_people"),
        CheckConstraint("period_to >= period_from", name="dates_in_order"),
        CheckConstraint(
            "state NOT IN ('approved', 'issued') OR (approved_by IS NOT NULL AND preview_digest IS NOT NULL)",
            name="approved_by_a_person",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    school_year: str = Field(max_length=9)
    code: str = Field(max_length=20)
    name: str
    period_from: date
    period_to: date
    meal_days: list[date] = Field(default_factory=list, sa_column=Column(ARRAY(Date), nullable=False))
    due_on: date
    state: str = "draft"
    preview_digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    preview: dict[str, Any] = json_column()
    family_total: Money | None = money_column(nullable=True)
    made_by: UUID
    made_at: datetime = time_column()
    submitted_at: datetime | None = time_column(nullable=True)
    approved_by: UUID | None = None
    approved_at: datetime | None = time_column(nullable=True)
    issued_at: datetime | None = time_column(nullable=True)
