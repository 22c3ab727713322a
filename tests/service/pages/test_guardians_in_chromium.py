"""Two walks on a phone of 360 px: the full explanation behind a code, and a registration from the code on a slip."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from service.web import build_app
from tests.browser import free_listener, origin_of, served
from tests.clean_databases import CleanDatabases
from tests.conftest import TestServers
from tests.service.pages.test_nothing_tells_poverty import impoverish
from tests.service.pages.test_registration_pages import forms
from tests.service.pages.towns import Town, open_town

pytestmark = pytest.mark.browser
SHOTS = os.environ.get("HOCPHI_SHOTS")  # a folder, for whoever wants to look


@pytest.fixture
def town(clean_databases: CleanDatabases, servers: TestServers, tmp_path: Path) -> Iterator[Town]:
    with open_town(clean_databases, servers, tmp_path, impoverish) as made:
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


def look(page: Page, name: str) -> None:
    """Nothing is too wide, axe finds nothing, nothing that is tapped is small; keep a picture where asked to."""
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    small = page.eval_on_selector_all(
        "main button, main a.button, main label.tick, main .agree label",
        "all => all.filter(e => e.offsetParent && e.offsetHeight < 44).map(e => e.innerText)",
    )
    assert small == [], name
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/guardian-{name}.png", full_page=True)


def test_from_the_bill_to_the_full_explanation_and_out_again(phone: Page, town: Town, origin: str) -> None:
    phone.goto(origin + town.world.link())
    phone.get_by_role("link", name=re.compile("cách tính", re.IGNORECASE)).click()
    look(phone, "1-plain")
    expect(phone.get_by_text("Hộ nghèo")).to_have_count(0)
    first = phone.get_by_role("radio").first
    expect(first).not_to_be_checked()
    first.check()
    phone.get_by_role("button", name="Gửi mã").click()
    look(phone, "2-code")
    field = phone.get_by_label("Mã 6 chữ số")
    field.fill("000000" if town.code() != "000000" else "000001")
    field.press("Enter")
    expect(phone.get_by_role("alert")).to_contain_text("Còn 4 lần thử")
    look(phone, "3-wrong")
    phone.get_by_label("Mã 6 chữ số").fill(f"{town.code()[:3]} {town.code()[3:]}")
    phone.get_by_role("button", name="Xác nhận").click()
    expect(phone.get_by_text("Hộ nghèo theo Quyết định 17").first).to_be_visible()
    look(phone, "4-full")
    phone.get_by_role("button", name="Đóng ngay").click()
    expect(phone.get_by_role("status")).to_contain_text("Đã đóng")
    phone.go_back()
    expect(phone.get_by_text("Hộ nghèo")).to_have_count(0)


def test_from_the_slip_to_the_next_notice(chromium: Browser, phone: Page, town: Town, origin: str) -> None:
    paths = forms(town)
    phone.goto(origin + paths[1])
    look(phone, "5-form")
    expect(phone.get_by_role("checkbox")).not_to_be_checked()
    phone.get_by_label("Họ tên người nhận").fill("Trần Thị Hoa")
    phone.get_by_label("Là gì của học sinh").select_option(label="mẹ")
    phone.get_by_label("Số điện thoại (Zalo) hoặc e-mail").fill("02713870123")
    phone.get_by_role("checkbox").check()
    phone.get_by_role("button", name="Gửi mã xác nhận").click()
    expect(phone.get_by_role("alert")).to_contain_text("máy bàn")
    expect(phone.get_by_role("checkbox")).not_to_be_checked()
    look(phone, "6-fault")
    phone.get_by_label("Số điện thoại (Zalo) hoặc e-mail").fill("hoa@gia-dinh.example")
    phone.get_by_role("checkbox").check()
    phone.get_by_role("button", name="Gửi mã xác nhận").click()
    code = re.search(r"\d{6}", town.letters()[-1]["Subject"])
    assert code
    phone.get_by_label("Mã 6 chữ số").fill(code.group())
    phone.get_by_role("button", name="Xác nhận").click()
    expect(phone.get_by_text("Đã ghi đăng ký")).to_be_visible()
    look(phone, "7-registered")

    office = chromium.new_context(viewport={"width": 360, "height": 640}, locale="vi-VN").new_page()
    token = town.world.signed_in(town.world.staff("accountant")).cookies["hocphi"]
    office.context.add_cookies([{"name": "hocphi", "value": token, "url": origin}])
    office.goto(f"{origin}/van-phong/lien-he")
    look(office, "8-office")
    office.get_by_role("button", name="Đúng là gia đình của em").click()
    expect(office.get_by_role("status")).to_contain_text("Đã nhận")
    look(office, "9-accepted")
    office.context.close()
    assert town.tell() > 0
    assert [letter["To"] for letter in town.letters()].count("hoa@gia-dinh.example") == 2  # the code, and the notice
