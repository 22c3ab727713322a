"""What becomes of pupils as an XLSX, out and back: one line for each, errors by line, in any order.

A line that says nothing changes nothing; a line that is gone changes nothing either.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.fees.sheets.cells import one_of
from billing.newyear.choosing import choose, unfit
from billing.newyear.promoting import CHOICE_NAMES, Choice, Decided
from billing.newyear.standing import YearPupil, YearPupils, read_year_pupils
from billing.newyear.years import year_before
from billing.people.cells import read, shown, text_of
from billing.people.sheet_pupils import PUPIL_COLUMNS, Pupils, read_pupils
from billing.people.sheet_writing import Value, write_sheet
from billing.people.tables import ClassGroup
from billing.people.workbook import Column, Line, Upload, open_upload, refused_file

COLUMNS = (
    *PUPIL_COLUMNS,
    Column("choice", "Kết quả", ("ket qua", "xet len lop", "ket qua cuoi nam"), required=False),
    Column("new_class", "Lớp năm học mới", ("lop nam hoc moi", "lop moi"), required=False),
)
_CHOICES = {choice: name for choice, (name, _) in CHOICE_NAMES.items()}


def export_promotion(session: Session, school_id: UUID, school_year: str) -> bytes:
    """Return everybody of last year with what was chosen so far, class by class."""
    known = read_year_pupils(session, school_id, school_year)
    return write_sheet(f"Lên lớp {school_year}", COLUMNS, (_values(each) for each in known.pupils))


def import_promotion(  # noqa: PLR0913, PLR0917  what an import needs to know
    session: Session, school_id: UUID, school_year: str, data: bytes, actor: Actor, now: datetime
) -> int:
    """Bring the sheet back and return how many choices are new; raises ``BadRows`` with every line that cannot be."""
    upload = open_upload(data, COLUMNS)
    known = read_year_pupils(session, school_id, school_year)
    reading = _Reading(upload, known, read_pupils(session, school_id, year_before(school_year)))
    for line in upload.lines():
        reading.line(line)
    upload.refuse_if_bad()
    if not reading.seen:
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Tải danh sách về, điền kết quả rồi gửi lại.")
    return choose(session, school_id, school_year, reading.wanted, actor, now)


def _values(each: YearPupil) -> list[Value]:
    decided = each.standing.decided
    chosen = _CHOICES[decided.choice] if decided else ""
    return [each.code, each.full_name, each.group.code if each.group else "", chosen, each.new_class]


class _Reading:
    """The lines of one file against the pupils and classes as they stand."""

    def __init__(self, upload: Upload, known: YearPupils, pupils: Pupils) -> None:
        self._up = upload
        self._pupils = pupils
        self._standing = {each.standing.enrolment_id: each for each in known.pupils}
        self._classes: Mapping[UUID, ClassGroup] = known.classes
        self._by_code = {group.code.casefold(): group for group in known.classes.values()}
        self.seen: dict[UUID, int] = {}
        self.wanted: dict[UUID, Decided] = {}

    def line(self, line: Line) -> None:
        """Take one line; note whatever is wrong with it."""
        before = len(self._up.problems)
        pupil = self._pupil(line)
        choice = read(self._up, line, "choice", one_of(_CHOICES))
        code = read(self._up, line, "new_class", text_of)
        if pupil is None or len(self._up.problems) > before or (choice is None and code is None):
            return
        group = self._by_code.get(code.casefold()) if code else None
        if code and group is None:
            self._up.report(line, "new_class", f"Năm học mới không có lớp {shown(code)}.", "Sửa tên lớp, hoặc tạo lớp.")
            return
        self._take(line, pupil, choice, group)

    def _pupil(self, line: Line) -> YearPupil | None:
        found = self._pupils.read(self._up, line)
        if found is None:
            return None
        first = self.seen.setdefault(found.enrolment_id, line.number)
        if first != line.number:
            self._up.report(line, "pupil_code", f"Em này đã có ở dòng {first}.", "Xóa một trong hai dòng.")
            return None
        pupil = self._standing.get(found.enrolment_id)
        if pupil is None:
            said = f"{found.full_name} đã nghỉ trong năm học cũ."
            self._up.report(line, "pupil_code", said, "Xóa dòng này.")
        return pupil

    def _take(self, line: Line, pupil: YearPupil, choice: Choice | None, group: ClassGroup | None) -> None:
        if choice is None:
            self._up.report(line, "choice", "Có lớp mới mà chưa ghi kết quả.", f"Ghi một trong: {_words()}.")
            return
        decided = Decided(choice, group.id if group else None)
        if pupil.standing.decided == decided:
            return
        problem = unfit(pupil, decided, self._classes)
        if pupil.standing.done:
            self._up.report(line, "choice", "Em này đã thực hiện xong, không đổi được ở đây.", "Xóa dòng này.")
        elif problem:
            field = "new_class" if choice.stays else "choice"
            self._up.report(line, field, f"{problem[:1].upper()}{problem[1:]}", "Sửa kết quả hoặc lớp mới.")
        else:
            self.wanted[pupil.standing.enrolment_id] = decided


def _words() -> str:
    return "; ".join(_CHOICES.values())
