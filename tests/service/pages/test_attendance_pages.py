"""Attendance clicked through on real rows: the teacher's roll, months, the grid, its sheet, the kitchen, settling.

Each story is one of accountants' cases: late notes, a storm, a change of class, leaving and arriving, few days eaten.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.attendance.tables import Absence
from billing.bills.tables import BillCredit
from billing.money import Money, total
from billing.people.tables import ClassPlacement
from billing.rounds.tables import BillingRound
from service.access.tables import User
from service.database import EVERYTHING
from tests.factories.rounds import register
from tests.factories.schools import make_class, make_pupil
from tests.service.pages.test_fee_pages import hand_in, post
from tests.service.pages.worlds import World

MEAL = Money(32_000)
SEVEN = datetime(2025, 10, 7, 0, 0, tzinfo=UTC)  # seven o'clock in the morning
NINE = SEVEN + timedelta(hours=2)
NOVEMBER = datetime(2025, 11, 1, 2, 0, tzinfo=UTC)
GRID = "/van-phong/diem-danh/lop"
# Words and signs of money, of exemptions and of debt, in any spelling: none stands on a teacher's page.
MONEY = (
    " đ<", "đồng", "tiền", "miễn", "giảm", "nộp", "nợ", "thu ", "biên lai", "32.000", "32000", "money", "paid",
    "owed", "exempt", "fee ", "price", "amount",
)  # fmt: skip


@dataclass
class School:
    """The school of October, its class 1A, and who works there."""

    world: World
    teacher_user: User
    teacher: TestClient
    office: TestClient
    approver: TestClient

    @property
    def class_id(self) -> str:
        return str(self.world.billing.pupils[0].class_group.id)

    @property
    def children(self) -> list[str]:
        return [str(child.enrolment.id) for child in self.world.billing.pupils]

    @property
    def round_path(self) -> str:
        round_id = self.read(lambda session: session.exec(select(BillingRound.id)).first())
        return f"/van-phong/dot-thu/{round_id}"

    def read(self, ask: Callable[[Session], object]) -> object:
        with self.world.collecting.database.transaction(EVERYTHING) as session:
            return ask(session)

    def at(self, now: datetime) -> None:
        """Move the clock; sessions would have ended by then, so everybody signs in again."""
        self.world.clock.now = now
        self.sign_in()

    def sign_in(self) -> None:
        self.teacher = self.world.signed_in(self.teacher_user)
        self.office = self.world.signed_in(self.world.staff("accountant"))
        self.approver = self.world.signed_in(self.world.staff("approver"))

    def tick(self, *absent: int, day: int = 7, shown: tuple[int, ...] = ()) -> tuple[int, str]:
        path = f"/lop-chu-nhiem/{self.class_id}/ngay/2025-10-{day:02}"
        children = self.children
        return post(self.teacher, path, em=[children[n] for n in absent], da_vang=[children[n] for n in shown])

    def write(self, mark: str, *cells: tuple[int, int], reason: str = "", class_id: str = "") -> tuple[int, str]:
        """Write a mark into cells (child, day of October) of the grid."""
        ticked = [f"{self.children[child]}_2025-10-{day:02}" for child, day in cells]
        path = f"{GRID}/{class_id or self.class_id}"
        return post(self.office, path, thang="2025-10", dau=mark, o=ticked, ly_do=reason)

    def close(self) -> tuple[int, str]:
        return post(self.office, f"{GRID}/{self.class_id}/chot", thang="2025-10")

    def settle(self) -> str:
        """Ask for October's meals to be settled and let the approver say yes; return what the request showed."""
        status, asked = post(self.office, f"{self.round_path}/quyet-toan")
        assert status == 200, asked
        found = re.search(r"/van-phong/dieu-chinh/([0-9a-f-]{36})/tu-choi", asked)
        assert found
        assert post(self.office, f"/van-phong/dieu-chinh/{found[1]}/duyet")[0] == 403
        status, done = post(self.approver, f"/van-phong/dieu-chinh/{found[1]}/duyet")
        assert (status, "Đã duyệt và thực hiện" in done) == (200, True)
        return asked

    def settle_again(self) -> str:
        """Ask once more; return why nothing can be done."""
        status, said = post(self.office, f"{self.round_path}/quyet-toan")
        assert status == 422
        return said

    def settled(self) -> Money:
        """Return what all credit notes so far took off."""
        notes = self.read(lambda session: list(session.exec(select(BillCredit)).all()))
        assert isinstance(notes, list)
        return total(note.off_rest + note.to_credit for note in notes)


