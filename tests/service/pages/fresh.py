"""A school on its first day: classes, an account and staff, but no pupil, item or round; and a hand that counts."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Locator, Page
from sqlmodel import Session
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from billing.ledger.tables import BankAccount
from billing.people.tables import School
from billing.vault import Vault
from service.access.sessions import new_session
from service.access.staff import start_session
from service.access.tables import User
from service.database import EVERYTHING, Database
from service.jobs import rounds
from service.preparing import Addresses
from service.settings import Settings
from service.web import build_app
from service.wiring import Wiring
from tests.conftest import TestServers
from tests.factories import rosters
from tests.factories.schools import make_account, make_class, make_school
from tests.service.pages.worlds import PASSWORD, Moving, make_staff

Found = TypeVar("Found")
PICTURES = os.environ.get("HOCPHI_PICTURES")
NAMES = ("Nguyễn Thị Minh Ánh", "Điểu Bảo", "Lê Hoàng Phương Quỳnh Như", "Trần Đăng Khôi", "Thị Hồng", "Phạm An")


@dataclass
class Fresh:
    """The school, its staff and the web on it."""

    wiring: Wiring
    school: School
    account: BankAccount
    accountant: User
    approver: User

    def app(self) -> ASGIApp:
        return build_app(self.wiring)

    def client(self, user: User) -> TestClient:
        """Return a client with a session of somebody, which asks for pages and follows nothing by itself."""
        headers = {"accept": "text/html"}
        client = TestClient(self.app(), headers=headers, follow_redirects=False, raise_server_exceptions=False)
        made = new_session()
        with self.wiring.database.transaction(EVERYTHING) as session:
            start_session(session, user.id, made.digest, self.wiring.clock())
        client.cookies.set("hocphi", made.token)
        return client

    def read(self, ask: Callable[[Session], Found]) -> Found:
        """Ask the rows something."""
        with self.wiring.database.transaction(EVERYTHING) as session:
            return ask(session)

    def work(self) -> int:
        """Let the worker issue what was approved."""
        return rounds.issue(self.wiring)


def fresh_school(  # noqa: PLR0913  the fixtures of a test, and what of the school varies
    database: Database,
    addresses: Addresses,
    vault: Vault,
    servers: TestServers,
    *,
    kind: str = "public",
    area: str = "binh_phuoc",
) -> Fresh:
    """Make a primary school with classes 1A and 1B on its first day."""
    wiring = Wiring(Settings.model_construct(), addresses, servers.redis_url, database, vault, Moving())
    with database.transaction(EVERYTHING) as session:
        school = make_school(session, kind=kind, area=area)
        account = make_account(session, school)
        for code in ("1A", "1B"):
            make_class(session, school, code=code)
        people = [make_staff(session, role, school.id, None) for role in ("accountant", "approver")]
    return Fresh(wiring, school, account, *people)


def roster() -> bytes:
    """Return the sheet of twelve pupils, six for each class."""
    lines = [
        rosters.pupil(number, **{"Mã lớp": "1A" if number <= 6 else "1B", "Họ tên": NAMES[number % 6]})
        for number in range(1, 13)
    ]
    return rosters.sheet_file(lines)


@dataclass
class Hand:
    """A person at a page: counts what it presses. ``HOCPHI_PICTURES`` names a folder for pictures of each page."""

    page: Page
    clicks: int = 0
    seen: list[str] = field(default_factory=list)

    def press(self, name: str) -> None:
        """Press a button or follow a link of this name."""
        self.click(
            self.page.locator("main")
            .get_by_role("button", name=name)
            .or_(self.page.locator("main").get_by_role("link", name=name))
        )

    def menu(self, name: str) -> None:
        """Follow an entry of the menu."""
        self.click(self.page.get_by_role("navigation").get_by_role("link", name=name, exact=True))

    def click(self, what: Locator) -> None:
        """Press one thing."""
        self.clicks += 1
        what.first.click()

    def choose(self, label: str, option: str) -> None:
        """Choose from a list: opening it and taking one are two presses."""
        self.clicks += 2
        self.page.get_by_label(label).select_option(label=option)

    def hand_in(self, where: str, name: str, data: bytes) -> None:
        """Choose a file: opening the window and taking one are two presses."""
        self.clicks += 2
        self.page.locator(where).set_input_files({"name": name, "mimeType": "application/octet-stream", "buffer": data})

    def look(self, name: str) -> None:
        """Look at two widths; nothing may be too wide, and there is always a next step."""
        self.seen.append(name)
        for width in (1280, 360):
            self.page.set_viewport_size({"width": width, "height": 800})
            over = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert over <= 0, f"{name} is {over} px too wide at {width}"
            if PICTURES:  # for people: no check reads them
                picture = Path(PICTURES) / f"{len(self.seen):02d}-{name}-{width}.png"
                self.page.screenshot(path=picture, full_page=True)
        self.page.set_viewport_size({"width": 1280, "height": 800})
        # A link somewhere is no step: it must look like one, be one of a choice, or stand under "Bước tiếp theo".
        kinds = ".primary:visible, a.button:visible, .choices a:visible, .next a:visible"
        assert self.page.locator("main").locator(kinds).count(), f"{name} has no next step"

    def sign_in(self, origin: str, user: User) -> None:
        """Sign in by the form, after whoever sat here before has gone."""
        self.page.context.clear_cookies()
        self.page.goto(f"{origin}/dang-nhap")
        self.page.get_by_label("Tên đăng nhập").fill(user.login)
        self.page.get_by_label("Mật khẩu").fill(PASSWORD)
        self.press("Đăng nhập")
