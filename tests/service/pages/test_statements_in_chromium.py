"""A school that hears of money by statement only, worked through in a real Chromium on a phone, without JavaScript."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from billing.money import Money
from billing.vault import Vault
from reconciliation.feeds.stand_in_statement import StatementHead, statement
from service.access.sessions import new_session
from service.access.staff import start_session
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.serving import serving
from tests.reconciliation.statements.workbooks import workbook
from tests.service.pages.worlds import World, make_world

pytestmark = pytest.mark.browser


def cookie_of(world: World) -> str:
    fresh, user = new_session(), world.staff("accountant")
    with world.collecting.database.transaction(EVERYTHING) as session:
        start_session(session, user.id, fresh.digest, world.clock())
    return fresh.token


def test_upload_preview_confirm_and_a_difference_of_nothing(  # noqa: PLR0913, PLR0917  the fixtures of a journey
    chromium: Browser, database: Database, addresses: Addresses, vault: Vault, servers: TestServers, tmp_path: Path
) -> None:
    world = make_world(database, addresses, vault, servers, told_by="statement")
    account, request = world.billing.account.number, world.collecting.requests[0]
    paid = world.collecting.pays(request.reference, 500_000)
    head = StatementHead(
        account=account, owner="x", first_day=date(2025, 10, 1), last_day=date(2025, 10, 6), opening=Money(0)
    )
    first, second = tmp_path / "sao-ke.xlsx", tmp_path / "vi.xlsx"
    first.write_bytes(statement(head, [paid]))
    heading = ["Thời điểm", "Thay đổi", "Ghi chú", "Còn lại"]
    second.write_bytes(workbook(["Ví của trường"], heading, ["07/10/2025", "-11.000", "phi", "489.000"]))
    context = chromium.new_context(viewport={"width": 360, "height": 640}, locale="vi-VN", java_script_enabled=False)
    page = context.new_page()
    with serving(world.app()) as url:
        context.add_cookies([{"name": "hocphi", "value": cookie_of(world), "url": url}])
        page.goto(f"{url}/van-phong/sao-ke")
        page.get_by_label("Tệp của ngân hàng").set_input_files(first)
        page.get_by_role("button", name="Xem trước").click()
        expect(page.get_by_role("heading", name="Xem trước sao kê")).to_be_visible()
        expect(page.get_by_text(request.reference)).to_be_visible()
        page.get_by_label("Tôi đã đối chiếu với ngân hàng").check()  # MB's file, or none at all, for another's account
        page.get_by_role("button", name="Nhập sao kê").click()
        expect(page.get_by_role("status")).to_contain_text("1 giao dịch mới, 0 đã có")
        expect(page.locator("tbody").first).to_contain_text("06/10/2025")
        expect(page.locator("tbody").first.locator(".money")).to_have_text("0 đ")

        page.get_by_label("Tệp của ngân hàng").set_input_files(second)
        page.get_by_role("button", name="Xem trước").click()
        page.get_by_label("A · Thời điểm").select_option("day")
        page.get_by_label("B · Thay đổi").select_option("amount")
        page.get_by_label("C · Ghi chú").select_option("memo")
        page.get_by_label("D · Còn lại").select_option("balance")
        page.get_by_role("button", name="Xem trước").click()
        page.get_by_label("Tôi đã đối chiếu với ngân hàng").check()  # MB's file, or none at all, for another's account
        page.get_by_role("button", name="Nhập sao kê").click()
        expect(page.locator("tbody").first).to_contain_text("07/10/2025")
        expect(page.locator("tbody").first.locator(".money")).to_have_text("0 đ")
    context.close()
    world.collecting.reconcile()
    assert world.collecting.receipts() == [(1, 500_000)]
