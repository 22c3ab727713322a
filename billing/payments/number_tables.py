"""Rows of how a pool of account numbers is entered: a list from the bank, asked for by one, agreed by another."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Text, UniqueConstraint
from sqlmodel import Field

from billing.storage import Row, in_school, new_id, time_column


class NumberList(Row, table=True):
    """Numbers of one account as the bank gave them out; ``note`` says by which paper. Written once."""

    __tablename__ = "number_lists"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["bank_account_id"], "bank_accounts"),
        CheckConstraint("cardinality(numbers) > 0", name="holds_numbers"),
        CheckConstraint("note <> ''", name="paper_named"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    bank_account_id: UUID
    numbers: list[str] = Field(sa_column=Column(ARRAY(Text()), nullable=False))
    note: str
    made_by: UUID
    made_at: datetime = time_column()


class NumberListDecision(Row, table=True):
    """The yes (by another person) or the no (by anybody, with a reason) to a list; there is one at most."""

    __tablename__ = "number_list_decisions"
    __table_args__ = (
        in_school(["list_id"], "number_lists"),
        CheckConstraint("approved OR reason <> ''", name="no_has_a_reason"),
    )

    list_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    approved: bool
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()
