"""Rows that tie a deposit of cash to the bank's transfer, and of how a tie was taken back. Both are written once."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from billing.storage import Row, in_school, new_id, number_column, time_column


class CashDepositTie(Row, table=True):
    """Money in that is a deposit of the school's own cash, said by a person."""

    __tablename__ = "cash_deposit_ties"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["deposit_id"], "cash_deposits"),
        in_school(["transfer_id"], "transfers"),
        in_school(["entry_id"], "journal_entries"),
        Index("ix_cash_deposit_ties_deposit", "school_id", "deposit_id"),
        Index("ix_cash_deposit_ties_transfer", "school_id", "transfer_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    deposit_id: UUID
    transfer_id: UUID
    entry_id: int = number_column()
    made_by: UUID
    at: datetime = time_column()


class CashTieAsk(Row, table=True):
    """Somebody asks to tie a deposit to money in that no rule suggests; it stands until another person decides."""

    __tablename__ = "cash_tie_asks"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["deposit_id"], "cash_deposits"),
        in_school(["transfer_id"], "transfers"),
        CheckConstraint("reason <> ''", name="reason_given"),
        Index("ix_cash_tie_asks_deposit", "school_id", "deposit_id"),
        Index("ix_cash_tie_asks_transfer", "school_id", "transfer_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    deposit_id: UUID
    transfer_id: UUID
    reason: str
    made_by: UUID
    at: datetime = time_column()


class CashTieDecision(Row, table=True):
    """What another person decided about such a tie: agreed, or refused with a reason (also by who asked)."""

    __tablename__ = "cash_tie_decisions"
    __table_args__ = (
        in_school(["ask_id"], "cash_tie_asks"),
        CheckConstraint("agreed OR reason <> ''", name="refused_with_reason"),
    )

    ask_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    agreed: bool
    reason: str = ""
    decided_by: UUID
    at: datetime = time_column()


class CashTieEnd(Row, table=True):
    """That a tie was wrong: the transfer waits again, the deposit is in transit again."""

    __tablename__ = "cash_tie_ends"
    __table_args__ = (
        in_school(["tie_id"], "cash_deposit_ties"),
        in_school(["entry_id"], "journal_entries"),
        CheckConstraint("reason <> ''", name="reason_given"),
    )

    tie_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    reason: str
    entry_id: int = number_column()
    made_by: UUID
    at: datetime = time_column()
