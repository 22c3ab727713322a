"""Ticking who is absent: a whole class's day by its teacher, single days by the office; until the month is closed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.attendance.days import first_of, is_in_time, local_day, refuse_day
from billing.attendance.reading import absences_on, class_of, closed_classes, days_off, members_on
from billing.attendance.tables import Absence
from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotAllowed, NotFound, Refused
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, School
from billing.visible import is_blank

NOT_OF_CLASS = "Có học sinh không thuộc lớp này trong ngày đã chọn. Hãy tải lại danh sách lớp."


@dataclass(frozen=True, slots=True)
class Ticked:
    """What a tick changed: absences entered and taken back, and how many of the new ones came after the cut-off."""

    entered: int
    withdrawn: int
    too_late: int

    def __bool__(self) -> bool:
        return bool(self.entered or self.withdrawn)


@dataclass(frozen=True, slots=True)
class OfficeAbsence:
    """One day of one pupil as the office enters it; ``credited``: the meal is not charged."""

    enrolment_id: UUID
    day: date
    reason: str
    credited: bool = True


def tick_day(  # noqa: PLR0913, PLR0917  whose class, which day, who
    session: Session, school_id: UUID, actor: Actor, class_id: UUID, day: date, absent: Collection[UUID], now: datetime
) -> Ticked:
    """Make these pupils of a class, and no others, absent on a day; the same again changes nothing.

    New absences are credited when it is before the school's cut-off hour of that day; what the office entered stays.
    Raises ``NotFound`` for a class of another school, ``Refused`` for a day off, a day too far ahead or pupils who are
    not in the class on that day, ``Conflict`` when the class's month is closed.
    """
    teacher = person(actor)
    group = class_of(session, school_id, class_id)
    _hold_month(session, class_id, day)
    _refuse_closed(session, school_id, class_id, day, group.name)
    refuse_day(day, local_day(now), days_off(session, school_id, day, day))
    wanted = set(absent)
    strangers = wanted - {member.enrolment_id for member in members_on(session, school_id, class_id, day)}
    if strangers:
        raise Refused(_why_not_there(session, group, strangers, day))
    there = absences_on(session, school_id, class_id, day)
    gone = [row for enrolment, row in there.items() if enrolment not in wanted and row.entered_by == "teacher"]
    for row in gone:
        row.withdrawn_by, row.withdrawn_at = teacher, now
        session.add(row)
    session.flush()
    in_time = is_in_time(day, now, cutoff_of(session, school_id))
    new = sorted(wanted - set(there))
    session.add_all(
        Absence(
            school_id=school_id,
            enrolment_id=enrolment,
            class_id=class_id,
            day=day,
            credited=in_time,
            entered_by="teacher",
            made_by=teacher,
            made_at=now,
        )
        for enrolment in new
    )
    session.flush()
    done = Ticked(len(new), len(gone), 0 if in_time else len(new))
    if done:
        deed = Deed(school_id, "attendance.tick", "class", str(class_id))
        record_deed(
            session, actor, deed, now, day=day.isoformat(), absent=len(wanted), new=len(new), taken_back=len(gone)
        )
    return done


def enter_absences(
    session: Session, school_id: UUID, actor: Actor, absences: Collection[OfficeAbsence], now: datetime
) -> int:
    """Write what the office knows (a list, a doctor's note), also into closed months; return how many are new.

    A day that the teacher ticked too late becomes credited when the office says so. Raises ``Refused`` without a
    reason, for a day off, or when the pupil is in no class on the day; ``NotFound`` for a pupil of another school.
    """
    maker = person(actor)
    entered = sum(_enter(session, school_id, maker, each, now) for each in sorted(absences, key=_place))
    if entered:
        deed = Deed(school_id, "attendance.enter", "school", str(school_id))
        record_deed(session, actor, deed, now, days=entered)
    return entered


def withdraw_absence(session: Session, school_id: UUID, actor: Actor, absence_id: int, now: datetime) -> None:
    """Take one absence back; raises ``Conflict`` when its month is closed, since it may have been credited."""
    row = session.exec(select(Absence).where(Absence.school_id == school_id, Absence.id == absence_id)).one_or_none()
    if row is None or row.withdrawn_at is not None:
        raise NotFound("Ngày vắng này không còn. Hãy tải lại trang.")
    _hold_month(session, row.class_id, row.day)
    _refuse_closed(session, school_id, row.class_id, row.day, class_of(session, school_id, row.class_id).name)
    row.withdrawn_by, row.withdrawn_at = person(actor), now
    session.add(row)
    session.flush()
    deed = Deed(school_id, "attendance.withdraw", "absence", str(absence_id))
    record_deed(session, actor, deed, now, day=row.day.isoformat())


def person(actor: Actor) -> UUID:
    """Return who acts; raises ``NotAllowed`` for the system: a person answers for who was there."""
    if actor.user_id is None:
        raise NotAllowed("Điểm danh phải do một người có tên thực hiện.")
    return actor.user_id


def cutoff_of(session: Session, school_id: UUID) -> time:
    """Return the hour until which the kitchen can be told."""
    return session.exec(select(col(School.meal_cutoff)).where(School.id == school_id)).one()


def _enter(session: Session, school_id: UUID, maker: UUID, absence: OfficeAbsence, now: datetime) -> bool:
    if is_blank(absence.reason):
        raise Refused("Hãy ghi lý do, ví dụ “Giấy bác sĩ ngày 06/10”.")
    refuse_day(absence.day, local_day(now), days_off(session, school_id, absence.day, absence.day))
    class_id = _class_on(session, school_id, absence)
    _hold_month(session, class_id, absence.day)
    live = absences_on(session, school_id, class_id, absence.day).get(absence.enrolment_id)
    closed = class_id in closed_classes(session, school_id, first_of(absence.day))
    if live is not None:
        if live.credited or not absence.credited:
            return False
        live.withdrawn_by, live.withdrawn_at = maker, now
        session.add(live)
        session.flush()
    session.add(
        Absence(
            school_id=school_id,
            enrolment_id=absence.enrolment_id,
            class_id=class_id,
            day=absence.day,
            credited=absence.credited,
            after_close=closed,
            entered_by="office",
            reason=absence.reason.strip(),
            made_by=maker,
            made_at=now,
        )
    )
    session.flush()
    return True


def _class_on(session: Session, school_id: UUID, absence: OfficeAbsence) -> UUID:
    row = session.exec(
        select(col(ClassPlacement.class_id))
        .join(Enrolment, col(Enrolment.id) == col(ClassPlacement.enrolment_id))
        .where(
            ClassPlacement.school_id == school_id,
            ClassPlacement.enrolment_id == absence.enrolment_id,
            col(ClassPlacement.valid_from) <= absence.day,
            (col(ClassPlacement.valid_to).is_(None)) | (col(ClassPlacement.valid_to) >= absence.day),
            col(Enrolment.started_on) <= absence.day,
            (col(Enrolment.ended_on).is_(None)) | (col(Enrolment.ended_on) >= absence.day),
        )
    ).first()
    if row is None:
        raise Refused(
            f"Học sinh không học lớp nào của trường vào ngày {absence.day:%d/%m/%Y} (chưa vào học hoặc đã nghỉ)."
        )
    return row


def _place(absence: OfficeAbsence) -> tuple[date, UUID]:
    return absence.day, absence.enrolment_id


def _why_not_there(session: Session, group: ClassGroup, strangers: Collection[UUID], day: date) -> str:
    """Say who of these is not in a class on a day and since when; of whoever never was in it nothing is told."""
    row = session.exec(
        select(Pupil.full_name, ClassPlacement, Enrolment)
        .join(Enrolment, col(Enrolment.pupil_id) == col(Pupil.id))
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .where(
            ClassPlacement.school_id == group.school_id,
            ClassPlacement.class_id == group.id,
            col(Enrolment.id).in_(strangers),
        )
        .order_by(col(Pupil.full_name), col(ClassPlacement.valid_from).desc())
    ).first()
    if row is None:
        return NOT_OF_CLASS
    name, placement, enrolment = row
    first = max(placement.valid_from, enrolment.started_on)
    last = min(each for each in (placement.valid_to, enrolment.ended_on, date.max) if each is not None)
    said = f"chưa vào lớp (vào từ {first:%d/%m/%Y})" if day < first else f"đã rời lớp (học đến {last:%d/%m/%Y})"
    return f"Ngày {day:%d/%m/%Y} em {name} {said} nên không điểm danh. Hãy tải lại danh sách lớp."


def _hold_month(session: Session, class_id: UUID, day: date) -> None:
    """Wait while somebody closes the class's month, and let nobody close it until the end of this transaction."""
    name = {"name": f"attendance {class_id} {first_of(day)}"}
    session.execute(text("SELECT pg_advisory_xact_lock_shared(hashtextextended(:name, 0))"), name)


def _refuse_closed(session: Session, school_id: UUID, class_id: UUID, day: date, name: str) -> None:
    if class_id in closed_classes(session, school_id, first_of(day)):
        raise Conflict(
            f"Tháng {day:%m/%Y} của {name} đã chốt nên không sửa được nữa. Hãy báo văn phòng ghi bổ sung kèm lý do."
        )
