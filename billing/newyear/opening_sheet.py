"""The opening list as an XLSX: pupil by pupil, with the totals that are signed and the digest of the lines."""

from __future__ import annotations

from collections.abc import Iterator

from sqlmodel import Session, col, select

from billing.documents.filling import pupil_codes
from billing.fees.tables import FeeItem
from billing.newyear.opening import lines_of
from billing.newyear.tables import YearOpening, YearOpeningLine
from billing.people.names import sort_key
from billing.people.sheet_writing import Value, write_sheet
from billing.people.tables import Pupil
from billing.people.workbook import Column

_COLUMNS = (
    Column("pupil_code", "Mã học sinh", ()),
    Column("full_name", "Họ tên học sinh", ()),
    Column("class_code", "Lớp", ()),
    Column("name", "Thông báo hoặc khoản thu", ()),
    Column("period", "Kỳ", ()),
    Column("due", "Còn phải nộp (đồng)", ()),
    Column("credit", "Tiền tồn, nộp thừa (đồng)", ()),
)


def opening_workbook(session: Session, opening: YearOpening) -> bytes:
    """Return a list as it was drawn up, also long after: class by class, each pupil's bills before its credit."""
    return write_sheet(f"Số dư đầu {opening.school_year}", _COLUMNS, _rows(session, opening))


def _rows(session: Session, opening: YearOpening) -> Iterator[list[Value]]:
    lines = lines_of(session, opening)
    pupils = {line.pupil_id for line in lines}
    names = dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(pupils))).all())
    codes = pupil_codes(session, list(pupils))
    of_school = FeeItem.school_id == opening.school_id
    items = dict(session.exec(select(FeeItem.code, FeeItem.legal_name).where(of_school)).all())

    def place(line: YearOpeningLine) -> tuple[object, ...]:
        return line.class_code, sort_key(names[line.pupil_id]), str(line.pupil_id), line.id

    for line in sorted(lines, key=place):
        what = line.number or items.get(line.item_code or "", "Nộp thừa")
        money: list[Value] = [line.amount, None] if line.bill_id else [None, line.amount]
        yield [codes.get(line.pupil_id, ""), names[line.pupil_id], line.class_code, what, line.period, *money]
    yield ["", "CỘNG", "", f"{opening.pupils} học sinh", "", opening.due, opening.credit]
    yield ["", "SHA-256", "", opening.digest.hex(), "", None, None]
