"""Another class of the same school from a day on: debt follows the pupil, lists follow the class at the date."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.moving.ending import find_enrolment
from billing.people.tables import ClassGroup, ClassPlacement
from billing.visible import is_blank

_ONE_DAY = timedelta(days=1)


def change_class(  # noqa: PLR0913, PLR0917  who goes where, from when on, who says so, why
    session: Session,
    actor: Actor,
    school_id: UUID,
    enrolment_id: UUID,
    class_id: UUID,
    first_day: date,
    reason: str,
    now: datetime,
) -> ClassPlacement:
    """Put a pupil into another class of its school year from a day on; bills that stand are not touched.

    Raises ``Conflict`` for who does not study here any more, ``NotFound`` for a class of another school or year,
    ``Refused`` without a reason, for the same class, or for a day that is not after the one the last class began.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do chuyển lớp.")
    enrolment = find_enrolment(session, school_id, enrolment_id)
    if enrolment.state != "studying":
        raise Conflict("Em này đã được ghi là không còn học ở trường.", enrolment=enrolment_id)
    group = session.exec(
        select(ClassGroup).where(
            ClassGroup.school_id == school_id,
            ClassGroup.id == class_id,
            ClassGroup.school_year == enrolment.school_year,
        )
    ).one_or_none()
    if group is None:
        raise NotFound("Trường không có lớp này trong năm học của em.", class_id=class_id)
    last = _last(session, school_id, enrolment_id)
    if last is not None:
        _close(last, group, first_day)
        session.add(last)
    elif first_day < enrolment.started_on:
        raise Refused(f"Ngày vào lớp không được trước ngày vào học {enrolment.started_on:%d/%m/%Y}.")
    placement = ClassPlacement(school_id=school_id, enrolment_id=enrolment_id, class_id=group.id, valid_from=first_day)
    session.add(placement)
    session.flush()
    deed = Deed(school_id, "pupil.change_class", "enrolment", str(enrolment_id), reason.strip())
    record_deed(session, actor, deed, now, to=group.code, first_day=first_day.isoformat())
    return placement


def _last(session: Session, school_id: UUID, enrolment_id: UUID) -> ClassPlacement | None:
    return session.exec(
        select(ClassPlacement)
        .where(ClassPlacement.school_id == school_id, ClassPlacement.enrolment_id == enrolment_id)
        .order_by(col(ClassPlacement.valid_from).desc())
        .limit(1)
    ).first()


def _close(last: ClassPlacement, group: ClassGroup, first_day: date) -> None:
    if last.class_id == group.id and last.valid_to is None:
        raise Refused(f"Em đang học lớp {group.code} rồi.")
    if first_day <= last.valid_from:
        raise Refused(f"Ngày vào lớp mới phải sau ngày em vào lớp trước, {last.valid_from:%d/%m/%Y}.")
    if last.valid_to is None or last.valid_to >= first_day:
        last.valid_to = first_day - _ONE_DAY
