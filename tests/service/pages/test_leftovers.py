"""Leftover money as the office and the family see it: kept, used at the issue, asked back, approved, paid out."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import openpyxl
import pytest
from sqlmodel import Session, col, select
from starlette.testclient import TestClient

from billing.audit.tables import AuditEntry
from billing.bills.tables import Bill, BillLine
from billing.credits.reading import credit_of
from billing.fees.items import Span
from billing.fees.tables import FeeItem
from billing.money import Money
from billing.payments.allocation import allocate
from billing.payments.balances import bill_balances
from billing.payments.recording import Received, record_payment
from billing.rounds.correcting import Lowering, approve_correction, propose_credit
from billing.storage import new_id
from tests.factories.rounds import REFERENCE_KEY, issued_round, requests_of
from tests.service.pages.test_claims import form, send
from tests.service.pages.worlds import World

KEPT, REFUNDS = "/van-phong/tien-ton", "/van-phong/hoan-tien"
MEAL = Money(32_000)


def pay_and_lower(world: World, session: Session, child: int, meals: int) -> None:
    """Let a child pay October in cash, and give back some of its meals."""
    pupil = world.billing.pupils[child].id
    (bill,) = bill_balances(session, col(Bill.pupil_id) == pupil)
    now = world.clock()
    received = Received(
        school_id=world.billing.id, pupil_id=pupil, source_kind="cash", source_id=new_id(), amount=bill.rest,
        value_date=now.date(),
    )  # fmt: skip
    record_payment(session, received, allocate(bill.rest, [(bill.bill_id, bill.rest)])[0], now)
    line = select(BillLine.id).where(BillLine.bill_id == bill.bill_id, BillLine.item_code == "TIENAN")
    lowering = [Lowering(session.exec(line).one() or 0, meals * MEAL)]
    asked = propose_credit(session, world.billing.accountant, bill.bill_id, lowering, "Nghỉ ăn", now)
    approve_correction(session, asked.id, world.billing.approver, now, REFERENCE_KEY)


@pytest.fixture
def people(world: World) -> dict[str, TestClient]:
    def prepare(session: Session) -> None:
        item = session.exec(select(FeeItem).where(FeeItem.code == "TIENAN")).one()
        item.carry_over = "offset_round"
        session.add(item)
        session.flush()
        pay_and_lower(world, session, 0, 2)
        pay_and_lower(world, session, 1, 1)

    world.change(prepare)
    return {role: world.signed_in(world.staff(role)) for role in ("accountant", "approver", "auditor", "cashier")}


def bulk(client: TestClient, **fields: str) -> str:
    """Ask for refunds in bulk as the dry run showed them, and return the request's page."""
    query = "&".join(f"{name}={value}" for name, value in fields.items() if name in {"khoan", "lop", "dot", "cach"})
    page = f"{REFUNDS}/hang-loat?{query}"
    seen = re.search(r'name="da_xem" value="([^"]+)"', client.get(page).text)
    assert seen, "nothing to ask for"
    return send(client, page, f"{REFUNDS}/hang-loat", da_xem=seen[1], **fields)


