"""Rows of how a school gets a bank account, or another in the place of one: asked for, agreed to, waited, opened.

All are written once. An account is never changed in place: the database refuses another number, bank or name in a row
of ``bank_accounts``, and an account of people (``made_by``) without the yes of another and the wait after it.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from billing.ledger.tables import NOTICE_ABILITIES
from billing.storage import Row, in_school, new_id, one_of, time_column


class AccountChange(Row, table=True):
    """Somebody asks for a bank account: a further one, or one in the place of ``replaces_id``."""

    __tablename__ = "account_changes"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["replaces_id"], "bank_accounts"),
        one_of("told_by", NOTICE_ABILITIES),
        CheckConstraint("bank_bin ~ '^[0-9]{6}$'", name="bin_six_digits"),
        CheckConstraint("number ~ '^[0-9A-Za-z]{4,19}$'", name="number_plain"),
        CheckConstraint("holder <> ''", name="holder_given"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    replaces_id: UUID | None = None
    bank_bin: str = Field(max_length=6)
    number: str = Field(max_length=19)
    holder: str
    told_by: str
    only_virtual: bool = False
    can_qr: bool = True
    memo_code: str | None = Field(default=None, max_length=13)
    reason: str
    asked_by: UUID = Field(foreign_key="users.id")
    asked_at: datetime = time_column()


class AccountApproval(Row, table=True):
    """Another person agrees; the account is in force 24 hours later, or later still where the house waits longer."""

    __tablename__ = "account_approvals"
    __table_args__ = (
        in_school(["change_id"], "account_changes"),
        CheckConstraint("in_force_at >= at + interval '24 hours'", name="a_day_is_waited"),
    )

    change_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved_by: UUID = Field(foreign_key="users.id")
    at: datetime = time_column()
    in_force_at: datetime = time_column()


class AccountWithdrawal(Row, table=True):
    """Somebody stops a change before it is in force; a reason is given."""

    __tablename__ = "account_withdrawals"
    __table_args__ = (
        in_school(["change_id"], "account_changes"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    change_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    made_by: UUID = Field(foreign_key="users.id")
    reason: str
    at: datetime = time_column()


class AccountOpening(Row, table=True):
    """The account of a change is in force. The one it replaces is asked for no more; its feeds stay until a day.

    An earlier account that a school goes back to is opened again: the same row of ``bank_accounts``, another of these.
    An account was in use from each of its openings to the next one that replaces it.
    """

    __tablename__ = "account_openings"
    __table_args__ = (
        in_school(["change_id"], "account_changes"),
        in_school(["account_id"], "bank_accounts"),
        in_school(["replaces_id"], "bank_accounts"),
        CheckConstraint("account_id <> replaces_id", name="replaces_another"),
        CheckConstraint("(replaces_id IS NULL) = (keeps_until IS NULL)", name="replaced_has_a_last_day"),
        Index("ix_account_openings_account", "school_id", "account_id"),
        Index("ix_account_openings_replaced", "school_id", "replaces_id"),
    )

    change_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    account_id: UUID
    replaces_id: UUID | None = None
    keeps_until: date | None = None
    at: datetime = time_column()
