"""A class's month goes out as an XLSX and comes back; every bad cell is told with line, column, reason and remedy."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlmodel import Session, select

from billing.attendance.closing import close_month, set_cutoff, set_day_off
from billing.attendance.marking import Marked, Wanted, mark_days
from billing.attendance.marks import Mark
from billing.attendance.month import month_sheet
from billing.attendance.reading import absence_counts, closings, members_by_class, teachers_on
from billing.attendance.sheet import export_month, import_month
from billing.attendance.tables import Absence
from billing.attendance.teaching import give_class
from billing.attendance.ticking import cutoff_of, tick_day
from billing.errors import BadRows, Conflict, NotFound, Refused
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from tests.factories.rounds import BillingSchool, make_billing_school
from tests.factories.schools import make_class, make_pupil

OCTOBER = date(2025, 10, 1)
MORNING = datetime(2025, 10, 7, 0, 30, tzinfo=UTC)
NOVEMBER = datetime(2025, 11, 1, 2, 0, tzinfo=UTC)
Edit = Callable[[list[list[object]]], None]
HEAD, AN, BINH, CHI = range(4)  # lines of the sheet, from 0; pupils as the sheet orders them


class Class1A:
    """Class 1A of a small school, its month and its sheet."""

    def __init__(self, session: Session, billing: BillingSchool) -> None:
        self.session = session
        self.billing = billing
        self.id = billing.pupils[0].class_group.id

    @property
    def children(self) -> list[UUID]:
        return [child.enrolment.id for child in self.billing.pupils]

    def close(self) -> None:
        close_month(self.session, self.billing.id, self.billing.accountant, self.id, OCTOBER, NOVEMBER)

    def tick(self, *children: int, at: datetime = MORNING) -> None:
        wanted = [self.children[child] for child in children]
        tick_day(self.session, self.billing.id, self.billing.accountant, self.id, date(2025, 10, 7), wanted, at)

    def out(self, month: date = OCTOBER, class_id: UUID | None = None) -> bytes:
        return export_month(self.session, self.billing.id, class_id or self.id, month, NOVEMBER)

    def back(self, data: bytes) -> Marked:
        return import_month(self.session, self.billing.id, self.billing.accountant, self.id, OCTOBER, data, NOVEMBER)

    def bring(self, edit: Edit, data: bytes | None = None) -> Marked:
        """Edit the class's sheet as a person would and bring it back."""
        return self.back(edited(data or self.out(), edit))

    def refused(self, edit: Edit, data: bytes | None = None) -> list[tuple[int, str, str, str]]:
        """Return the problems of an edited sheet; nothing of it may have been stored."""
        before = len(self.session.exec(select(Absence)).all())
        with pytest.raises(BadRows) as caught:
            self.bring(edit, data)
        assert len(self.session.exec(select(Absence)).all()) == before
        return [(each.line, each.column, each.reason, each.remedy) for each in caught.value.problems]

    def marks(self) -> dict[tuple[int, int], str]:
        """Return the absences of the month: mark by child and day."""
        sheet = month_sheet(self.session, self.billing.id, self.id, OCTOBER, date(2025, 10, 31))
        places = {key: place for place, key in enumerate(self.children)}
        return {(places[p.enrolment_id], day.day): str(a.mark) for p in sheet.pupils for day, a in p.away.items()}


def edited(data: bytes, edit: Edit) -> bytes:
    """Change the cells of a workbook; every cell that the edit gives is written as it is."""
    book = load_workbook(io.BytesIO(data))
    sheet = book.worksheets[0]
    rows: list[list[object]] = [[cell.value for cell in row] for row in sheet.iter_rows()]
    edit(rows)
    sheet.delete_rows(1, sheet.max_row)
    for row in rows:
        sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def put(line: int, day: int, mark: str, reason: str = "") -> Edit:
    """Write a mark for a day, and a reason at the end of the line."""

    def edit(rows: list[list[object]]) -> None:
        rows[line][rows[0].index(f"Ngày {day}")] = mark
        if reason:
            rows[line][rows[0].index("Lý do")] = reason

    return edit