def choices(text_: str, name: str) -> list[str]:
    found = re.search(rf'<select id="[\w-]+" name="{name}">(.*?)</select>', text_, re.DOTALL)
    assert found
    return re.findall(r'value="([0-9a-f-]{36})"', found[1])


@pytest.fixture
def school(world: World) -> School:
    """October issued to three boarders; a class teacher who was given 1A by the accountant, on a page."""
    world.clock.now = SEVEN
    teacher = world.staff("class_teacher")
    client = world.client()
    made = School(world, teacher, client, client, client)
    made.sign_in()
    page = made.office.get("/van-phong/diem-danh/giao-vien").text
    assert "Chưa có giáo viên: 1A" in " ".join(page.split())
    [group], users = choices(page, "lop"), choices(page, "giao_vien")
    assert users == [str(teacher.id)]
    status, text_ = post(made.office, "/van-phong/diem-danh/giao-vien", lop=group, giao_vien=users[0], tu="2025-09-01")
    assert (status, "từ 01/09/2025" in text_) == (200, True)
    return made


def test_a_teacher_ticks_the_own_class_and_sees_no_money(school: School) -> None:
    page = school.teacher.get("/lop-chu-nhiem").text
    assert "Báo trước 8:00 thì bếp trừ suất ăn" in page
    assert ">3</span>/3</strong> có mặt" in page
    assert school.teacher.get("/van-phong/thong-bao").status_code == 403
    status, saved = school.tick(0)
    assert (status, "Đã lưu điểm danh." in saved, ">2</span>/3</strong> có mặt" in saved) == (200, True, True)
    school.at(NINE)
    status, late = school.tick(0, 1, shown=(0,))
    assert "bếp đã nấu" in late
    assert "báo sau giờ" in late
    english = school.teacher.get("/lop-chu-nhiem", params={"lang": "en"}).text
    for text_ in (page, saved, late, english):
        body = html.unescape(re.sub(r"<title>.*?</title>|Học phí|name=\"csrf\"", "", text_)).casefold()
        told = [word for word in MONEY if word in body]
        assert told == []


def test_what_another_teacher_ticked_meanwhile_stays_and_other_classes_are_not_hers(school: School) -> None:
    school.tick(0)
    school.tick(1)  # from a page on which nobody was ticked yet
    assert school.teacher.get("/lop-chu-nhiem").text.count(" checked") == 2
    school.tick(1, shown=(0, 1))
    assert school.teacher.get("/lop-chu-nhiem").text.count(" checked") == 1
    with school.world.collecting.database.transaction(EVERYTHING) as session:
        other = str(make_class(session, school.world.billing.school, "1B").id)
    assert school.teacher.get("/lop-chu-nhiem", params={"lop": other}).status_code == 404
    assert post(school.teacher, f"/lop-chu-nhiem/{other}/ngay/2025-10-07")[0] == 404
    assert post(school.teacher, f"/lop-chu-nhiem/{other}/chot", thang="2025-09")[0] == 404
    assert post(school.teacher, f"/lop-chu-nhiem/{school.class_id}/chot", thang="2025-10")[0] == 422, "not over yet"
    teachers = "/van-phong/diem-danh/giao-vien"
    me = str(school.teacher_user.id)
    assert post(school.office, teachers, lop=other, giao_vien=str(school.world.staff("cashier").id))[0] == 422
    assert post(school.office, f"{teachers}/thoi", lop=school.class_id, giao_vien=me)[0] == 200
    assert "chưa được phân lớp" in school.teacher.get("/lop-chu-nhiem").text
    assert school.tick(2)[0] == 404


