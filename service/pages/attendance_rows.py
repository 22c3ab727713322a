"""Attendance in the office on rows, in the shapes of the pages: months by class, the grid, days off, teachers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from billing.attendance import teaching
from billing.attendance.days import first_of, last_of, month_from
from billing.attendance.marking import Wanted, mark_days
from billing.attendance.marks import MARK_NAMES, Mark, MonthPupil, MonthSheet
from billing.attendance.month import month_sheet
from billing.attendance.reading import (
    absence_counts,
    class_of,
    classes_in,
    closings,
    teachers_on,
)
from billing.attendance.tables import ClassTeacher, SchoolDayOff
from billing.attendance.ticking import cutoff_of
from billing.audit.recording import Actor
from billing.errors import Refused
from billing.fees.kitchen import kitchen_count
from billing.people.tables import ClassGroup, ClassPlacement
from service.access.staff import people_with
from service.access.tables import User
from service.pages.attendance_views import (
    ClassMonths,
    ClassState,
    DayOff,
    GridCell,
    GridPage,
    GridRow,
    KitchenClass,
    KitchenPage,
    MonthsPage,
    TeacherRow,
    TeachersPage,
    TypedMarks,
)
from service.pages.item_rows import running_year
from service.pages.roll_rows import month_state, name_of
from service.pages.typed import read_id, school_day

_MOST_MONTHS = 12


def months_page(session: Session, school_id: UUID, now: datetime) -> MonthsPage:
    """Return classes by month, from the year's first pupil to this month."""
    today = school_day(now)
    months = _months(session, school_id, today)
    closed = closings(session, school_id, months[0], months[-1])
    counts = absence_counts(session, school_id, months[0], months[-1])
    lived = {month: {group.id for group in classes_in(session, school_id, month)} for month in months}
    names = {row.closed_by: name_of(session, row.closed_by) for row in closed.values()}
    teachers = _teacher_names(session, school_id, today)
    classes = []
    for group in _classes(session, school_id, today):
        states = []
        for month in months:
            row = closed.get((group.id, month))
            count, empty = counts.get((group.id, month), 0), group.id not in lived[month]
            by, at = (names[row.closed_by], row.closed_at) if row else ("", None)
            states.append(ClassState(month, count, by, at, empty))
        classes.append(ClassMonths(str(group.id), group.code, tuple(teachers[group.id]), tuple(states)))
    unfinished = tuple(
        (each.class_id, each.code, state.month)
        for place, month in enumerate(months)
        if last_of(month) <= today
        for each in classes
        if not (state := each.months[place]).empty and state.closed_at is None
    )
    return MonthsPage(months, tuple(classes), unfinished, f"{cutoff_of(session, school_id):%H:%M}")


def grid_page(session: Session, school_id: UUID, class_id: UUID, month_text: str, now: datetime) -> GridPage:
    """Return a class's month, pupil by day."""
    today = school_day(now)
    month = month_from(month_text) if month_text else first_of(today)
    sheet = month_sheet(session, school_id, class_id, month, today)
    group = class_of(session, school_id, class_id)
    others = tuple((str(each.id), each.code) for each in classes_in(session, school_id, month) if each.id != class_id)
    return GridPage(
        class_id=str(class_id),
        code=sheet.class_code,
        month=month,
        days=sheet.days,
        days_off=tuple(sorted(sheet.days_off.items())),
        rows=tuple(_grid_row(sheet, pupil) for pupil in sheet.pupils),
        state=month_state(session, group, month, today),
        others=others,
    )


def mark_cells(session: Session, school_id: UUID, actor: Actor, typed: TypedMarks, now: datetime) -> int:
    """Write one mark into the ticked cells of a class's month; return how many changed."""
    if not typed.cells:
        raise Refused("Chưa đánh dấu ô nào. Xin đánh dấu ngày của học sinh rồi bấm lại.")
    if typed.mark not in set(Mark):
        raise Refused("Xin chọn vắng có phép, vắng, hoặc có mặt.")
    mark, month = Mark(typed.mark), month_from(typed.month)
    wanted = [Wanted(*_cell_of(cell), mark, typed.reason) for cell in typed.cells]
    done = mark_days(session, school_id, actor, read_id(typed.class_id), month, wanted, now)
    return done.entered + done.withdrawn


def days_off_rows(session: Session, school_id: UUID, now: datetime) -> tuple[DayOff, ...]:
    """Return the days off of a year back and all to come, latest first."""
    since = school_day(now).replace(day=1)
    since = since.replace(year=since.year - 1)
    rows = session.exec(
        select(SchoolDayOff)
        .where(
            SchoolDayOff.school_id == school_id,
            col(SchoolDayOff.cancelled_at).is_(None),
            col(SchoolDayOff.day) >= since,
        )
        .order_by(col(SchoolDayOff.day).desc())
    ).all()
    closed = {month for _, month in closings(session, school_id, since, date.max.replace(day=1))}
    return tuple(
        DayOff(row.day, row.reason, name_of(session, row.made_by), row.made_at, first_of(row.day) in closed)
        for row in rows
    )