@pytest.fixture
def database_(database: Database, vault: Vault) -> tuple[Database, BillingSchool]:
    with database.transaction(EVERYTHING) as session:
        return database, make_billing_school(session, vault)


@pytest.fixture
def group(database_: tuple[Database, BillingSchool]) -> Iterator[Class1A]:
    database, billing = database_
    with database.transaction(Scope.of(billing.id)) as session:
        yield Class1A(session, billing)


def test_the_sheet_as_it_went_out_changes_nothing_and_says_who_was_there(group: Class1A) -> None:
    group.tick(0)
    book = load_workbook(io.BytesIO(group.out()))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows[0][:5] == ("Mã định danh Bộ GD&ĐT", "Họ tên học sinh", "Lớp", "Tháng", "Ngày 1")
    assert rows[0][-2:] == ("Ngày 31", "Lý do")
    assert (rows[1][2:5], rows[1][10]) == (("1A", "2025-10", "x"), "p")
    assert group.back(group.out()) == Marked(0, 0)
    assert len(export_month(group.session, group.billing.id, group.id, date(2025, 9, 1), NOVEMBER)) > 0


def test_marks_come_in_late_ones_are_not_credited_and_taken_back_ones_go(group: Class1A) -> None:
    group.tick(0)

    def edit(rows: list[list[object]]) -> None:
        for change in (put(AN, 7, "x"), put(BINH, 8, "P"), put(CHI, 9, "v"), put(CHI, 10, "p", "Về quê")):
            change(rows)

    assert group.bring(edit) == Marked(3, 1)
    assert group.marks() == {(1, 8): "p", (2, 9): "v", (2, 10): "p"}
    reasons = {row.day.day: row.reason for row in group.session.exec(select(Absence)).all() if not row.withdrawn_at}
    assert reasons == {8: "Bảng điểm danh tháng 10/2025", 9: "Về quê", 10: "Về quê"}
    assert group.bring(edit) == Marked(0, 0)
    assert group.bring(put(CHI, 10, "v")) == Marked(1, 1)
    assert group.bring(put(CHI, 9, "p")) == Marked(1, 0)
    assert group.marks() == {(1, 8): "p", (2, 9): "p", (2, 10): "v"}


def test_a_day_off_who_left_and_who_has_not_come_are_refused_where_they_stand(
    database_: tuple[Database, BillingSchool], group: Class1A
) -> None:
    database, billing = database_
    with database.transaction(EVERYTHING) as session:
        came = date(2025, 10, 20)
        province = billing.school.province_id
        make_pupil(session, billing.pupils[0].class_group, "Nguyễn Văn 4", province_id=province, started_on=came)
    out = group.out()
    set_day_off(group.session, group.billing.id, group.billing.accountant, date(2025, 10, 6), "Nghỉ bão", MORNING)
    left = {"e": group.children[0]}
    group.session.execute(text("UPDATE enrolments SET ended_on = '2025-10-15', state = 'left' WHERE id = :e"), left)

    def edit(rows: list[list[object]]) -> None:
        for row in rows[1:]:
            row[4:35] = [""] * 31
        for change in (put(AN, 6, "p"), put(AN, 16, "x"), put(BINH, 7, "p"), put(4, 17, "p")):
            change(rows)

    assert group.refused(edit, out) == [
        (2, "Ngày 6", "Ngày 06/10/2025 toàn trường nghỉ (Nghỉ bão).",
         "Xóa dấu ở ô này; nếu hôm đó có học thì bỏ ngày nghỉ trước."),
        (2, "Ngày 16", "Ngày 16/10/2025 em đã rời lớp 1A (học đến 15/10/2025).", "Xóa dấu ở ô này."),
        (5, "Ngày 17", "Ngày 17/10/2025 em chưa vào lớp 1A (vào từ 20/10/2025).", "Xóa dấu ở ô này."),
    ]  # fmt: skip


