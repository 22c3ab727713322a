"""More time and write-offs in the office and on the family's page, on real rows."""

from __future__ import annotations

import html
from datetime import timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select
from starlette.testclient import TestClient

from billing.bills.tables import Bill, BillLine
from billing.money import ZERO, Money
from billing.payments.balances import bill_balances
from billing.payments.relief_tables import Relief, ReliefPaper
from billing.rounds.tables import Correction
from billing.vault import Vault
from service.database import Database
from service.pages.relief_rows import read_parts
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.test_fee_pages import token_of
from tests.service.pages.worlds import World, make_world
from tests.standing import standing

PDF = ("quyet-dinh.pdf", b"%PDF-1.7 quyet dinh", "application/pdf")


@pytest.fixture
@standing
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers)


def sends(client: TestClient, path: str, **fields: str) -> int:
    return client.post(path, data={"csrf": token_of(client), **fields}).status_code


def hands_in(client: TestClient, path: str, **fields: str) -> int:
    return client.post(path, data={"csrf": token_of(client), **fields}, files={"tep": PDF}).status_code


def reads(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return html.unescape(answer.text)


def test_more_time_is_asked_for_approved_and_shown_to_office_and_family(world: World) -> None:
    accountant, approver = (world.signed_in(world.staff(role)) for role in ("accountant", "approver"))
    pupil = world.collecting.requests[0].pupil_id
    day = (world.clock() + timedelta(days=40)).date()
    here = f"/van-phong/gia-han/hoc-sinh/{pupil}"
    assert "Đề nghị gia hạn" in reads(accountant, here)
    assert sends(accountant, f"{here}/gia-han", den="", ly_do="Đơn") == 422
    assert sends(approver, f"{here}/gia-han", den=day.isoformat(), ly_do="Đơn") == 403
    assert sends(accountant, f"{here}/gia-han", den=day.isoformat(), ly_do="Đơn của gia đình") == 303
    assert "Hạn nộp" in reads(world.client(), world.link()), "only asked for"
    [relief] = relief_rows(world)
    assert sends(accountant, f"/van-phong/gia-han/{relief.id}/duyet") == 403
    assert sends(approver, f"/van-phong/gia-han/{relief.id}/duyet") == 303
    family = reads(world.client(), world.link())
    assert "Gia hạn đến" in family
    assert f"{day:%d/%m/%Y}" in family
    assert "Hạn nộp: hết" not in family
    assert f"gia hạn đến {day:%d/%m/%Y}" in reads(accountant, "/van-phong/thong-bao")
    assert sends(approver, f"/van-phong/gia-han/{relief.id}/thoi", ly_do="Đã nộp được") == 303
    assert "Gia hạn đến" not in reads(world.client(), world.link())


def test_a_write_off_needs_its_paper_and_ends_what_the_family_must_pay(world: World) -> None:
    accountant, approver, auditor = (
        world.signed_in(world.staff(role)) for role in ("accountant", "approver", "auditor")
    )
    request = world.collecting.requests[0]
    here = f"/van-phong/gia-han/hoc-sinh/{request.pupil_id}"
    page = reads(accountant, here)
    bill = page.split('id="kt-thong-bao"')[1].split('<option value="')[2].split('"')[0]
    wanted = {"thong_bao": bill, "so_quyet_dinh": "15/QĐ", "ngay": "2025-10-01", "ly_do": "Không liên lạc được"}
    assert sends(accountant, f"{here}/khong-thu", **wanted) == 422, "no file"
    assert hands_in(accountant, f"{here}/khong-thu", **(wanted | {"ngay": ""})) == 422
    assert hands_in(accountant, f"{here}/khong-thu", **wanted) == 303
    [relief] = relief_rows(world)
    with world.collecting.database.transaction(world.collecting.scope) as session:
        [paper] = session.exec(select(ReliefPaper.id)).all()
    assert auditor.get(f"/van-phong/gia-han/tep/{paper}").content == PDF[1]
    assert sends(approver, f"/van-phong/gia-han/{relief.id}/duyet") == 303
    family = reads(world.client(), world.link())
    assert "Không phải nộp nữa" in family
    assert str(relief.amount) in family
    assert 'class="qr"' not in family
    assert "nợ" not in family.lower().replace("nộp", "")
    assert "không còn khoản nào chưa nộp" in reads(accountant, here)
    _lowered_after(world, accountant, approver, bill)
    newest = relief_rows(world)[-1]
    assert sends(approver, f"/van-phong/gia-han/{newest.id}/thoi", ly_do="Gia đình quay lại nộp") == 303
    assert 'class="qr"' in reads(world.client(), world.link())


def _lowered_after(world: World, accountant: TestClient, approver: TestClient, bill: str) -> None:
    """Lower the bill by 10.000 đ: it comes off what was written off, and the approver reads that before agreeing."""
    with world.collecting.database.transaction(world.collecting.scope) as session:
        line = session.exec(select(BillLine.id).where(BillLine.bill_id == UUID(bill))).first()
    fields = {"thong_bao": bill, "viec": "credit", "dong": str(line), "giam": "10.000", "ly_do": "Tính dư một ngày"}
    assert sends(accountant, "/van-phong/dieu-chinh", **fields) == 303
    with world.collecting.database.transaction(world.collecting.scope) as session:
        [asked] = session.exec(select(Correction.id)).all()
    page = reads(approver, f"/van-phong/dieu-chinh/{asked}")
    assert "Bớt phần không thu nữa" in page
    assert "Trong số được giảm có 10.000 đ thuộc phần đã có quyết định không thu nữa" in page
    assert sends(approver, f"/van-phong/dieu-chinh/{asked}/duyet") == 303
    with world.collecting.database.transaction(world.collecting.scope) as session:
        [balance] = bill_balances(session, col(Bill.id) == UUID(bill))
    assert balance.rest == balance.paid == ZERO, "nothing is open, and nobody gets back what nobody paid"
    assert balance.written_off == balance.family_due - Money(10_000)


def test_the_page_finds_who_has_something_open_and_says_that_nothing_is_withheld(world: World) -> None:
    accountant = world.signed_in(world.staff("accountant"))
    page = reads(accountant, "/van-phong/gia-han?q=nguyen")
    assert "không cắt bữa ăn của em nào vì chưa nộp tiền" in page
    assert f"/van-phong/gia-han/hoc-sinh/{world.collecting.requests[0].pupil_id}" in page
    assert "Không xóa được học sinh" in reads(accountant, "/van-phong/chuyen-di")


def test_parts_are_read_as_people_write_them() -> None:
    typed = "15/11/2025: 200.000\n\n2025-12-05 306000 đ"
    assert [(day.isoformat(), amount.dong) for day, amount in read_parts(typed)] == [
        ("2025-11-15", 200_000),
        ("2025-12-05", 306_000),
    ]


def relief_rows(world: World) -> list[Relief]:
    with world.collecting.database.transaction(world.collecting.scope) as session:
        return list(session.exec(select(Relief).order_by(col(Relief.made_at))).all())