def read_hour(text: str) -> time:
    """Read ``08:00``; raises ``Refused`` for anything else."""
    try:
        return time.fromisoformat(text.strip()).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError as error:
        raise Refused(f"“{text.strip()}” không phải giờ. Ghi như 08:00.") from error


def teachers_page(session: Session, school_id: UUID, now: datetime) -> TeachersPage:
    """Return who teaches which class, and who could."""
    today = school_day(now)
    groups = {group.id: group for group in _classes(session, school_id, today)}
    rows = [row for row in teachers_on(session, school_id, today) if row.class_id in groups]
    people = people_with(session, school_id, "class_teacher", today)
    taught = {row.class_id for row in rows}
    shown = sorted(rows, key=lambda row: list(groups).index(row.class_id))
    return TeachersPage(
        rows=tuple(_teacher_row(session, groups[row.class_id], row) for row in shown),
        classes=tuple((str(group.id), group.code) for group in groups.values()),
        users=tuple((str(user.id), f"{user.full_name} ({user.login})") for user in people),
        without=tuple(group.code for group in groups.values() if group.id not in taught),
    )


def give_class(  # noqa: PLR0913, PLR0917  who teaches what from when, and who says so
    session: Session, school_id: UUID, actor: Actor, class_id: str, user_id: str, since: date, now: datetime
) -> bool:
    """Let a class teacher of this school tick a class from a day on; false if it was so."""
    teacher = read_id(user_id)
    if teacher not in {user.id for user in people_with(session, school_id, "class_teacher", school_day(now))}:
        raise Refused("Người này không có vai trò giáo viên chủ nhiệm ở trường. Hãy nhờ quản trị hệ thống cấp quyền.")
    return teaching.give_class(session, school_id, actor, read_id(class_id), teacher, since, now)


def kitchen_page(session: Session, school_id: UUID, school: str, day: date, now: datetime) -> KitchenPage:
    """Return a day's portions."""
    count = kitchen_count(session, school_id, day, now)
    cutoff = cutoff_of(session, school_id)
    return KitchenPage(
        school=school,
        day=day,
        at=count.at,
        final=count.final,
        cutoff=f"{cutoff.hour}:{cutoff.minute:02}",
        day_off=count.day_off,
        meals=count.meals,
        classes=tuple(
            KitchenClass(each.group.code, each.pupils, each.called_off, each.portions, each.too_late)
            for each in count.classes
        ),
        totals=count.totals,
    )


def _months(session: Session, school_id: UUID, today: date) -> tuple[date, ...]:
    """Return the months of the latest school year that have begun, at most twelve; at least this one."""
    first: date | None = session.exec(
        select(func.min(ClassPlacement.valid_from))
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(ClassPlacement.school_id == school_id, ClassGroup.school_year == running_year(session, school_id, today))
    ).one()
    months = [first_of(today)]
    while first is not None and months[0] > first_of(first) and len(months) < _MOST_MONTHS:
        months.insert(0, first_of(date.fromordinal(months[0].toordinal() - 1)))
    return tuple(months)


def _classes(session: Session, school_id: UUID, today: date) -> list[ClassGroup]:
    rows = session.exec(
        select(ClassGroup)
        .where(ClassGroup.school_id == school_id, ClassGroup.school_year == running_year(session, school_id, today))
        .order_by(col(ClassGroup.grade), col(ClassGroup.code))
    ).all()
    return list(rows)


def _teacher_names(session: Session, school_id: UUID, today: date) -> Mapping[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    for row in teachers_on(session, school_id, today):
        if row.valid_from <= today:
            found[row.class_id].append(name_of(session, row.user_id))
    return found


def _grid_row(sheet: MonthSheet, pupil: MonthPupil) -> GridRow:
    shown = [pupil.away[day].mark for day in sheet.days if sheet.mark_on(pupil, day) and day in pupil.away]
    return GridRow(
        enrolment_id=str(pupil.enrolment_id),
        name=pupil.full_name,
        code=pupil.code,
        cells=tuple(_cell(sheet, pupil, day) for day in sheet.days),
        credited=shown.count(Mark.EXCUSED),
        late=shown.count(Mark.ABSENT),
    )


def _cell(sheet: MonthSheet, pupil: MonthPupil, day: date) -> GridCell:
    mark = sheet.mark_on(pupil, day)
    can = pupil.belongs(day) and day not in sheet.days_off
    away = pupil.away.get(day)
    told = MARK_NAMES[mark] if mark else ""
    if away and away.by_office:
        told = f"{told}; văn phòng ghi: {away.reason}"
    return GridCell(day, str(mark or ""), can, told)


def _cell_of(text: str) -> tuple[UUID, date]:
    enrolment, _, day = text.partition("_")
    try:
        return read_id(enrolment), date.fromisoformat(day)
    except ValueError as error:
        raise Refused("Ô này không còn. Xin tải lại trang rồi chọn lại.") from error


def _teacher_row(session: Session, group: ClassGroup, row: ClassTeacher) -> TeacherRow:
    user = session.get(User, row.user_id)
    name, login = (user.full_name, user.login) if user else ("?", "")
    return TeacherRow(str(group.id), group.code, str(row.user_id), name, login, row.valid_from, row.valid_to)
