"""The pupils of last year as they stand at the border of a new one: class, choice, and what was carried out already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from billing.newyear.promoting import Choice, Decided, Standing, Tally, tally
from billing.newyear.tables import PromotionChoice
from billing.newyear.years import year_before
from billing.people.names import SortKey, sort_key
from billing.people.tables import ClassGroup, ClassPlacement, Enrolment, Pupil, PupilCode

_ONE_DAY = timedelta(days=1)
_LEAVING = frozenset({Choice.LEFT, Choice.TRANSFERRED, Choice.GRADUATED})


@dataclass(frozen=True, slots=True)
class YearPupil:
    """A pupil of last year with its last class there, and the class of the new year where there is one."""

    standing: Standing
    code: str
    full_name: str
    birth_date: date
    group: ClassGroup | None
    new_class: str = ""

    @property
    def place(self) -> tuple[int, str, SortKey, str]:
        """Where the pupil stands in a list of the school."""
        grade, code = (self.group.grade, self.group.code) if self.group else (0, "")
        return grade, code, sort_key(self.full_name), str(self.standing.pupil_id)


@dataclass(frozen=True, slots=True)
class _Entered:
    """A place in the new year: from which day on, and the class where there is one."""

    started_on: date
    class_id: UUID | None


@dataclass(frozen=True, slots=True)
class YearPupils:
    """All pupils who are to be decided about, in the order of class lists, and the classes of the new year."""

    pupils: tuple[YearPupil, ...]
    classes: Mapping[UUID, ClassGroup]

    @property
    def tally(self) -> Tally:
        """The counts."""
        return tally(each.standing for each in self.pupils)


def read_year_pupils(session: Session, school_id: UUID, school_year: str) -> YearPupils:
    """Return who studied in the year before ``school_year`` at its end.

    Who left during that year is not there, unless a choice of this step let him go. Who has an enrolment in the new
    year already (from a list that was read in) counts as decided by it.
    """
    last_year = year_before(school_year)
    classes = {group.id: group for group in _groups(session, school_id, school_year)}
    choices = _choices(session, school_id, school_year)
    enrolled = _enrolled(session, school_id, school_year)
    placed = _placed(session, school_id, last_year)
    codes = _codes(session, school_id, last_year)
    rows = session.exec(
        select(Enrolment, Pupil)
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .where(Enrolment.school_id == school_id, Enrolment.school_year == last_year)
        .order_by(col(Enrolment.started_on))
    ).all()
    found = []
    # Of who left and came back the last stay is the one that goes on.
    for enrolment, pupil in {pupil.id: (enrolment, pupil) for enrolment, pupil in rows}.values():
        entered = enrolled.get(pupil.id)
        group, new = placed.get(enrolment.id), classes.get(entered.class_id) if entered and entered.class_id else None
        standing = _standing(enrolment, choices.get(enrolment.id), group, new, entered)
        if standing is None:
            continue
        chosen = classes.get(standing.decided.class_id) if standing.decided and standing.decided.class_id else None
        name = chosen.code if chosen else ""
        found.append(YearPupil(standing, codes.get(pupil.id, ""), pupil.full_name, pupil.birth_date, group, name))
    return YearPupils(tuple(sorted(found, key=lambda each: each.place)), classes)


def _standing(
    enrolment: Enrolment,
    choice: Decided | None,
    group: ClassGroup | None,
    new: ClassGroup | None,
    entered: _Entered | None,
) -> Standing | None:
    """Return how one enrolment of last year stands; nothing for who left in the course of it."""
    if entered is not None:
        again = group is not None and new is not None and new.grade <= group.grade
        decided = Decided(Choice.REPEATING if again else Choice.PROMOTED, new.id if new else None)
        # Who came after the new place had begun keeps the one day, so that nobody else's new year waits for it.
        last = max(entered.started_on - _ONE_DAY, enrolment.started_on) if enrolment.state == "studying" else None
        return Standing(enrolment.id, enrolment.pupil_id, decided, done=True, ends_on=last)
    if enrolment.state == "studying":
        return Standing(enrolment.id, enrolment.pupil_id, choice)
    if choice is not None and choice.choice in _LEAVING and enrolment.state == choice.choice.value:
        return Standing(enrolment.id, enrolment.pupil_id, choice, done=True)
    return None


def _groups(session: Session, school_id: UUID, school_year: str) -> list[ClassGroup]:
    query = select(ClassGroup).where(ClassGroup.school_id == school_id, ClassGroup.school_year == school_year)
    return list(session.exec(query.order_by(col(ClassGroup.grade), col(ClassGroup.code))).all())


def _choices(session: Session, school_id: UUID, school_year: str) -> dict[UUID, Decided]:
    rows = session.exec(
        select(PromotionChoice.enrolment_id, PromotionChoice.choice, PromotionChoice.class_id)
        .where(PromotionChoice.school_id == school_id, PromotionChoice.school_year == school_year)
        .order_by(col(PromotionChoice.id))
    ).all()
    return {enrolment: Decided(Choice(choice), group) for enrolment, choice, group in rows}  # the newest wins


def _enrolled(session: Session, school_id: UUID, school_year: str) -> dict[UUID, _Entered]:
    """Return the place of each pupil who has an enrolment in the new year."""
    rows = session.exec(
        select(col(Enrolment.pupil_id), col(Enrolment.started_on), col(ClassPlacement.class_id))
        .outerjoin(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .where(Enrolment.school_id == school_id, Enrolment.school_year == school_year)
        .order_by(col(ClassPlacement.valid_from).desc())
    ).all()
    return {pupil: _Entered(start, group) for pupil, start, group in rows}


def _placed(session: Session, school_id: UUID, school_year: str) -> dict[UUID, ClassGroup]:
    rows = session.exec(
        select(col(ClassPlacement.enrolment_id), ClassGroup)
        .join(ClassGroup, col(ClassGroup.id) == col(ClassPlacement.class_id))
        .where(ClassPlacement.school_id == school_id, ClassGroup.school_year == school_year)
        .order_by(col(ClassPlacement.valid_from), col(ClassPlacement.id))
    ).all()
    return dict(rows)


def _codes(session: Session, school_id: UUID, school_year: str) -> dict[UUID, str]:
    rows = session.exec(
        select(col(PupilCode.pupil_id), col(PupilCode.code))
        .join(Enrolment, col(Enrolment.pupil_id) == col(PupilCode.pupil_id))
        .where(Enrolment.school_id == school_id, Enrolment.school_year == school_year, PupilCode.kind == "moet")
        .order_by(col(PupilCode.valid_from), col(PupilCode.id))
    ).all()
    return dict(rows)
