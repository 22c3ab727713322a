"""Rights to learning-cost support of one school year, out as a sheet and back: a new line waits for another person.

The sheet tells hardship beside names: whoever hands it out asks for the right and writes the opening down. A line that
is gone changes nothing; an earlier last day ends the right; another paper or class is a new line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from billing.audit.recording import Actor
from billing.claims.entitling import NewEntitlement, end_entitlement, entitle, entitlements_of
from billing.claims.tables import Entitlement
from billing.errors import Conflict
from billing.fees.council_rates import national_rates
from billing.fees.item_rows import one_at_a_time
from billing.fees.sheets.cells import day_of, long_text_of
from billing.fees.sheets.taking import take_lines
from billing.people.cells import CellError, read, shown, text_of
from billing.people.imported import Imported
from billing.people.sheet_pupils import PUPIL_COLUMNS, Pupils, read_pupils
from billing.people.sheet_writing import Value, write_sheet
from billing.people.tables import School
from billing.people.workbook import Cell, Column, Line, Upload, open_upload, refused_file

COLUMNS = (
    *PUPIL_COLUMNS,
    Column("kind", "Mã đối tượng", ("ma doi tuong", "doi tuong")),
    Column("name", "Tên đối tượng", ("ten doi tuong",), required=False),
    Column("evidence", "Minh chứng", ("minh chung", "giay to chung minh", "giay to kem theo")),
    Column("valid_from", "Từ ngày", ("tu ngay", "huong tu ngay")),
    Column("valid_to", "Đến ngày", ("den ngay", "huong den ngay"), required=False),
    Column("state", "Tình trạng", ("tinh trang",), required=False, kept=False),
)


@dataclass(frozen=True, slots=True)
class EntitlementRow:
    """One line: what it says of a pupil."""

    line: Line
    new: NewEntitlement


def export_entitlements(session: Session, school: School, school_year: str) -> bytes:
    """Return a school year's rights, class by class, as an XLSX to edit and bring back; empty, it is the form."""
    pupils = read_pupils(session, school.id, school_year)
    return write_sheet("Hỗ trợ học tập", COLUMNS, _lines(entitlements_of(session, school.id), pupils))


def import_entitlements(  # noqa: PLR0913, PLR0917  what an import needs to know
    session: Session, school: School, school_year: str, data: bytes, actor: Actor, now: datetime
) -> Imported:
    """Bring a sheet back; raises ``BadRows`` with every line that cannot be taken, and then has written nothing."""
    one_at_a_time(session, school.id)
    upload = open_upload(data, COLUMNS)
    pupils = read_pupils(session, school.id, school_year)
    lines = list(upload.lines())
    rows = [row for line in lines if (row := _read(upload, line, pupils))]
    upload.refuse_if_bad()
    if not lines:
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Điền danh sách đối tượng rồi gửi lại.")
    known = {_told(row): row for row in entitlements_of(session, school.id)}

    def take(row: EntitlementRow) -> str:
        before = known.get(_told(row.new))
        if before is not None:
            return _end(session, before, row.new, actor, now)
        known[_told(row.new)] = entitle(session, school.id, actor, row.new, now)
        return "new"

    return take_lines(session, rows, take)


def _told(right: Entitlement | NewEntitlement) -> tuple[object, ...]:
    """Return what names a right, its end apart."""
    return right.enrolment_id, right.class_code, right.valid_from, right.evidence


def _end(session: Session, row: Entitlement, new: NewEntitlement, actor: Actor, now: datetime) -> str:
    """Let a right that is stored end where the sheet says so, if it says so."""
    if new.valid_to is None or new.valid_to == row.valid_to:
        return "unchanged"
    if row.valid_to is not None and new.valid_to > row.valid_to:
        raise Conflict(
            f"Quyền này đã kết thúc ngày {row.valid_to:%d/%m/%Y}, không kéo dài được."
            " Hãy thêm một dòng mới từ ngày sau đó, với giấy tờ mới."
        )
    end_entitlement(session, row.id, actor, new.valid_to, "Theo tệp nhập", now)
    if row.withdrawn_at is not None:  # nobody had approved it: it was dropped, and is entered anew with its end
        entitle(session, row.school_id, actor, new, now)
    return "changed"


def _read(up: Upload, line: Line, pupils: Pupils) -> EntitlementRow | None:
    before = len(up.problems)
    pupil = pupils.read(up, line)
    kind = read(up, line, "kind", _kind_of, required=True)
    evidence = read(up, line, "evidence", long_text_of, required=True)
    start = read(up, line, "valid_from", day_of, required=True)
    end = read(up, line, "valid_to", day_of)
    if start and end and end < start:
        up.report(line, "valid_to", f"Ngày {end:%d/%m/%Y} trước ngày bắt đầu.", "Sửa một trong hai ngày.")
    if len(up.problems) > before or not (pupil and kind and start and evidence):
        return None
    return EntitlementRow(line, NewEntitlement(pupil.enrolment_id, kind, evidence, start, end))


def _kind_of(cell: Cell) -> str:
    """Return the code of a class of the national file; case does not count."""
    text = text_of(cell)
    codes = {each.code.casefold(): each.code for each in national_rates().entitlements}
    if text.casefold() not in codes:
        raise CellError(f"Không có đối tượng mã {shown(text)}.", "Ghi một trong: " + "; ".join(codes.values()) + ".")
    return codes[text.casefold()]


def _lines(rows: Sequence[Entitlement], pupils: Pupils) -> Iterator[list[Value]]:
    known = [(pupil, row) for row in rows if (pupil := pupils.by_enrolment.get(row.enrolment_id))]
    for pupil, row in sorted(known, key=lambda each: (*each[0].place, each[1].valid_from, each[1].class_code)):
        yield [
            pupil.code,
            pupil.full_name,
            pupil.class_code,
            row.class_code,
            row.title,
            row.evidence,
            row.valid_from,
            row.valid_to,
            "đã duyệt" if row.approved_by else "chờ duyệt",
        ]
