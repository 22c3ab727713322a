"""Rows of bills, written once. Whether a bill is paid is never stored: it follows from its live allocations."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, Computed, Index, PrimaryKeyConstraint, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
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


class Bill(Row, table=True):
    """What one pupil's family owes for one round on one beneficiary account.

    ``gross`` − ``reduced`` = ``family_due``. A bill of 0 đ is *covered* at issue: no request, QR, receipt, reminder.
    A bill of 500,000,000 đ or more has instalments, each below (NAPAS takes less in one transfer). ``replaces_id``
    names the void bill in whose place this one stands. The place deposit of a child that is not enrolled yet names
    neither enrolment nor class. What it points at is of its school (its pupil is of the province): the trigger
    *point_home* refuses others, like a foreign key (see decision 0012).
    """

    __tablename__ = "bills"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "number"),
        UniqueConstraint(
            "school_id",
            "round_id",
            "pupil_id",
            "enrolment_id",
            "bank_account_id",
            "replaces_id",
            name="one_original_and_one_instead",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("gross >= 0 AND reduced >= 0 AND family_due >= 0", name="amounts_not_negative"),
        CheckConstraint("gross - reduced = family_due", name="amounts_add_up"),
        Index("ix_bills_pupil", "school_id", "pupil_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID
    round_id: UUID
    enrolment_id: UUID | None = None
    pupil_id: UUID
    class_id: UUID | None = None
    bank_account_id: UUID
    number: str = Field(max_length=30)
    period: str
    gross: Money = money_column()
    reduced: Money = money_column()
    family_due: Money = money_column()
    covered: bool = Field(default=None, sa_column_args=[Computed("family_due = 0", persisted=True)])
    due_on: date
    issued_at: datetime = time_column()
    replaces_id: UUID | None = None


class BillLine(Row, table=True):
    """One item of a bill: quantity × unit price = gross; gross − reductions = the family's share.

    ``because``: how the quantity came about (see ``billing.fees.explaining``). The database refuses a line of no bill
    or item of its school, like a foreign key, by the trigger *point_home* (see decision 0012).
    """

    __tablename__ = "bill_lines"
    __table_args__ = (
        PrimaryKeyConstraint("school_id", "bill_id", "position"),
        UniqueConstraint("school_id", "id"),
        CheckConstraint("quantity >= 0 AND unit_price >= 0 AND family_share >= 0", name="not_negative"),
        CheckConstraint("gross = quantity * unit_price", name="gross_is_product"),
        CheckConstraint("family_share <= gross", name="share_within_gross"),
    )

    id: int | None = identity_column(primary_key=False)
    school_id: UUID
    bill_id: UUID
    position: int
    item_id: UUID
    item_code: str = Field(max_length=40)
    item_name: str
    unit: str
    quantity: int
    unit_price: Money = money_column()
    gross: Money = money_column()
    family_share: Money = money_column()
    note: str = ""
    because: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default=text("'{}'::jsonb"))
    )


class BillReduction(Row, table=True):
    """What another payer takes over on one line, with the legal basis; never only the net is stored."""

    __tablename__ = "bill_reductions"
    __table_args__ = (
        in_school(["line_id"], "bill_lines"),
        in_school(["reduction_id"], "reductions"),
        one_of("payer", ("state", "school", "donor")),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("percent BETWEEN 1 AND 100", name="percent_in_range"),
        Index("ix_bill_reductions_line", "school_id", "line_id"),
    )

    id: int | None = identity_column()
    school_id: UUID
    line_id: int = number_column()
    reduction_id: UUID | None = None
    payer: str
    percent: int | None = None
    amount: Money = money_column()
    title: str
    legal_basis: str


class BillVoid(Row, table=True):
    """A bill taken back; its number stays. The book is corrected by a reversing entry."""

    __tablename__ = "bill_voids"
    __table_args__ = (
        in_school(["bill_id"], "bills"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("approved_by <> made_by", name="two_people"),
    )

    bill_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    entry_id: int | None = number_column(nullable=True)
    reason: str
    made_by: UUID
    approved_by: UUID
    at: datetime = time_column()


class BillCredit(Row, table=True):
    """A part of a credit note: what one line of a bill was lowered by, as approved by a second person.

    ``off_rest`` lowers what is open on the bill; ``to_credit`` was paid already and is the pupil's credit from now on;
    ``off_state`` is no longer asked of the State. The database bounds all three.
    """

    __tablename__ = "bill_credits"
    __table_args__ = (
        UniqueConstraint("school_id", "correction_id", "line_id"),
        in_school(["correction_id"], "corrections"),
        in_school(["bill_id"], "bills"),
        in_school(["line_id"], "bill_lines"),
        CheckConstraint(
            "off_rest >= 0 AND to_credit >= 0 AND off_state >= 0 AND off_rest + to_credit + off_state > 0",
            name="something_off",
        ),
        CheckConstraint("approved_by <> made_by", name="two_people"),
        Index("ix_bill_credits_bill", "school_id", "bill_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    correction_id: UUID
    bill_id: UUID
    line_id: int = number_column()
    off_rest: Money = money_column()
    to_credit: Money = money_column()
    off_state: Money = money_column()
    reason: str
    made_by: UUID
    approved_by: UUID
    at: datetime = time_column()


class BillInstalment(Row, table=True):
    """A dated part of a bill, below one transfer's limit; all parts of a bill are what the family owes."""

    __tablename__ = "bill_instalments"
    __table_args__ = (
        UniqueConstraint("school_id", "bill_id", "number"),
        in_school(["bill_id"], "bills"),
        CheckConstraint("number > 0", name="number_above_zero"),
        CheckConstraint("amount > 0 AND amount < 500000000", name="one_transfer"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    bill_id: UUID
    number: int
    amount: Money = money_column()
    due_on: date
