"""The classes of a new year, proposed from those of the year before and made once, whoever asks how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Refused
from billing.fees.grades import GRADES, PRESCHOOL_GRADES, first_grade, level_after
from billing.fees.items import Level
from billing.fees.reducing import person
from billing.newyear.tables import YearStep
from billing.newyear.years import class_after, read_year, year_before
from billing.people.names import clean_text
from billing.people.tables import ClassGroup, School

_LONGEST_CODE = 20


@dataclass(frozen=True, slots=True)
class NewClass:
    """A class to be made; ``of`` names the classes of last year that it comes from, ``made`` says it is there."""

    level: Level
    grade: int
    code: str
    of: tuple[str, ...] = ()
    made: bool = False


def propose_classes(session: Session, school: School, school_year: str) -> list[NewClass]:
    """Return the classes of a year: one grade on for each of last year, new ones for beginners, and what is there."""
    levels = frozenset(map(Level, school.levels))
    found: dict[str, NewClass] = {}
    for group in classes_of(session, school.id, year_before(school_year)):
        level = Level(group.level)
        following, code = level_after(level, group.grade, levels), class_after(group.code, group.grade)
        if following is not None and code is not None:
            found[code] = NewClass(following, group.grade + 1, code, (group.code,))
        if first_grade(level, group.grade, levels):
            found.setdefault(group.code, NewClass(level, group.grade, group.code))
    for group in classes_of(session, school.id, school_year):
        of = found[group.code].of if group.code in found else ()
        found[group.code] = NewClass(Level(group.level), group.grade, group.code, of, made=True)
    return sorted(found.values(), key=lambda each: (each.grade, each.code))


def make_classes(  # noqa: PLR0913, PLR0917  where, when, which, by whom
    session: Session, school: School, school_year: str, wanted: Sequence[NewClass], actor: Actor, now: datetime
) -> int:
    """Make the classes that are not there yet and return how many were new; the same ones twice are one.

    Raises ``Refused`` for a code or a grade that makes no sense at this school.
    """
    one_year_at_a_time(session, school.id)
    read_year(school_year)
    there = {group.code for group in classes_of(session, school.id, school_year)}
    levels = frozenset(map(Level, school.levels))
    new = {each.code: each for each in map(_cleaned, wanted) if each.code not in there}
    for each in new.values():
        _refuse_bad(each, levels)
        session.add(
            ClassGroup(
                school_id=school.id,
                school_year=school_year,
                level=each.level.value,
                grade=each.grade,
                code=each.code,
                name=f"Lớp {each.code}",
            )
        )
    session.flush()
    if new:
        step_done(session, actor, school.id, school_year, "classes", now, new=len(new), codes=sorted(new))
    return len(new)


def classes_of(session: Session, school_id: UUID, school_year: str) -> list[ClassGroup]:
    """Return the classes of a year by grade and code."""
    query = select(ClassGroup).where(ClassGroup.school_id == school_id, ClassGroup.school_year == school_year)
    return list(session.exec(query.order_by(col(ClassGroup.grade), col(ClassGroup.code))).all())


def one_year_at_a_time(session: Session, school_id: UUID) -> None:
    """Let everybody else who works on this school's new year wait until this transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"year {school_id}"})


def step_done(  # noqa: PLR0913, PLR0917  one step and what it did
    session: Session,
    actor: Actor,
    school_id: UUID,
    school_year: str,
    step: str,
    now: datetime,
    **counts: int | list[str],
) -> None:
    """Write down that a step was done, and the deed."""
    row = YearStep(
        school_id=school_id, school_year=school_year, step=step, counts=counts, made_by=person(actor), at=now
    )
    session.add(row)
    session.flush()
    record_deed(session, actor, Deed(school_id, f"year.{step}", "school_year", school_year), now, **counts)


def _cleaned(wanted: NewClass) -> NewClass:
    return NewClass(wanted.level, wanted.grade, clean_text(wanted.code))


def _refuse_bad(each: NewClass, levels: frozenset[Level]) -> None:
    if not 1 <= len(each.code) <= _LONGEST_CODE:
        raise Refused(f"Mã lớp “{each.code}” phải có từ 1 đến {_LONGEST_CODE} ký tự.")
    if each.level not in levels:
        raise Refused(f"Trường không có cấp học của lớp {each.code}.")
    low, high = GRADES.get(each.level, PRESCHOOL_GRADES)
    if not low <= each.grade <= high:
        raise Refused(f"Lớp {each.code}: khối phải từ {low} đến {high}, không phải {each.grade}.")