def test_kept_asked_back_approved_and_signed_for(world: World, people: dict[str, TestClient]) -> None:
    accountant, approver, cashier = people["accountant"], people["approver"], people["cashier"]
    page = accountant.get(KEPT).text
    assert "khớp sổ cái" in page
    assert str(3 * MEAL) in page
    book = openpyxl.load_workbook(io.BytesIO(people["auditor"].get(f"{KEPT}.xlsx").content))
    rows = list(book["Tiền tồn"].iter_rows(values_only=True))
    assert [row[5] for row in rows if isinstance(row[0], int)] == [64_000, 32_000]
    assert any("Chênh lệch" in str(row[2]) and row[5] == 0 for row in rows)
    pupil = f"{KEPT}/hoc-sinh/{world.billing.pupils[0].id}"
    assert "Ghi giảm thông báo đã nộp" in accountant.get(pupil).text
    here = bulk(accountant, khoan="TIENAN", ly_do="Hạ mức thu sau khi nộp")
    assert "khớp sổ cái" in accountant.get(KEPT).text
    assert "Chính anh/chị" not in approver.get(here).text
    send(approver, here, f"{here}/duyet")
    line = re.search(rf'action="{here}/dong/([0-9a-f-]+)/chi', cashier.get(here).text)
    assert line
    step = f"{here}/dong/{line[1]}"
    send(cashier, here, f"{step}/chi", nguoi_nhan="Nguyễn Văn Hòa", ngay=f"{world.clock().date()}")
    assert "ký nhận Nguyễn Văn Hòa" in accountant.get(here).text
    again = form(cashier, here, nguoi_nhan="Nguyễn Văn Hòa", ngay=f"{world.clock().date()}")
    assert cashier.post(f"{step}/chi", data=again).status_code == 409
    sheets = openpyxl.load_workbook(io.BytesIO(cashier.get(f"{here}/danh-sach.xlsx").content))
    assert sheets.sheetnames == ["Danh sách hoàn", "Ký nhận"]
    assert [row[4] for row in sheets["Ký nhận"].iter_rows(values_only=True) if isinstance(row[0], int)] == [
        64_000,
        32_000,
    ]

    def kept_nothing(session: Session) -> None:
        assert credit_of(session, world.billing.id) == {}
        opened = select(AuditEntry.actor_role).where(
            col(AuditEntry.action).in_(["refund.open_list", "credit.open_list"])
        )
        assert sorted(session.exec(opened).all()) == ["auditor", "cashier"]

    world.change(kept_nothing)


def test_the_maker_does_not_approve_and_nobody_asks_for_more_than_is_kept(
    world: World, people: dict[str, TestClient]
) -> None:
    accountant = people["accountant"]
    pupil = str(world.billing.pupils[0].id)
    page = f"{KEPT}/hoc-sinh/{pupil}"
    fields = {"em": pupil, "khoan": "TIENAN", "so_tien": "64.001", "ly_do": "Nghỉ học"}
    answer = accountant.post(f"{KEPT}/hoan", data=form(accountant, page, **fields))
    assert answer.status_code == 422
    assert "64.000 đ" in answer.text
    account = {"ten": "Nguyễn Văn Hòa", "ngan_hang": "970436", "so_tai_khoan": "0071 0001 23456", "can_cu": "Đơn"}
    here = send(accountant, page, f"{KEPT}/hoan", **{**fields, "so_tien": "64.000"}, **account)
    shown = accountant.get(here).text
    assert "Vietcombank …3456" in shown
    assert "0071000123456" not in shown
    assert accountant.post(f"{here}/duyet", data=form(accountant, here)).status_code == 403
    assert people["cashier"].get(KEPT).status_code == 403


def test_families_see_what_was_used_and_what_is_still_to_pay(world: World, people: dict[str, TestClient]) -> None:
    del people
    world.clock.now += timedelta(days=26)
    november = Span(world.clock().date().replace(month=11, day=1), world.clock().date().replace(month=11, day=30))

    def issue(session: Session) -> None:
        issued_round(session, world.billing, world.clock(), november, "2025-11")
        world.collecting.requests = [requests_of(session, child)[-1] for child in world.billing.pupils]

    world.change(issue)
    page = world.client().get(world.link(0)).text
    assert "Đã trừ tiền tồn" in page
    assert str(2 * MEAL) in page
    assert "Chờ nộp" in page
    assert "Đã trừ tiền tồn" not in world.client().get(world.link(2)).text


def test_a_surplus_that_was_used_is_told_no_more(world: World, people: dict[str, TestClient]) -> None:
    del people
    kept = "Nhà trường giữ cho con"
    october = world.link(0)
    assert kept in world.client().get(october).text, "lowered after it was paid"
    world.clock.now += timedelta(days=26)
    november = Span(world.clock().date().replace(month=11, day=1), world.clock().date().replace(month=11, day=30))
    world.change(lambda session: issued_round(session, world.billing, world.clock(), november, "2025-11"))
    assert kept not in world.client().get(october).text
