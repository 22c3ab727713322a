"""Rows of where refunds go and on what ground: accounts that guardians entered, decisions behind refunds, bank files.

All are written once. Numbers, names and files are sealed by the vault.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from billing.money import Money
from billing.people.tables import CONTACT_KINDS
from billing.storage import Row, in_school, money_column, new_id, one_of, time_column


class PayeeAccount(Row, table=True):
    """An account that a guardian entered for a child after a one-time code; the newest counts.

    ``session_hash`` is the digest of the guardian's session, which the code opened; the contact is kept masked.
    """

    __tablename__ = "payee_accounts"
    __table_args__ = (
        one_of("contact_kind", CONTACT_KINDS),
        CheckConstraint("bank_bin ~ '^[0-9]{6}$'", name="bin_six_digits"),
        CheckConstraint("octet_length(session_hash) = 32", name="session_is_a_digest"),
        Index("ix_payee_accounts_pupil", "school_id", "pupil_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    pupil_id: UUID = Field(foreign_key="pupils.id")
    guardian_id: UUID = Field(foreign_key="guardians.id")
    bank_bin: str = Field(max_length=6)
    holder_sealed: bytes = Field(sa_type=LargeBinary)
    account_sealed: bytes = Field(sa_type=LargeBinary)
    account_masked: str
    contact_kind: str
    contact_masked: str
    session_hash: bytes = Field(sa_type=LargeBinary)
    at: datetime = time_column()


class RefundGround(Row, table=True):
    """The inspection's decision or conclusion by which a refund in bulk is made: number, day, and the paper itself."""

    __tablename__ = "refund_grounds"
    __table_args__ = (
        in_school(["refund_id"], "refunds"),
        CheckConstraint("number <> ''", name="number_given"),
        CheckConstraint("octet_length(sha256) = 32", name="paper_is_digested"),
    )

    refund_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    number: str = Field(max_length=60)
    issued_on: date
    file_name: str = Field(max_length=120)
    media_type: str = Field(max_length=40)
    content_sealed: bytes = Field(sa_type=LargeBinary)
    sha256: bytes = Field(sa_type=LargeBinary)


class RefundBatch(Row, table=True):
    """A file for the bank that was made of the open bank lines of an approved refund; both layouts are kept as given.

    ``sha256`` is of the CSV's bytes. Making it is writing down that its lines were ordered at the bank.
    """

    __tablename__ = "refund_batches"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["refund_id"], "refunds"),
        CheckConstraint("lines > 0", name="holds_lines"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("octet_length(sha256) = 32", name="file_is_digested"),
        Index("ix_refund_batches_refund", "school_id", "refund_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    refund_id: UUID
    lines: int
    amount: Money = money_column()
    xlsx_sealed: bytes = Field(sa_type=LargeBinary)
    csv_sealed: bytes = Field(sa_type=LargeBinary)
    sha256: bytes = Field(sa_type=LargeBinary)
    made_by: UUID
    made_at: datetime = time_column()


class RefundBatchLine(Row, table=True):
    """A line that stands in a file for the bank by its step ``turn``; what came back stands in a later file again."""

    __tablename__ = "refund_batch_lines"
    __table_args__ = (
        in_school(["batch_id"], "refund_batches"),
        in_school(["line_id"], "refund_lines"),
        ForeignKeyConstraint(
            ["school_id", "line_id", "turn"],
            ["refund_steps.school_id", "refund_steps.line_id", "refund_steps.turn"],
        ),
    )

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    batch_id: UUID = Field(primary_key=True)
    line_id: UUID = Field(primary_key=True)
    turn: int