def test_a_closed_month_takes_what_the_office_adds_with_a_reason_and_gives_nothing_back(group: Class1A) -> None:
    group.tick(0)
    group.close()
    with pytest.raises(Conflict, match="đã chốt"):  # the teacher's way in
        group.tick(1, at=NOVEMBER)
    [(line, column, reason, remedy)] = group.refused(put(BINH, 8, "p"))
    assert (line, column) == (3, "Ngày 8")
    assert "đã chốt; ghi bổ sung phải có lý do" in reason
    assert "Điền lý do" in remedy
    [(line, column, reason, remedy)] = group.refused(put(AN, 7, "x", "nhầm"))
    assert (line, column) == (2, "Ngày 7")
    assert "không bỏ được ngày vắng" in reason
    assert "khoản thu riêng" in remedy
    assert group.bring(put(BINH, 8, "p", "Giấy bác sĩ nộp muộn")) == Marked(1, 0)
    row = group.session.exec(select(Absence).where(Absence.after_close)).one()
    assert (row.day, row.credited, row.reason) == (date(2025, 10, 8), True, "Giấy bác sĩ nộp muộn")


def test_thirty_two_days_and_the_thirty_first_of_september(group: Class1A) -> None:
    def widen(rows: list[list[object]]) -> None:
        rows[0].append("Ngày 32")
        rows[1].append("x")

    assert group.refused(widen) == [(2, "Ngày 32", "Tháng 10/2025 không có ngày 32.", "Xóa cột này.")]

    def add_a_day(rows: list[list[object]]) -> None:
        rows[0].append("Ngày 31")
        rows[1].append("x")

    september = date(2025, 9, 1)
    data = edited(group.out(september), add_a_day)
    with pytest.raises(BadRows) as caught:
        import_month(group.session, group.billing.id, group.billing.accountant, group.id, september, data, NOVEMBER)
    [problem] = caught.value.problems
    assert problem.reason == "Tháng 09/2025 không có ngày 31."


def test_a_sheet_of_another_class_or_month_is_refused_line_by_line(
    database_: tuple[Database, BillingSchool], group: Class1A
) -> None:
    database, billing = database_
    with database.transaction(EVERYTHING) as session:
        other = make_class(session, billing.school, "1B")
        make_pupil(session, other, "Lê Thị Lan", province_id=billing.school.province_id)
    [(line, column, reason, remedy)] = group.refused(lambda _: None, group.out(class_id=other.id))
    assert (line, column) == (2, "Lớp")
    assert reason == "Dòng này của lớp “1B”; bảng này là của lớp 1A tháng 10/2025."
    assert remedy == "Chọn tệp của đúng lớp."
    problems = group.refused(lambda rows: [row.__setitem__(3, "2025-12") for row in rows[1:]])  # type: ignore[arg-type]  # a list of nothing
    assert [each[:2] for each in problems] == [(2, "Tháng"), (3, "Tháng"), (4, "Tháng")]
    assert "Dòng này của tháng 12/2025" in problems[0][2]

    def strange(rows: list[list[object]]) -> None:
        rows[1][:2] = ["", "Lê Thị Lan"]

    [(line, column, reason, _)] = group.refused(strange)
    assert (line, column) == (2, "Mã định danh Bộ GD&ĐT")
    assert "Lớp “1A” không có học sinh “Lê Thị Lan”" in reason
    assert [each[2] for each in group.refused(lambda rows: rows[1].__setitem__(3, "tháng mười"))] == [
        "Không hiểu tháng “tháng mười”."
    ]


def test_a_pupil_of_another_class_by_code(database_: tuple[Database, BillingSchool], group: Class1A) -> None:
    database, billing = database_
    with database.transaction(EVERYTHING) as session:
        other = make_class(session, billing.school, "1B")
        lan = make_pupil(session, other, "Lê Thị Lan", province_id=billing.school.province_id)
    lines = list(load_workbook(io.BytesIO(group.out(class_id=other.id))).worksheets[0].iter_rows(values_only=True))

    def strange(rows: list[list[object]]) -> None:
        rows[1][:2] = [lines[1][0], lan.pupil.full_name]

    [(_, column, reason, _)] = group.refused(strange)
    assert column == "Mã định danh Bộ GD&ĐT"
    assert reason == "Lê Thị Lan không học lớp 1A trong tháng 10/2025. Em đang ở lớp 1B."


