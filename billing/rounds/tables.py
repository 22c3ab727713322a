"""Rows of billing rounds and of what was corrected in them.

A round belongs to one school and is issued in one transaction. A correction is asked for by one person and decided by
another; what it did stands in the bills, voids and credit notes that name it.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Date, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, identity_column, in_school, json_column, money_column, new_id, one_of, time_column

ROUND_STATES = ("draft", "previewed", "submitted", "approved", "issued", "locked", "withdrawn")
ISSUED_STATES = ("issued", "locked")
ROUND_KINDS = ("regular", "supplementary", "opening", "deposit")
LOWERING_KINDS = ("credit", "price", "attendance", "leaving")
LATE_CHOICES = ("take", "take_again", "leave")
CORRECTION_KINDS = ("void", "replace", "credit", "price", "attendance", "leaving")


class BillingRound(Row, table=True):
    """A billing round: what is approved is exactly what was previewed (same digest), by another person.

    ``kind``: *regular*, or *supplementary* to ``base_round_id`` (bills for those who have none in it); an *opening* is
    never calculated: its bills are the dues that a former program handed over; nor is a *deposit*: the place deposits
    of a contract, approved with its version.
    ``instalments``: shares of every bill as ``[{"due_on": "2025-10-20", "percent": 40}, …]``; empty means one sum.
    A locked round is not corrected; the last unlocking stays written.
    """

    __tablename__ = "billing_rounds"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "school_year", "code"),
        in_school(["base_round_id"], "billing_rounds"),
        one_of("state", ROUND_STATES),
        one_of("kind", ROUND_KINDS),
        CheckConstraint("(kind = 'supplementary') = (base_round_id IS NOT NULL)", name="supplements_a_round"),
        CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name="two_people"),
        CheckConstraint("period_to >= period_from", name="dates_in_order"),
        CheckConstraint(
            "state NOT IN ('approved', 'issued', 'locked') OR (approved_by IS NOT NULL AND preview_digest IS NOT NULL)",
            name="approved_by_a_person",
        ),
        CheckConstraint(
            "(state = 'locked') = (locked_by IS NOT NULL AND unlocked_by IS NULL)", name="locked_by_a_person"
        ),
        CheckConstraint(
            "unlocked_by IS NULL OR (unlocked_by <> locked_by AND unlock_reason <> '')", name="unlocked_by_another"
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
    kind: str = Field(default="regular", sa_column_kwargs={"server_default": "regular"})
    base_round_id: UUID | None = None
    instalments: list[dict[str, Any]] = Field(
        default_factory=list, sa_column=Column(JSONB, nullable=False, server_default=text("'[]'::jsonb"))
    )
    locked_by: UUID | None = None
    locked_at: datetime | None = time_column(nullable=True)
    unlocked_by: UUID | None = None
    unlocked_at: datetime | None = time_column(nullable=True)
    unlock_reason: str = Field(default="", sa_column_kwargs={"server_default": ""})


class Correction(Row, table=True):
    """What one person asks to be corrected, of one bill or (``price``, ``attendance``) of a whole round.

    ``content``: *void* {}; *replace* {"due", "digest"} of the bill to come and
    what the old one "was"; *credit* {"lines": [{"line", "amount"}]};
    *price* {"item", "price"}; *attendance* {"lines": [{"line", "used"}]}, the units that were used in the end;
    *leaving* {"lines": [{"line", "family", "state"}]}, by how much the shares of a line fall; meals as *attendance*.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["round_id"], "billing_rounds"),
        in_school(["bill_id"], "bills"),
        one_of("kind", CORRECTION_KINDS),
        CheckConstraint("(kind IN ('price', 'attendance')) = (bill_id IS NULL)", name="of_a_bill_or_a_round"),
        CheckConstraint("reason <> ''", name="reason_given"),
        Index("ix_corrections_round", "school_id", "round_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    round_id: UUID
    bill_id: UUID | None = None
    kind: str
    content: dict[str, Any] = json_column()
    reason: str
    made_by: UUID
    made_at: datetime = time_column()


class CorrectionDecision(Row, table=True):
    """The yes (by another person) or the no (by anybody, with a reason) to a correction; there is one at most."""

    __tablename__ = "correction_decisions"
    __table_args__ = (in_school(["correction_id"], "corrections"),)

    correction_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()


class LateChoice(Row, table=True):
    """What a person chose about one item of a regular round for a pupil who came when it was over; the last one counts.

    *take*: billed by a supplementary round, the family has not paid it anywhere; *take_again*: paid at another school,
    and asked for all the same; *leave*: not asked for. The last two with a reason.
    """

    __tablename__ = "late_choices"
    __table_args__ = (
        in_school(["round_id"], "billing_rounds"),
        in_school(["enrolment_id"], "enrolments"),
        in_school(["item_id"], "fee_items"),
        one_of("kind", LATE_CHOICES),
        CheckConstraint("kind = 'take' OR reason <> ''", name="reason_given"),
        Index("ix_late_choices_round", "school_id", "round_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    round_id: UUID
    enrolment_id: UUID
    item_id: UUID
    kind: str
    reason: str
    made_by: UUID
    at: datetime = time_column()
