"""Rows of the double-entry book.

A posting is one row with a debit and a credit account, so the book balances by construction. Nothing here is ever
changed or removed: an entry is reversed by another one. Seals stand in a table of their own.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    UniqueConstraint,
    text,
)
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

ACCOUNT_KINDS = (
    "bank",
    "cash",
    "suspense",
    "receivable",
    "credit",
    "income",
    "deferred",
    "pass_through",
    "clearing",
    "expense",
)
NOTICE_ABILITIES = ("callback", "statement")


class BankAccount(Row, table=True):
    """A school's account and what it can do.

    ``told_by``: *callback* (the bank tells us at once) or *statement* (a file is read in).
    ``only_virtual``: money is told apart by virtual accounts, the memo may be lost. ``memo_code``: a provider's code
    that has to stand in the memo beside our reference. ``can_qr``: some Treasury accounts take no VietQR.
    """

    __tablename__ = "bank_accounts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("bank_bin", "number"),
        one_of("told_by", NOTICE_ABILITIES),
        CheckConstraint("bank_bin ~ '^[0-9]{6}$'", name="bin_six_digits"),
        CheckConstraint("number ~ '^[0-9A-Za-z]{4,19}$'", name="number_plain"),
        CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name="two_people"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bank_bin: str = Field(max_length=6)
    number: str = Field(max_length=19)
    holder: str
    told_by: str
    only_virtual: bool = False
    can_qr: bool = True
    memo_code: str | None = Field(default=None, max_length=13)
    opened_on: date
    closed_on: date | None = None
    made_by: UUID | None = None
    approved_by: UUID | None = None


class LedgerAccount(Row, table=True):
    """An account of the book. Pupil, item and bill are columns of a posting, not accounts."""

    __tablename__ = "ledger_accounts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "code"),
        in_school(["bank_account_id"], "bank_accounts"),
        one_of("kind", ACCOUNT_KINDS),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    code: str = Field(max_length=40)
    name: str
    kind: str
    bank_account_id: UUID | None = None


class JournalEntry(Row, table=True):
    """One business fact in the book. ``(kind, source_id)`` is unique: a fact is posted once.

    ``value_date`` is the bank's day, ``recorded_at`` ours; "as of" always means recorded. Where the bank's day lies in
    a closed month, ``value_date`` is the first open day and ``true_day`` the bank's (``periods``). Its school, and
    the entry that it reverses, are there: the trigger *point_home* refuses others, like a foreign key (decision 0012).
    """

    __tablename__ = "journal_entries"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "kind", "source_id"),
        Index(
            "reversed_once", "school_id", "reverses_id", unique=True, postgresql_where=text("reverses_id IS NOT NULL")
        ),
        CheckConstraint("true_day < value_date", name="true_day_before"),
    )

    id: int | None = identity_column()
    school_id: UUID
    kind: str = Field(max_length=40)
    source_id: str = Field(max_length=80)
    value_date: date
    recorded_at: datetime = time_column()
    reverses_id: int | None = number_column(nullable=True)
    note: str = ""
    true_day: date | None = None


class Posting(Row, table=True):
    """Money from the credit account to the debit account; the amount is above zero.

    Entry, accounts and bill are of its school, and its pupil is one: the trigger *point_home* refuses others, like a
    foreign key (see decision 0012). Postings are found by their entry; those of a bill by the entries whose source it
    is (decision 0049).
    """

    __tablename__ = "postings"
    __table_args__ = (
        PrimaryKeyConstraint("school_id", "entry_id", "id"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("debit_account_id <> credit_account_id", name="two_accounts"),
        Index("ix_postings_debit", "school_id", "debit_account_id"),
        Index("ix_postings_credit", "school_id", "credit_account_id"),
        Index("ix_postings_pupil", "school_id", "pupil_id"),
    )

    id: int | None = identity_column(primary_key=False)
    school_id: UUID
    entry_id: int = number_column()
    debit_account_id: int = number_column()
    credit_account_id: int = number_column()
    amount: Money = money_column()
    pupil_id: UUID | None = None
    item_code: str | None = Field(default=None, max_length=40)
    bill_id: UUID | None = None


class Seal(Row, table=True):
    """The link of a journal entry in its school's chain, given out under a lock to entries without one."""

    __tablename__ = "seals"
    __table_args__ = (UniqueConstraint("school_id", "entry_id"), in_school(["entry_id"], "journal_entries"))

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    chain_seq: int = number_column(primary_key=True)
    entry_id: int = number_column()
    previous: bytes = Field(sa_type=LargeBinary)
    digest: bytes = Field(sa_type=LargeBinary)
    sealed_at: datetime = time_column()


class DailyHead(Row, table=True):
    """The signed end of a school's chain on one day; it leaves the database."""

    __tablename__ = "daily_heads"

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    day: date = Field(primary_key=True)
    chain_seq: int = number_column()
    digest: bytes = Field(sa_type=LargeBinary)
    signature: bytes = Field(sa_type=LargeBinary)
    signed_at: datetime = time_column()


class ProvinceHead(Row, table=True):
    """The digest over all daily heads of a province (no school policy: it names no school)."""

    __tablename__ = "province_heads"

    province_id: UUID = Field(foreign_key="authorities.id", primary_key=True)
    day: date = Field(primary_key=True)
    digest: bytes = Field(sa_type=LargeBinary)
    signature: bytes = Field(sa_type=LargeBinary)
    signed_at: datetime = time_column()


class ClosedPeriod(Row, table=True):
    """A month that is closed for a school (khóa sổ): later money is recorded in the open one and shown as late.

    It closes every day before its end. ``since``: the first of the days that it closed, None for all before.
    ``turn``: it is the month's how manieth closing. ``ask_id``: the request, by another person (``billing/closing``).
    """

    __tablename__ = "closed_periods"
    __table_args__ = (in_school(["ask_id"], "period_asks"),)

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    month: date = Field(primary_key=True)
    turn: int = Field(default=1, sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    since: date | None = None
    ask_id: UUID | None = None
    closed_by: UUID
    closed_at: datetime = time_column()


class PeriodReopening(Row, table=True):
    """That the month which was closed last is open again; it is closed anew as another turn."""

    __tablename__ = "period_reopenings"
    __table_args__ = (
        ForeignKeyConstraint(
            ["school_id", "month", "turn"],
            ["closed_periods.school_id", "closed_periods.month", "closed_periods.turn"],
        ),
        in_school(["ask_id"], "period_asks"),
    )

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    month: date = Field(primary_key=True)
    turn: int = number_column(primary_key=True)
    ask_id: UUID
    opened_by: UUID
    at: datetime = time_column()
