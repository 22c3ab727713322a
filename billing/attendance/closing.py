"""Closing a class's month, and days off of the whole school."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.attendance.days import last_of, local_day
from billing.attendance.reading import class_of, classes_in, closed_classes
from billing.attendance.tables import AttendanceMonth, SchoolDayOff
from billing.attendance.ticking import person
from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.people.tables import ClassGroup, School
from billing.visible import is_blank

MOST_DAYS_AWAY = 366


@dataclass(frozen=True, slots=True)
class ClassMonth:
    """A class that had pupils in a month, and whether the month is closed."""

    group: ClassGroup
    closed: AttendanceMonth | None


def close_month(  # noqa: PLR0913, PLR0917  whose month, who says so
    session: Session, school_id: UUID, actor: Actor, class_id: UUID, month: date, now: datetime
) -> AttendanceMonth:
    """Close a class's month; closed already it is returned as it is.

    Raises ``NotFound`` for another school's class, ``Refused`` before the month's last day.
    """
    closer = person(actor)
    group = class_of(session, school_id, class_id)
    if local_day(now) < last_of(month):
        raise Refused(f"Tháng {month:%m/%Y} chưa hết; chốt {group.name} từ ngày {last_of(month):%d/%m/%Y}.")
    name = {"name": f"attendance {class_id} {month}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)
    done = closed_classes(session, school_id, month).get(class_id)
    if done is not None:
        return done
    row = AttendanceMonth(class_id=class_id, month=month, school_id=school_id, closed_by=closer, closed_at=now)
    session.add(row)
    session.flush()
    record_deed(
        session, actor, Deed(school_id, "attendance.close", "class", str(class_id)), now, month=f"{month:%Y-%m}"
    )
    return row


def class_months(session: Session, school_id: UUID, month: date) -> list[ClassMonth]:
    """Return the school's classes of a month, by grade and name, each with its closing if there is one."""
    closed = closed_classes(session, school_id, month)
    return [ClassMonth(group, closed.get(group.id)) for group in classes_in(session, school_id, month)]


def set_day_off(  # noqa: PLR0913, PLR0917  as above
    session: Session, school_id: UUID, actor: Actor, day: date, reason: str, now: datetime
) -> bool:
    """Enter a day off of the whole school; false if it stands already.

    It may lie in a closed month (what was billed for it is the next settling's). Raises ``Refused`` without a reason
    and for a day more than a year away.
    """
    maker = person(actor)
    if is_blank(reason):
        raise Refused("Hãy ghi lý do nghỉ, ví dụ “Nghỉ bão theo thông báo của Sở”.")
    if abs((day - local_day(now)).days) > MOST_DAYS_AWAY:
        raise Refused(f"Ngày {day:%d/%m/%Y} quá xa hôm nay. Hãy kiểm tra lại năm.")
    if _live(session, school_id, day) is not None:
        return False
    session.add(SchoolDayOff(school_id=school_id, day=day, reason=reason.strip(), made_by=maker, made_at=now))
    session.flush()
    deed = Deed(school_id, "attendance.day_off", "school", str(school_id), reason.strip())
    record_deed(session, actor, deed, now, day=day.isoformat())
    return True


def cancel_day_off(session: Session, school_id: UUID, actor: Actor, day: date, now: datetime) -> None:
    """Take a day off back; raises ``NotFound`` when there is none, ``Conflict`` once a class closed that month."""
    row = _live(session, school_id, day)
    if row is None:
        raise NotFound(f"Ngày {day:%d/%m/%Y} không phải ngày nghỉ. Hãy tải lại trang.")
    if closed_classes(session, school_id, day.replace(day=1)):
        raise Conflict(f"Đã có lớp chốt tháng {day:%m/%Y} nên không bỏ ngày nghỉ {day:%d/%m/%Y} được nữa.")
    row.cancelled_by, row.cancelled_at = person(actor), now
    session.add(row)
    session.flush()
    record_deed(
        session, actor, Deed(school_id, "attendance.day_on", "school", str(school_id)), now, day=day.isoformat()
    )


def set_cutoff(session: Session, school_id: UUID, actor: Actor, cutoff: time, now: datetime) -> bool:
    """Set the hour until which the kitchen can be told; false if it is so. What was ticked before keeps its worth."""
    person(actor)
    school = session.exec(select(School).where(School.id == school_id)).one()
    if school.meal_cutoff == cutoff:
        return False
    was, school.meal_cutoff = school.meal_cutoff, cutoff
    session.add(school)
    session.flush()
    deed = Deed(school_id, "attendance.cutoff", "school", str(school_id))
    record_deed(session, actor, deed, now, was=f"{was:%H:%M}", cutoff=f"{cutoff:%H:%M}")
    return True


def _live(session: Session, school_id: UUID, day: date) -> SchoolDayOff | None:
    return session.exec(
        select(SchoolDayOff).where(
            SchoolDayOff.school_id == school_id, SchoolDayOff.day == day, col(SchoolDayOff.cancelled_at).is_(None)
        )
    ).one_or_none()
