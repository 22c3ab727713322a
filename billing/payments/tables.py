"""Rows of payments: requests with their reference, money received, allocations, receipts.

A payment is money received for one pupil from one source (a transfer, cash, a card payment), or brings no money: the
pupil's own credit, a write-off. What is not allocated to bills is the family's credit. A payment is live until it has a
reversal; its allocations and receipt live with it.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Sequence, UniqueConstraint, text
from sqlmodel import Field, SQLModel

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

SOURCE_KINDS = ("transfer", "cash", "card", "credit", "write_off")

# The raw numbers behind references; a keyed permutation turns them into codes that cannot be guessed.
reference_numbers = Sequence("reference_numbers", metadata=SQLModel.metadata)


class PaymentRequest(Row, table=True):
    """One or more open bills of one pupil, school and account, with one reference and one QR.

    The amount is not stored: it is what is still due on its bills. Pupil and account are there: the trigger
    *point_home* refuses others, like a foreign key (see decision 0012); so it does for the two tables below.
    """

    __tablename__ = "payment_requests"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        Index("ix_payment_requests_pupil", "school_id", "pupil_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID
    pupil_id: UUID
    bank_account_id: UUID
    reference: str = Field(max_length=11, unique=True)
    virtual_account: str | None = Field(default=None, max_length=19)
    link_version: int = 1
    created_at: datetime = time_column()


class PaymentRequestBill(Row, table=True):
    """A bill of a payment request; the first position is paid first."""

    __tablename__ = "payment_request_bills"
    __table_args__ = (Index("ix_payment_request_bills_bill", "school_id", "bill_id"),)

    request_id: UUID = Field(primary_key=True)
    bill_id: UUID = Field(primary_key=True)
    school_id: UUID
    position: int


class IssuedReference(Row, table=True):
    """Which school and request a reference belongs to (no school policy). A reference is never used again."""

    __tablename__ = "reference_registry"

    reference: str = Field(primary_key=True, max_length=11)
    number: int = number_column()
    school_id: UUID
    request_id: UUID
    issued_at: datetime = time_column()


class VirtualAccount(Row, table=True):
    """A number that the bank books to the school's account, and who has it from when until when.

    Without a pupil it is free. A release ends the row; whoever gets the number later has a row of its own, so that
    every payment finds who had it then. ``list_id``: from the bank's list; else made behind the account's own number.
    """

    __tablename__ = "virtual_accounts"
    __table_args__ = (
        Index(
            "uq_virtual_accounts_now",
            "bank_account_id",
            "number",
            unique=True,
            postgresql_where=text("released_at IS NULL"),
        ),
        Index("ix_virtual_accounts_number", "school_id", "number"),
        in_school(["bank_account_id"], "bank_accounts"),
        in_school(["list_id"], "number_lists"),
        CheckConstraint("released_at IS NULL OR (pupil_id IS NOT NULL AND released_why <> '')", name="released_why"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    number: str = Field(max_length=19)
    pupil_id: UUID | None = Field(default=None, foreign_key="pupils.id", index=True)
    assigned_at: datetime | None = time_column(nullable=True)
    released_at: datetime | None = time_column(nullable=True)
    released_by: UUID | None = None
    released_why: str = Field(default="", sa_column_kwargs={"server_default": ""})
    list_id: UUID | None = None


class Payment(Row, table=True):
    """Money received for one pupil from one source. ``turn`` counts new tries after a reversal."""

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "source_kind", "source_id", "pupil_id", "turn"),
        one_of("source_kind", SOURCE_KINDS),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_payments_pupil", "school_id", "pupil_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    pupil_id: UUID = Field(foreign_key="pupils.id")
    source_kind: str
    source_id: UUID
    turn: int = 1
    amount: Money = money_column()
    value_date: date
    recorded_at: datetime = time_column()


class PaymentReversal(Row, table=True):
    """A payment taken back, with its allocations and its receipt, in one act."""

    __tablename__ = "payment_reversals"
    __table_args__ = (in_school(["payment_id"], "payments"), in_school(["entry_id"], "journal_entries"))

    payment_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    entry_id: int = number_column()
    reason: str
    made_by: UUID | None = None
    at: datetime = time_column()


class Allocation(Row, table=True):
    """A part of a payment set against a bill; the database refuses more than the bill's due."""

    __tablename__ = "allocations"
    __table_args__ = (
        in_school(["payment_id"], "payments"),
        in_school(["bill_id"], "bills"),
        UniqueConstraint("school_id", "payment_id", "bill_id"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_allocations_bill", "school_id", "bill_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    payment_id: UUID
    bill_id: UUID
    amount: Money = money_column()


class ReceiptBook(Row, table=True):
    """A book (quyển) of receipts of one school and year; numbers in it have no gap."""

    __tablename__ = "receipt_books"
    __table_args__ = (UniqueConstraint("school_id", "id"), UniqueConstraint("school_id", "code"))

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    code: str = Field(max_length=20)
    school_year: str = Field(max_length=9)


class ReceiptCounter(Row, table=True):
    """The last number given out in a book; its row is taken last in a transaction."""

    __tablename__ = "receipt_counters"
    __table_args__ = (in_school(["book_id"], "receipt_books"),)

    book_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    last_number: int = number_column()


class Receipt(Row, table=True):
    """Says that money was received: one for each payment, numbers gapless in a book."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "book_id", "number"),
        UniqueConstraint("school_id", "payment_id"),
        in_school(["book_id"], "receipt_books"),
        in_school(["payment_id"], "payments"),
        CheckConstraint("number > 0", name="number_above_zero"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    book_id: UUID
    number: int = number_column()
    payment_id: UUID
    amount: Money = money_column()
    issued_at: datetime = time_column()


class ReceiptVoid(Row, table=True):
    """A receipt made void (HỦY): it keeps its number."""

    __tablename__ = "receipt_voids"
    __table_args__ = (in_school(["receipt_id"], "receipts"),)

    receipt_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    made_by: UUID | None = None
    at: datetime = time_column()
