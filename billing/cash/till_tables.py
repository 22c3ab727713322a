"""Rows of the till: counts, deposits to the bank, withdrawals from it, hand-overs. All are written once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, in_school, json_column, money_column, new_id, number_column, time_column


class CashCount(Row, table=True):
    """A count of the till: ``notes`` by face value, what they come to, and what account 111 held at that moment.

    A difference has a reason and waits for another person. ``form`` is the key of the page that stores it once.
    ``moved_last``: the newest entry on account 111 then, 0 for none; empty for counts from before it was noted.
    """

    __tablename__ = "cash_counts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "form"),
        CheckConstraint("counted >= 0", name="counted_not_negative"),
        CheckConstraint("counted = book OR reason <> ''", name="difference_has_a_reason"),
        Index("ix_cash_counts_at", "school_id", "at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    form: UUID
    notes: dict[str, Any] = json_column()
    counted: Money = money_column()
    book: Money = money_column()
    moved_last: int | None = number_column(nullable=True)
    reason: str = ""
    made_by: UUID
    at: datetime = time_column()


class CashCountDecision(Row, table=True):
    """Another person agreed to a difference, which is posted then, or did not: the till is counted anew."""

    __tablename__ = "cash_count_decisions"
    __table_args__ = (
        in_school(["count_id"], "cash_counts"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("agreed = (entry_id IS NOT NULL)", name="agreed_is_posted"),
        CheckConstraint("agreed OR reason <> ''", name="refused_with_reason"),
    )

    count_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    agreed: bool
    reason: str = ""
    entry_id: int | None = number_column(nullable=True)
    decided_by: UUID
    at: datetime = time_column()


class CashDeposit(Row, table=True):
    """Counted cash brought to a bank account of the school; ``slip`` is the number of the bank's paper."""

    __tablename__ = "cash_deposits"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "form"),
        in_school(["count_id"], "cash_counts"),
        in_school(["bank_account_id"], "bank_accounts"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        Index("ix_cash_deposits_count", "school_id", "count_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    form: UUID
    count_id: UUID
    bank_account_id: UUID
    amount: Money = money_column()
    slip: str = Field(max_length=60)
    entry_id: int = number_column()
    made_by: UUID
    at: datetime = time_column()


class CashDepositEnd(Row, table=True):
    """Another person took a deposit back that never reached the bank: the money is in the till again."""

    __tablename__ = "cash_deposit_ends"
    __table_args__ = (
        in_school(["deposit_id"], "cash_deposits"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    deposit_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    entry_id: int = number_column()
    made_by: UUID
    at: datetime = time_column()


class CashWithdrawal(Row, table=True):
    """Cash fetched back to the till from a bank account; no account is the Treasury. ``slip``: its paper's number."""

    __tablename__ = "cash_withdrawals"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "form"),
        in_school(["bank_account_id"], "bank_accounts"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        CheckConstraint("slip <> ''", name="slip_given"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    form: UUID
    bank_account_id: UUID | None = None
    amount: Money = money_column()
    slip: str = Field(max_length=60)
    entry_id: int = number_column()
    made_by: UUID
    at: datetime = time_column()


class CashWithdrawalEnd(Row, table=True):
    """Another person took a withdrawal back that was written down wrongly."""

    __tablename__ = "cash_withdrawal_ends"
    __table_args__ = (
        in_school(["withdrawal_id"], "cash_withdrawals"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    withdrawal_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    entry_id: int = number_column()
    made_by: UUID
    at: datetime = time_column()


class CashHandover(Row, table=True):
    """The till handed to somebody else: from ``opening`` by its lines to ``closing``, which was counted."""

    __tablename__ = "cash_handovers"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "form"),
        UniqueConstraint("school_id", "number"),
        in_school(["count_id"], "cash_counts"),
        CheckConstraint("receiver <> made_by", name="two_people"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    form: UUID
    number: int = number_column()
    count_id: UUID
    receiver: UUID
    opening: Money = money_column()
    closing: Money = money_column()
    note: str = ""
    made_by: UUID
    at: datetime = time_column()


class CashHandoverLine(Row, table=True):
    """A movement of cash that a hand-over lists; each is in one hand-over that stands."""

    __tablename__ = "cash_handover_lines"
    __table_args__ = (
        in_school(["entry_id"], "journal_entries"),
        in_school(["handover_id"], "cash_handovers"),
        Index("ix_cash_handover_lines_entry", "school_id", "entry_id"),
    )

    handover_id: UUID = Field(primary_key=True)
    entry_id: int = number_column(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")


class CashHandoverDecision(Row, table=True):
    """The receiver accepted a hand-over, or it was refused by the receiver or taken back by the giver."""

    __tablename__ = "cash_handover_decisions"
    __table_args__ = (
        in_school(["handover_id"], "cash_handovers"),
        CheckConstraint("accepted OR reason <> ''", name="refused_with_reason"),
    )

    handover_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    accepted: bool
    reason: str = ""
    decided_by: UUID
    at: datetime = time_column()
