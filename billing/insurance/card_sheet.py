"""Pupils' cards of one school year, out as a sheet and back; twice the same line is once.

Handed out, the sheet tells neither numbers nor why a child is insured elsewhere: both are brought in and stay inside.
An empty cell of either leaves what is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor
from billing.cards.entering import Entered, NewCard, clean_number, enter_cards
from billing.cards.months import YEAR
from billing.cards.tables import REASONS, InsuranceCard
from billing.errors import HocphiError, RowProblem
from billing.fees.sheets.cells import day_of, in_words, one_of
from billing.insurance.changing import Billed, issued_months, next_open
from billing.people.cells import CellError, read, shown, text_of
from billing.people.imported import Imported, refuse
from billing.people.sheet_pupils import PUPIL_COLUMNS, Pupils, read_pupils
from billing.people.sheet_writing import Value, write_sheet
from billing.people.tables import Enrolment, School
from billing.people.workbook import Cell, Column, Line, Upload, in_sheet, open_upload, refused_file
from billing.vault import Vault

SCHOOL, OTHER = "Trường", "Thẻ khác"
REASON_NAMES = {
    "household": "Hộ gia đình",
    "poor": "Hộ nghèo",
    "near_poor": "Hộ cận nghèo",
    "military": "Thân nhân quân đội, công an",
    "social": "Bảo trợ xã hội, dân tộc",
    "under_six": "Trẻ dưới 6 tuổi",
    "elsewhere": "Nơi khác",
}
"""Why a child is insured elsewhere, in the order in which it is chosen; for staff with the right only."""
_SOURCES: dict[str, str] = {"school": SCHOOL, "other": OTHER, **REASON_NAMES}
_CHOICES = {3: "3", 6: "6", 12: "12"}
COLUMNS = (
    *PUPIL_COLUMNS,
    Column("year", "Năm BHYT", ("nam bhyt", "nam")),
    Column("source", "Nguồn", ("nguon", "nguon dong", "dien tham gia")),
    Column("number", "Số thẻ BHYT", ("so the bhyt", "so the", "ma the bhyt"), required=False),
    Column("card_end", "Thẻ cũ hết hạn", ("the cu het han", "han the", "ngay het han"), required=False),
    Column("at_a_time", "Mỗi lần mua (tháng)", ("moi lan mua thang", "moi lan mua", "so thang"), required=False),
    Column("collected_in", "Thu từ tháng", ("thu tu thang", "thang thu"), required=False),
)


@dataclass(frozen=True, slots=True)
class _Row:
    line: Line
    card: NewCard


def export_cards(session: Session, school: School, school_year: str) -> bytes:
    """Return what is known of a school year's pupils, class by class, as an XLSX to edit and bring back.

    Who has no card yet has a line, too: for the calendar year in which the school year began, with the next month that
    can be billed.
    """
    pupils = read_pupils(session, school.id, school_year)
    persons = _persons(session, school.id, school_year)
    cards = session.exec(
        select(InsuranceCard)
        .where(InsuranceCard.school_id == school.id, col(InsuranceCard.withdrawn_at).is_(None))
        .order_by(col(InsuranceCard.year))
    ).all()
    first = int(school_year[:4])
    month = _next_month(session, school.id, first)
    lines: list[tuple[tuple[object, ...], list[Value]]] = []
    for enrolment, pupil in pupils.by_enrolment.items():
        about: list[Value] = [pupil.code, pupil.full_name, pupil.class_code]
        own = [card for card in cards if card.pupil_id == persons[enrolment] and card.year >= first]
        lines.extend(((*pupil.place, card.year), [*about, *_told(card)]) for card in own)
        if not own:
            lines.append(((*pupil.place, first), [*about, first, None, None, None, None, month]))
    return write_sheet("Thẻ BHYT", COLUMNS, (values for _, values in sorted(lines, key=lambda each: each[0])))


def import_cards(  # noqa: PLR0913, PLR0917  what an import needs to know
    session: Session, vault: Vault, school: School, school_year: str, data: bytes, actor: Actor, now: datetime
) -> Imported:
    """Bring a sheet back; raises ``BadRows`` with every line that cannot be taken, and then has written nothing."""
    upload = open_upload(data, COLUMNS)
    pupils = read_pupils(session, school.id, school_year)
    persons = _persons(session, school.id, school_year)
    lines = list(upload.lines())
    rows: dict[tuple[UUID, int], _Row] = {}
    for line in lines:
        _read(upload, line, pupils, persons, rows)
    upload.refuse_if_bad()
    if not lines:
        raise refused_file("Không có dòng nào dưới dòng tiêu đề.", "Điền danh sách thẻ BHYT rồi gửi lại.")
    with session.begin_nested():
        done = _enter_all(session, vault, actor, school.id, list(rows.values()), now)
    return Imported(done.new, done.changed, done.unchanged)


def _enter_all(  # noqa: PLR0913, PLR0917  as above
    session: Session, vault: Vault, actor: Actor, school_id: UUID, rows: list[_Row], now: datetime
) -> Entered:
    """Write all lines, or raise ``BadRows`` with each that the rules refuse."""
    problems: list[RowProblem] = []
    billed = Billed(session, school_id)
    done = Entered()
    for row in rows:
        try:
            with session.begin_nested():
                one = enter_cards(session, vault, actor, school_id, [row.card], now, judge=billed.judge)
        except HocphiError as error:
            problems.append(RowProblem(row.line.number, in_sheet("Cả dòng", row.line.sheet), *in_words(error)))
            continue
        done = Entered(done.new + one.new, done.changed + one.changed, done.unchanged + one.unchanged)
    refuse(problems)
    return done


def _read(
    up: Upload, line: Line, pupils: Pupils, persons: Mapping[UUID, UUID], rows: dict[tuple[UUID, int], _Row]
) -> None:
    """Read one line into ``rows``; note whatever is wrong with it. A line without a source says nothing."""
    before = len(up.problems)
    pupil = pupils.read(up, line)
    year = read(up, line, "year", _year_of, required=True)
    source = read(up, line, "source", one_of(_SOURCES))
    number = read(up, line, "number", _number_of)
    end = read(up, line, "card_end", day_of)
    at_a_time = read(up, line, "at_a_time", one_of(_CHOICES))
    month = read(up, line, "collected_in", _month_of)
    if len(up.problems) > before or pupil is None or year is None or source is None:
        return
    if source == "other":
        up.report(
            line, "source", "Thẻ khác nhưng chưa ghi diện nào.", "Ghi một trong: " + "; ".join(REASON_NAMES.values())
        )
        return
    reason = source if source in REASONS else None
    if reason is None and month is None:
        up.report(line, "collected_in", "Mua tại trường nhưng chưa ghi tháng thu.", "Ghi tháng thu, ví dụ 10/2025.")
        return
    card = NewCard(persons[pupil.enrolment_id], year, reason, end, number or "", at_a_time, month)
    first = rows.setdefault((card.pupil_id, year), _Row(line, card))
    if first.card != card:
        up.report(line, "year", "Học sinh này đã có dòng khác cho năm này.", "Xóa một trong hai dòng.")


def _next_month(session: Session, school_id: UUID, year: int) -> str | None:
    """Return the month of a year after all that are issued; nothing before the first round, or when none is left."""
    issued = issued_months(session, school_id)
    free = next_open(issued, max(issued)) if issued else None
    return f"{free:%m/%Y}" if free is not None and free <= date(year, YEAR, 1) else None


def _told(card: InsuranceCard) -> list[Value]:
    bought = card.collected_in
    return [
        card.year,
        SCHOOL if card.source == "school" else None,
        None,
        card.card_end,
        card.at_a_time,
        f"{bought:%m/%Y}" if bought else None,
    ]


def _persons(session: Session, school_id: UUID, school_year: str) -> dict[UUID, UUID]:
    """Return the pupil of each enrolment."""
    rows = session.exec(
        select(Enrolment.id, Enrolment.pupil_id).where(
            Enrolment.school_id == school_id, Enrolment.school_year == school_year
        )
    ).all()
    return dict(rows)


def _year_of(cell: Cell) -> int:
    text = text_of(cell)
    if not (text.isdecimal() and 2020 <= int(text) <= 2100):  # noqa: PLR2004  the database's own bounds
        raise CellError(f"Không hiểu năm {shown(text)}.", "Ghi năm có 4 chữ số, ví dụ 2025.")
    return int(text)


def _number_of(cell: Cell) -> str:
    try:
        return clean_number(text_of(cell))
    except HocphiError as error:
        raise CellError(*in_words(error)) from error


def _month_of(cell: Cell) -> date:
    """Return the first day of ``10/2025``, or of the month of a date."""
    if isinstance(cell.value, str):
        month, mark, year = cell.value.strip().partition("/")
        if mark and month.isdecimal() and year.isdecimal() and 1 <= int(month) <= 12 and 2020 <= int(year) <= 2100:  # noqa: PLR2004  months and years
            return date(int(year), int(month), 1)
    return day_of(cell).replace(day=1)
