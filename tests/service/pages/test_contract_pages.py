"""Contracts as the office of a private school clicks through them, on real rows."""

from __future__ import annotations

import html
import re

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from billing.contracts.tables import IncomeRelease
from billing.money import Money
from service.database import EVERYTHING
from tests.billing.contracts.contract_world import PrivateSchool, make_private_school
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World

ROOT = "/van-phong/hop-dong"
SIGNED = ("hop-dong.pdf", b"%PDF-1.4 signed", "application/pdf")
CHILD = {
    "ho_ten": "Trần Thị Bảo An",
    "ngay_sinh": "2019-03-05",
    "gioi_tinh": "Nữ",
    "nguoi_lon": "Trần Văn Cha",
    "quan_he": "father",
    "dien_thoai": "0912 345 678",
}


@pytest.fixture
def school(world: World) -> PrivateSchool:
    return make_private_school(world.collecting.database, world.wiring.vault)


@pytest.fixture
def people(world: World, school: PrivateSchool) -> dict[str, TestClient]:
    return {role: world.signed_in(world.staff(role, school_id=school.id)) for role in ("accountant", "approver")}


def test_a_child_applies_pays_its_deposit_and_does_not_come(
    world: World, school: PrivateSchool, people: dict[str, TestClient]
) -> None:
    accountant, approver, today = people["accountant"], people["approver"], f"{world.clock().date()}"
    wanted = {"mau": str(school.version_id), "cach": "half", "tu": "2026-02-01", "so_thang": "4"}
    here = send(accountant, ROOT, ROOT, **CHILD, **wanted)
    assert "Càng" not in accountant.get(here).text
    assert "giữ lại 50 % tiền giữ chỗ" in accountant.get(here).text
    fields = form(accountant, here, ngay=today, han="2025-12-31")
    assert accountant.post(f"{here}/ky", data=fields, files={"tep": SIGNED}).status_code == 303
    signed = accountant.get(here).text
    assert re.search(r"<strong>FW[0-9A-Z]{9}</strong>", signed)
    assert "<svg" in signed
    bill = re.search(r'href="(/van-phong/dot-thu/[^"?]+)', signed)
    assert bill
    assert "Tiền giữ chỗ" in accountant.get(bill[1]).text
    assert accountant.get(bill[1].partition("/hoc-sinh")[0]).status_code == 200
    assert "Quỹ tiền mặt" in signed
    _is_taken_reversed_and_taken_again(world, school, people)
    assert "(chưa xếp)" in accountant.get("/van-phong/thong-bao").text
    shown = accountant.get(f"{here}?ngay={today}").text
    assert shown.count("2.000.000 đ") >= 2
    send(accountant, here, f"{here}/khong-nhap-hoc", ngay=today, ly_do="Gia đình chuyển nơi ở")
    correction = re.search(r'href="(/van-phong/dieu-chinh/[0-9a-f-]+)', approver.get("/van-phong/dieu-chinh").text)
    assert correction
    send(approver, correction[1], f"{correction[1]}/duyet")
    refund = send(accountant, here, f"{here}/hoan-coc")
    assert "2.000.000 đ" in accountant.get(refund).text
    paper = re.search(rf'href="({here}/tep/[^"?]+)', accountant.get(here).text)
    assert paper
    assert approver.get(paper[1]).content == SIGNED[1]


def _is_taken_reversed_and_taken_again(world: World, school: PrivateSchool, people: dict[str, TestClient]) -> None:
    """The cashier finds the child that only applied, takes its deposit, and what was wrong is reversed by two."""
    cashier, till = world.signed_in(world.staff("cashier", school_id=school.id)), "/van-phong/quy"
    found = re.search(rf'href="({till}/hoc-sinh/[0-9a-f-]+)', cashier.get(f"{till}?q=Bảo An").text)
    assert found
    taken = _takes(cashier, found[1], "2000000")
    send(people["accountant"], taken, f"{taken}/dao", ly_do="Nhầm em")
    reversal = re.search(rf'action="({till}/dao/[0-9a-f-]+/duyet)', people["approver"].get(taken).text)
    assert reversal
    send(people["approver"], taken, reversal[1])
    assert "đã hủy" in cashier.get(till).text
    _takes(cashier, found[1], "2000000")


def _takes(cashier: TestClient, here: str, amount: str) -> str:
    """Look at what a sum does, confirm it; return where the taking is shown."""
    page = html.unescape(cashier.get(f"{here}?so_tien={amount}").text)
    confirm = page[page.index('class="decide"') :]
    answer = cashier.post(here, data=dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', confirm)))
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).partition("?")[0]


