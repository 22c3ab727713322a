"""From the account a guardian enters on a phone to the money that left the bank, and to a signature for cash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from reconciliation.matching import Direction
from service.web import build_app
from tests.browser import free_listener, origin_of, served
from tests.clean_databases import CleanDatabases
from tests.conftest import TestServers
from tests.service.pages.test_guardians_in_chromium import look
from tests.service.pages.test_leftovers import pay_and_lower
from tests.service.pages.towns import Town, open_town

pytestmark = pytest.mark.browser
WIDE = {"width": 1280, "height": 800}


@pytest.fixture
def town(clean_databases: CleanDatabases, servers: TestServers, tmp_path: Path) -> Iterator[Town]:
    """Two children have paid October, and some meals were given back to both."""
    with open_town(clean_databases, servers, tmp_path) as made:

        def prepare(session: Session) -> None:
            for child in (0, 1):
                pay_and_lower(made.world, session, child, child + 1)

        made.world.change(prepare)
        yield made


@pytest.fixture
def origin(town: Town) -> Iterator[str]:
    """Serve the town; the addresses that it prints are those of this server."""
    listener = free_listener()
    wiring = town.world.wiring
    settings = wiring.settings.model_copy(update={"base_url": origin_of(listener)})
    town.world.collecting = replace(town.world.collecting, wiring=replace(wiring, settings=settings))
    with served(build_app(town.world.wiring), listener) as address:
        yield address


def desk_of(chromium: Browser, town: Town, origin: str, role: str) -> Page:
    """Return a wide window of somebody who is signed in."""
    page = chromium.new_context(viewport=WIDE, locale="vi-VN", accept_downloads=True).new_page()  # type: ignore[arg-type]  # a size
    token = town.world.signed_in(town.world.staff(role)).cookies["hocphi"]
    page.context.add_cookies([{"name": "hocphi", "value": token, "url": origin}])
    return page


def both(page: Page, name: str) -> None:
    """Look at a page on a phone and on a desk."""
    look(page, f"{name}-1280")
    page.set_viewport_size({"width": 360, "height": 640})
    look(page, f"{name}-360")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]  # as above


def enters_account(phone: Page, town: Town, origin: str) -> None:
    phone.goto(f"{origin}{town.world.link(0)}/nhan-tien")
    look(phone, "payee-1-closed")
    phone.get_by_role("radio").first.check()
    phone.get_by_role("button", name="Gửi mã").click()
    phone.get_by_label("Mã 6 chữ số").fill(town.code())
    phone.get_by_role("button", name="Xác nhận").click()
    expect(phone.get_by_role("heading", name="Nhập tài khoản")).to_be_visible()
    look(phone, "payee-2-empty")
    phone.get_by_label("Ngân hàng", exact=True).select_option(label="Vietcombank")
    phone.get_by_label("Số tài khoản").fill("0071 0001 23456")
    phone.get_by_label("Tên chủ tài khoản").fill("Nguyễn Văn Hòa")
    phone.get_by_role("button", name="Xem lại").click()
    expect(phone.get_by_text("0071 0001 2345 6")).to_be_visible()
    look(phone, "payee-3-shown-back")
    phone.get_by_role("button", name="Đúng, ghi tài khoản này").click()
    expect(phone.get_by_role("status")).to_contain_text("Đã ghi tài khoản")
    look(phone, "payee-4-kept")


def asks_in_bulk(page: Page, origin: str, way: str) -> str:
    """Ask for what is left of the meals, by the way that is chosen; return the address of the request."""
    page.goto(f"{origin}/van-phong/hoan-tien")
    page.get_by_text("Đề nghị hoàn hàng loạt").click()
    page.get_by_label("Tiền tồn của khoản").select_option(index=0)
    page.get_by_label("Cách chi").select_option(value=way)
    page.get_by_role("button", name="Xem thử").click()
    both(page, f"payee-5-tried-{way}")
    page.get_by_label("Lý do").fill("Nghỉ ăn tháng 10")
    page.get_by_role("button", name=re.compile("Đề nghị hoàn 1 khoản")).click()
    expect(page.get_by_role("heading", name="Nghỉ ăn tháng 10")).to_be_visible()
    return page.url


def approves(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name="Duyệt hoàn tiền").click()
    expect(page.get_by_text("Người duyệt")).to_be_visible()


def test_from_the_guardians_account_to_the_money_that_left_and_to_a_signature(
    chromium: Browser, phone: Page, town: Town, origin: str
) -> None:
    enters_account(phone, town, origin)
    maker, checker, cashier = (desk_of(chromium, town, origin, role) for role in ("accountant", "approver", "cashier"))
    by_bank = asks_in_bulk(maker, origin, "bank")
    approves(checker, by_bank)
    maker.goto(by_bank)
    both(maker, "payee-6-approved")
    maker.get_by_role("button", name="Lập tệp cho 1 khoản").click()
    with maker.expect_download() as given:
        maker.get_by_role("link", name=re.compile("^CSV")).click()
    content = Path(given.value.path()).read_text(encoding="utf-8-sig")
    assert '"0071000123456","NGUYEN VAN HOA","32000"' in content.replace(",32000,", ',"32000",')
    both(maker, "payee-7-ordered")
    code = re.search(r"HT[0-9A-Z]{9}", content)
    assert code
    bank = town.world.collecting
    bank.hear_of(bank.pays(f"hoan tien {code.group()}", 32_000, direction=Direction.OUT))
    maker.goto(f"{origin}/van-phong/tien-ra")
    both(maker, "payee-8-money-out")
    maker.get_by_role("button", name="Đúng, ghi như vậy").first.click()
    maker.goto(by_bank)
    expect(maker.get_by_text("ngân hàng đã chuyển")).to_be_visible()
    both(maker, "payee-9-tied")

    in_cash = asks_in_bulk(maker, origin, "cash")
    approves(checker, in_cash)
    cashier.goto(in_cash)
    with cashier.expect_download() as sheet:
        cashier.get_by_role("link", name="In giấy ký nhận (PDF)").click()
    assert Path(sheet.value.path()).read_bytes().startswith(b"%PDF-")
    cashier.get_by_text("Ghi chi tiền mặt").click()
    cashier.get_by_label("Người ký nhận").fill("Trần Thị Bình")
    cashier.get_by_role("button", name="Đã chi").click()
    expect(cashier.get_by_text("ký nhận Trần Thị Bình")).to_be_visible()
    both(cashier, "payee-10-signed")
    for page in (maker, checker, cashier):
        page.context.close()
