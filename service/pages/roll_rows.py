"""A teacher's own classes on rows, in the shapes of the pages. No table of money is read here."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from billing.attendance.closing import close_month
from billing.attendance.days import VIET_NAM, first_of, is_in_time, last_of, month_from
from billing.attendance.month import codes_of
from billing.attendance.reading import (
    absences_on,
    classes_in,
    classes_of_teacher,
    closings,
    days_off,
    members_on,
)
from billing.attendance.tables import Absence, AttendanceMonth
from billing.attendance.ticking import Ticked, cutoff_of, tick_day
from billing.audit.recording import Actor
from billing.errors import NotFound
from billing.people.tables import ClassGroup
from service.access.tables import User
from service.pages.attendance_views import ClosedMonth, RollPage, RollPupil, TypedRoll
from service.pages.typed import read_id


def roll_page(  # noqa: PLR0913, PLR0917  whose class, which day
    session: Session, school_id: UUID, teacher: UUID, class_id: str, day: date, now: datetime
) -> RollPage:
    """Return a class of the teacher on a day; the first one unless named; raises ``NotFound`` for anybody else's."""
    today = now.astimezone(VIET_NAM).date()
    mine = classes_of_teacher(session, school_id, teacher, today)
    choices = tuple((str(each.id), each.name) for each in mine)
    if not mine and not class_id:
        return RollPage(choices)
    group = _own(mine, class_id)
    cutoff = cutoff_of(session, school_id)
    months = _months(session, group, today)
    return RollPage(
        classes=choices,
        class_id=str(group.id),
        class_name=group.name,
        day=day,
        today=today,
        pupils=_pupils(session, group, day),
        cutoff=f"{cutoff.hour}:{cutoff.minute:02}",
        in_time=is_in_time(day, now, cutoff),
        day_off=days_off(session, school_id, day, day).get(day, ""),
        closed=_closed(session, group, first_of(day)),
        months=months,
    )


def take_roll(session: Session, school_id: UUID, actor: Actor, typed: TypedRoll, now: datetime) -> Ticked:
    """Write down what a teacher changed on the page; what somebody else ticked meanwhile stays."""
    group = _own_of(session, school_id, actor, typed.class_id, now)
    ticked, shown = set(map(read_id, typed.absent)), set(map(read_id, typed.shown))
    there = set(absences_on(session, school_id, group.id, typed.day))
    wanted = (there - (shown - ticked)) | (ticked - shown)
    return tick_day(session, school_id, actor, group.id, typed.day, wanted, now)


def close_own_month(  # noqa: PLR0913, PLR0917  whose month, by whom
    session: Session, school_id: UUID, actor: Actor, class_id: UUID, month: str, now: datetime
) -> AttendanceMonth:
    """Close a month of an own class."""
    group = _own_of(session, school_id, actor, str(class_id), now)
    return close_month(session, school_id, actor, group.id, month_from(month), now)


def _own_of(session: Session, school_id: UUID, actor: Actor, class_id: str, now: datetime) -> ClassGroup:
    today = now.astimezone(VIET_NAM).date()
    teacher = actor.user_id
    return _own(classes_of_teacher(session, school_id, teacher, today) if teacher else [], class_id)


def _own(mine: list[ClassGroup], class_id: str) -> ClassGroup:
    for group in mine:
        if class_id in {"", str(group.id)}:
            return group
    raise NotFound("Anh/chị không phụ trách lớp này. Xin nhờ văn phòng phân lớp, rồi tải lại trang.")


def _pupils(session: Session, group: ClassGroup, day: date) -> tuple[RollPupil, ...]:
    members = members_on(session, group.school_id, group.id, day)
    away = absences_on(session, group.school_id, group.id, day)
    names = Counter(each.full_name for each in members)
    codes = codes_of(session, [each.pupil_id for each in members if names[each.full_name] > 1])
    return tuple(
        _pupil(str(each.enrolment_id), each.full_name, codes.get(each.pupil_id, ""), away.get(each.enrolment_id))
        for each in members
    )


def _pupil(enrolment_id: str, name: str, note: str, away: Absence | None) -> RollPupil:
    if away is None:
        return RollPupil(enrolment_id, name, note)
    return RollPupil(enrolment_id, name, note, absent=True, in_time=away.credited, fixed=away.entered_by == "office")


def _months(session: Session, group: ClassGroup, today: date) -> tuple[ClosedMonth, ...]:
    """Return the last month and this one, as far as the class had pupils then."""
    this = first_of(today)
    last = first_of(this - timedelta(days=1))
    lived = [month for month in (last, this) if group.id in {g.id for g in classes_in(session, group.school_id, month)}]
    return tuple(month_state(session, group, month, today) for month in lived)


def _closed(session: Session, group: ClassGroup, month: date) -> ClosedMonth | None:
    state = month_state(session, group, month, month)
    return state if state.closed_at else None


def month_state(session: Session, group: ClassGroup, month: date, today: date) -> ClosedMonth:
    """Return whether a class's month is closed, by whom, and whether it can be by now."""
    row = closings(session, group.school_id, month, month).get((group.id, month))
    if row is None:
        return ClosedMonth(month, can_close=today >= last_of(month))
    return ClosedMonth(month, name_of(session, row.closed_by), row.closed_at)


def name_of(session: Session, user_id: UUID) -> str:
    """Return the name of a member of staff."""
    user = session.get(User, user_id)
    return user.full_name if user else "?"
