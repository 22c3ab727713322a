"""A class's month out as an XLSX and back: one line for each pupil, one column for each day, marks x, v and p.

Every line names its class and month, so that a file (or a pasted line) of another one is refused where it stands.
An empty cell changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from billing.attendance.days import local_day
from billing.attendance.marking import Marked, Wanted, mark_days
from billing.attendance.marks import MARK_NAMES, Mark, MonthPupil, MonthSheet
from billing.attendance.month import month_sheet
from billing.attendance.reading import class_of
from billing.audit.recording import Actor
from billing.people.cells import CellError, read, shown, text_of
from billing.people.names import search_key
from billing.people.sheet_pupils import PUPIL_COLUMNS, Known, Pupils, read_pupils
from billing.people.sheet_writing import Value, write_sheet
from billing.people.workbook import Cell, Column, Line, Upload, open_upload, refused_file

# More columns than any month has: what stands in them is refused by name instead of being overlooked.
_LAST_COLUMN = 40
_MONTH = re.compile(r"(?:([0-9]{4})-([0-9]{1,2})|([0-9]{1,2})[/\-.]([0-9]{4}))(?:-01 00:00:00)?")
_KNOWN = {search_key(mark): mark for mark in Mark}
_MARKS = "; ".join(f"“{mark}” {name}" for mark, name in MARK_NAMES.items())


def export_month(session: Session, school_id: UUID, class_id: UUID, month: date, now: datetime) -> bytes:
    """Return a class's month as it stands, to edit and bring back."""
    sheet = month_sheet(session, school_id, class_id, month, local_day(now))
    columns = [column for column in _columns(month) if not column.field.startswith("day_") or column.required]
    rows = (_row(sheet, pupil) for pupil in sheet.pupils)
    return write_sheet(f"Lớp {sheet.class_code} {month:%m-%Y}", columns, rows)


def import_month(  # noqa: PLR0913, PLR0917  whose month, which file, by whom
    session: Session, school_id: UUID, actor: Actor, class_id: UUID, month: date, data: bytes, now: datetime
) -> Marked:
    """Bring a class's month back; raises ``BadRows`` with every cell that cannot be taken, and nothing is written."""
    upload = open_upload(data, _columns(month))
    group = class_of(session, school_id, class_id)
    sheet = month_sheet(session, school_id, class_id, month, local_day(now))
    reading = _Reading(upload, sheet, _known(read_pupils(session, school_id, group.school_year), sheet))
    wanted = [each for line in upload.lines() for each in reading.line(line)]
    upload.refuse_if_bad()
    if not reading.seen:
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Tải bảng của lớp về, đánh dấu rồi gửi lại.")
    return mark_days(session, school_id, actor, class_id, month, wanted, now)


def _columns(month: date) -> tuple[Column, ...]:
    """Return the columns of a month: its days must all be there, later ones may stand there empty."""
    return (
        *(replace(column, required=True) if column.field == "class_code" else column for column in PUPIL_COLUMNS),
        Column("month", "Tháng", ("thang",)),
        *(_day_column(number, required=_has(month, number)) for number in range(1, _LAST_COLUMN + 1)),
        Column("reason", "Lý do", ("ly do", "ghi chu"), required=False),
    )


def _day_column(number: int, *, required: bool) -> Column:
    names = dict.fromkeys((f"ngay {number}", f"ngay {number:02}", f"{number}", f"{number:02}"))
    return Column(f"day_{number}", f"Ngày {number}", tuple(names), required=required)


def _has(month: date, number: int) -> bool:
    try:
        month.replace(day=number)
    except ValueError:
        return False
    return True


def _row(sheet: MonthSheet, pupil: MonthPupil) -> list[Value]:
    marks: list[Value] = [str(sheet.mark_on(pupil, day) or "") for day in sheet.days]
    return [pupil.code, pupil.full_name, sheet.class_code, f"{sheet.month:%Y-%m}", *marks, ""]


def _known(pupils: Pupils, sheet: MonthSheet) -> Pupils:
    """Return the school's pupils; whoever was in this class in the month is found by its name there.

    Who left and came back is found whichever of the stays was in this class.
    """
    here = {each.enrolment_id for each in sheet.pupils}
    return Pupils(
        {
            key: replace(known, class_code=sheet.class_code) if here.intersection(known.stays) else known
            for key, known in pupils.by_enrolment.items()
        }
    )


