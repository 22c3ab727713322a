"""Rows that tell whose family a member of staff is: own children, and own ways to be reached.

Staff are known to ``service/access``; a person stands here by the bare id, as in ``made_by`` everywhere in this room.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlmodel import Field

from billing.people.tables import CONTACT_KINDS
from billing.storage import Row, new_id, one_of, time_column

_ENDED_WHOLE = "(ended_at IS NULL) = (ended_by IS NULL) AND (ended_at IS NULL) = (end_reason = '')"
_BY_ANOTHER = "ended_by IS NULL OR ended_by <> user_id"


class OwnChild(Row, table=True):
    """A child of the family of ``user_id``, declared by that person or entered by another (``made_by``).

    It only ever ends by somebody else's word, with a reason: nobody takes away what binds himself.
    """

    __tablename__ = "own_children"
    __table_args__ = (
        CheckConstraint(_ENDED_WHOLE, name="ended_whole"),
        CheckConstraint(_BY_ANOTHER, name="ended_by_another"),
        Index(
            "uq_own_children_live", "school_id", "user_id", "pupil_id", unique=True, postgresql_where="ended_at IS NULL"
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    school_id: UUID = Field(foreign_key="schools.id")
    user_id: UUID
    pupil_id: UUID = Field(foreign_key="pupils.id", index=True)
    made_by: UUID
    at: datetime = time_column()
    ended_by: UUID | None = None
    ended_at: datetime | None = time_column(nullable=True)
    end_reason: str = Field(default="", sa_column_kwargs={"server_default": ""})


class StaffContact(Row, table=True):
    """A member of staff's own phone number or e-mail: a blind index and a masked form, never the number itself.

    No school policy: one person may serve several schools. A guardian with the same number is of the person's family.
    """

    __tablename__ = "staff_contacts"
    __table_args__ = (
        one_of("kind", CONTACT_KINDS),
        CheckConstraint(_ENDED_WHOLE, name="ended_whole"),
        CheckConstraint(_BY_ANOTHER, name="ended_by_another"),
        Index("uq_staff_contacts_live", "user_id", "kind", "blind", unique=True, postgresql_where="ended_at IS NULL"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    user_id: UUID
    kind: str
    blind: bytes = Field(sa_type=LargeBinary)
    masked: str
    made_by: UUID
    at: datetime = time_column()
    ended_by: UUID | None = None
    ended_at: datetime | None = time_column(nullable=True)
    end_reason: str = Field(default="", sa_column_kwargs={"server_default": ""})
