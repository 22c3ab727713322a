"""What is known of attendance, read set-wise: a class's pupils on a day, absences, closed months, days off."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, cast, func
from sqlalchemy import Date as SqlDate
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, or_, select

from billing.attendance.days import last_of
from billing.attendance.tables import Absence, AttendanceMonth, ClassTeacher, SchoolDayOff
from billing.errors import NotFound
from billing.people.names import sort_key
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil


@dataclass(frozen=True, slots=True)
class Member:
    """A pupil who belongs to a class on a day."""

    enrolment_id: UUID
    pupil_id: UUID
    full_name: str
    started_on: date
    ended_on: date | None


def class_of(session: Session, school_id: UUID, class_id: UUID) -> ClassGroup:
    """Return a class of the school; raises ``NotFound`` outside it."""
    found = session.exec(
        select(ClassGroup).where(ClassGroup.school_id == school_id, ClassGroup.id == class_id)
    ).one_or_none()
    if found is None:
        raise NotFound("Trường không có lớp này. Hãy mở lại danh sách lớp.", class_id=str(class_id))
    return found


def members_on(session: Session, school_id: UUID, class_id: UUID, day: date) -> list[Member]:
    """Return who belongs to a class on a day, in the order of Vietnamese names."""
    rows = session.exec(
        select(Enrolment, Pupil)
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .where(
            ClassPlacement.school_id == school_id,
            ClassPlacement.class_id == class_id,
            *_holds(day, col(ClassPlacement.valid_from), col(ClassPlacement.valid_to)),
            *_holds(day, col(Enrolment.started_on), col(Enrolment.ended_on)),
        )
    ).all()
    members = [Member(each.id, pupil.id, pupil.full_name, each.started_on, each.ended_on) for each, pupil in rows]
    return sorted(members, key=lambda each: (sort_key(each.full_name), each.enrolment_id))


def absences_on(session: Session, school_id: UUID, class_id: UUID, day: date) -> dict[UUID, Absence]:
    """Return the live absences of a class on a day, by enrolment."""
    rows = session.exec(
        select(Absence).where(
            Absence.school_id == school_id,
            Absence.class_id == class_id,
            Absence.day == day,
            col(Absence.withdrawn_at).is_(None),
        )
    ).all()
    return {row.enrolment_id: row for row in rows}


def days_off(session: Session, school_id: UUID, first: date, last: date) -> dict[date, str]:
    """Return the school's days off within some days, with their reasons."""
    rows = session.exec(
        select(SchoolDayOff)
        .where(
            SchoolDayOff.school_id == school_id,
            col(SchoolDayOff.day).between(first, last),
            col(SchoolDayOff.cancelled_at).is_(None),
        )
        .order_by(col(SchoolDayOff.day))
    ).all()
    return {row.day: row.reason for row in rows}


def settled_absences(session: Session, school_id: UUID, first: date, last: date) -> dict[UUID, frozenset[date]]:
    """Return by enrolment the days whose meal is not charged: credited, and of a class whose month is closed."""
    rows = session.exec(
        select(col(Absence.enrolment_id), col(Absence.day))
        .join(
            AttendanceMonth,
            (col(AttendanceMonth.class_id) == col(Absence.class_id))
            & (col(AttendanceMonth.month) == cast(func.date_trunc("month", col(Absence.day)), SqlDate)),
        )
        .where(
            Absence.school_id == school_id,
            col(Absence.day).between(first, last),
            col(Absence.withdrawn_at).is_(None),
            col(Absence.credited).is_(True),
        )
    ).all()
    found: dict[UUID, set[date]] = defaultdict(set)
    for enrolment, day in rows:
        found[enrolment].add(day)
    return {enrolment: frozenset(days) for enrolment, days in found.items()}


def closed_classes(session: Session, school_id: UUID, month: date) -> dict[UUID, AttendanceMonth]:
    """Return the classes whose month is closed, with who closed it."""
    rows = session.exec(
        select(AttendanceMonth).where(AttendanceMonth.school_id == school_id, AttendanceMonth.month == month)
    ).all()
    return {row.class_id: row for row in rows}


def classes_in(session: Session, school_id: UUID, month: date) -> list[ClassGroup]:
    """Return the classes that had a pupil in a month, by grade and name."""
    lived = (
        select(ClassPlacement.class_id)
        .where(
            ClassPlacement.school_id == school_id,
            col(ClassPlacement.valid_from) <= last_of(month),
            or_(col(ClassPlacement.valid_to).is_(None), col(ClassPlacement.valid_to) >= month),
        )
        .distinct()
    )
    rows = session.exec(
        select(ClassGroup).where(ClassGroup.school_id == school_id, col(ClassGroup.id).in_(lived))
    ).all()
    return sorted(rows, key=lambda group: (group.level, group.grade, group.code))


