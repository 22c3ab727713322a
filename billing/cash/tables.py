"""Rows of cash: what a cashier took and how it was reversed, and the paper books that are entered later.

The money itself is a payment of the kind *cash* whose source is the taking. All rows are written once.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
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
    time_column,
)


class PaperBook(Row, table=True):
    """A book of printed receipts, with the numbers of its leaves."""

    __tablename__ = "paper_books"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "code"),
        Index(
            "uq_paper_books_folded", "school_id", text("lower(replace(code::text, ' '::text, ''::text))"), unique=True
        ),
        CheckConstraint("code <> ''", name="code_given"),
        CheckConstraint(
            "first_number > 0 AND last_number >= first_number AND last_number - first_number < 1000",
            name="numbers_in_order",
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    code: str = Field(max_length=20)
    first_number: int = number_column()
    last_number: int = number_column()
    made_by: UUID
    at: datetime = time_column()


class CashTaking(Row, table=True):
    """Cash taken for one pupil. ``form`` is the key of the page that stores it once.

    ``day`` is the day on which the money changed hands, ``at`` when it was entered. ``payer`` is who brought it, empty
    for the family; ``collector`` the cashier's name as printed. ``seen``: the transfers of the child and the sums that
    were on the screen.
    """

    __tablename__ = "cash_takings"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "form"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("day <= (at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date", name="day_has_come"),
        CheckConstraint("collector <> ''", name="collector_named"),
        Index("ix_cash_takings_day", "school_id", "day"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    form: UUID
    pupil_id: UUID = Field(foreign_key="pupils.id")
    amount: Money = money_column()
    day: date
    payer: str = ""
    collector: str
    seen: dict[str, Any] = json_column()
    made_by: UUID
    at: datetime = time_column()


class PaperNumber(Row, table=True):
    """A leaf of a paper book: the taking that was entered from it, or why it was spoilt.

    A number is entered once; after its taking was reversed it may be entered anew, as another row.
    """

    __tablename__ = "paper_numbers"
    __table_args__ = (
        UniqueConstraint("school_id", "taking_id"),
        in_school(["book_id"], "paper_books"),
        in_school(["taking_id"], "cash_takings"),
        CheckConstraint("(taking_id IS NULL) = (spoilt <> '')", name="taken_or_spoilt"),
        Index("ix_paper_numbers_book", "school_id", "book_id", "number"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    book_id: UUID
    number: int = number_column()
    taking_id: UUID | None = None
    spoilt: str = ""
    made_by: UUID
    at: datetime = time_column()


class CashReversal(Row, table=True):
    """Somebody asks for a taking to be reversed; it stands until another person decides."""

    __tablename__ = "cash_reversals"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["taking_id"], "cash_takings"),
        CheckConstraint("reason <> ''", name="reason_given"),
        Index("ix_cash_reversals_taking", "school_id", "taking_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    taking_id: UUID
    reason: str
    made_by: UUID
    at: datetime = time_column()


class CashReversalDecision(Row, table=True):
    """What another person decided about a reversal: approved it, or refused it with a reason."""

    __tablename__ = "cash_reversal_decisions"
    __table_args__ = (
        in_school(["reversal_id"], "cash_reversals"),
        CheckConstraint("approved OR reason <> ''", name="refused_with_reason"),
    )

    reversal_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    reason: str = ""
    decided_by: UUID
    at: datetime = time_column()
