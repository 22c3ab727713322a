"""Rows of people: authorities, schools, classes, pupils, guardians, enrolments, contacts.

Pupils and guardians live at province level: a child changes school, a guardian has children in two.
A school sees a person through an enrolment; a guardian sees her own children (see the policies in the migrations).
"""

from datetime import date, time
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Column, Index, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field

from billing.storage import Row, identity_column, in_school, new_id, one_of

AUTHORITY_KINDS = ("province", "department", "commune")
SCHOOL_KINDS = ("public", "private")
ENROLMENT_STATES = ("studying", "completed", "transferred_out", "left", "paused", "graduated", "never_came")
CONTACT_KINDS = ("phone", "email")


class Authority(Row, table=True):
    """A node of the tree: province, then Sở (department) or commune; it supervises schools."""

    __tablename__ = "authorities"
    __table_args__ = (one_of("kind", AUTHORITY_KINDS),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    parent_id: UUID | None = Field(default=None, foreign_key="authorities.id", index=True)
    kind: str
    code: str = Field(unique=True, max_length=20)
    name: str


class School(Row, table=True):
    """A school: the tenant. ``code`` is the sector database's code, opaque text.

    ``alert_percent``: how far a round's total may move against the last one before the approver is asked.
    ``meal_cutoff``: the hour (local) until which the kitchen can be told who is absent.
    ``plans_required_from``: from this day on rounds collect only what an approved plan holds; empty: not yet required.
    """

    __tablename__ = "schools"
    __table_args__ = (
        one_of("kind", SCHOOL_KINDS),
        CheckConstraint("alert_percent BETWEEN 1 AND 1000", name="alert_percent_in_range"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    province_id: UUID = Field(foreign_key="authorities.id", index=True)
    authority_id: UUID = Field(foreign_key="authorities.id", index=True)
    code: str = Field(unique=True, max_length=20)
    name: str
    kind: str
    levels: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    address: str
    phone: str
    budget_code: str | None = None
    language: str = "vi"
    alert_percent: int = Field(default=20, sa_column_kwargs={"server_default": "20"})
    meal_cutoff: time = Field(default=time(8), sa_column_kwargs={"server_default": "08:00:00"})
    plans_required_from: date | None = None


class ClassGroup(Row, table=True):
    """A class of one school year, such as 1A of 2025-2026."""

    __tablename__ = "class_groups"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "school_year", "code"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    school_year: str = Field(max_length=9)
    level: str
    grade: int
    code: str = Field(max_length=20)
    name: str


class Pupil(Row, table=True):
    """A child, once in the province. The citizen number is sealed and found by its blind index."""

    __tablename__ = "pupils"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    province_id: UUID = Field(foreign_key="authorities.id", index=True)
    entered_by_school_id: UUID = Field(foreign_key="schools.id", index=True)
    full_name: str
    birth_date: date
    sex: str
    nationality: str = "Việt Nam"
    citizen_sealed: bytes | None = Field(default=None, sa_type=LargeBinary)
    citizen_blind: bytes | None = Field(default=None, sa_type=LargeBinary, index=True)


class PupilCode(Row, table=True):
    """A dated code of a pupil. No school policy: a new school finds the child by its sector code, sees no name."""

    __tablename__ = "pupil_codes"
    __table_args__ = (UniqueConstraint("province_id", "kind", "code"),)

    id: int | None = identity_column()
    province_id: UUID = Field(foreign_key="authorities.id")
    pupil_id: UUID = Field(foreign_key="pupils.id", index=True)
    kind: str = Field(default="moet", max_length=20)
    code: str = Field(max_length=40)
    valid_from: date


class Enrolment(Row, table=True):
    """A stay of a pupil at a school within one school year; its class is dated in ``class_placements``.

    Who leaves and comes back in the same year has several, whose days do not overlap (docs/decisions/0025).
    ``state``: *completed* when its year is over and the pupil has an enrolment in the next one.
    ``stated_birth_date`` stands as the school's own list has it: for a child that another school entered it is the
    proof of knowing it, and the database refuses an enrolment without. Who *never_came* is billed for nothing.
    """

    __tablename__ = "enrolments"
    __table_args__ = (
        UniqueConstraint("school_id", "id"),
        UniqueConstraint("school_id", "pupil_id", "school_year", "started_on"),
        Index(
            "uq_enrolments_open",
            "school_id",
            "pupil_id",
            "school_year",
            unique=True,
            postgresql_where="ended_on IS NULL",
        ),
        one_of("state", ENROLMENT_STATES),
        CheckConstraint("ended_on IS NULL OR ended_on >= started_on", name="dates_in_order"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    pupil_id: UUID = Field(foreign_key="pupils.id", index=True)
    school_year: str = Field(max_length=9)
    state: str = "studying"
    started_on: date
    ended_on: date | None = None
    stated_birth_date: date | None = None


class ClassPlacement(Row, table=True):
    """The class of an enrolment from a date on; debt follows the pupil, lists follow the class at the date."""

    __tablename__ = "class_placements"
    __table_args__ = (
        in_school(["enrolment_id"], "enrolments"),
        in_school(["class_id"], "class_groups"),
        UniqueConstraint("school_id", "enrolment_id", "valid_from"),
        CheckConstraint("valid_to IS NULL OR valid_to >= valid_from", name="dates_in_order"),
    )

    id: int | None = identity_column()
    school_id: UUID = Field(foreign_key="schools.id")
    enrolment_id: UUID
    class_id: UUID
    valid_from: date
    valid_to: date | None = None


class Guardian(Row, table=True):
    """A grown-up who answers for a child."""

    __tablename__ = "guardians"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    province_id: UUID = Field(foreign_key="authorities.id")
    entered_by_school_id: UUID = Field(foreign_key="schools.id", index=True)
    full_name: str
    language: str = "vi"


class Guardianship(Row, table=True):
    """Which guardian answers for which child, with what right, from when to when."""

    __tablename__ = "guardianships"
    __table_args__ = (UniqueConstraint("guardian_id", "pupil_id"),)

    id: int | None = identity_column()
    guardian_id: UUID = Field(foreign_key="guardians.id")
    pupil_id: UUID = Field(foreign_key="pupils.id", index=True)
    relation: str
    may_see_bills: bool = True
    receives_notices: bool = True
    valid_from: date
    valid_to: date | None = None


class Contact(Row, table=True):
    """A phone number or e-mail of a guardian: sealed, with a blind index and a masked form for screens."""

    __tablename__ = "contacts"
    __table_args__ = (
        one_of("kind", CONTACT_KINDS),
        Index(
            "uq_contacts_live",
            "guardian_id",
            "kind",
            "blind",
            unique=True,
            postgresql_where="valid_to IS NULL",
        ),
    )

    id: int | None = identity_column()
    guardian_id: UUID = Field(foreign_key="guardians.id")
    kind: str
    sealed: bytes = Field(sa_type=LargeBinary)
    blind: bytes = Field(sa_type=LargeBinary, index=True)
    masked: str
    valid_from: date
    valid_to: date | None = None