def classes_of_teacher(session: Session, school_id: UUID, user_id: UUID, day: date) -> list[ClassGroup]:
    """Return the classes that somebody teaches on a day, by grade and name."""
    rows = session.exec(
        select(ClassGroup)
        .join(ClassTeacher, col(ClassTeacher.class_id) == col(ClassGroup.id))
        .where(
            ClassTeacher.school_id == school_id,
            ClassTeacher.user_id == user_id,
            *_holds(day, col(ClassTeacher.valid_from), col(ClassTeacher.valid_to)),
        )
        .distinct()
    ).all()
    return sorted(rows, key=lambda group: (group.level, group.grade, group.code))


def month_absences(session: Session, school_id: UUID, class_id: UUID, month: date) -> list[Absence]:
    """Return a class's live absences of a month, by day."""
    return list(
        session.exec(
            select(Absence)
            .where(
                Absence.school_id == school_id,
                Absence.class_id == class_id,
                col(Absence.day).between(month, last_of(month)),
                col(Absence.withdrawn_at).is_(None),
            )
            .order_by(col(Absence.day), col(Absence.id))
        ).all()
    )


def closings(session: Session, school_id: UUID, first: date, last: date) -> dict[tuple[UUID, date], AttendanceMonth]:
    """Return the closed months between two months (their first days), by class and month."""
    rows = session.exec(
        select(AttendanceMonth).where(
            AttendanceMonth.school_id == school_id, col(AttendanceMonth.month).between(first, last)
        )
    ).all()
    return {(row.class_id, row.month): row for row in rows}


def absence_counts(session: Session, school_id: UUID, first: date, last: date) -> dict[tuple[UUID, date], int]:
    """Return how many days pupils were absent, by class and month (its first day)."""
    month = cast(func.date_trunc("month", col(Absence.day)), SqlDate)
    rows = session.exec(
        select(col(Absence.class_id), month, func.count())
        .where(
            Absence.school_id == school_id,
            col(Absence.day).between(first, last_of(last)),
            col(Absence.withdrawn_at).is_(None),
        )
        .group_by(col(Absence.class_id), month)
    ).all()
    return {(class_id, start): count for class_id, start, count in rows}


def teachers_on(session: Session, school_id: UUID, day: date) -> list[ClassTeacher]:
    """Return who teaches which class on a day or from a later one on, earliest first."""
    rows = session.exec(
        select(ClassTeacher)
        .where(
            ClassTeacher.school_id == school_id,
            or_(col(ClassTeacher.valid_to).is_(None), col(ClassTeacher.valid_to) >= day),
        )
        .order_by(col(ClassTeacher.valid_from), col(ClassTeacher.id))
    ).all()
    return list(rows)


def members_by_class(session: Session, school_id: UUID, day: date) -> dict[UUID, dict[UUID, str]]:
    """Return who belongs to each class of the school on a day: names by enrolment, by class."""
    rows = session.exec(
        select(col(ClassPlacement.class_id), col(Enrolment.id), col(Pupil.full_name))
        .join(Enrolment, col(Enrolment.id) == col(ClassPlacement.enrolment_id))
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .where(
            ClassPlacement.school_id == school_id,
            *_holds(day, col(ClassPlacement.valid_from), col(ClassPlacement.valid_to)),
            *_holds(day, col(Enrolment.started_on), col(Enrolment.ended_on)),
        )
    ).all()
    found: dict[UUID, dict[UUID, str]] = defaultdict(dict)
    for class_id, enrolment_id, name in rows:
        found[class_id][enrolment_id] = name
    return found


def away_on(session: Session, school_id: UUID, day: date) -> frozenset[UUID]:
    """Return the enrolments that are absent on a day as things stand now."""
    rows = session.exec(
        select(col(Absence.enrolment_id)).where(
            Absence.school_id == school_id, Absence.day == day, col(Absence.withdrawn_at).is_(None)
        )
    ).all()
    return frozenset(rows)


def called_off(session: Session, school_id: UUID, day: date, at: datetime) -> frozenset[UUID]:
    """Return the enrolments that had been called off for a day by a moment; what was changed later does not count."""
    rows = session.exec(
        select(col(Absence.enrolment_id)).where(
            Absence.school_id == school_id,
            Absence.day == day,
            col(Absence.made_at) <= at,
            or_(col(Absence.withdrawn_at).is_(None), col(Absence.withdrawn_at) > at),
        )
    ).all()
    return frozenset(rows)


def _holds(day: date, start: Mapped[date], end: Mapped[date | None]) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return start <= day, or_(end.is_(None), end >= day)
