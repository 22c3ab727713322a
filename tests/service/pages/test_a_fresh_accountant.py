"""The first day of an accountant, clicked through in Chromium on real rows: from a catalogue to slips on paper."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, expect

from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.billing.documents.pages import words
from tests.conftest import TestServers
from tests.factories.serving import serving
from tests.service.pages.fresh import NAMES, Fresh, Hand, fresh_school, roster

pytestmark = pytest.mark.browser


@pytest.fixture
def fresh(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    return fresh_school(database, addresses, vault, servers)


def test_from_a_catalogue_to_slips_in_under_60_clicks(fresh: Fresh, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="vi-VN")
    hand = Hand(context.new_page())
    with serving(fresh.app()) as origin:
        hand.sign_in(origin, fresh.accountant)
        hand.look("tong-quan")
        load_the_catalogue(hand)
        import_the_roster(hand)
        register_two_classes_for_boarding(hand)
        for name in NAMES[:3]:
            enter_a_reduction(hand, name)
        hand.look("mien-giam")
        hand.sign_in(origin, fresh.approver)
        approve_the_reductions(hand)
        hand.sign_in(origin, fresh.accountant)
        make_a_round(hand)
        hand.sign_in(origin, fresh.approver)
        approve_the_round(hand)
        assert fresh.work() == 1
        hand.press("Xem lại")
        hand.look("da-phat-hanh")
        hand.sign_in(origin, fresh.accountant)
        slips = print_a_class(hand)
    assert len(words(slips)) == 3, "six slips, two on a sheet"
    context.close()
    assert hand.clicks < 60


def load_the_catalogue(hand: Hand) -> None:
    hand.menu("Khoản thu")
    hand.look("khoan-thu-trong")
    hand.press("Chọn danh mục")
    hand.look("cac-danh-muc")
    hand.press("Trường tiểu học công lập, phường, khu vực Bình Phước cũ")
    hand.look("danh-muc")
    hand.press("Nạp danh mục này")
    expect(hand.page.get_by_role("status")).to_contain_text("Đã nạp danh mục")
    hand.look("khoan-thu")


def import_the_roster(hand: Hand) -> None:
    hand.press("Nhập danh sách học sinh")
    hand.hand_in("#tep-vao-danh-sach", "hoc-sinh.xlsx", roster())
    hand.press("Nhập")
    expect(hand.page.get_by_role("status")).to_contain_text("12 mới")
    hand.look("tai-len")


def register_two_classes_for_boarding(hand: Hand) -> None:
    hand.menu("Đăng ký")
    hand.look("dang-ky-trong")
    for what in ("Tiền tổ chức, quản lý và vệ sinh bán trú", "Tiền ăn bán trú", "1A", "1B"):
        hand.click(hand.page.get_by_label(what, exact=True))
    hand.press("Đăng ký các lớp đã chọn")
    expect(hand.page.get_by_role("status")).to_contain_text("Đã ghi đăng ký")
    expect(hand.page.locator("tfoot")).to_contain_text("12 em")
    hand.look("dang-ky")


def enter_a_reduction(hand: Hand, name: str) -> None:
    if "mien-giam" not in hand.page.url:
        hand.menu("Miễn giảm")
    hand.press("Thêm miễn giảm")
    hand.page.get_by_label("Tên, mã học sinh hoặc lớp").fill(name)
    hand.page.keyboard.press("Enter")
    hand.page.wait_for_url("**q=*")
    hand.look("tim-hoc-sinh")
    hand.press(name)
    hand.choose("Diện miễn giảm", "Học bổng – nhà tài trợ")
    hand.page.get_by_label("Tỷ lệ giảm").fill("50")
    hand.page.get_by_label("Minh chứng kèm theo").fill("Quyết định trao học bổng số 12/2025")
    hand.look("mien-giam-moi")
    hand.press("Ghi và chờ duyệt")
    expect(hand.page.get_by_role("status")).to_contain_text("chờ người khác duyệt")


def approve_the_reductions(hand: Hand) -> None:
    hand.menu("Miễn giảm")
    for left in (3, 2, 1):
        waiting = hand.page.get_by_role("table", name="Miễn giảm chờ duyệt").get_by_role("link")
        expect(waiting).to_have_count(left)
        hand.click(waiting)
        hand.look("mot-mien-giam")
        hand.press("Duyệt miễn giảm")
        expect(hand.page.get_by_role("status")).to_contain_text("Đã duyệt")
    hand.look("mien-giam-da-duyet")


def make_a_round(hand: Hand) -> None:
    hand.menu("Đợt thu")
    hand.look("cac-dot-thu-trong")
    hand.press("Đợt thu mới")
    expect(hand.page.get_by_label("Tên đợt thu")).to_have_value("Tháng 10/2025")
    hand.look("dot-thu-moi")
    hand.press("Lập đợt thu và xem trước")
    expect(hand.page.get_by_role("status")).to_contain_text("Đã lập đợt thu")
    hand.look("xem-truoc")
    hand.press("Trình duyệt")
    hand.look("cho-duyet")


def approve_the_round(hand: Hand) -> None:
    hand.menu("Đợt thu")
    hand.press("Tháng 10/2025")
    hand.look("duyet")
    for question in hand.page.get_by_role("group", name="Đồng ý từng điều").get_by_role("checkbox").all():
        hand.click(question)
    hand.press("Duyệt và phát hành")
    hand.look("dang-phat-hanh")


def print_a_class(hand: Hand) -> bytes:
    hand.menu("Đợt thu")
    hand.press("Tháng 10/2025")
    hand.press("In giấy báo theo lớp")
    hand.look("giay-bao")
    link = hand.page.get_by_role("link", name="In giấy báo lớp 1A")
    hand.clicks += 1  # the browser shows the PDF in a viewer of its own, so the same address is fetched instead
    answer = hand.page.request.get(urljoin(hand.page.url, link.get_attribute("href") or ""))
    assert answer.headers["content-type"] == "application/pdf"
    return answer.body()
