"""The pupils of a school by name, code and newest class, as people speak of them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlmodel import Session, col, select

from billing.people.names import search_key
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, PupilCode


@dataclass(frozen=True, slots=True)
class Known:
    """A pupil who is or was at the school, with its newest class; ``key`` is what a search compares."""

    pupil_id: UUID
    name: str
    code: str
    class_name: str
    key: str


def pupils_of(session: Session, school_id: UUID) -> dict[UUID, Known]:
    """Return all pupils that a school has or had; three statements, whatever their number."""
    rows = session.exec(
        select(Enrolment.pupil_id, Pupil.full_name, ClassGroup.code)
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .outerjoin(
            ClassPlacement,
            (col(ClassPlacement.school_id) == Enrolment.school_id) & (col(ClassPlacement.enrolment_id) == Enrolment.id),
        )
        .outerjoin(
            ClassGroup,
            (col(ClassGroup.school_id) == ClassPlacement.school_id) & (col(ClassGroup.id) == ClassPlacement.class_id),
        )
        .where(Enrolment.school_id == school_id)
        .order_by(col(Enrolment.started_on), col(ClassPlacement.valid_from))
    ).all()
    codes = dict(
        session.exec(
            select(PupilCode.pupil_id, PupilCode.code)
            .join(Enrolment, col(Enrolment.pupil_id) == col(PupilCode.pupil_id))
            .where(Enrolment.school_id == school_id)
            .order_by(col(PupilCode.valid_from))
        ).all()
    )
    found: dict[UUID, Known] = {}
    for pupil, name, group in rows:  # the newest class wins
        code, class_name = codes.get(pupil, ""), group or ""
        found[pupil] = Known(pupil, name, code, class_name, search_key(f"{name} {code} {class_name}"))
    return found
