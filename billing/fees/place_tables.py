"""Rows of where a school lies: the first place, and changes of it that two people made."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field

from billing.fees.places import ZONE_NAMES
from billing.storage import Row, new_id, one_of, time_column


class SchoolPlace(Row, table=True):
    """Where a school lies from a day on: its zone, and its province before the mergers (empty: none).

    The first row, written when the school was set up, has neither day nor maker: it holds since ever. A later one is
    asked for by one person and holds once another has approved it. Nothing decided is changed: a later row takes its
    place, also from the same day.
    """

    __tablename__ = "school_places"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        one_of("zone", tuple(ZONE_NAMES)),
        CheckConstraint("approved_by IS NULL OR approved_by <> made_by", name="two_people"),
        CheckConstraint("(valid_from IS NULL) = (made_by IS NULL)", name="only_the_first_is_nobodys"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="approved_by_somebody"),
        CheckConstraint("approved_at IS NULL OR withdrawn_at IS NULL", name="approved_or_withdrawn"),
        CheckConstraint("valid_from IS NULL OR decision_number <> ''", name="decision_given"),
        Index("uq_school_places_first", "school_id", unique=True, postgresql_where=text("valid_from IS NULL")),
        Index(
            "uq_school_places_waiting",
            "school_id",
            unique=True,
            postgresql_where=text("valid_from IS NOT NULL AND approved_at IS NULL AND withdrawn_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    zone: str
    legacy_area: str
    valid_from: date | None = None
    decision_number: str = ""
    made_by: UUID | None = Field(default=None, foreign_key="users.id")
    made_at: datetime = time_column()
    approved_by: UUID | None = Field(default=None, foreign_key="users.id")
    approved_at: datetime | None = time_column(nullable=True)
    withdrawn_at: datetime | None = time_column(nullable=True)