def test_a_pupil_of_a_contract_leaves_by_it_and_its_year_is_released(
    world: World, school: PrivateSchool, people: dict[str, TestClient]
) -> None:
    accountant = people["accountant"]
    with school.open() as session:
        contract, enrolment = school.yearly_child(session)
    here = f"{ROOT}/so/{contract.id}"
    assert "2.250.000 đ" in accountant.get(f"{ROOT}/doanh-thu?thang=2025-09").text
    send(accountant, f"{ROOT}/doanh-thu?thang=2025-09", f"{ROOT}/doanh-thu", thang="2025-09")
    with world.collecting.database.transaction(EVERYTHING) as session:
        (release,) = session.exec(select(IncomeRelease)).all()
        assert release.amount == Money(2_250_000)
    late = accountant.get(f"{ROOT}/cham-nop").text
    box = re.search(r'name="thong_bao" value="([0-9a-f-]+)"', late)
    assert box
    send(accountant, f"{ROOT}/cham-nop", f"{ROOT}/cham-nop", thong_bao=box[1], thang="2025-11")
    today = f"{world.clock().date()}"
    leaving = f"/van-phong/chuyen-di/hoc-sinh/{enrolment}"
    refused = accountant.post(f"{leaving}/nghi", data=form(accountant, leaving, ngay=today, viec="left", ly_do="x"))
    assert "trang Hợp đồng" in refused.text
    shown = accountant.get(f"{here}?ngay={today}").text
    back = re.search(r'name="da_xem" value="(\d+)"', shown)
    assert back
    assert "trả lại 70 % của phần chưa học" in shown
    left = send(accountant, f"{here}?ngay={today}", f"{here}/rut", ngay=today, ly_do="Chuyển nhà", da_xem=back[1])
    assert left.startswith("/van-phong/chuyen-di/lan/")
    taken_back = accountant.post(f"{left}/rut-lai", data=form(accountant, left, ly_do="Đổi ý"))
    assert taken_back.status_code == 409
    assert "Đã rút học" in accountant.get(here).text
    assert "Đề nghị lại" not in accountant.get(here).text
    approver, corrections = people["approver"], "/van-phong/dieu-chinh"
    for correction in set(re.findall(rf'href="({corrections}/[0-9a-f-]+)', approver.get(corrections).text)):
        send(approver, correction, f"{correction}/tu-choi", ly_do="Thiếu đơn của gia đình")
    assert "Thiếu đơn của gia đình" in accountant.get(here).text
    assert "Đề nghị lại" not in approver.get(here).text
    send(accountant, here, f"{here}/de-nghi-lai")
    assert "Đề nghị lại" not in accountant.get(here).text
    assert re.search(rf'href="({corrections}/[0-9a-f-]+)', approver.get(corrections).text)


def test_versions_are_written_by_one_and_approved_by_another(
    school: PrivateSchool, people: dict[str, TestClient]
) -> None:
    accountant, approver = people["accountant"], people["approver"]
    term = {"ma": "HP-QUY", "ten": "Học phí đóng quý", "khoan": "HOCPHI", "so_tien": "2.500.000"}
    send(accountant, f"{ROOT}/mau-moi", f"{ROOT}/ky-moi", **term, thang="2026-02", so_thang="3")
    assert "Học phí đóng quý" in accountant.get(f"{ROOT}/mau-moi").text
    fields = form(accountant, f"{ROOT}/mau-moi", ma="hd-9", ten="Hợp đồng mới", noi_dung="Điều 1", tu="2025-10-01")
    lists = {
        "khoan": ["HOCPHI", "HP-QUY", "", ""], "giam": ["0", "3", "0", "0"], "thay": ["", "HOCPHI", "", ""],
        "rut_thang": ["2", "", "", ""], "rut_tra": ["50", "", "", ""], "truoc": "90", "phi": "2", "an_han": "5",
        "tran": "300000",
    }  # fmt: skip
    made = accountant.post(f"{ROOT}/mau-moi", data={**fields, **lists})
    assert made.status_code == 303, made.text
    here = made.headers["location"].partition("?")[0]
    assert "giảm 3 %" in accountant.get(here).text
    assert accountant.post(f"{here}/duyet", data=form(accountant, ROOT)).status_code == 403
    send(approver, here, f"{here}/duyet")
    assert "Đã duyệt" in accountant.get(here).text
    wrong = accountant.post(f"{ROOT}/mau-moi", data={**fields, **lists, "truoc": "x"})
    assert "hãy ghi một số nguyên" in wrong.text
    assert f"{ROOT}/mau/{school.version_id}" in approver.get(ROOT).text
