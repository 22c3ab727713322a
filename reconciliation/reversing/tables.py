"""Rows of money that a bank took back: which money out takes which money in back, who said so, and who agreed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from billing.storage import Row, in_school, new_id, time_column


class BankReversal(Row, table=True):
    """One says that money out takes a credited transfer back; ``named``: the bank's own data of it names that transfer.

    ``undoes``: the purpose *reversed* that it takes back, where the bank took back other money or none; always another
    person's to agree. The database refuses another account, another sum, money that came later, a claim that nothing of
    the bank's bears out, a second standing reversal of either, and undoing what does not stand.
    """

    __tablename__ = "bank_reversals"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["out_id"], "transfers"),
        in_school(["came_id"], "transfers"),
        in_school(["undoes"], "money_out"),
        CheckConstraint("reason <> ''", name="reason_given"),
        Index("ix_bank_reversals_out", "school_id", "out_id"),
        Index("ix_bank_reversals_came", "school_id", "came_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    out_id: UUID
    came_id: UUID
    named: bool
    undoes: UUID | None = None
    reason: str
    made_by: UUID
    made_at: datetime = time_column()


class BankReversalDecision(Row, table=True):
    """The yes or no to a reversal, once; the yes is another person's, unless the bank's own data names the transfer."""

    __tablename__ = "bank_reversal_decisions"
    __table_args__ = (
        in_school(["reversal_id"], "bank_reversals"),
        CheckConstraint("approved OR reason <> ''", name="refusing_has_a_reason"),
    )

    reversal_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()
