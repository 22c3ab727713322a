"""Attendance that cannot be: refused on the page with line, reason and remedy, and nothing of it is stored."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import text
from sqlmodel import select

from billing.attendance.tables import Absence
from service.database import EVERYTHING
from tests.factories.schools import make_class, make_pupil
from tests.service.pages import test_attendance_pages
from tests.service.pages.test_attendance_pages import GRID, NOVEMBER, SEVEN, School
from tests.service.pages.test_fee_pages import hand_in, post

school = test_attendance_pages.school


def told(page: str) -> list[tuple[str, str, str, str]]:
    """Return line, column, reason and remedy of each bad line that a page lists."""
    rows = re.findall(r"<tr>(<td data-label.*?)</tr>", page, re.DOTALL)
    cells = [dict(re.findall(r'<td data-label="([^"]+)">([^<]*)</td>', html.unescape(row))) for row in rows]
    return [(row["Dòng"], row["Cột"], row["Lý do"], row["Cách sửa"]) for row in cells]


def sheet_of(school: School, class_id: str) -> tuple[Workbook, Worksheet]:
    answer = school.office.get(f"{GRID}/{class_id}/bang.xlsx", params={"thang": "2025-10"})
    book = load_workbook(io.BytesIO(answer.content))
    return book, book.worksheets[0]


def sent(school: School, book: Workbook) -> tuple[int, str]:
    stream = io.BytesIO()
    book.save(stream)
    return hand_in(school.office, f"{GRID}/{school.class_id}/bang", stream.getvalue(), thang="2025-10")


def absences(school: School) -> object:
    return school.read(lambda session: len(session.exec(select(Absence)).all()))


def test_a_day_off_a_pupil_who_left_and_a_closed_month(school: School) -> None:
    """By the teacher's phone and in the office's grid: the day, the child and what to do are named each time."""
    post(school.office, "/van-phong/diem-danh/ngay-nghi", ngay="2025-10-08", ly_do="Nghỉ bão")
    for status, said in (school.tick(0, day=8), school.write("p", (0, 8))):
        assert status == 422
        assert "08/10/2025 toàn trường nghỉ" in html.unescape(said)
    with school.world.collecting.database.transaction(EVERYTHING) as session:
        session.execute(
            text("UPDATE enrolments SET ended_on = '2025-10-09', state = 'left' WHERE id = :e"),
            {"e": school.children[1]},
        )
    school.at(SEVEN + timedelta(days=6))
    left = ("Ngày 13/10/2025 em Nguyễn Văn 2 đã rời lớp", "Nguyễn Văn 2: Ngày 13/10/2025 em đã rời lớp 1A")
    for words, (status, said) in zip(left, (school.tick(1, day=13), school.write("p", (1, 13))), strict=True):
        assert status == 422
        assert words in html.unescape(said)
        assert "học đến 09/10/2025" in html.unescape(said)
    school.at(NOVEMBER)
    school.close()
    status, said = school.tick(0, day=13)
    assert status == 409
    assert "đã chốt" in said
    assert "văn phòng" in said, "the teacher is told who can still write it down"
    status, said = school.write("p", (0, 13))
    assert (status, "phải có lý do" in said) == (422, True), "and the office what it has to write"
    assert absences(school) == 0


def test_thirty_two_days_and_a_sheet_of_another_class(school: School) -> None:
    with school.world.collecting.database.transaction(EVERYTHING) as session:
        other = make_class(session, school.world.billing.school, "1B")
        make_pupil(session, other, "Lê Thị Lan", province_id=school.world.billing.school.province_id)
        other_id = str(other.id)
    school.at(NOVEMBER)
    book, sheet = sheet_of(school, school.class_id)
    sheet.cell(1, sheet.max_column + 1, "Ngày 32")
    sheet.cell(2, sheet.max_column, "p")
    status, page = sent(school, book)
    assert status == 422
    assert told(page) == [("2", "Ngày 32", "Tháng 10/2025 không có ngày 32.", "Xóa cột này.")]
    book, _ = sheet_of(school, other_id)
    status, page = sent(school, book)
    assert status == 422
    reason = "Dòng này của lớp “1B”; bảng này là của lớp 1A tháng 10/2025."
    assert told(page) == [("2", "Lớp", reason, "Chọn tệp của đúng lớp.")]
    assert absences(school) == 0