def test_the_kitchen_cooks_for_who_is_registered_and_was_not_called_off_in_time(school: School) -> None:
    cook = school.world.signed_in(school.world.staff("cashier"))
    with school.world.collecting.database.transaction(EVERYTHING) as session:
        group, province = school.world.billing.pupils[0].class_group, school.world.billing.school.province_id
        make_pupil(session, group, "Lê Về Nhà", province_id=province)  # eats at home
    school.tick(0)
    early = " ".join(cook.get("/van-phong/suat-an").text.split())
    assert "tạm tính lúc 07:00 07/10/2025, chốt lúc 8:00" in early
    school.at(NINE)
    school.tick(0, 1, shown=(0,))
    page = school.office.get("/van-phong/suat-an").text
    numbers = re.findall(r'<td class="money" data-label="[^"]+">(?:<strong>)?(\d+)', page)
    assert numbers[:3] == ["4", "1", "2"], "pupils, called off in time, portions"
    assert numbers[3:] == ["4", "1", "2"], "the school's sums"
    assert "Nguyễn Văn 2" in page
    assert "Nguyễn Văn 1" not in page
    post(school.office, "/van-phong/diem-danh/ngay-nghi", ngay="2025-10-08", ly_do="Nghỉ bão")
    assert "Không có suất ăn" in school.office.get("/van-phong/suat-an", params={"ngay": "2025-10-08"}).text


def test_days_off_are_entered_once_and_taken_back_until_a_class_has_closed(school: School) -> None:
    path = "/van-phong/diem-danh/ngay-nghi"
    assert post(school.office, path, ngay="2025-10-08", ly_do=" ")[0] == 422
    status, text_ = post(school.office, path, ngay="2025-10-08", ly_do="Nghỉ bão theo thông báo")
    assert (status, "Thứ Tư, 08/10/2025" in text_, "Nghỉ bão theo thông báo" in text_) == (200, True, True)
    assert "toàn trường nghỉ" in school.tick(0, day=8)[1]
    assert "Đã bỏ ngày nghỉ" in post(school.office, f"{path}/bo", ngay="2025-10-08")[1]
    assert school.tick(0, day=8)[0] == 200
    assert post(school.approver, path, ngay="2025-10-09", ly_do="x")[0] == 403
    assert "Đã đổi giờ" in post(school.office, "/van-phong/diem-danh/gio-bao", gio="07:30")[1]
    assert "Báo trước 7:30" in school.teacher.get("/lop-chu-nhiem").text
    assert post(school.office, "/van-phong/diem-danh/gio-bao", gio="sáng")[0] == 422
    post(school.office, path, ngay="2025-10-10", ly_do="Nghỉ bão")
    school.at(NOVEMBER)
    assert school.close()[0] == 200
    assert "có lớp đã chốt tháng" in school.office.get(path).text
    assert post(school.office, f"{path}/bo", ngay="2025-10-10")[0] == 409


def test_a_month_is_closed_settled_and_a_late_note_is_the_next_settling_s(school: School) -> None:
    school.tick(0, 1)
    assert school.office.get(f"{GRID}/{school.class_id}").status_code == 200
    school.at(NOVEMBER)
    months = school.office.get("/van-phong/diem-danh").text
    assert "1A · tháng 10/2025" in months
    assert "Lớp chưa chốt" in school.office.get(f"{school.round_path}/quyet-toan").text
    assert post(school.office, f"{school.round_path}/quyet-toan")[0] == 422, "no class is closed"
    status, text_ = post(school.teacher, f"/lop-chu-nhiem/{school.class_id}/chot", thang="2025-10")
    assert (status, "đã chốt · Lê Thị class_teacher" in text_) == (200, True)
    assert school.tick(2)[0] == 409
    assert "đã chốt 09:00 01/11/2025, Lê Thị class_teacher" in school.office.get("/van-phong/diem-danh").text
    shown = school.office.get(f"{school.round_path}/quyet-toan").text
    assert "Lớp chưa chốt: " not in shown
    assert re.findall(r'data-label="Đã ăn \(ngày\)">(\d+)', shown) == ["22", "22"]
    assert "64.000 đ" in school.settle()
    assert school.settled() == 2 * MEAL
    assert "Không có thông báo thu nào được giảm" in school.settle_again()


def test_a_storm_entered_after_the_month_was_closed(school: School) -> None:
    school.at(NOVEMBER)
    school.close()
    post(school.office, "/van-phong/diem-danh/ngay-nghi", ngay="2025-10-08", ly_do="Nghỉ bão")
    school.settle()
    assert school.settled() == 3 * MEAL