class _Reading:
    """The lines of one file, against the month as it stands."""

    def __init__(self, upload: Upload, sheet: MonthSheet, known: Pupils) -> None:
        self._up = upload
        self._sheet = sheet
        self._known = known
        self._pupils: Mapping[UUID, MonthPupil] = {each.enrolment_id: each for each in sheet.pupils}
        self.seen: dict[UUID, int] = {}

    def line(self, line: Line) -> list[Wanted]:
        """Return what a line wants; note whatever is wrong with it."""
        before = len(self._up.problems)
        self._check_place(line)
        if len(self._up.problems) > before:
            return []
        found = self._known.read(self._up, line)
        pupil = self._pupil(line, found) if found else None
        reason = read(self._up, line, "reason", text_of) or ""
        return list(self._marks(line, pupil, reason)) if pupil else []

    def _check_place(self, line: Line) -> None:
        """Note a line of another class or month."""
        code = read(self._up, line, "class_code", text_of, required=True)
        month = read(self._up, line, "month", _month_of, required=True)
        here = f"bảng này là của lớp {self._sheet.class_code} tháng {self._sheet.month:%m/%Y}"
        if code is not None and code.casefold() != self._sheet.class_code.casefold():
            self._up.report(line, "class_code", f"Dòng này của lớp {shown(code)}; {here}.", "Chọn tệp của đúng lớp.")
        if month is not None and month != self._sheet.month:
            said = f"Dòng này của tháng {month:%m/%Y}; {here}."
            self._up.report(line, "month", said, "Chọn tệp của đúng tháng.")

    def _pupil(self, line: Line, found: Known) -> MonthPupil | None:
        here = [self._pupils[each] for each in found.stays if each in self._pupils]
        # Who left and came back within the month has a line for each stay, in their order.
        pupil = next((each for each in here if each.enrolment_id not in self.seen), here[0] if here else None)
        if pupil is None:
            said = f"{found.full_name} không học lớp {self._sheet.class_code} trong tháng {self._sheet.month:%m/%Y}."
            where = f" Em đang ở lớp {found.class_code}." if found.class_code else ""
            self._up.report(line, "pupil_code", f"{said}{where}", "Xóa dòng này, hoặc ghi ở bảng của lớp em học.")
            return None
        first = self.seen.setdefault(pupil.enrolment_id, line.number)
        if first != line.number:
            self._up.report(line, "pupil_code", f"Em này đã có ở dòng {first}.", "Xóa một trong hai dòng.")
            return None
        return pupil

    def _marks(self, line: Line, pupil: MonthPupil, reason: str) -> Iterator[Wanted]:
        for number in range(1, _LAST_COLUMN + 1):
            field = f"day_{number}"
            mark = read(self._up, line, field, _mark_of)
            if mark is None:
                continue
            if not _has(self._sheet.month, number):
                said = f"Tháng {self._sheet.month:%m/%Y} không có ngày {number}."
                self._up.report(line, field, said, "Xóa cột này.")
                continue
            wanted = Wanted(pupil.enrolment_id, self._sheet.month.replace(day=number), mark, reason)
            problem = self._sheet.problem(pupil, wanted.day, mark, reason)
            if problem is not None:
                self._up.report(line, field, *problem)
            yield wanted


def _mark_of(cell: Cell) -> Mark:
    text = text_of(cell)
    if search_key(text) not in _KNOWN:
        raise CellError(f"Không hiểu dấu {shown(text)}.", f"Ghi một trong: {_MARKS}; hoặc để trống.")
    return _KNOWN[search_key(text)]


def _month_of(cell: Cell) -> date:
    text = str(cell.value) if cell.kind == "d" else text_of(cell)
    found = _MONTH.fullmatch(text)
    year, number = (int(found[1] or found[4]), int(found[2] or found[3])) if found else (0, 0)
    if not (year and 1 <= number <= 12):  # noqa: PLR2004  months of a year
        raise CellError(f"Không hiểu tháng {shown(text)}.", "Ghi như 2025-10.")
    return date(year, number, 1)
