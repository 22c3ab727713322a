"""Rows of the parameters of pupils' health insurance, where a province has its own."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, identity_column, money_column


class InsuranceParameters(Row, table=True):
    """Base wage, rate and shares in a province, dated (no school policy: it is public law).

    They go before the national ones that are shipped, month by month.
    """

    __tablename__ = "insurance_parameters"
    __table_args__ = (
        UniqueConstraint("authority_id", "valid_from"),
        CheckConstraint("base_wage > 0 AND rate_permille BETWEEN 1 AND 1000", name="rate_in_range"),
        CheckConstraint(
            "state_percent >= 0 AND province_percent >= 0 AND state_percent + province_percent <= 100",
            name="shares_within_the_whole",
        ),
        CheckConstraint("province_percent = 0 OR province_basis <> ''", name="province_by_decision"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates_in_order"),
    )

    id: int | None = identity_column()
    authority_id: UUID = Field(foreign_key="authorities.id")
    base_wage: Money = money_column()
    rate_permille: int
    state_percent: int
    province_percent: int = 0
    legal_basis: str
    province_basis: str = ""
    valid_from: date
    valid_to: date | None = None
