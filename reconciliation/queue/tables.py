"""Rows of the people's queue: acts with their parts, what was decided about them, comments. All written once.

The database refuses parts that are not the transfer's sum, a second open act about a transfer, a decision by the one
who acted (or by another, for what was done alone), and a part that is of another school or of another pupil's bill.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlmodel import Field

from billing.money import Money
from billing.storage import (
    Row,
    identity_column,
    in_school,
    json_column,
    money_column,
    new_id,
    number_column,
    one_of,
    time_column,
)

ACT_KINDS = ("assign", "undo")
VERDICTS = ("alone", "agreed", "refused", "withdrawn")


class QueueAct(Row, table=True):
    """What one person wants done with a transfer, with what was on the screen; ``seen_step`` is the last step seen.

    ``evidence`` is the matcher's at that moment, with the candidates as they stood. Whether it is carried out says its
    decision; without one it is open.
    """

    __tablename__ = "queue_acts"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["transfer_id"], "transfers"),
        one_of("kind", ACT_KINDS),
        CheckConstraint("kind = 'assign' OR reason <> ''", name="undoing_has_a_reason"),
        Index("ix_queue_acts_transfer", "school_id", "transfer_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    transfer_id: UUID
    kind: str
    seen_step: int = number_column()
    evidence: dict[str, Any] = json_column()
    reason: str = ""
    made_by: UUID
    at: datetime = time_column()


class QueuePart(Row, table=True):
    """A part of an assignment: money for a pupil's bill, or as the pupil's credit (no bill)."""

    __tablename__ = "queue_parts"
    __table_args__ = (
        in_school(["act_id"], "queue_acts"),
        in_school(["bill_id"], "bills"),
        CheckConstraint("amount > 0", name="amount_above_zero"),
        UniqueConstraint(
            "school_id", "act_id", "pupil_id", "bill_id", name="one_part_each", postgresql_nulls_not_distinct=True
        ),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    act_id: UUID
    pupil_id: UUID = Field(foreign_key="pupils.id", index=True)
    bill_id: UUID | None = None
    amount: Money = money_column()


class QueueDecision(Row, table=True):
    """What became of an act: done alone, agreed to or refused by another person, or withdrawn by who made it."""

    __tablename__ = "queue_decisions"
    __table_args__ = (
        in_school(["act_id"], "queue_acts"),
        one_of("verdict", VERDICTS),
        CheckConstraint("verdict <> 'refused' OR reason <> ''", name="refusing_has_a_reason"),
    )

    act_id: UUID = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    verdict: str
    decided_by: UUID
    reason: str = ""
    at: datetime = time_column()


class QueueComment(Row, table=True):
    """What somebody wrote beside a transfer for colleagues; it moves nothing."""

    __tablename__ = "queue_comments"
    __table_args__ = (
        in_school(["transfer_id"], "transfers"),
        CheckConstraint("words <> ''", name="says_something"),
        Index("ix_queue_comments_transfer", "school_id", "transfer_id"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    transfer_id: UUID
    words: str
    made_by: UUID
    at: datetime = time_column()
