"""A new year and a former program's data as the office clicks through them, on real rows."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime

import openpyxl
import pytest
from sqlmodel import Session, select
from starlette.testclient import TestClient

from billing.bills.tables import Bill
from billing.newyear.tables import FormerBalance, YearOpeningSignature
from billing.people.tables import ClassGroup, Enrolment
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World

ROOT, FORMER = "/van-phong/nam-hoc-moi", "/van-phong/phan-mem-cu"
YEAR = "2026-2027"
JUNE = datetime(2026, 6, 10, 2, tzinfo=UTC)


@pytest.fixture
def people(world: World) -> dict[str, TestClient]:
    return {role: world.signed_in(world.staff(role)) for role in ("accountant", "approver")}


def rows_of(content: bytes) -> list[list[object]]:
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def book(rows: list[list[object]]) -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.worksheets[0].append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def test_the_accountant_goes_through_the_new_year_step_by_step(world: World, people: dict[str, TestClient]) -> None:
    world.clock.now = JUNE
    people = {role: world.signed_in(world.staff(role)) for role in people}
    accountant, approver = people["accountant"], people["approver"]
    home = accountant.get(ROOT).text
    assert "Việc tiếp theo" in home
    assert f"Năm học mới {YEAR}" in home
    prices = accountant.get(f"{ROOT}/khoan-thu?nam={YEAR}&tang=10").text
    keys, amounts = (
        re.findall(r'name="dong" value="([^"]+)"', prices),
        re.findall(r'name="muc"[^>]*value="([^"]+)"', prices),
    )
    assert "chưa có mức trần" in prices
    fields = {"dong": keys, "muc": amounts, "nam": YEAR, **form(accountant, ROOT + "/khoan-thu")}
    assert accountant.post(f"{ROOT}/khoan-thu", data=fields).status_code == 303
    assert accountant.post(f"{ROOT}/khoan-thu", data=fields).headers["location"].endswith("xong=0")
    proposed = re.findall(r'name="tao" value="([^"]+)"', accountant.get(f"{ROOT}/lop?nam={YEAR}").text)
    fields = {"tao": proposed, "nam": YEAR, **form(accountant, ROOT + "/lop")}
    assert accountant.post(f"{ROOT}/lop", data=fields).status_code == 303
    send(accountant, f"{ROOT}/len-lop", f"{ROOT}/len-lop/thuong-le", nam=YEAR)
    page = accountant.get(f"{ROOT}/len-lop?nam={YEAR}").text
    assert "Cộng lại đúng 3 em" in page
    sheet = rows_of(accountant.get(f"{ROOT}/len-lop/danh-sach.xlsx?nam={YEAR}").content)
    assert [row[3] for row in sheet[1:]] == ["Lên lớp"] * 3
    sheet[1][3:] = ["Chuyển trường", None]
    sheet[2][3:] = ["Lên lớp", "9Z"]
    bad = accountant.post(f"{ROOT}/len-lop/bang", data=form(accountant, f"{ROOT}/len-lop", nam=YEAR),
                          files={"tep": book(sheet)})  # fmt: skip
    assert bad.status_code == 422
    assert "Năm học mới không có lớp" in bad.text
    sheet[2][3:] = ["Lên lớp", "2A"]
    good = accountant.post(f"{ROOT}/len-lop/bang", data=form(accountant, f"{ROOT}/len-lop", nam=YEAR),
                           files={"tep": book(sheet)})  # fmt: skip
    assert good.headers["location"].endswith("xong=1")
    send(accountant, f"{ROOT}/len-lop", f"{ROOT}/len-lop/thuc-hien", nam=YEAR, ngay="2026-09-01")
    send(accountant, f"{ROOT}/tiep-noi", f"{ROOT}/tiep-noi", nam=YEAR, khoan="TIENAN")
    send(accountant, f"{ROOT}/so-du", f"{ROOT}/so-du", nam=YEAR)
    own = accountant.get(f"{ROOT}/so-du?nam={YEAR}").text
    assert "Ký: còn phải nộp" not in own
    sign = re.search(rf'action="({ROOT}/so-du/[0-9a-f-]+/ky)', approver.get(f"{ROOT}/so-du?nam={YEAR}").text)
    assert sign
    send(approver, f"{ROOT}/so-du?nam={YEAR}", sign[1])
    listed = rows_of(approver.get(sign[1].replace("/ky", "/danh-sach.xlsx")).content)
    assert listed[-2][1] == "CỘNG"
    assert "Việc tiếp theo" not in accountant.get(f"{ROOT}?nam={YEAR}").text

    def standing(session: Session) -> None:
        new = session.exec(select(Enrolment).where(Enrolment.school_year == YEAR)).all()
        assert len(new) == 2
        assert session.exec(select(ClassGroup.code).where(ClassGroup.school_year == YEAR).order_by("code")).all() == [
            "1A",
            "2A",
        ]
        assert len(session.exec(select(YearOpeningSignature)).all()) == 1

    world.change(standing)
    _ends_the_old_class_too(world, accountant)


def _ends_the_old_class_too(world: World, accountant: TestClient) -> None:
    world.change(_come_back)
    page = accountant.get(f"{ROOT}/len-lop?nam={YEAR}").text
    assert "chờ: hết lớp cũ ngày 31/08/2026" in page
    assert "Thực hiện cho 1 em" in page
    send(accountant, f"{ROOT}/len-lop", f"{ROOT}/len-lop/thuc-hien", nam=YEAR, ngay="2026-09-01")
    assert "chờ: hết lớp cũ" not in accountant.get(f"{ROOT}/len-lop?nam={YEAR}").text


def _come_back(session: Session) -> None:
    """Let one pupil stand as if only a contract or a list of the new year had given it a place."""
    old = session.exec(select(Enrolment).where(Enrolment.state == "completed")).first()
    assert old
    old.state, old.ended_on = "studying", None
    session.add(old)


def test_a_former_programs_file_is_read_in_and_another_approves(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver = people["accountant"], people["approver"]
    rows = rows_of(accountant.get(f"{FORMER}/mau.xlsx").content)
    born = world.billing.pupils[1].pupil.birth_date
    rows[1:] = [[None, "Nguyễn Văn 2", f"{born:%d/%m/%Y}", "1A", "HS2", "TIENAN", 120_000, 5_000]]
    typed = {"ten": "Excel cũ", "nam": "2025-2026", "thang": "2025-08", "han": "2025-10-31", "ton": "5.000"}
    wrong = accountant.post(f"{FORMER}/bang", data=form(accountant, FORMER, **typed, no="120.001"),
                            files={"tep": book(rows)})  # fmt: skip
    assert wrong.status_code == 422
    assert "Tổng còn phải nộp đã gõ là 120.001 đ, còn tệp cộng lại là 120.000 đ" in wrong.text
    made = accountant.post(f"{FORMER}/bang", data=form(accountant, FORMER, **typed, no="120.000"),
                           files={"tep": book(rows)})  # fmt: skip
    assert made.status_code == 303, made.text
    here = made.headers["location"].partition("?")[0]
    assert "Duyệt và chuyển sang" not in accountant.get(here).text
    assert "120.000 đ" in approver.get(here).text
    send(approver, here, f"{here}/duyet")
    assert "Đã nhận" in accountant.get(FORMER).text
    opening = re.search(r'href="(/van-phong/dot-thu/[0-9a-f-]+)', accountant.get(here).text)
    assert opening
    assert "Số chưa nộp chuyển từ phần mềm trước" in accountant.get(opening[1]).text
    assert "DK2508-000001" in accountant.get("/van-phong/thong-bao").text

    def standing(session: Session) -> None:
        assert len(session.exec(select(FormerBalance)).all()) == 2
        bill = session.exec(select(Bill).where(Bill.number == "DK2508-000001")).one()
        assert bill.pupil_id == world.billing.pupils[1].id

    world.change(standing)


def test_bad_forms_are_told_and_nothing_is_stored(world: World, people: dict[str, TestClient]) -> None:
    accountant = people["accountant"]
    for path, data in (
        ("/lop", {"nam": "2026", "tao": "primary|1|1A"}),
        ("/lop", {"nam": YEAR, "tao": "1A"}),
        ("/len-lop", {"nam": YEAR, "ket_qua": "flown"}),
        ("/len-lop", {"nam": YEAR, "ket_qua": "left"}),
        ("/khoan-thu", {"nam": YEAR, "dong": "x"}),
        ("/len-lop/thuc-hien", {"nam": YEAR, "ngay": ""}),
    ):
        answer = accountant.post(ROOT + path, data=form(accountant, f"{ROOT}/lop?nam={YEAR}", **data))
        assert answer.status_code == 422, path
    assert accountant.get(f"{ROOT}?nam=abc").status_code == 422
    assert accountant.get(f"{ROOT}/so-du/{world.billing.id}/danh-sach.xlsx").status_code == 404

    def nothing(session: Session) -> None:
        assert session.exec(select(ClassGroup).where(ClassGroup.school_year == YEAR)).all() == []

    world.change(nothing)
