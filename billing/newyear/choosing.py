"""Writing down what becomes of pupils in a new year: one by one, by class, or by the lines of a sheet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.fees.items import Level
from billing.fees.reducing import person
from billing.newyear.classes import one_year_at_a_time
from billing.newyear.promoting import Choice, Decided
from billing.newyear.standing import YearPupil, YearPupils, read_year_pupils
from billing.newyear.tables import PromotionChoice
from billing.newyear.years import class_after, level_after
from billing.people.tables import ClassGroup, School


def choose(  # noqa: PLR0913, PLR0917  where, when, what of whom, by whom
    session: Session,
    school_id: UUID,
    school_year: str,
    wanted: Mapping[UUID, Decided],
    actor: Actor,
    now: datetime,
) -> int:
    """Write down choices by last year's enrolment and return how many are new; what was chosen already is left.

    Raises ``NotFound`` for who does not stand at the border, ``Conflict`` once a choice was carried out, ``Refused``
    for a class that does not fit.
    """
    one_year_at_a_time(session, school_id)
    known = read_year_pupils(session, school_id, school_year)
    standing = {each.standing.enrolment_id: each for each in known.pupils}
    new = 0
    for enrolment_id, decided in wanted.items():
        pupil = standing.get(enrolment_id)
        if pupil is None:
            raise NotFound("Có học sinh không còn trong danh sách cuối năm học. Hãy tải lại trang.")
        if pupil.standing.decided == decided:
            continue
        if pupil.standing.done:
            raise Conflict(f"{pupil.full_name}: đã thực hiện xong, không đổi được ở đây nữa.", enrolment=enrolment_id)
        problem = unfit(pupil, decided, known.classes)
        if problem:
            raise Refused(f"{pupil.full_name}: {problem}")
        session.add(_row(school_id, school_year, enrolment_id, decided, actor, now))
        new += 1
    session.flush()
    if new:
        record_deed(session, actor, Deed(school_id, "year.choose", "school_year", school_year), now, pupils=new)
    return new


def choose_usual(  # noqa: PLR0913, PLR0917  as above, for one class or the whole school
    session: Session, school: School, school_year: str, class_id: UUID | None, actor: Actor, now: datetime
) -> int:
    """Choose for everybody undecided (of one class of last year) what is usual: one grade on, or graduating.

    Who has no usual way (a preschool class, a class that was not made) stays undecided. Returns how many were decided.
    """
    known = read_year_pupils(session, school.id, school_year)
    wanted = {
        each.standing.enrolment_id: decided
        for each in known.pupils
        if each.standing.decided is None
        and (class_id is None or (each.group is not None and each.group.id == class_id))
        and (decided := usual(each, known, school)) is not None
    }
    return choose(session, school.id, school_year, wanted, actor, now)


def usual(pupil: YearPupil, known: YearPupils, school: School) -> Decided | None:
    """Return what is usual for a pupil of its class: the class one grade on, or leaving after the last grade."""
    group = pupil.group
    if group is None or group.level == Level.PRESCHOOL:
        return None
    following = level_after(Level(group.level), group.grade, frozenset(map(Level, school.levels)))
    if following is None:
        return Decided(Choice.GRADUATED)
    code = class_after(group.code, group.grade)
    found = next((each for each in known.classes.values() if each.code == code), None)
    return None if found is None else Decided(Choice.PROMOTED, found.id)


def unfit(pupil: YearPupil, decided: Decided, classes: Mapping[UUID, ClassGroup]) -> str:
    """Return why a choice cannot be, in words; nothing when it can."""
    if not decided.choice.stays:
        return "em không học tiếp thì không ghi lớp mới." if decided.class_id else ""
    group = classes.get(decided.class_id) if decided.class_id else None
    if group is None:
        return "hãy chọn lớp của năm học mới."
    if pupil.group is None or pupil.group.level == Level.PRESCHOOL:
        return ""
    if decided.choice is Choice.PROMOTED and group.grade != pupil.group.grade + 1:
        return f"lên lớp từ khối {pupil.group.grade} thì vào khối {pupil.group.grade + 1}, lớp {group.code} không phải."
    if decided.choice is Choice.REPEATING and group.grade != pupil.group.grade:
        return f"ở lại thì vẫn học khối {pupil.group.grade}, lớp {group.code} không phải."
    return ""


def _row(  # noqa: PLR0913, PLR0917  the columns of one row
    school_id: UUID, school_year: str, enrolment_id: UUID, decided: Decided, actor: Actor, now: datetime
) -> PromotionChoice:
    return PromotionChoice(
        school_id=school_id,
        school_year=school_year,
        enrolment_id=enrolment_id,
        choice=decided.choice.value,
        class_id=decided.class_id,
        made_by=person(actor),
        at=now,
    )
