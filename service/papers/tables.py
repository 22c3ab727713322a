"""Rows of slips printed for a whole round: what was asked for, and its pieces, one for each class.

A piece is sealed: it holds names and open sums. Its bytes are kept until the print expires and are then taken out; the
rows stay. A print is ready only when no piece is missing, which the database checks.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from billing.storage import Row, in_school, new_id, time_column

# Sums on paper grow old when families pay; who needs the file later prints it anew.
KEPT = timedelta(days=1)


class SlipPrint(Row, table=True):
    """Slips of all classes of a round, asked for by one person; its job has the once-key ``slips.print:`` + id."""

    __tablename__ = "slip_prints"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        in_school(["round_id"], "billing_rounds"),
        CheckConstraint("expires_at > asked_at", name="kept_for_a_while"),
        Index("ix_slip_prints_round", "school_id", "round_id", "asked_at"),
        Index("ix_slip_prints_kept", "expires_at", postgresql_where=text("wiped_at IS NULL")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    round_id: UUID
    asked_by: UUID
    asked_at: datetime = time_column()
    expires_at: datetime = time_column()
    ready_at: datetime | None = time_column(nullable=True)
    wiped_at: datetime | None = time_column(nullable=True)


class SlipPiece(Row, table=True):
    """The slips of one class as a sealed PDF; nothing sealed before it is made, and where nothing is to be paid."""

    __tablename__ = "slip_pieces"
    __table_args__ = (
        in_school(["print_id"], "slip_prints"),
        in_school(["class_id"], "class_groups"),
        CheckConstraint("made_at IS NOT NULL OR (slips IS NULL AND sealed IS NULL)", name="empty_until_made"),
        Index("ix_slip_pieces_missing", "print_id", postgresql_where=text("made_at IS NULL")),
    )

    print_id: UUID = Field(primary_key=True)
    place: int = Field(primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    class_id: UUID
    slips: int | None = None
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    made_at: datetime | None = time_column(nullable=True)
