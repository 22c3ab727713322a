"""Rows of pupils' health insurance: by whom, until when, and what is bought at school. A change is a new row."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field

from billing.storage import Row, new_id, one_of, time_column

SOURCES = ("school", "other")
REASONS = ("household", "poor", "near_poor", "military", "social", "under_six", "elsewhere")


class InsuranceCard(Row, table=True):
    """What holds for a pupil in a calendar year; the row without ``withdrawn_at`` is the one that counts.

    ``source``: *school* buys from ``starts_on`` (the day after ``card_end``, or the enrolment) to 31 December,
    ``at_a_time`` months at once, the first of them collected in ``collected_in``; *other*: insured elsewhere, and
    ``reason`` says how. That reason is for staff with the right only. ``number_sealed``: the card's number, if known.
    """

    __tablename__ = "insurance_cards"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        one_of("source", SOURCES),
        one_of("reason", REASONS),
        CheckConstraint("year BETWEEN 2020 AND 2100", name="year_in_range"),
        CheckConstraint("(source = 'other') = (reason IS NOT NULL)", name="reason_where_elsewhere"),
        CheckConstraint(
            "(source = 'school') = (starts_on IS NOT NULL AND collected_in IS NOT NULL)", name="months_where_bought"
        ),
        CheckConstraint("at_a_time IN (3, 6, 12)", name="months_at_a_time"),
        CheckConstraint("extract(day FROM collected_in) = 1", name="collected_in_a_month"),
        Index(
            "uq_insurance_cards_live",
            "school_id",
            "pupil_id",
            "year",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    pupil_id: UUID = Field(foreign_key="pupils.id", index=True)
    year: int
    source: str
    reason: str | None = None
    card_end: date | None = None
    number_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    starts_on: date | None = None
    at_a_time: int | None = None
    collected_in: date | None = None
    made_by: UUID
    made_at: datetime = time_column()
    withdrawn_at: datetime | None = time_column(nullable=True)
