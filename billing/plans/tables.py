"""Rows of plans of collections (kế hoạch thu): everything is written once, a change is a new version.

A plan is drafted whole, gets its papers, is submitted by its maker and approved (or returned) by another person from
the decision of the commune or the department. Its state is its last step; without one it is a draft.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from billing.fees.tables import UNITS
from billing.money import Money
from billing.storage import Row, identity_column, in_school, money_column, new_id, one_of, time_column

PAPERS = ("estimate", "minutes", "decision")
MEDIA_TYPES = ("application/pdf", "image/jpeg", "image/png")
STEPS = ("submitted", "approved", "returned")
MOST_BYTES = 5 * 1024 * 1024


class CollectionPlan(Row, table=True):
    """A version of a school's plan for one school year, with what the parents' meeting said of it.

    ``meeting_yes`` of ``meeting_of`` families agreed.
    """

    __tablename__ = "collection_plans"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "school_year", "version"),
        CheckConstraint("version > 0", name="version_counts"),
        CheckConstraint("meeting_yes BETWEEN 0 AND meeting_of AND meeting_of > 0", name="share_of_yes"),
        CheckConstraint("meeting_place <> ''", name="meeting_somewhere"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    school_year: str = Field(max_length=9)
    version: int
    meeting_on: date
    meeting_place: str
    meeting_yes: int
    meeting_of: int
    made_by: UUID
    made_at: datetime = time_column()


class PlanItem(Row, table=True):
    """An item of a plan with its estimate: ``price`` × ``pupils`` × ``times`` (units a year) = ``expected``.

    ``basis``: how the price was worked out; ``purpose``: what the money is spent on. An item stands once for each
    audience: its levels and grades in ascending order, of which empty ones mean all.
    """

    __tablename__ = "plan_items"
    __table_args__ = (
        in_school(["plan_id"], "collection_plans"),
        UniqueConstraint("school_id", "plan_id", "item_code", "levels", "grades"),
        one_of("unit", UNITS),
        CheckConstraint("price > 0 AND pupils > 0 AND times > 0", name="estimate_above_zero"),
        CheckConstraint("expected = price * pupils * times", name="expected_adds_up"),
        CheckConstraint("basis <> '' AND purpose <> ''", name="explained"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    plan_id: UUID
    item_code: str = Field(max_length=40)
    legal_name: str
    unit: str
    levels: list[str] = Field(default_factory=list, sa_column=Column(ARRAY(Text), nullable=False, server_default="{}"))
    grades: list[int] = Field(
        default_factory=list, sa_column=Column(ARRAY(Integer), nullable=False, server_default="{}")
    )
    price: Money = money_column()
    pupils: int
    times: int
    expected: Money = money_column()
    basis: str
    purpose: str


class PlanPaper(Row, table=True):
    """A file that stands behind a plan, kept as it came: the estimate, the minutes, the decision."""

    __tablename__ = "plan_papers"
    __table_args__ = (
        in_school(["plan_id"], "collection_plans"),
        one_of("kind", PAPERS),
        one_of("media_type", MEDIA_TYPES),
        CheckConstraint(f"octet_length(content) BETWEEN 1 AND {MOST_BYTES}", name="content_in_bounds"),
        CheckConstraint("sha256 = sha256(content)", name="content_as_digested"),
        Index("ix_plan_papers_plan", "school_id", "plan_id"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    plan_id: UUID
    kind: str
    name: str = Field(max_length=200)
    media_type: str
    sha256: bytes = Field(sa_type=LargeBinary)
    content: bytes = Field(sa_type=LargeBinary)
    made_by: UUID
    made_at: datetime = time_column()


class PlanStep(Row, table=True):
    """A step of a plan. An approval names the decision, and the day from which the plan holds."""

    __tablename__ = "plan_steps"
    __table_args__ = (
        in_school(["plan_id"], "collection_plans"),
        UniqueConstraint("school_id", "plan_id", "turn"),
        one_of("kind", STEPS),
        CheckConstraint("turn > 0", name="turn_counts"),
        CheckConstraint("kind <> 'returned' OR reason <> ''", name="reason_given"),
        CheckConstraint(
            "(kind = 'approved') = (valid_from IS NOT NULL AND decided_on IS NOT NULL"
            " AND number <> '' AND signer <> '' AND authority <> '')",
            name="approved_by_a_decision",
        ),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    plan_id: UUID
    turn: int
    kind: str
    reason: str = ""
    number: str = ""
    decided_on: date | None = None
    signer: str = ""
    authority: str = ""
    valid_from: date | None = None
    made_by: UUID
    at: datetime = time_column()
