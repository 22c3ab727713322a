"""Rows of a new year: choices for pupils, steps done, signed opening lists, and what a former program handed over.

Everything is written once. A later choice for a pupil takes the place of an earlier one until it is carried out.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

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

STEPS = ("prices", "classes", "promotion", "carrying_on")
CHOICES = ("promoted", "repeating", "left", "transferred_out", "graduated")
STAYING = ("promoted", "repeating")
LINE_KINDS = ("bill", "credit")
BALANCE_KINDS = ("due", "credit")


class YearStep(Row, table=True):
    """That a step of a new year was done, by whom, and what it did (counts as plain JSON)."""

    __tablename__ = "year_steps"
    __table_args__ = (one_of("step", STEPS), Index("ix_year_steps_year", "school_id", "school_year"))

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    school_year: str = Field(max_length=9)
    step: str
    counts: dict[str, Any] = json_column()
    made_by: UUID
    at: datetime = time_column()


class PromotionChoice(Row, table=True):
    """What becomes of a pupil of last year (``enrolment_id``) in ``school_year``; the newest one counts."""

    __tablename__ = "promotion_choices"
    __table_args__ = (
        in_school(["enrolment_id"], "enrolments"),
        in_school(["class_id"], "class_groups"),
        one_of("choice", CHOICES),
        CheckConstraint("(choice IN ('promoted', 'repeating')) = (class_id IS NOT NULL)", name="who_stays_has_a_class"),
        Index("ix_promotion_choices_enrolment", "school_id", "enrolment_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    school_year: str = Field(max_length=9)
    enrolment_id: UUID
    choice: str
    class_id: UUID | None = None
    made_by: UUID
    at: datetime = time_column()


class YearOpening(Row, table=True):
    """A list of what is open and what is kept at the border of a year, with its totals and its digest."""

    __tablename__ = "year_openings"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        CheckConstraint("due >= 0 AND credit >= 0", name="totals_not_negative"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    school_year: str = Field(max_length=9)
    due: Money = money_column()
    credit: Money = money_column()
    pupils: int
    digest: bytes = Field(sa_type=LargeBinary)
    made_by: UUID
    made_at: datetime = time_column()


class YearOpeningLine(Row, table=True):
    """A bill of a pupil with what is open on it, or the credit that is kept for it under one item."""

    __tablename__ = "year_opening_lines"
    __table_args__ = (
        in_school(["opening_id"], "year_openings"),
        in_school(["bill_id"], "bills"),
        one_of("kind", LINE_KINDS),
        CheckConstraint("(kind = 'bill') = (bill_id IS NOT NULL)", name="a_bill_or_credit"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_year_opening_lines_opening", "school_id", "opening_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    opening_id: UUID
    pupil_id: UUID = Field(foreign_key="pupils.id")
    class_code: str = ""
    kind: str
    bill_id: UUID | None = None
    number: str = ""
    period: str = ""
    due_on: date | None = None
    item_code: str | None = Field(default=None, max_length=40)
    amount: Money = money_column()


class YearOpeningSignature(Row, table=True):
    """The second person's name under an opening list; a school signs one for a year."""

    __tablename__ = "year_opening_signatures"
    __table_args__ = (in_school(["opening_id"], "year_openings"), UniqueConstraint("school_id", "school_year"))

    opening_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    school_year: str = Field(max_length=9)
    approved_by: UUID
    at: datetime = time_column()


class FormerImport(Row, table=True):
    """A former program's file as one person read it in: codes, dues and credit of pupils, the last receipt number.

    ``content``: {"lines": [{"line", "enrolment", "pupil", "code", "item", "due", "credit"}]}, as it was shown and
    digested; ``period``: the month up to which the dues reach. Nothing is booked before another person approves.
    """

    __tablename__ = "former_imports"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        CheckConstraint("due >= 0 AND credit >= 0", name="totals_not_negative"),
        CheckConstraint("program <> ''", name="program_named"),
        CheckConstraint("(receipt_book IS NULL) = (receipt_last IS NULL)", name="a_number_in_a_book"),
        CheckConstraint("receipt_last > 0", name="receipt_last_above_zero"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    school_year: str = Field(max_length=9)
    program: str = Field(max_length=16)
    period: date
    due_on: date
    content: dict[str, Any] = json_column()
    due: Money = money_column()
    credit: Money = money_column()
    receipt_book: str | None = Field(default=None, max_length=20)
    receipt_last: int | None = number_column(nullable=True)
    digest: bytes = Field(sa_type=LargeBinary)
    made_by: UUID
    made_at: datetime = time_column()


class FormerDecision(Row, table=True):
    """The yes (by another person) or the no (with a reason) to a former program's file; what a yes made."""

    __tablename__ = "former_decisions"
    __table_args__ = (
        in_school(["import_id"], "former_imports"),
        in_school(["round_id"], "billing_rounds"),
        CheckConstraint("approved OR reason <> ''", name="reason_given"),
    )

    import_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    round_id: UUID | None = None
    at: datetime = time_column()


class FormerBalance(Row, table=True):
    """What was opened for a pupil and item from a former program; the same one is never opened twice."""

    __tablename__ = "former_balances"
    __table_args__ = (
        in_school(["import_id"], "former_imports"),
        UniqueConstraint(
            "school_id", "program", "pupil_id", "kind", "item_code", name="uq_former_balances_opened_once"
        ),
        one_of("kind", BALANCE_KINDS),
        CheckConstraint("amount > 0", name="amount_above_zero"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    import_id: UUID
    program: str = Field(max_length=16)
    pupil_id: UUID = Field(foreign_key="pupils.id")
    kind: str
    item_code: str = Field(default="", max_length=40)
    amount: Money = money_column()


class ReceiptStart(Row, table=True):
    """The last number that a receipt book had given out before it came to us; ours go on from there."""

    __tablename__ = "receipt_starts"
    __table_args__ = (
        in_school(["book_id"], "receipt_books"),
        in_school(["import_id"], "former_imports"),
        CheckConstraint("last_number > 0", name="last_number_above_zero"),
        CheckConstraint("approved_by <> made_by", name="two_people"),
    )

    book_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    import_id: UUID
    last_number: int = number_column()
    made_by: UUID
    approved_by: UUID
    at: datetime = time_column()
