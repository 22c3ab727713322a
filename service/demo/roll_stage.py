"""The stage of attendance: a class teacher of every school ticks September, so that the office finds a month to close.

Each school's class is one transaction; where absences stand already, nothing is done again.
"""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from sqlmodel import Session

from billing.attendance.days import VIET_NAM
from billing.attendance.reading import classes_in, members_on, month_absences
from billing.attendance.teaching import give_class
from billing.attendance.ticking import tick_day
from billing.audit.recording import Actor
from billing.people.tables import ClassGroup
from service.database import Scope
from service.demo.billing_stage import SEPTEMBER, school_id_of
from service.demo.moving_in import YEAR_STARTS, staff_of, teacher_login
from service.demo.schools import DemoSchool
from service.demo.stage import Stage
from service.setting_up import find_user

FIRST_DAY = date(2025, 9, 8)
_IN_TIME, _TOO_LATE = time(7, 10), time(8, 30)
_EVERY_CHILD, _LATE_DAY = 13, 5  # about one child in thirteen is away; every fifth day it is told too late


def tick_september(stage: Stage) -> None:
    """Give each school's first class to its teacher and tick who was absent in September."""
    with stage.progress("Tháng 9: điểm danh", len(stage.schools)) as bar:
        for school in stage.schools:
            school_id = school_id_of(stage, school)
            with stage.wiring.database.transaction(Scope.of(school_id)) as session:
                _tick(session, stage, school, school_id)
            bar.update()


def _tick(session: Session, stage: Stage, school: DemoSchool, school_id: UUID) -> None:
    user = find_user(session, teacher_login(school))
    classes = classes_in(session, school_id, SEPTEMBER.first)
    if user is None or not classes or month_absences(session, school_id, classes[0].id, SEPTEMBER.first):
        return
    office, now = staff_of(session, school).accountant, stage.wiring.clock()
    give_class(session, school_id, office, classes[0].id, user.id, YEAR_STARTS, now)
    teacher = Actor(user.id, "class_teacher")
    for number, day in enumerate(sorted(SEPTEMBER.meal_days)):
        if day >= FIRST_DAY:
            hour = _TOO_LATE if number % _LATE_DAY == 0 else _IN_TIME
            at = datetime.combine(day, hour, VIET_NAM)
            tick_day(session, school_id, teacher, classes[0].id, day, _away(session, classes[0], day, number), at)


def _away(session: Session, group: ClassGroup, day: date, number: int) -> list[UUID]:
    """Return who is away on a day, by the place in the list: no random id decides."""
    members = members_on(session, group.school_id, group.id, day)
    return [each.enrolment_id for place, each in enumerate(members) if (place + number) % _EVERY_CHILD == 0]
