"""Registrations of one school year, out as a sheet and back: one line for each pupil and item, twice the same is once.

A line that is gone from the sheet changes nothing: a registration ends where its last day is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.fees.registering import Registration, take_registrations
from billing.fees.sheets.cells import code_of, count_of, day_of, long_text_of
from billing.fees.tables import FeeItem, OptIn
from billing.people.cells import read
from billing.people.imported import Imported
from billing.people.sheet_pupils import PUPIL_COLUMNS, Pupils, read_pupils
from billing.people.sheet_writing import Value, write_sheet
from billing.people.tables import School
from billing.people.workbook import Column, Line, Upload, open_upload, refused_file

COLUMNS = (
    *PUPIL_COLUMNS,
    Column("code", "Mã khoản thu", ("ma khoan thu", "ma khoan")),
    Column("count", "Số lượng", ("so luong",), required=False),
    Column("valid_from", "Từ ngày", ("tu ngay",)),
    Column("valid_to", "Đến ngày", ("den ngay",), required=False),
    Column("evidence", "Minh chứng", ("minh chung", "can cu dang ky", "phieu dang ky")),
)


def export_registrations(session: Session, school: School, school_year: str) -> bytes:
    """Return a school year's registrations, class by class, as an XLSX to edit and bring back."""
    pupils = read_pupils(session, school.id, school_year)
    rows = session.exec(
        select(OptIn, FeeItem.code)
        .join(FeeItem, col(FeeItem.id) == col(OptIn.item_id))
        .where(OptIn.school_id == school.id, col(OptIn.withdrawn_at).is_(None))
    ).all()
    lines: list[tuple[tuple[object, ...], list[Value]]] = []
    for row, code in rows:
        pupil = pupils.by_enrolment.get(row.enrolment_id)
        if pupil is not None:
            about: list[Value] = [pupil.code, pupil.full_name, pupil.class_code, code]
            values = [*about, row.quantity, row.valid_from, row.valid_to, row.evidence]
            lines.append(((*pupil.place, code, row.valid_from), values))
    return write_sheet("Đăng ký", COLUMNS, (values for _, values in sorted(lines, key=lambda each: each[0])))


def import_registrations(  # noqa: PLR0913, PLR0917  what an import needs to know
    session: Session, school: School, school_year: str, data: bytes, actor: Actor, now: datetime
) -> Imported:
    """Bring a sheet back; raises ``BadRows`` with every line that cannot be taken, and then has written nothing."""
    upload = open_upload(data, COLUMNS)
    pupils = read_pupils(session, school.id, school_year)
    items = _items(session, school.id)
    rows: dict[tuple[UUID, str, object], Registration] = {}
    seen = 0
    for line in upload.lines():
        seen += 1
        _read(upload, line, pupils, items, rows)
    upload.refuse_if_bad()
    if not seen:
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Điền danh sách đăng ký rồi gửi lại.")
    in_order = sorted(rows.values(), key=lambda each: each.valid_from)
    with session.begin_nested():
        done = take_registrations(session, school.id, in_order, now)
    if done.new or done.changed:
        deed = Deed(school.id, "fees.import_registrations", "school_year", school_year)
        record_deed(session, actor, deed, now, new=done.new, changed=done.changed, unchanged=done.unchanged)
    return Imported(done.new, done.changed, done.unchanged)


def _read(
    up: Upload,
    line: Line,
    pupils: Pupils,
    items: Mapping[str, FeeItem],
    rows: dict[tuple[UUID, str, object], Registration],
) -> None:
    """Read one line into ``rows``; note whatever is wrong with it."""
    before = len(up.problems)
    pupil = pupils.read(up, line)
    code = read(up, line, "code", code_of, required=True)
    quantity = read(up, line, "count", count_of)
    start = read(up, line, "valid_from", day_of, required=True)
    end = read(up, line, "valid_to", day_of)
    evidence = read(up, line, "evidence", long_text_of, required=True)
    if code is not None:
        _report_item(up, line, code, items.get(code))
    if start and end and end < start:
        up.report(line, "valid_to", f"Ngày {end:%d/%m/%Y} trước ngày bắt đầu.", "Sửa một trong hai ngày.")
    if len(up.problems) > before or not (pupil and code and start and evidence):
        return
    made = Registration(pupil.enrolment_id, code, start, evidence, quantity or 1, end)
    first = rows.setdefault((pupil.enrolment_id, code, start), made)
    if first != made:
        up.report(line, "code", "Học sinh này đã có dòng khác cho khoản thu và ngày này.", "Xóa một trong hai dòng.")


def _report_item(up: Upload, line: Line, code: str, item: FeeItem | None) -> None:
    if item is None:
        up.report(line, "code", f"Trường không có khoản thu {code}.", "Sửa mã, hoặc thêm khoản thu trước.")
    elif not item.opt_in:
        reason = f"Khoản thu {item.legal_name} thu của mọi học sinh, không cần đăng ký."
        up.report(line, "code", reason, "Xóa dòng này.")


def _items(session: Session, school_id: UUID) -> dict[str, FeeItem]:
    rows = session.exec(select(FeeItem).where(FeeItem.school_id == school_id)).all()
    return {row.code: row for row in rows}
