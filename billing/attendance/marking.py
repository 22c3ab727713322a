"""The office writes into a class's month, cell by cell: what is wrong is refused as a whole, the rest is written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.attendance.days import local_day
from billing.attendance.marks import Mark, MonthPupil, MonthSheet
from billing.attendance.month import month_sheet
from billing.attendance.ticking import OfficeAbsence, enter_absences, withdraw_absence
from billing.audit.recording import Actor
from billing.errors import Refused


@dataclass(frozen=True, slots=True)
class Wanted:
    """One cell of the month as it shall be, and why."""

    enrolment_id: UUID
    day: date
    mark: Mark
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """How many absences were written and taken back; cells that stood so already count in neither."""

    entered: int
    withdrawn: int

    def __bool__(self) -> bool:
        return bool(self.entered or self.withdrawn)


def mark_days(  # noqa: PLR0913, PLR0917  whose month, which cells, by whom
    session: Session,
    school_id: UUID,
    actor: Actor,
    class_id: UUID,
    month: date,
    wanted: Collection[Wanted],
    now: datetime,
) -> Marked:
    """Bring cells of a class's month to what is wanted.

    Raises ``Refused`` for the first cell that cannot be so, naming pupil and remedy, and ``NotFound`` for another
    school's class. In a closed month only absences are added (or a late one is credited), each with a reason.
    """
    sheet = month_sheet(session, school_id, class_id, month, local_day(now))
    pupils = {pupil.enrolment_id: pupil for pupil in sheet.pupils}
    news = [
        (pupil, each)
        for each in wanted
        if sheet.is_news(pupil := _allowed(sheet, pupils.get(each.enrolment_id), each), each.day, each.mark)
    ]
    withdrawn = 0
    for pupil, each in news:
        away = pupil.away.get(each.day)
        if away is not None and each.mark is not Mark.EXCUSED:
            withdraw_absence(session, school_id, actor, away.absence_id, now)
            withdrawn += 1
    entries = [
        OfficeAbsence(each.enrolment_id, each.day, each.reason.strip() or _usual(month), each.mark is Mark.EXCUSED)
        for _, each in news
        if each.mark is not Mark.PRESENT
    ]
    return Marked(enter_absences(session, school_id, actor, entries, now), withdrawn)


def _allowed(sheet: MonthSheet, pupil: MonthPupil | None, wanted: Wanted) -> MonthPupil:
    if pupil is None:
        raise Refused(
            f"Có học sinh không học lớp {sheet.class_code} trong tháng {sheet.month:%m/%Y}. Hãy tải lại trang."
        )
    problem = sheet.problem(pupil, wanted.day, wanted.mark, wanted.reason)
    if problem is not None:
        raise Refused(f"{pupil.full_name}: {problem.reason} {problem.remedy}")
    return pupil


def _usual(month: date) -> str:
    return f"Bảng điểm danh tháng {month:%m/%Y}"
