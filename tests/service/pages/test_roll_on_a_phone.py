"""A class teacher on a phone, on real rows in Chromium: 35 pupils, four absent, few taps, also without JavaScript."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect
from sqlmodel import col, select

from billing.attendance.tables import Absence
from billing.attendance.teaching import give_class
from billing.vault import Vault
from service.access.tables import User
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.schools import make_pupil
from tests.factories.serving import serving
from tests.service.pages.worlds import PASSWORD, World, make_world
from tests.standing import standing

pytestmark = pytest.mark.browser

SEVEN = datetime(2025, 10, 7, 0, 0, tzinfo=UTC)
CLASS_SIZE = 35
ABSENT = (3, 11, 19, 33)  # places in the list
SECONDS, TAPS, LARGE = 30, 10, 44
A_TAP = 2.5  # seconds to find a name and tap it: thinking 1.35 and pointing 1.1 of the keystroke-level model


@dataclass
class Thumb:
    """A thumb that counts what it taps."""

    taps: int = 0

    def tap(self, what: Locator) -> None:
        self.taps += 1
        what.tap()


@pytest.fixture
@standing
def teacher(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> tuple[World, User]:
    world = make_world(database, addresses, vault, servers)
    world.clock.now = SEVEN
    user = world.staff("class_teacher")
    group, billing = world.billing.pupils[0].class_group, world.billing
    with database.transaction(EVERYTHING) as session:
        for number in range(len(billing.pupils) + 1, CLASS_SIZE + 1):
            name = f"Trần Nguyễn Hoàng Phương {number:02}"
            make_pupil(session, group, name, province_id=billing.school.province_id)
        give_class(session, billing.id, billing.accountant, group.id, user.id, date(2025, 9, 1), SEVEN)
    return world, user


def signed_in(context: BrowserContext, origin: str, user: User) -> None:
    page = context.pages[0] if context.pages else context.new_page()
    page.goto(f"{origin}/dang-nhap")
    page.get_by_label("Tên đăng nhập").fill(user.login)
    page.get_by_label("Mật khẩu").fill(PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    expect(page.get_by_role("heading", name="Lớp 1A")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_35_pupils_4_absent_in_under_30_seconds_and_10_taps(
    chromium: Browser, teacher: tuple[World, User], tmp_path: Path, *, scripts: bool
) -> None:
    world, user = teacher
    context = chromium.new_context(
        viewport={"width": 360, "height": 640}, has_touch=True, locale="vi-VN", java_script_enabled=scripts
    )
    with serving(world.app()) as origin:
        signed_in(context, origin, user)
        page, thumb, asked, begun = context.pages[0], Thumb(), list[str](), time.monotonic()
        page.on("request", lambda request: asked.append(f"{request.method} {request.resource_type}"))
        rows, save = page.locator(".roll label"), page.get_by_role("button", name="Lưu")
        expect(rows).to_have_count(CLASS_SIZE)
        sizes = [box for n in (0, 17, 34) if (box := rows.nth(n).bounding_box())]
        assert min(box["height"] for box in sizes) >= LARGE
        bar = save.bounding_box()
        assert bar
        assert bar["height"] >= LARGE
        assert bar["y"] + bar["height"] <= 640, "saving needs no scrolling"
        for place in ABSENT:
            thumb.tap(rows.nth(place))
        if scripts:
            expect(page.locator(".save-bar")).to_contain_text("31/35 có mặt")
        page.screenshot(path=tmp_path / "roll-ticked.png")
        thumb.tap(save)
        expect(page.get_by_role("status")).to_contain_text("Đã lưu điểm danh")
        spent = time.monotonic() - begun
        expect(page.locator(".save-bar")).to_contain_text("31/35 có mặt")
        assert page.locator(".roll input:checked").count() == len(ABSENT)
        if scripts:
            over = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert over <= 0
        page.screenshot(path=tmp_path / "roll-saved.png", full_page=True)
    context.close()
    assert thumb.taps <= TAPS
    assert spent < SECONDS
    assert thumb.taps * A_TAP < SECONDS, "a person's time; the machine's own is measured, not tested"
    assert asked.count("POST document") == 1
    assert len([one for one in asked if one.endswith("document")]) <= 2, "saving is one round trip"
    with world.collecting.database.transaction(EVERYTHING) as session:
        rows_ = session.exec(select(Absence).order_by(col(Absence.id))).all()
        assert [(row.day, row.credited) for row in rows_] == [(date(2025, 10, 7), True)] * len(ABSENT)
