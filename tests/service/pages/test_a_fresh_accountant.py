"""The first day of an accountant, clicked through in Chromium on real rows: from a catalogue to slips on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.serving import serving
from tests.service.pages.fresh import Fresh, Hand, fresh_school, roster

pytestmark = pytest.mark.browser


@pytest.fixture
def fresh(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    return fresh_school(database, addresses, vault, servers)


def test_from_a_catalogue_to_slips_in_under_60_clicks(fresh: Fresh, chromium: Browser, tmp_path: Path) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="vi-VN")
    hand = Hand(context.new_page(), tmp_path)
    with serving(fresh.app()) as origin:
        hand.sign_in(origin, fresh.accountant)
        hand.look("tong-quan")
        load_the_catalogue(hand)
        import_the_roster(hand)
    context.close()
    assert hand.clicks < 60


def load_the_catalogue(hand: Hand) -> None:
    hand.menu("Khoản thu")
    hand.look("khoan-thu-trong")
    hand.press("Chọn danh mục")
    hand.look("cac-danh-muc")
    hand.press("Trường tiểu học công lập")
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
