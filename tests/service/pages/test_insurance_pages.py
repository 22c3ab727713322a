"""Health insurance as the office clicks through it, on real rows: open, cards, round, list, money, double cover."""

from __future__ import annotations

import html
import io
import re
from datetime import date

import pytest
from openpyxl import load_workbook
from sqlalchemy import text
from sqlmodel import Session
from starlette.testclient import TestClient

from billing.documents.cells import report_digest
from billing.fees.items import Span
from billing.insurance.opening import NAME
from billing.money import Money
from tests.billing.credits.credit_world import School
from tests.factories.collecting import PAID_AT
from tests.factories.rounds import issued_round
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World

ROOT = "/van-phong/bhyt"
NOVEMBER = Span(date(2025, 11, 1), date(2025, 11, 30))
NUMBER = "HS4757512345678"


@pytest.fixture
def people(world: World) -> dict[str, TestClient]:
    roles = ("accountant", "approver", "auditor")
    return {role: world.signed_in(world.staff(role)) for role in roles}


def pay(world: World, session: Session, child: int) -> None:
    """Let a child's newest bills be paid in cash."""
    school = School(world.collecting.database, world.billing, world.clock(), world.wiring.vault)
    round_id = session.execute(text("SELECT id FROM billing_rounds WHERE code = '2025-11'")).scalar_one()
    school.rounds[11] = round_id
    school.pay(session, 11, child)


def test_a_year_of_insurance_from_the_first_card_to_the_money_passed_on(
    world: World, people: dict[str, TestClient]
) -> None:
    accountant, approver = people["accountant"], people["approver"]
    children = world.billing.pupils
    group = f"{ROOT}/lop/{children[0].class_group.id}"
    account = re.search(r'<option value="([0-9a-f-]+)">', accountant.get(ROOT).text)
    assert account
    send(accountant, ROOT, f"{ROOT}/mo", tai_khoan=account[1])
    # One has another card; the others buy from November on, all at once.
    poor = f"{ROOT}/hoc-sinh/{children[2].id}"
    send(accountant, poor, poor, nam="2025", nguon="other", dien="poor", so_the=NUMBER)
    assert "Hộ nghèo" in accountant.get(f"{poor}?nam=2025").text
    assert NUMBER not in accountant.get(f"{poor}?nam=2025").text
    listed = accountant.get(f"{group}?nam=2025").text
    assert "thẻ khác" in listed
    assert "Hộ nghèo" not in listed
    data = form(accountant, group, nam="2025", thang="2025-11", het_han="2025-10-31", moi_lan="")
    ticked = {**data, "em": [str(child.id) for child in children]}
    assert accountant.post(group, data=ticked).status_code == 303
    assert accountant.get(f"{group}?nam=2025").text.count("2 · 11/2025") == 2
    world.change(lambda session: issued_round(session, world.billing, PAID_AT, NOVEMBER, "2025-11"))
    world.change(lambda session: pay(world, session, 0))
    # Ticked once more for the next month, which the page proposes, they would pay twice: the bill is named instead.
    assert 'name="thang" type="month" value="2025-12"' in accountant.get(f"{group}?nam=2025").text
    refused = accountant.post(group, data={**ticked, "thang": "2025-12"})
    assert refused.status_code == 409
    assert f"đã thu BHYT tháng 11/2025 của em {children[0].pupil.full_name}. Hãy thu hồi thông báo" in refused.text
    # The list: one paid, one waits; frozen, downloaded, checked.
    draft = f"{ROOT}/danh-sach?nam=2025"
    shown = accountant.get(draft).text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', shown)
    assert digest
    assert children[0].pupil.full_name in shown
    here = send(accountant, draft, f"{ROOT}/danh-sach", nam="2025", digest=digest[1])
    sheet = accountant.get(f"{here}/tep.xlsx")
    assert sheet.status_code == 200
    assert report_digest(sheet.content)[0] == digest[1]
    book = load_workbook(io.BytesIO(sheet.content))
    [row] = [row for row in book["Danh sách BHYT"].iter_rows(values_only=True) if row[0] == 1]
    assert row[1:] == (
        children[0].pupil.full_name, row[2], "Nữ", None, "11/2025", 2, 210_600, 105_300, 0, 0, 105_300, "1A",
    )  # fmt: skip
    assert people["auditor"].get(f"{here}/tep.xlsx").status_code == 403
    # The money: entered by one, approved by another, tied.
    list_id = here.rpartition("/")[2]
    send(
        accountant, ROOT, f"{ROOT}/chuyen-tien",
        danh_sach=list_id, so_tien="105.300", ngay=f"{world.clock().date()}", chung_tu="FT25310001",
    )  # fmt: skip
    payout = re.search(rf"{ROOT}/chuyen-tien/([0-9a-f-]+)/duyet", approver.get(f"{ROOT}?nam=2025").text)
    assert payout
    send(approver, ROOT, f"{ROOT}/chuyen-tien/{payout[1]}/duyet")
    sums = html.unescape(approver.get(f"{ROOT}?nam=2025").text)
    assert 'Chênh lệch với sổ cái (phải là 0): <strong class="nowrap">0 đ</strong>' in sums
    assert "<dt>+ còn giữ</dt><dd>0 đ</dd>" in sums