def test_a_late_note_needs_its_reason_and_nothing_is_taken_back_from_a_closed_month(school: School) -> None:
    school.tick(0)
    assert school.write("v", (2, 7))[0] == 200
    assert school.write("x", (2, 7))[0] == 200
    assert "không có gì thay đổi" in school.write("x", (2, 7))[1]
    school.at(NOVEMBER)
    school.close()
    school.settle()
    status, text_ = school.write("p", (0, 9))
    assert (status, "phải có lý do" in text_) == (422, True)
    assert school.write("x", (0, 7), reason="nhầm")[0] == 422
    assert school.write("p", (0, 9), reason="Giấy bác sĩ nộp muộn")[0] == 200
    assert (
        "văn phòng ghi: Giấy bác sĩ nộp muộn"
        in school.office.get(f"{GRID}/{school.class_id}", params={"thang": "2025-10"}).text
    )
    school.settle()
    assert school.settled() == 2 * MEAL
    cell = f"{school.children[0]}_2025-10-13"
    for cells, mark in (([], "p"), (["x"], "p"), ([cell], "y")):
        assert post(school.office, f"{GRID}/{school.class_id}", thang="2025-10", dau=mark, o=cells)[0] == 422
    assert post(school.office, f"{GRID}/{school.class_id}", thang="2025-13", dau="p", o=["x"])[0] == 422


def test_a_pupil_changes_class_and_each_absence_belongs_to_the_class_of_its_day(school: School) -> None:
    with school.world.collecting.database.transaction(EVERYTHING) as session:
        other = make_class(session, school.world.billing.school, "1B")
        child = school.world.billing.pupils[0].enrolment
        placed = session.exec(select(ClassPlacement).where(ClassPlacement.enrolment_id == child.id)).one()
        placed.valid_to = date(2025, 10, 15)
        session.add(placed)
        session.flush()
        moved = ClassPlacement(
            school_id=other.school_id, enrolment_id=child.id, class_id=other.id, valid_from=date(2025, 10, 16)
        )
        session.add(moved)
    new = str(other.id)
    school.at(NOVEMBER)
    status, text_ = school.write("p", (0, 20))
    assert (status, "đã rời lớp 1A (học đến 15/10/2025)" in text_) == (422, True)
    assert "chưa vào lớp 1B (vào từ 16/10/2025)" in school.write("p", (0, 8), class_id=new)[1]
    assert school.write("p", (0, 8))[0] == 200
    assert school.write("p", (0, 20), (0, 21), class_id=new)[0] == 200
    school.close()
    assert "1B · 10/2025" in school.office.get(f"{school.round_path}/quyet-toan").text
    school.settle()
    assert school.settled() == MEAL, "1B is not closed yet"
    assert post(school.office, f"{GRID}/{new}/chot", thang="2025-10")[0] == 200
    school.settle()
    assert school.settled() == 3 * MEAL


def test_who_leaves_or_ends_the_registration_within_the_month_is_settled_by_the_same_act(school: School) -> None:
    left, ended = school.children[0], school.children[1]
    with school.world.collecting.database.transaction(EVERYTHING) as session:
        session.execute(
            text("UPDATE enrolments SET ended_on = '2025-10-29', state = 'left' WHERE id = :e"), {"e": left}
        )
    path = f"/van-phong/dang-ky/TIENAN/{school.class_id}"
    school.at(NOVEMBER - timedelta(days=2))
    assert post(school.office, path, viec="ket-thuc", den="2025-10-30", can_cu="thôi ăn", em=[ended])[0] == 200
    school.at(NOVEMBER)
    assert "đã rời lớp 1A" in school.write("p", (0, 30))[1]
    school.close()
    school.settle()
    assert school.settled() == 3 * MEAL, "two days of who left, one of who stopped eating"


def test_who_arrives_within_the_month_is_billed_and_settled_by_the_days_there(school: School) -> None:
    with school.world.collecting.database.transaction(EVERYTHING) as session:
        billing = school.world.billing
        came = date(2025, 10, 20)
        new = make_pupil(
            session,
            billing.pupils[0].class_group,
            "Hồ Văn Đến",
            province_id=billing.school.province_id,
            started_on=came,
        )
        register(session, new, "TIENAN", since=came)
        billing.pupils.append(new)
    school.at(datetime(2025, 10, 21, 0, 30, tzinfo=UTC))
    assert "chưa vào lớp 1A (vào từ 20/10/2025)" in school.write("p", (3, 17))[1]
    assert school.tick(3, day=22)[0] == 200
    assert school.tick(3, day=17)[0] == 422
    status, text_ = post(school.office, f"{school.round_path}/bo-sung", han="2025-10-31")
    assert (status, "320.000 đ" in text_) == (200, True), "ten days of meals, ahead: the month is not closed"
    school.at(NOVEMBER)
    school.close()
    found = re.search(r"/van-phong/dot-thu/([0-9a-f-]{36})/xem-truoc", text_)
    assert found
    status, text_ = post(school.office, f"/van-phong/dot-thu/{found[1]}/xem-truoc")
    assert (status, "288.000 đ" in text_) == (200, True), "after the month: nine days attended"


