"""A day at the cash desk in a browser without JavaScript: take, print, count, bring, tie, fetch, pay out, hand over."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from billing.vault import Vault
from reconciliation.matching import Direction
from service.database import Database
from service.preparing import Addresses
from tests.billing.documents.pages import words
from tests.browser import free_listener, served
from tests.conftest import TestServers
from tests.service.pages.test_cash_pages import CASH, cash_of
from tests.service.pages.test_guardians_in_chromium import SHOTS
from tests.service.pages.test_till_pages import COUNTS, DEPOSITS, HANDOVERS, nothing_broken
from tests.service.pages.worlds import World, make_world

pytestmark = pytest.mark.browser
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 640}
WITHDRAWALS = f"{CASH}/rut-tien"


@pytest.fixture
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers)


@pytest.fixture
def origin(world: World) -> Iterator[str]:
    with served(world.app(), free_listener()) as address:
        yield address


def desk_of(chromium: Browser, world: World, origin: str, role: str) -> Page:
    """Return a wide window without JavaScript of somebody who is signed in."""
    page = chromium.new_context(
        viewport=WIDE,  # type: ignore[arg-type]  # a size
        locale="vi-VN", java_script_enabled=False,
    ).new_page()  # fmt: skip
    token = world.signed_in(world.staff(role)).cookies["hocphi"]
    page.context.add_cookies([{"name": "hocphi", "value": token, "url": origin}])
    return page


def both(page: Page, name: str) -> None:
    """Nothing is too wide on a phone or a desk; keep pictures where asked to."""
    for size in (NARROW, WIDE):
        page.set_viewport_size(size)  # type: ignore[arg-type]  # a size
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0, name
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/cash-{name}-{size['width']}.png", full_page=True)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()
    expect(page.locator("main .problem")).to_have_count(0)


def takes(cashier: Page, world: World, origin: str, folder: Path) -> None:
    """Find a child, look first, take 700.000 đ, and print both copies."""
    name = world.billing.pupils[0].pupil.full_name
    cashier.goto(origin + CASH)
    both(cashier, "1-home")
    cashier.get_by_label(re.compile("Tên học sinh")).fill(name)
    press(cashier, "Tìm học sinh")
    cashier.get_by_role("link", name=name).click()
    cashier.get_by_label("Số tiền thu (đồng)").fill("700000")
    press(cashier, "Xem trước")
    both(cashier, "2-looked")
    cashier.get_by_label(re.compile("Họ tên người nộp")).fill("Điểu Thị Lan")
    press(cashier, "Đã nhận đủ tiền, lập biên lai")
    expect(cashier.get_by_role("status")).to_contain_text("In hai liên")
    both(cashier, "3-taken")
    path = cashier.get_by_role("link", name="In hai liên (PDF)").get_attribute("href")
    paper = cashier.request.get(origin + str(path)).body()
    kept(folder, "receipt", paper)
    told = " ".join(words(paper))
    for said in ("Liên 1: lưu", "Liên 2: giao người nộp", "Điểu Thị Lan", "Bảy trăm nghìn đồng"):
        assert said in told, said


def kept(folder: Path, name: str, content: bytes) -> None:
    (Path(SHOTS) if SHOTS else folder).joinpath(f"cash-{name}.pdf").write_bytes(content)


def counts(page: Page, origin: str, **notes: int) -> None:
    page.goto(origin + COUNTS)
    for face, number in notes.items():
        page.locator(f"#to-{face.removeprefix('n')}").fill(str(number))
    press(page, "Cộng và so với sổ")
    both(page, "4-counted")
    press(page, "Ghi lần kiểm quỹ")
    expect(page.get_by_role("status")).to_contain_text("Đã ghi lần kiểm quỹ")


def test_a_day_at_the_desk(chromium: Browser, world: World, origin: str, tmp_path: Path) -> None:
    cashier, accountant, approver = (
        desk_of(chromium, world, origin, role) for role in ("cashier", "accountant", "approver")
    )
    takes(cashier, world, origin, tmp_path)
    counts(cashier, origin, n500000=1, n200000=1)
    cashier.goto(origin + DEPOSITS)
    cashier.get_by_label("Số giấy nộp tiền của ngân hàng").fill("NT 000123")
    press(cashier, "Ghi đã nộp")
    both(cashier, "5-deposited")
    bank = world.collecting
    bank.hear_of(bank.pays("NOP TIEN MAT NT000123", 700_000))
    accountant.goto(origin + DEPOSITS)
    both(accountant, "6-fits")
    press(accountant, "Đúng, gắn với giao dịch này")
    both(accountant, "7-tied")

    cashier.goto(origin + WITHDRAWALS)
    both(cashier, "8-empty")
    cashier.get_by_label("Số tiền đã rút và mang về quỹ").fill("300.000")
    cashier.get_by_label("Từ tài khoản").select_option(index=1)
    cashier.get_by_label("Số séc hoặc giấy rút tiền").fill("SEC 000077")
    press(cashier, "Ghi tiền đã về quỹ")
    both(cashier, "9-fetched")
    bank.hear_of(bank.pays("RUT TIEN MAT SEC000077", 300_000, direction=Direction.OUT))
    accountant.goto(origin + "/van-phong/tien-ra")
    both(accountant, "10-money-out")
    press(accountant, "Đúng, ghi như vậy")
    cashier.goto(origin + WITHDRAWALS)
    expect(cashier.get_by_text("ngân hàng đã báo")).to_be_visible()

    counts(cashier, origin, n100000=3)
    cashier.goto(origin + HANDOVERS)
    cashier.get_by_label("Người nhận").select_option(index=1)
    press(cashier, "Lập biên bản bàn giao")
    both(cashier, "11-handed")
    approver.goto(origin + HANDOVERS)
    both(approver, "12-to-accept")
    press(approver, "Đã đếm đủ, ký nhận")
    expect(approver.get_by_text("Người đang giữ quỹ")).to_be_visible()
    both(approver, "13-accepted")
    path = approver.get_by_role("link", name=re.compile("Biên bản số 1")).get_attribute("href")
    record = approver.request.get(origin + str(path)).body()
    kept(tmp_path, "handover", record)
    told = " ".join(words(record))
    for said in ("Nộp ngân hàng", "Rút về quỹ", "Ba trăm nghìn đồng"):
        assert said in told, said
    assert cash_of(world) == 300_000
    nothing_broken(world)
