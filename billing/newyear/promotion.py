"""Carrying out what was chosen: new enrolments and classes for who stays, one leaving for each who goes.

Who has an enrolment in the new year keeps it as it is, so doing it twice, or going on after a stop, changes nothing;
if last year's enrolment of such a pupil still runs, it is completed the day before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, or_, select

from billing.audit.recording import Actor
from billing.errors import BadRows, HocphiError, Refused, RowProblem
from billing.moving.leaving import Plan, leave
from billing.newyear.classes import one_year_at_a_time, step_done
from billing.newyear.promoting import new_places
from billing.newyear.standing import YearPupil, read_year_pupils
from billing.newyear.years import days_of
from billing.people.tables import ClassPlacement, Enrolment, Pupil
from billing.vault import Vault

_VIET_NAM = timedelta(hours=7)
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Promoted:
    """How many pupils got a place in the new year, how many were let go, and how many old enrolments besides ended."""

    placed: int
    gone: int
    completed: int = 0


def promote(  # noqa: PLR0913, PLR0917  where, into which year, from when on, by whom
    session: Session,
    vault: Vault,
    school_id: UUID,
    school_year: str,
    first_day: date,
    actor: Actor,
    now: datetime,
) -> Promoted:
    """Carry out every choice that waits; ``first_day`` is the first one of the new enrolments.

    Last year's enrolments end the day before, or today for who goes if that is earlier; for who has a place in the new
    year by another way, the day before that place. Raises ``Refused`` for a day
    outside the new year, ``BadRows`` with everybody who cannot be let go; then nothing is written.
    """
    one_year_at_a_time(session, school_id)
    if not days_of(school_year).holds(first_day):
        raise Refused(f"Ngày đầu năm học {first_day:%d/%m/%Y} không thuộc năm học {school_year}.")
    known = read_year_pupils(session, school_id, school_year)
    waiting = [each for each in known.pupils if not each.standing.done]
    places = new_places(each.standing for each in waiting)
    staying = [each for each in waiting if each.standing.pupil_id in places]
    going = [each for each in waiting if each.standing.decided and not each.standing.decided.choice.stays]
    entered = [each for each in known.pupils if each.standing.ends_on is not None]
    last_day = min((now + _VIET_NAM).date(), first_day - _ONE_DAY)
    with session.begin_nested():
        _refuse_late(session, school_id, staying, first_day)
        _complete(session, school_id, [each.standing.enrolment_id for each in staying], first_day - _ONE_DAY)
        _complete_entered(session, school_id, entered)
        _enrol(session, school_id, school_year, places, first_day)
        _let_go(session, vault, school_id, going, last_day, school_year, actor, now)
    if staying or going or entered:
        counts = {"placed": len(staying), "gone": len(going), "completed": len(entered)}
        step_done(session, actor, school_id, school_year, "promotion", now, **counts)
    return Promoted(len(staying), len(going), len(entered))


def _refuse_late(session: Session, school_id: UUID, staying: Sequence[YearPupil], first_day: date) -> None:
    ids = [each.standing.enrolment_id for each in staying]
    late = session.exec(
        select(func.max(Enrolment.started_on)).where(
            Enrolment.school_id == school_id, col(Enrolment.id).in_(ids), Enrolment.started_on >= first_day
        )
    ).one()
    if late is not None:
        raise Refused(f"Ngày đầu năm học phải sau ngày vào học {late:%d/%m/%Y} của các em.")


def _complete_entered(session: Session, school_id: UUID, entered: Sequence[YearPupil]) -> None:
    """End last year's enrolments of who is in the new year already, each on its own day."""
    by_day: dict[date, list[UUID]] = defaultdict(list)
    for each in entered:
        if each.standing.ends_on is not None:
            by_day[each.standing.ends_on].append(each.standing.enrolment_id)
    for day, ids in sorted(by_day.items()):
        _complete(session, school_id, ids, day)


def _complete(session: Session, school_id: UUID, ids: Sequence[UUID], last_day: date) -> None:
    """End last year's enrolments and classes after this day."""
    for enrolment in session.exec(
        select(Enrolment).where(Enrolment.school_id == school_id, col(Enrolment.id).in_(ids))
    ).all():
        enrolment.state, enrolment.ended_on = "completed", min(enrolment.ended_on or last_day, last_day)
        session.add(enrolment)
    over = or_(col(ClassPlacement.valid_to).is_(None), col(ClassPlacement.valid_to) > last_day)
    for placement in session.exec(
        select(ClassPlacement).where(
            ClassPlacement.school_id == school_id, col(ClassPlacement.enrolment_id).in_(ids), over
        )
    ).all():
        placement.valid_to = max(last_day, placement.valid_from)
        session.add(placement)
    session.flush()


def _enrol(session: Session, school_id: UUID, school_year: str, places: Mapping[UUID, UUID], first_day: date) -> None:
    """Write the new enrolments and classes (``places``: class by pupil) in a few statements for a whole school."""
    born = dict(session.exec(select(col(Pupil.id), col(Pupil.birth_date)).where(col(Pupil.id).in_(list(places)))).all())
    made = [
        Enrolment(
            school_id=school_id,
            pupil_id=pupil,
            school_year=school_year,
            started_on=first_day,
            stated_birth_date=born[pupil],
        )
        for pupil in places
    ]
    session.add_all(made)
    session.flush()
    session.add_all(
        ClassPlacement(
            school_id=school_id, enrolment_id=enrolment.id, class_id=places[enrolment.pupil_id], valid_from=first_day
        )
        for enrolment in made
    )
    session.flush()


def _let_go(  # noqa: PLR0913, PLR0917  who goes after which day, by whom
    session: Session,
    vault: Vault,
    school_id: UUID,
    going: Sequence[YearPupil],
    last_day: date,
    school_year: str,
    actor: Actor,
    now: datetime,
) -> None:
    """End the time of everybody who goes, in the one step that leaving is; collect what stands against it."""
    problems = []
    for line, each in enumerate(going, start=1):
        decided = each.standing.decided
        if decided is None:
            continue
        reason = f"Kết thúc năm học trước {school_year}"
        try:
            with session.begin_nested():
                plan = Plan(each.standing.enrolment_id, last_day, decided.choice.value, reason)
                leave(session, vault, actor, school_id, plan, now)
        except HocphiError as error:
            problems.append(RowProblem(line, each.full_name, error.message, "Xử lý em này trước rồi làm lại."))
    if problems:
        raise BadRows(f"Có {len(problems)} em chưa cho nghỉ được; chưa lưu gì cả.", problems)
