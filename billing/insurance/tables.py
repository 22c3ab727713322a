"""Rows of what the insurer is told and given: lists, frozen when sent; payouts, by two people; double cover."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from billing.money import Money
from billing.storage import (
    Row,
    identity_column,
    in_school,
    money_column,
    new_id,
    number_column,
    one_of,
    time_column,
)

STEP_KINDS = ("approved", "rejected", "undone")


class InsuranceList(Row, table=True):
    """A list of the insured as it was sent: number 1 of a year is the first, the others hold the differences.

    ``digest``: SHA-256 over the list's lines as they are written into its sheet.
    """

    __tablename__ = "insurance_lists"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "year", "number"),
        CheckConstraint("number > 0 AND lines > 0", name="counted"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    year: int
    number: int
    lines: int
    family: Money = money_column()
    digest: bytes = Field(sa_type=LargeBinary)
    sent_by: UUID
    sent_at: datetime = time_column()


class InsuranceListLine(Row, table=True):
    """One pupil of a list, as told to the insurer: months and amounts by payer, below zero where they are taken back.

    ``bill_line_id`` is the line of the bill that the months were bought with. Name, birth and number stand as they were
    when the list was sent.
    """

    __tablename__ = "insurance_list_lines"
    __table_args__ = (
        in_school(["list_id"], "insurance_lists"),
        in_school(["bill_line_id"], "bill_lines"),
        UniqueConstraint("school_id", "list_id", "bill_line_id"),
        CheckConstraint("gross = state + province + others + family", name="payers_add_up"),
        Index("ix_insurance_list_lines_bill_line", "school_id", "bill_line_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    list_id: UUID
    bill_line_id: int = number_column()
    pupil_id: UUID = Field(foreign_key="pupils.id")
    position: int
    full_name: str
    birth_date: date
    sex: str
    class_code: str
    number_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    first_month: date
    months: int
    gross: Money = money_column()
    state: Money = money_column()
    province: Money = money_column()
    others: Money = money_column()
    family: Money = money_column()


class InsurancePayout(Row, table=True):
    """Money that is passed on to the insurer for a list, as the accountant enters it; it counts once it is approved."""

    __tablename__ = "insurance_payouts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["list_id"], "insurance_lists"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("bank_reference <> ''", name="reference_given"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    list_id: UUID
    amount: Money = money_column()
    paid_on: date
    bank_reference: str
    made_by: UUID
    made_at: datetime = time_column()


class InsurancePayoutStep(Row, table=True):
    """What became of a payout: approved or rejected, and an approved one undone by a reversing entry."""

    __tablename__ = "insurance_payout_steps"
    __table_args__ = (
        in_school(["payout_id"], "insurance_payouts"),
        in_school(["entry_id"], "journal_entries"),
        one_of("kind", STEP_KINDS),
        CheckConstraint("(kind = 'rejected') = (entry_id IS NULL)", name="entry_where_money"),
        CheckConstraint("kind = 'approved' OR reason <> ''", name="reason_given"),
    )

    payout_id: UUID = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str = ""
    entry_id: int | None = number_column(nullable=True)
    made_by: UUID
    at: datetime = time_column()


class InsuranceDouble(Row, table=True):
    """That a family showed another card after buying: the last ``months`` of a bill's line are given back.

    It counts once the correction is approved; where the family had nothing to pay there is none, and it counts at once.
    """

    __tablename__ = "insurance_doubles"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["bill_line_id"], "bill_lines"),
        in_school(["correction_id"], "corrections"),
        CheckConstraint("months > 0", name="months_above_zero"),
        Index("ix_insurance_doubles_line", "school_id", "bill_line_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bill_line_id: int = number_column()
    pupil_id: UUID = Field(foreign_key="pupils.id")
    year: int
    valid_from: date
    months: int
    amount: Money = money_column()
    correction_id: UUID | None = None
    made_by: UUID
    made_at: datetime = time_column()