def test_duplicate_lines_unknown_marks_and_missing_days(group: Class1A) -> None:
    def twice(rows: list[list[object]]) -> None:
        rows.append(list(rows[1]))
        put(CHI, 9, "nghỉ")(rows)

    assert group.refused(twice) == [
        (4, "Ngày 9", "Không hiểu dấu “nghỉ”.",
         "Ghi một trong: “x” có mặt; “v” vắng, không trừ suất ăn; “p” vắng có phép, trừ suất ăn; hoặc để trống."),
        (5, "Mã định danh Bộ GD&ĐT", "Em này đã có ở dòng 2.", "Xóa một trong hai dòng."),
    ]  # fmt: skip

    def renamed(rows: list[list[object]]) -> None:
        rows[0][rows[0].index("Ngày 5")] = "hôm thứ năm"

    assert [each[1:3] for each in group.refused(renamed)] == [("Ngày 5", "Thiếu cột “Ngày 5”.")]
    assert "Không có dòng nào" in group.refused(lambda rows: rows.__delitem__(slice(1, None)))[0][2]


def test_the_grid_refuses_as_a_whole_by_name(group: Class1A) -> None:
    def mark(*wanted: Wanted) -> Marked:
        office = group.billing.accountant
        return mark_days(group.session, group.billing.id, office, group.id, OCTOBER, wanted, NOVEMBER)

    good = Wanted(group.children[0], date(2025, 10, 7), Mark.EXCUSED)
    for wrong, said in (
        (Wanted(group.children[1], date(2025, 11, 3), Mark.EXCUSED), "Nguyễn Văn 2: Ngày 03/11/2025"),
        (Wanted(new_id(), date(2025, 10, 7), Mark.EXCUSED), "không học lớp 1A"),
    ):
        with pytest.raises(Refused, match=said):
            mark(good, wrong)
    assert group.marks() == {}
    assert mark(good) == Marked(1, 0)
    assert not mark(good)
    assert mark(Wanted(good.enrolment_id, good.day, Mark.PRESENT)) == Marked(0, 1)
    with pytest.raises(NotFound, match="không có lớp"):
        mark_days(group.session, group.billing.id, group.billing.accountant, new_id(), OCTOBER, [good], NOVEMBER)


def test_what_the_months_page_counts(group: Class1A) -> None:
    group.tick(0, 1)
    school = group.billing.id
    assert absence_counts(group.session, school, OCTOBER, OCTOBER) == {(group.id, OCTOBER): 2}
    assert closings(group.session, school, OCTOBER, OCTOBER) == {}
    group.close()
    assert set(closings(group.session, school, date(2025, 9, 1), OCTOBER)) == {(group.id, OCTOBER)}
    assert set(members_by_class(group.session, school, OCTOBER)[group.id]) == set(group.children)
    teacher = group.billing.approver.user_id
    assert teacher
    give_class(group.session, school, group.billing.accountant, group.id, teacher, date(2025, 12, 1), NOVEMBER)
    assert [each.user_id for each in teachers_on(group.session, school, OCTOBER)] == [teacher]


def test_the_cut_off_hour_and_a_day_off_in_the_wrong_year(group: Class1A) -> None:
    school, office = group.billing.id, group.billing.accountant
    nine = datetime(2025, 1, 1, 9, 0, tzinfo=UTC).time()
    assert set_cutoff(group.session, school, office, nine, MORNING)
    assert not set_cutoff(group.session, school, office, nine, MORNING)
    assert cutoff_of(group.session, school) == nine
    with pytest.raises(Refused, match="kiểm tra lại năm"):
        set_day_off(group.session, school, office, date(2205, 10, 7), "Nghỉ bão", MORNING)
