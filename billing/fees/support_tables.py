"""Rows of the State's share: what a council pays by the month, and who gets the support of private pupils."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, identity_column, money_column, new_id, one_of, time_column

RATE_KINDS = ("tuition_compensation", "private_support", "learning_cost")
PAYEES = ("family", "school")


class CouncilRateRow(Row, table=True):
    """What the State pays for a pupil's month in a province (no school policy: public law of a province).

    ``months``: the most that are paid in a school year; empty means every month studied.
    """

    __tablename__ = "council_rates"
    __table_args__ = (
        UniqueConstraint(
            "authority_id", "kind", "level", "zone", "legacy_area", "valid_from", name="uq_council_rates_place_and_day"
        ),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("months BETWEEN 1 AND 12", name="months_of_a_year"),
        one_of("kind", RATE_KINDS),
    )

    id: int | None = identity_column()
    authority_id: UUID = Field(foreign_key="authorities.id")
    kind: str
    level: str
    zone: str
    legacy_area: str
    amount: Money = money_column()
    months: int | None = None
    legal_basis: str
    valid_from: date
    valid_to: date | None = None


class SupportChoice(Row, table=True):
    """To whom the State pays the support of a private school's pupils from a day on, and by which decision.

    Without a row it goes to the family. A later row takes the place of an earlier one; it counts once another person
    has approved it.
    """

    __tablename__ = "support_choices"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        one_of("payee", PAYEES),
        CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name="two_people"),
        CheckConstraint("valid_from = date_trunc('month', valid_from)::date", name="from_the_first"),
        Index(
            "uq_support_choices_live",
            "school_id",
            "valid_from",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    payee: str
    decision_number: str
    decided_on: date
    valid_from: date
    made_by: UUID
    made_at: datetime = time_column()
    approved_by: UUID | None = None
    approved_at: datetime | None = time_column(nullable=True)
    withdrawn_at: datetime | None = time_column(nullable=True)
