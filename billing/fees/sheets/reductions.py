"""Pupils' reductions of one school year, out as a sheet and back: a new line waits for another person's approval.

The sheet tells hardship beside names: whoever hands it out asks for the right and writes the opening down. A line that
is gone changes nothing; an earlier last day ends the reduction; anything else about one that stands is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.fees import tables
from billing.fees.item_rows import one_at_a_time
from billing.fees.items import GROUP_NAMES, Group
from billing.fees.kinds import shipped_kinds
from billing.fees.reducing import NewReduction, end_reduction, enter_reduction
from billing.fees.sheets.cells import codes_of, day_of, long_text_of, money_of, percent_of, several_of
from billing.fees.sheets.taking import take_lines
from billing.people.cells import read, text_of
from billing.people.imported import Imported
from billing.people.sheet_pupils import PUPIL_COLUMNS, Pupils, read_pupils
from billing.people.sheet_writing import Value, write_sheet
from billing.people.tables import School
from billing.people.workbook import Cell, Column, Line, Upload, open_upload, refused_file

COLUMNS = (
    *PUPIL_COLUMNS,
    Column("kind", "Mã diện", ("ma dien", "dien", "ma dien mien giam")),
    Column("name", "Tên diện", ("ten dien",), required=False),
    Column("percent", "Tỷ lệ giảm (%)", ("ty le giam", "ty le")),
    Column("amount", "Số tiền giảm mỗi tháng", ("so tien giam moi thang", "so tien giam", "so tien")),
    Column("items", "Mã khoản thu", ("ma khoan thu", "khoan thu"), required=False),
    Column("groups", "Nhóm khoản thu", ("nhom khoan thu", "nhom"), required=False),
    Column("valid_from", "Từ ngày", ("tu ngay",)),
    Column("valid_to", "Đến ngày", ("den ngay",), required=False),
    Column("legal_basis", "Căn cứ", ("can cu", "can cu phap ly"), required=False),
    Column("evidence", "Minh chứng", ("minh chung", "giay to kem theo")),
    Column("state", "Tình trạng", ("tinh trang",), required=False, kept=False),
)
_CHARGED = {group: name for group, name in GROUP_NAMES.items() if group is not Group.DONATION}


@dataclass(frozen=True, slots=True)
class ReductionRow:
    """One line: what it says of a pupil."""

    line: Line
    new: NewReduction


def export_reductions(session: Session, school: School, school_year: str) -> bytes:
    """Return a school year's reductions, class by class, as an XLSX to edit and bring back."""
    pupils = read_pupils(session, school.id, school_year)
    rows = [row for row in _live(session, school.id) if row.enrolment_id in pupils.by_enrolment]
    return write_sheet("Miễn giảm", COLUMNS, _lines(rows, pupils))


def import_reductions(  # noqa: PLR0913, PLR0917  what an import needs to know
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
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Điền danh sách miễn giảm rồi gửi lại.")
    return take_lines(session, rows, lambda row: _take(session, school, row.new, actor, now))


def _take(session: Session, school: School, new: NewReduction, actor: Actor, now: datetime) -> str:
    for row in _live(session, school.id, new.enrolment_id):
        if not _same(row, new):
            continue
        if new.valid_to is None or new.valid_to == row.valid_to:
            return "unchanged"
        if row.valid_to is None or new.valid_to < row.valid_to:
            end_reduction(session, school.id, row.id, new.valid_to, actor, now, "Theo tệp nhập")
            return "changed"
    enter_reduction(session, school, new, actor, now)
    return "new"


def _same(row: tables.Reduction, new: NewReduction) -> bool:
    """Tell whether a line says what a row says, their ends apart; what is left out of the line is as in the row."""
    return (
        (row.reason_class, row.valid_from, row.evidence) == (new.kind, new.valid_from, new.evidence)
        and (new.percent in (None, row.percent) and new.amount in (None, row.amount))
        and (not new.item_codes or new.item_codes == frozenset(row.item_codes))
        and (not new.groups or {group.value for group in new.groups} == set(row.item_groups))
        and new.legal_basis in ("", row.legal_basis)
    )


def _read(up: Upload, line: Line, pupils: Pupils) -> ReductionRow | None:
    before = len(up.problems)
    pupil = pupils.read(up, line)
    kind = read(up, line, "kind", _kind_of, required=True)
    percent = read(up, line, "percent", percent_of)
    amount = read(up, line, "amount", money_of)
    items = read(up, line, "items", codes_of)
    groups = read(up, line, "groups", several_of(_CHARGED))
    start = read(up, line, "valid_from", day_of, required=True)
    end = read(up, line, "valid_to", day_of)
    basis = read(up, line, "legal_basis", long_text_of)
    evidence = read(up, line, "evidence", long_text_of, required=True)
    if start and end and end < start:
        up.report(line, "valid_to", f"Ngày {end:%d/%m/%Y} trước ngày bắt đầu.", "Sửa một trong hai ngày.")
    if percent and amount:
        up.report(line, "amount", "Có cả tỷ lệ và số tiền giảm.", "Chỉ ghi một trong hai.")
    if len(up.problems) > before or not (pupil and kind and start and evidence):
        return None
    new = NewReduction(
        enrolment_id=pupil.enrolment_id,
        kind=kind,
        valid_from=start,
        evidence=evidence,
        valid_to=end,
        percent=percent,
        amount=amount,
        item_codes=items or frozenset(),
        groups=groups or frozenset(),
        legal_basis=basis or "",
    )
    return ReductionRow(line, new)


def _kind_of(cell: Cell) -> str:
    """Return a kind's code as the rules know it; one that is unknown is refused only where it is to be entered."""
    code = text_of(cell)
    return code.upper() if any(kind.code == code.upper() for kind in shipped_kinds()) else code


def _live(session: Session, school_id: UUID, enrolment_id: UUID | None = None) -> Sequence[tables.Reduction]:
    query = select(tables.Reduction).where(
        tables.Reduction.school_id == school_id,
        col(tables.Reduction.enrolment_id).is_not(None),
        col(tables.Reduction.withdrawn_at).is_(None),
    )
    if enrolment_id is not None:
        query = query.where(tables.Reduction.enrolment_id == enrolment_id)
    return session.exec(query.order_by(col(tables.Reduction.valid_from), col(tables.Reduction.id))).all()


def _lines(rows: Sequence[tables.Reduction], pupils: Pupils) -> Iterator[list[Value]]:
    known = [(pupils.by_enrolment[row.enrolment_id], row) for row in rows if row.enrolment_id is not None]
    for pupil, row in sorted(known, key=lambda each: (*each[0].place, each[1].valid_from)):
        yield [
            pupil.code,
            pupil.full_name,
            pupil.class_code,
            row.reason_class,
            row.title,
            row.percent,
            row.amount,
            "; ".join(row.item_codes),
            "; ".join(GROUP_NAMES[Group(group)] for group in row.item_groups),
            row.valid_from,
            row.valid_to,
            row.legal_basis,
            row.evidence,
            "đã duyệt" if row.approved_by else "chờ duyệt",
        ]
