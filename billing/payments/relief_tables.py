"""Rows of relief: more time for a family, or a sum that is no longer asked for. Everything is written once.

One person asks, another decides. *grace* gives time until a day, perhaps in parts; it owns no money. *write_off* takes
the open rest of one bill away: once approved it is the source of a payment of that kind, which brings no money.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from billing.money import Money
from billing.plans.tables import MEDIA_TYPES, MOST_BYTES
from billing.storage import Row, in_school, json_column, money_column, new_id, one_of, time_column

RELIEF_KINDS = ("grace", "write_off", "shortfall")


class Relief(Row, table=True):
    """What is asked for a pupil, over one bill or (grace only) over all of them.

    ``parts`` of a grace that is paid little by little: ``[{"due_on": "2025-11-15", "amount": 200000}, …]``; the last
    day is ``until``. A write-off names the decision on which it rests. A *shortfall* is what money from abroad lacks
    on a bill, ``decision_number`` the bank's paper; one person decides it within the school's limit.
    """

    __tablename__ = "reliefs"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["bill_id"], "bills"),
        one_of("kind", RELIEF_KINDS),
        CheckConstraint("reason <> ''", name="reason_given"),
        CheckConstraint("(kind = 'grace') = (until IS NOT NULL)", name="grace_has_an_end"),
        CheckConstraint(
            "(kind <> 'grace') = (amount IS NOT NULL AND bill_id IS NOT NULL AND decided_on IS NOT NULL"
            " AND decision_number <> '')",
            name="write_off_by_a_decision",
        ),
        CheckConstraint("(kind = 'shortfall') = (transfer_id IS NOT NULL)", name="shortfall_of_a_transfer"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        in_school(["transfer_id"], "transfers"),
        Index("ix_reliefs_transfer", "school_id", "transfer_id", postgresql_where=text("transfer_id IS NOT NULL")),
        Index("ix_reliefs_pupil", "school_id", "pupil_id"),
        Index("ix_reliefs_bill", "school_id", "bill_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    pupil_id: UUID = Field(foreign_key="pupils.id")
    bill_id: UUID | None = None
    transfer_id: UUID | None = None
    kind: str
    until: date | None = None
    parts: list[dict[str, Any]] = json_column()
    amount: Money | None = money_column(nullable=True)
    decision_number: str = ""
    decided_on: date | None = None
    reason: str
    made_by: UUID
    made_at: datetime = time_column()


class ReliefPaper(Row, table=True):
    """A file that stands behind a relief, kept as it came; no write-off is approved without one."""

    __tablename__ = "relief_papers"
    __table_args__ = (
        in_school(["relief_id"], "reliefs"),
        one_of("media_type", MEDIA_TYPES),
        CheckConstraint(f"octet_length(content) BETWEEN 1 AND {MOST_BYTES}", name="content_in_bounds"),
        CheckConstraint("sha256 = sha256(content)", name="content_as_digested"),
        Index("ix_relief_papers_relief", "school_id", "relief_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    relief_id: UUID
    name: str = Field(max_length=200)
    media_type: str
    sha256: bytes = Field(sa_type=LargeBinary)
    content: bytes = Field(sa_type=LargeBinary)
    made_by: UUID
    made_at: datetime = time_column()


class ReliefDecision(Row, table=True):
    """The yes (by another person) or the no (by anybody, with a reason) to a relief; there is one at most."""

    __tablename__ = "relief_decisions"
    __table_args__ = (
        in_school(["relief_id"], "reliefs"),
        CheckConstraint("approved OR reason <> ''", name="no_has_a_reason"),
    )

    relief_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()


class ReliefEnd(Row, table=True):
    """That an approved relief ended before its time: a grace was lifted, a write-off reversed in the book."""

    __tablename__ = "relief_ends"
    __table_args__ = (
        in_school(["relief_id"], "reliefs"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    relief_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    made_by: UUID
    at: datetime = time_column()
