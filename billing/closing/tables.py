"""Rows of who asked for a month to be closed or opened, who decided, and the figures that then stay. Written once."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Column, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from billing.money import Money
from billing.storage import Row, in_school, money_column, new_id, number_column, one_of, time_column

KINDS = ("close", "reopen")


class PeriodAsk(Row, table=True):
    """One person's request to close a month, or to open the one that was closed last.

    ``seen``: what was unfinished then, as ``[{"what", "count", "amount", "which"}]``, with what the page showed.
    """

    __tablename__ = "period_asks"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        one_of("kind", KINDS),
        CheckConstraint("kind = 'close' OR reason <> ''", name="opened_with_reason"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    kind: str
    month: date
    reason: str = ""
    seen: list[dict[str, Any]] = Field(sa_column=Column(JSONB, nullable=False))
    made_by: UUID
    at: datetime = time_column()


class PeriodDecision(Row, table=True):
    """The other person's yes, or a no with its reason; who asked may take it back, never agree."""

    __tablename__ = "period_decisions"
    __table_args__ = (
        in_school(["ask_id"], "period_asks"),
        CheckConstraint("agreed OR reason <> ''", name="refused_with_reason"),
    )

    ask_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    agreed: bool
    reason: str = ""
    decided_by: UUID
    at: datetime = time_column()


class ClosedFigure(Row, table=True):
    """What moved on an account in the days that a closing closed: they are never to be any other (I2)."""

    __tablename__ = "closed_figures"
    __table_args__ = (
        ForeignKeyConstraint(
            ["school_id", "month", "turn"],
            ["closed_periods.school_id", "closed_periods.month", "closed_periods.turn"],
        ),
        in_school(["account_id"], "ledger_accounts"),
    )

    school_id: UUID = Field(foreign_key="schools.id", primary_key=True)
    month: date = Field(primary_key=True)
    turn: int = number_column(primary_key=True)
    account_id: int = number_column(primary_key=True)
    debit: Money = money_column()
    credit: Money = money_column()
