"""A school year's roster as a sheet to edit and bring back, in the columns in which it came."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmodel import Session, col, select

from billing.people.names import sort_key
from billing.people.roster import COLUMNS
from billing.people.sheet_writing import Value, write_sheet
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, PupilCode, School

_WRITTEN = tuple(column for column in COLUMNS if column.kept)


def export_roster(session: Session, school: School, school_year: str) -> bytes:
    """Return the pupils who study here in a school year, class by class.

    Columns of which nothing is stored (address, parents' names) and the citizen number, which is nobody's to hand on,
    stay empty; an empty cell changes nothing when the sheet is brought back.
    """
    return write_sheet("Danh sách học sinh", _WRITTEN, _lines(session, school, school_year))


def _lines(session: Session, school: School, school_year: str) -> Iterator[list[Value]]:
    codes = dict(
        session.exec(
            select(PupilCode.pupil_id, PupilCode.code)
            .join(Enrolment, col(Enrolment.pupil_id) == col(PupilCode.pupil_id))
            .where(Enrolment.school_id == school.id, Enrolment.school_year == school_year, PupilCode.kind == "moet")
            .order_by(col(PupilCode.valid_from), col(PupilCode.id))
        ).all()
    )  # the latest wins
    rows = session.exec(
        select(Pupil, ClassGroup.code)
        .join(Enrolment, col(Enrolment.pupil_id) == col(Pupil.id))
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(
            Enrolment.school_id == school.id,
            Enrolment.school_year == school_year,
            Enrolment.state == "studying",
            col(ClassPlacement.valid_to).is_(None),
        )
    ).all()
    for pupil, class_code in sorted(rows, key=lambda each: (each[1], sort_key(each[0].full_name), str(each[0].id))):
        says: dict[str, Value] = {
            "class_code": class_code,
            "moet_code": codes.get(pupil.id),
            "full_name": pupil.full_name,
            "birth_date": pupil.birth_date,
            "sex": pupil.sex,
            "nationality": pupil.nationality,
        }
        yield [says.get(column.field) for column in _WRITTEN]
