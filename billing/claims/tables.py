"""Rows of what a school asks the State for: claims with their lines, money that came, learning-cost support.

A claim's lines are written when it is approved and never change; a later claim for the same instalment holds the
differences only. A pupil's month is in the list once: its revisions are numbered over all schools of the province.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from billing.fees.support_tables import PAYEES, RATE_KINDS
from billing.money import Money
from billing.storage import (
    Row,
    identity_column,
    in_school,
    json_column,
    money_column,
    new_id,
    number_column,
    one_of,
    time_column,
)

CLAIM_STATES = ("draft", "submitted", "approved", "sent", "withdrawn")
WAYS_IN = ("treasury", "cash", "families")
WAYS_OUT = ("cash", "transfer")
# Compensation and support are the same tuition paid by the State: a month is one or the other.
_PURPOSE = "CASE WHEN kind = 'learning_cost' THEN 'learning' ELSE 'tuition' END"


class StateClaim(Row, table=True):
    """A list that a school hands to the authority: kind, school year, instalment, months, budget codes.

    ``number`` 0 is the first list of an instalment; a later one corrects it. ``digest`` names the lines that were
    calculated, submitted and approved. ``total`` may be negative in a correction.
    """

    __tablename__ = "state_claims"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        one_of("kind", RATE_KINDS),
        one_of("state", CLAIM_STATES),
        CheckConstraint("instalment IN (1, 2)", name="two_instalments"),
        CheckConstraint("last_month >= first_month", name="months_in_order"),
        CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name="two_people"),
        CheckConstraint(
            "state NOT IN ('approved', 'sent') OR (approved_by IS NOT NULL AND digest IS NOT NULL)",
            name="approved_by_a_person",
        ),
        Index(
            "uq_state_claims_number",
            "school_id",
            "kind",
            "school_year",
            "instalment",
            "number",
            unique=True,
            postgresql_where=text("state <> 'withdrawn'"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    kind: str
    school_year: str = Field(max_length=9)
    instalment: int
    number: int
    first_month: date
    last_month: date
    chapter_code: str = Field(default="", max_length=10)
    category_code: str = Field(default="", max_length=10)
    economic_code: str = Field(default="", max_length=10)
    state: str = "draft"
    digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    total: Money | None = money_column(nullable=True)
    pupils: int = 0
    notes: dict[str, Any] = json_column()
    made_by: UUID
    made_at: datetime = time_column()
    submitted_at: datetime | None = time_column(nullable=True)
    approved_by: UUID | None = None
    approved_at: datetime | None = time_column(nullable=True)
    sent_at: datetime | None = time_column(nullable=True)


class StateClaimLine(Row, table=True):
    """A pupil's month in a claim: what is right now (``amount``), what was claimed before, and the revision.

    ``(pupil_id, purpose, month, revision)`` is unique over all schools, public and private alike; a trigger sees to it
    that a revision follows the one before, that no other school's month is claimed again, and that ``months_cap`` a
    school year is kept.
    """

    __tablename__ = "state_claim_lines"
    __table_args__ = (
        UniqueConstraint("pupil_id", "purpose", "month", "revision"),
        in_school(["claim_id"], "state_claims"),
        in_school(["enrolment_id"], "enrolments"),
        one_of("kind", RATE_KINDS),
        one_of("payee", PAYEES),
        CheckConstraint("amount >= 0 AND previous >= 0 AND rate >= 0", name="not_negative"),
        CheckConstraint("amount <> previous", name="a_difference"),
        CheckConstraint("revision >= 0", name="revision_counts"),
        CheckConstraint("month = date_trunc('month', month)::date", name="first_of_month"),
        Index("ix_state_claim_lines_claim", "school_id", "claim_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    claim_id: UUID
    kind: str
    purpose: str = Field(default=None, sa_column_args=[Computed(_PURPOSE, persisted=True)])
    school_year: str = Field(max_length=9)
    pupil_id: UUID = Field(foreign_key="pupils.id")
    enrolment_id: UUID
    month: date
    revision: int
    months_cap: int | None = None
    rate: Money = money_column()
    previous: Money = money_column()
    amount: Money = money_column()
    payee: str
    class_name: str = ""
    title: str
    legal_basis: str


class StatePayment(Row, table=True):
    """Money that the State paid on a claim; a mistake is undone by a row that points at it.

    ``way``: *treasury* and *cash* come to the school and stand in the book (``entry_id``); *families* were paid by the
    State itself.
    """

    __tablename__ = "state_payments"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "reverses_id"),
        in_school(["claim_id"], "state_claims"),
        in_school(["entry_id"], "journal_entries"),
        in_school(["reverses_id"], "state_payments"),
        one_of("way", WAYS_IN),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("(way = 'families') = (entry_id IS NULL)", name="ours_is_posted"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    claim_id: UUID
    amount: Money = money_column()
    paid_on: date
    way: str
    document: str
    entry_id: int | None = number_column(nullable=True)
    reverses_id: UUID | None = None
    reason: str = ""
    made_by: UUID
    at: datetime = time_column()


class Entitlement(Row, table=True):
    """A pupil's right to learning-cost support: class, legal basis, evidence, dates; two people stand behind it."""

    __tablename__ = "entitlements"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["enrolment_id"], "enrolments"),
        CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name="two_people"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates_in_order"),
        Index("ix_entitlements_enrolment", "school_id", "enrolment_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    enrolment_id: UUID
    class_code: str = Field(max_length=20)
    title: str
    legal_basis: str
    evidence: str
    valid_from: date
    valid_to: date | None = None
    made_by: UUID
    made_at: datetime = time_column()
    approved_by: UUID | None = None
    approved_at: datetime | None = time_column(nullable=True)
    withdrawn_at: datetime | None = time_column(nullable=True)


class Payout(Row, table=True):
    """Learning-cost support handed to one pupil's family for one list: who signed, when, how. Paid once.

    A mistake is undone by a row that points at it (``reverses_id``); a trigger refuses a second live payout.
    """

    __tablename__ = "payouts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "reverses_id"),
        in_school(["claim_id"], "state_claims"),
        in_school(["entry_id"], "journal_entries"),
        in_school(["reverses_id"], "payouts"),
        one_of("way", WAYS_OUT),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_payouts_claim", "school_id", "claim_id", "pupil_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    claim_id: UUID
    pupil_id: UUID = Field(foreign_key="pupils.id")
    amount: Money = money_column()
    received_by: str
    received_on: date
    way: str
    entry_id: int = number_column()
    reverses_id: UUID | None = None
    reason: str = ""
    made_by: UUID
    at: datetime = time_column()
