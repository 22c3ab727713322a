"""Who teaches a class: what a class teacher may tick."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.attendance.days import local_day
from billing.attendance.reading import class_of
from billing.attendance.tables import ClassTeacher
from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import NotFound


def give_class(  # noqa: PLR0913, PLR0917  who teaches what from when, and who says so
    session: Session, school_id: UUID, actor: Actor, class_id: UUID, user_id: UUID, valid_from: date, now: datetime
) -> bool:
    """Let somebody tick a class from a day on; false if it is so already."""
    class_of(session, school_id, class_id)
    if _open(session, school_id, class_id, user_id) is not None:
        return False
    session.add(ClassTeacher(school_id=school_id, class_id=class_id, user_id=user_id, valid_from=valid_from))
    session.flush()
    deed = Deed(school_id, "attendance.teacher", "class", str(class_id))
    record_deed(session, actor, deed, now, teacher=str(user_id), valid_from=valid_from.isoformat())
    return True


def take_class(  # noqa: PLR0913, PLR0917  as above
    session: Session, school_id: UUID, actor: Actor, class_id: UUID, user_id: UUID, now: datetime
) -> None:
    """End it with yesterday (or with its first day); raises ``NotFound`` when there is nothing to end."""
    row = _open(session, school_id, class_id, user_id)
    if row is None:
        raise NotFound("Giáo viên này không phụ trách lớp. Hãy tải lại trang.")
    row.valid_to = max(row.valid_from, local_day(now) - timedelta(days=1))
    session.add(row)
    session.flush()
    deed = Deed(school_id, "attendance.teacher_end", "class", str(class_id))
    record_deed(session, actor, deed, now, teacher=str(user_id))


def _open(session: Session, school_id: UUID, class_id: UUID, user_id: UUID) -> ClassTeacher | None:
    return session.exec(
        select(ClassTeacher).where(
            ClassTeacher.school_id == school_id,
            ClassTeacher.class_id == class_id,
            ClassTeacher.user_id == user_id,
            col(ClassTeacher.valid_to).is_(None),
        )
    ).one_or_none()
