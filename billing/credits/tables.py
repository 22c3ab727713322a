"""Rows of what happens to credit: its use on bills, and refunds. The credit itself stands in the book only.

A refund is asked for by one person over one or many lines, decided by another, and each line then goes its own way,
step by step: paid in cash, sent by bank, a step undone, taken back. Everything is written once.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, identity_column, in_school, money_column, new_id, number_column, one_of, time_column

WAYS = ("cash", "bank")
PAYEE_SOURCES = ("payer", "guardian", "typed")
STEPS = ("paid", "sent", "undone", "taken_back")


class CreditUse(Row, table=True):
    """Credit of one item (None: paid too much) set against one bill; the source of a payment of the kind *credit*.

    It lives as long as its payment. ``round_id``: used when this round was issued; else ``made_by`` used it by hand.
    """

    __tablename__ = "credit_uses"
    __table_args__ = (
        in_school(["bill_id"], "bills"),
        in_school(["round_id"], "billing_rounds"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("(round_id IS NULL) = (made_by IS NOT NULL)", name="by_a_round_or_a_person"),
        Index("ix_credit_uses_pupil", "school_id", "pupil_id"),
        Index("ix_credit_uses_bill", "school_id", "bill_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    pupil_id: UUID = Field(foreign_key="pupils.id")
    item_code: str | None = Field(default=None, max_length=40)
    bill_id: UUID
    amount: Money = money_column()
    round_id: UUID | None = None
    made_by: UUID | None = None
    reason: str = ""
    at: datetime = time_column()


class Refund(Row, table=True):
    """A request to give credit back to families; ``title`` says what for, ``item_code`` and ``class_id`` whom."""

    __tablename__ = "refunds"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["class_id"], "class_groups"),
        in_school(["round_id"], "billing_rounds"),
        CheckConstraint("reason <> ''", name="reason_given"),
        Index("ix_refunds_made", "school_id", "made_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    item_code: str | None = Field(default=None, max_length=40)
    class_id: UUID | None = None
    round_id: UUID | None = None
    made_by: UUID
    made_at: datetime = time_column()


class RefundLine(Row, table=True):
    """What one pupil's family gets back of one item's credit, or the payer of a transfer nobody could place; and how.

    Payee and account are sealed by the vault. ``payee_source``: the account that the bank named as the *payer*'s, one
    that a *guardian* entered after a code, or *typed* in the office with its ``proof`` (nothing: cash, or written
    before this was kept). ``code`` stands in the memo of the transfer out.
    """

    __tablename__ = "refund_lines"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint(
            "school_id", "refund_id", "pupil_id", "item_code", name="one_line_each", postgresql_nulls_not_distinct=True
        ),
        UniqueConstraint("school_id", "code"),
        in_school(["refund_id"], "refunds"),
        in_school(["transfer_id"], "transfers"),
        one_of("way", WAYS),
        one_of("payee_source", PAYEE_SOURCES),
        CheckConstraint("num_nonnulls(pupil_id, transfer_id) = 1", name="of_a_pupil_or_a_transfer"),
        CheckConstraint(
            "transfer_id IS NULL OR (way = 'bank' AND item_code IS NULL)", name="transfer_goes_back_by_bank"
        ),
        CheckConstraint("payee_source <> 'typed' OR proof <> ''", name="typed_with_proof"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint(
            "(way = 'bank') = (account_sealed IS NOT NULL) AND (way = 'bank') = (bank_bin IS NOT NULL)"
            " AND (way = 'cash' OR payee_sealed IS NOT NULL)",
            name="bank_has_an_account",
        ),
        Index("ix_refund_lines_pupil", "school_id", "pupil_id"),
        Index(
            "ix_refund_lines_transfer",
            "school_id",
            "transfer_id",
            postgresql_where=text("transfer_id IS NOT NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    refund_id: UUID
    pupil_id: UUID | None = Field(default=None, foreign_key="pupils.id")
    transfer_id: UUID | None = None
    item_code: str | None = Field(default=None, max_length=40)
    amount: Money = money_column()
    way: str
    payee_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    bank_bin: str | None = Field(default=None, max_length=6)
    account_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    account_masked: str = ""
    payee_source: str | None = None
    proof: str = Field(default="", sa_column_kwargs={"server_default": ""})
    code: str | None = Field(default=None, max_length=11)


class RefundDecision(Row, table=True):
    """The yes (by another person) or the no (by anybody, with a reason) to a refund; there is one at most."""

    __tablename__ = "refund_decisions"
    __table_args__ = (in_school(["refund_id"], "refunds"),)

    refund_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()


class RefundStep(Row, table=True):
    """What happened to an approved line. ``turn`` counts; the database allows the next step only.

    *paid*: in cash to ``signed_by`` on ``day``; *sent*: by bank, to be tied to the outgoing transfer; *undone*: the
    step before was written down wrongly; *taken_back*: the money is the pupil's credit again.
    """

    __tablename__ = "refund_steps"
    __table_args__ = (
        UniqueConstraint("school_id", "line_id", "turn"),
        in_school(["line_id"], "refund_lines"),
        in_school(["entry_id"], "journal_entries"),
        one_of("kind", STEPS),
        CheckConstraint("turn > 0", name="turn_counts"),
        CheckConstraint("kind <> 'paid' OR signed_by <> ''", name="paid_against_a_signature"),
        CheckConstraint("kind NOT IN ('undone', 'taken_back') OR reason <> ''", name="reason_given"),
        CheckConstraint("kind NOT IN ('paid', 'taken_back') OR entry_id IS NOT NULL", name="stands_in_the_book"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    line_id: UUID
    turn: int
    kind: str
    day: date
    signed_by: str = ""
    reason: str = ""
    entry_id: int | None = number_column(nullable=True)
    made_by: UUID
    at: datetime = time_column()
