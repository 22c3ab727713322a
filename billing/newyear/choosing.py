"""Writing down what becomes of pupils in a new year: one by one, by class, or by the lines of a sheet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.fees.grades import Rung, grade_name
from billing.fees.items import Level
from billing.fees.reducing import person
from billing.newyear.classes import one_year_at_a_time
from billing.newyear.next_class import next_grade, usual_class, usually_leaves
from billing.newyear.promoting import Choice, Decided
from billing.newyear.standing import YearPupil, YearPupils, read_year_pupils
from billing.newyear.tables import PromotionChoice
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

    Who has no usual way (several classes of the next grade and none named after the old one, or none made) stays
    undecided. Returns how many were decided.
    """
    known = read_year_pupils(session, school.id, school_year)
    ways = usual_ways(known, school)
    wanted = {
        each.standing.enrolment_id: ways[each.group.id]
        for each in known.pupils
        if each.standing.decided is None
        and each.group is not None
        and each.group.id in ways
        and class_id in (None, each.group.id)
    }
    return choose(session, school.id, school_year, wanted, actor, now)


def choose_by_class(  # noqa: PLR0913, PLR0917  where, when, what of which class, by whom
    session: Session,
    school_id: UUID,
    school_year: str,
    ways: Mapping[UUID, Decided],
    actor: Actor,
    now: datetime,
) -> int:
    """Choose for everybody undecided what their class of last year does (``ways``, by its id); raises as ``choose``.

    Classes that merge name the same new one; of a class that is split, those who go elsewhere are chosen one by one.
    """
    known = read_year_pupils(session, school_id, school_year)
    old = {each.group.id for each in known.pupils if each.group is not None}
    if not ways.keys() <= old:
        raise NotFound("Có lớp không còn trong danh sách năm trước. Hãy tải lại trang.")
    wanted = {
        each.standing.enrolment_id: ways[each.group.id]
        for each in known.pupils
        if each.standing.decided is None and each.group is not None and each.group.id in ways
    }
    return choose(session, school_id, school_year, wanted, actor, now)


def usual_ways(known: YearPupils, school: School) -> dict[UUID, Decided]:
    """Return what is usual by class of last year; a class of which nobody can tell is not there."""
    levels = frozenset(map(Level, school.levels))
    old = {each.group.id: Rung.of(each.group) for each in known.pupils if each.group is not None}
    new = {Rung.of(group): group.id for group in known.classes.values()}
    ways: dict[UUID, Decided] = {}
    for class_id, rung in old.items():
        following = usual_class(rung, new.keys(), levels)
        if usually_leaves(rung, old.values(), new.keys(), levels):
            ways[class_id] = Decided(Choice.GRADUATED)
        elif following is not None:
            ways[class_id] = Decided(Choice.PROMOTED, new[following])
    return ways


def unfit(pupil: YearPupil, decided: Decided, classes: Mapping[UUID, ClassGroup]) -> str:
    """Return why a choice cannot be, in words; nothing when it can."""
    if not decided.choice.stays:
        return "em không học tiếp thì không ghi lớp mới." if decided.class_id else ""
    group = classes.get(decided.class_id) if decided.class_id else None
    if group is None:
        return "hãy chọn lớp của năm học mới."
    if pupil.group is None:
        return ""
    was = pupil.group.grade
    following = next_grade(Level(pupil.group.level), was, map(Rung.of, classes.values()))
    if decided.choice is Choice.PROMOTED and group.grade != following:
        return f"lên lớp từ khối {grade_name(was)} thì vào khối {grade_name(following)}, lớp {group.code} không phải."
    if decided.choice is Choice.REPEATING and group.grade != was:
        return f"ở lại thì vẫn học khối {grade_name(was)}, lớp {group.code} không phải."
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
