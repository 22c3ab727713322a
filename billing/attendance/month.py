"""A class's month, read from rows: who belonged to it and when, absences, days off, and whether it is closed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, or_, select

from billing.attendance.days import days_there, last_of
from billing.attendance.marks import Away, Mark, MonthPupil, MonthSheet
from billing.attendance.reading import class_of, closed_classes, days_off, month_absences
from billing.people.names import sort_key
from billing.people.tables import ClassPlacement, Enrolment, Pupil, PupilCode


def month_sheet(session: Session, school_id: UUID, class_id: UUID, month: date, today: date) -> MonthSheet:
    """Return a class's month (its first day); raises ``NotFound`` for a class of another school."""
    group = class_of(session, school_id, class_id)
    away: dict[UUID, dict[date, Away]] = defaultdict(dict)
    for row in month_absences(session, school_id, class_id, month):
        mark = Mark.EXCUSED if row.credited else Mark.ABSENT
        away[row.enrolment_id][row.day] = Away(row.id or 0, mark, row.entered_by == "office", row.reason)
    return MonthSheet(
        class_code=group.code,
        month=month,
        today=today,
        pupils=_pupils(session, school_id, class_id, month, away),
        days_off=days_off(session, school_id, month, last_of(month)),
        closed=class_id in closed_classes(session, school_id, month),
    )


def _pupils(
    session: Session, school_id: UUID, class_id: UUID, month: date, away: dict[UUID, dict[date, Away]]
) -> tuple[MonthPupil, ...]:
    rows = session.exec(
        select(Enrolment, Pupil, ClassPlacement)
        .join(Pupil, col(Pupil.id) == col(Enrolment.pupil_id))
        .join(ClassPlacement, col(ClassPlacement.enrolment_id) == col(Enrolment.id))
        .where(
            ClassPlacement.school_id == school_id,
            ClassPlacement.class_id == class_id,
            col(ClassPlacement.valid_from) <= last_of(month),
            or_(col(ClassPlacement.valid_to).is_(None), col(ClassPlacement.valid_to) >= month),
        )
        .order_by(col(ClassPlacement.valid_from))
    ).all()
    spans: dict[UUID, list[tuple[date, date]]] = defaultdict(list)
    pupils = {}
    for enrolment, pupil, placement in rows:
        placed = days_there(placement.valid_from, placement.valid_to, month)
        enrolled = days_there(enrolment.started_on, enrolment.ended_on, month)
        if placed and enrolled and max(placed[0], enrolled[0]) <= min(placed[1], enrolled[1]):
            spans[enrolment.id].append((max(placed[0], enrolled[0]), min(placed[1], enrolled[1])))
            pupils[enrolment.id] = pupil
    codes = codes_of(session, [pupil.id for pupil in pupils.values()])
    made = [
        MonthPupil(key, pupil.full_name, codes.get(pupil.id, ""), tuple(spans[key]), away.get(key, {}))
        for key, pupil in pupils.items()
    ]
    return tuple(
        sorted(made, key=lambda each: (sort_key(each.full_name), pupils[each.enrolment_id].id, each.spans[0][0]))
    )


def codes_of(session: Session, pupil_ids: Collection[UUID]) -> dict[UUID, str]:
    """Return the sector codes of pupils, as they are now."""
    rows = session.exec(
        select(col(PupilCode.pupil_id), col(PupilCode.code))
        .where(col(PupilCode.pupil_id).in_(pupil_ids), PupilCode.kind == "moet")
        .order_by(col(PupilCode.valid_from), col(PupilCode.id))
    ).all()
    return dict(rows)  # the latest wins