def test_everybody_reads_what_a_month_costs_and_why(world: World, people: dict[str, TestClient]) -> None:
    accountant = people["accountant"]
    account = re.search(r'<option value="([0-9a-f-]+)">', accountant.get(ROOT).text)
    assert account
    address = f"/cong-khai/{world.billing.school.code}"

    def shown() -> list[dict[str, object]]:
        items = world.client().get(f"{address}.json").json()["items"]
        return [price for item in items if item["name"] == NAME for price in item["prices"]]

    assert shown() == []
    send(accountant, ROOT, f"{ROOT}/mo", tai_khoan=account[1])
    price = shown()[0]
    assert (price["amount"], price["unit"]) == (52_650, "tháng")
    assert "4,5 % × mức lương cơ sở 2.340.000 đ; Nhà nước hỗ trợ 50 %" in str(price["whom"])
    text_ = html.unescape(world.client().get(address).text)
    assert '<strong class="nowrap">52.650 đ</strong>/tháng · phần gia đình của 4,5 %' in text_


def test_double_cover_is_asked_approved_and_refunded_on_the_pages(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver = people["accountant"], people["approver"]
    child = world.billing.pupils[0]
    account = re.search(r'<option value="([0-9a-f-]+)">', accountant.get(ROOT).text)
    assert account
    send(accountant, ROOT, f"{ROOT}/mo", tai_khoan=account[1])
    page = f"{ROOT}/hoc-sinh/{child.id}"
    send(accountant, page, page, nam="2025", nguon="school", het_han="2025-10-31", thang="2025-11", so_the=NUMBER)
    world.change(lambda session: issued_round(session, world.billing, PAID_AT, NOVEMBER, "2025-11"))
    world.change(lambda session: pay(world, session, 0))
    send(accountant, page, f"{page}/trung", nam="2025", tu="2025-12-01", dien="military")
    correction = re.search(r'href="(/van-phong/dieu-chinh/[0-9a-f-]+)', accountant.get(f"{page}?nam=2025").text)
    assert correction
    asked = approver.get(correction[1]).text
    assert "Trùng thẻ BHYT" in asked
    assert "quân đội" not in asked, "the correction does not say why"
    send(approver, correction[1], f"{correction[1]}/duyet")
    refund = send(accountant, f"{page}?nam=2025", f"{page}/hoan")
    assert str(Money(52_650)) in accountant.get(refund).text
    assert "1 tháng" in accountant.get(f"{page}?nam=2025").text


def test_what_the_rules_refuse_is_said_in_a_sentence(world: World, people: dict[str, TestClient]) -> None:
    accountant = people["accountant"]
    page = f"{ROOT}/hoc-sinh/{world.billing.pupils[0].id}"
    bad = form(accountant, page, nam="2025", nguon="school", thang="2026-05")
    answer = accountant.post(page, data=bad)
    assert answer.status_code == 422
    assert "từ tháng 8/2024 đến tháng 12/2025" in answer.text
    refused = accountant.get(f"{ROOT}?nam=1999")
    assert refused.status_code == 422
    assert "Xin ghi năm từ 2020 đến 2030" in refused.text
    assert people["auditor"].get(page).status_code == 403


def test_each_look_at_why_a_child_is_insured_elsewhere_is_recorded(world: World, people: dict[str, TestClient]) -> None:
    page = f"{ROOT}/hoc-sinh/{world.billing.pupils[0].id}"
    assert people["approver"].get(page).status_code == 200

    def looked(session: Session) -> None:
        found = session.execute(text("SELECT count(*) FROM audit_entries WHERE action = 'insurance.look'")).scalar_one()
        assert found == 1

    world.change(looked)