def test_who_ate_fewer_than_five_days_is_named_and_the_school_may_bill_nothing(school: School) -> None:
    school.at(NOVEMBER)
    weekdays = [day for day in range(1, 32) if date(2025, 10, day).weekday() < 5]
    assert school.write("p", *((1, day) for day in weekdays[4:]), reason="Nằm viện")[0] == 200
    school.close()
    shown = school.office.get(f"{school.round_path}/quyet-toan").text
    assert "Ăn dưới 5 ngày" in shown
    assert "Nguyễn Văn 2</a> · 1A · 4 ngày" in shown
    school.settle()
    assert school.settled() == 19 * MEAL
    found = re.search(rf"({school.round_path}/hoc-sinh/[0-9a-f-]{{36}})", shown)
    assert found
    page = school.office.get(found[1]).text
    [bill] = re.findall(r'name="thong_bao" value="([0-9a-f-]{36})"', page)
    lines = re.findall(r'name="dong" value="(\d+)"><label for="giam-\d+">([^<]+)<', page)
    amounts = ["128.000" if name == "Tiền ăn bán trú" else "" for _, name in lines]
    fields: dict[str, str | list[str]] = {
        "thong_bao": bill,
        "viec": "credit",
        "dong": [line for line, _ in lines],
        "giam": amounts,
    }
    status, asked = post(school.office, "/van-phong/dieu-chinh", **fields, ly_do="Ăn 4 ngày, trường không thu")
    assert status == 200, asked
    waiting = re.search(r"/van-phong/dieu-chinh/([0-9a-f-]{36})/tu-choi", asked)
    assert waiting
    assert post(school.approver, f"/van-phong/dieu-chinh/{waiting[1]}/duyet")[0] == 200
    assert school.settled() == 23 * MEAL
    assert "Không có thông báo thu nào được giảm" in school.settle_again()


def test_the_sheet_goes_out_and_comes_back_and_says_what_is_wrong_where(school: School) -> None:
    school.tick(0)
    school.at(NOVEMBER)
    path = f"{GRID}/{school.class_id}"
    answer = school.office.get(f"{path}/bang.xlsx", params={"thang": "2025-10"})
    assert "Diem-danh-1A-2025-10.xlsx" in answer.headers["content-disposition"]
    book = load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    columns = {cell.value: number for number, cell in enumerate(sheet[1], start=1)}

    def sent(**cells: str) -> tuple[int, str]:
        for day, mark in cells.items():
            sheet.cell(3, columns[f"Ngày {day.removeprefix('d')}"], mark)
        stream = io.BytesIO()
        book.save(stream)
        return hand_in(school.office, f"{path}/bang", stream.getvalue(), thang="2025-10")

    status, text_ = sent(d8="p", d9="ốm")
    assert status == 422
    cells = dict(re.findall(r'<td data-label="([^"]+)">([^<]*)</td>', text_))
    assert cells["Dòng"] == "3"
    assert cells["Cột"] == "Ngày 9"
    assert cells["Lý do"] == "Không hiểu dấu “ốm”."
    assert cells["Cách sửa"].startswith("Ghi một trong")
    assert school.read(lambda session: len(session.exec(select(Absence)).all())) == 1, "nothing of it was stored"
    assert sent(d9="v")[0] == 303
    found = school.read(
        lambda session: {row.day.day: row.credited for row in session.exec(select(Absence).order_by(col(Absence.id)))}
    )
    assert found == {7: True, 8: True, 9: False}
    assert hand_in(school.office, f"{path}/bang", b"x" * (10 * 1024 * 1024 + 1), thang="2025-10")[0] == 413
    assert hand_in(school.teacher, f"{path}/bang", b"x", thang="2025-10")[0] == 403
