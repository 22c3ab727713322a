"""The people's queue in a real Chromium, by keyboard alone: worked off, split over a class of 35, and undone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlmodel import select

from billing.payments.tables import ReceiptVoid
from billing.people.names import search_key
from billing.vault import Vault
from service.access.tables import User
from service.database import Database
from service.preparing import Addresses
from tests.browser import free_listener, origin_of, served
from tests.conftest import TestServers
from tests.service.pages.queue_town import DUE, IN_CLASS, QueueTown, make_queue_town

PICTURES = os.environ.get("HOCPHI_PICTURES")
QUEUE = "/van-phong/cho-xu-ly"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PROOF = bool(os.environ.get("HOCPHI_PROOF"))
WAITING = 50 if PROOF else 12
FOR_CLASS = "ung ho lop 1B"
UNKNOWN = "cho con"
UNDONE = IN_CLASS + 5  # a child whose money was taken in one press


pytestmark = [pytest.mark.browser, pytest.mark.timeout(600), *([pytest.mark.proof] if PROOF else [])]


def look(page: Page, name: str) -> None:
    """Keep pictures where somebody wants to look at them: phone and desk, light and dark."""
    if not PICTURES:
        return
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in (360, 1280):
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=Path(PICTURES) / f"queue-{name}-{width}-{scheme}.png", full_page=width > 1000)
    page.emulate_media(color_scheme="light")


class Keys:
    """Somebody with a keyboard and no mouse."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.page = context.new_page()
        self.page.goto(url)
        self.pressed = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed += 1

    def type(self, words: str) -> None:
        self.page.keyboard.type(words)

    def goes(self, *keys: str) -> None:
        """Press keys of which the last one leads to another page."""
        self.press(*keys[:-1])
        with self.page.expect_navigation(wait_until="load"):
            self.press(keys[-1])

    def row(self, selector: str = ".memo") -> str:
        """Return what the line says that has the focus; nothing where no line has it."""
        script = "on => document.activeElement.querySelector(on)?.textContent ?? ''"
        return str(self.page.evaluate(script, selector)).strip()


def worked_off(keys: Keys, town: QueueTown) -> int:
    """Take one line after the other until none is left to take; return how many it were."""
    done = 0
    while keys.page.locator("[data-row]").count():
        memo = keys.row()
        assert memo, "the first line has the focus"
        if keys.row("form[data-accept]"):
            keys.goes("Enter")
        else:
            by_hand(keys, town, memo)
        expect(keys.page.get_by_role("status").first).to_contain_text("Đã")
        done += 1
    return done


def by_hand(keys: Keys, town: QueueTown, memo: str) -> None:
    """Do what a line needs that is not plain: a class, a candidate with another sum, or a pupil looked for."""
    if FOR_CLASS in memo:
        keys.goes("s")
        expect(keys.page.get_by_label("Cả lớp")).to_be_focused()
        look(keys.page, "one-class")
        keys.type("1B")
        keys.goes("Tab", "Tab", "Enter")
        expect(keys.page.locator("[data-sum]")).to_have_count(IN_CLASS)
        expect(keys.page.locator("[data-left]")).to_have_text("0 đ")
        look(keys.page, "split-35")
    else:
        keys.goes("Enter")
        if UNKNOWN in memo:  # the accountant knows whose it is
            child = IN_CLASS + int(memo.rsplit(maxsplit=1)[-1])
            keys.press("/")
            keys.type(search_key(town.child(child).pupil.full_name))
            expect(keys.page.locator("#ket-qua [data-row]")).to_have_count(1)
            look(keys.page, "one-search")
            keys.press("Escape", "j")
        look(keys.page, "one")
        keys.goes("Enter")
        look(keys.page, "preview")
    expect(keys.page.get_by_label("Vì sao")).to_be_focused()
    keys.type("Phụ huynh gọi điện báo")
    keys.goes("Enter")


def money_for(town: QueueTown, count: int) -> list[tuple[str, int]]:
    """Return payments that wait, one for a class, and for one child each of 1C: by name, unknown, damaged references.

    Of each dozen one names the child with another sum and one names nobody.
    """
    found = [(FOR_CLASS, IN_CLASS * DUE)]
    for number in range(count - 1):
        child = IN_CLASS + number
        if number % 12 == 0:
            found.append((f"{search_key(town.child(child).pupil.full_name)} dong tien hoc", DUE - 50_000))
        elif number % 12 == 1:
            found.append((f"{UNKNOWN} gui {number}", DUE))
        else:
            found.append((f"CT DEN {town.damaged(child)} chuyen tien", DUE))
    return found


def test_a_queue_is_worked_off_agreed_and_undone(
    chromium: Browser, database: Database, addresses: Addresses, vault: Vault, servers: TestServers
) -> None:
    town, listener = make_queue_town(database, addresses, vault, servers, WAITING - 1), free_listener()
    url = origin_of(listener)
    transfers = town.waits(*money_for(town, WAITING))
    with served(town.app(), listener):
        accountant, approver = (signed_in(chromium, town, url, who) for who in (town.accountant, town.approver))
        keys = Keys(accountant, f"{url}{QUEUE}")
        look(keys.page, "list")
        marked(keys)
        assert worked_off(keys, town) == len(transfers)
        look(keys.page, "list-asked")
        second = Keys(approver, f"{url}{QUEUE}/viec")
        look(second.page, "acts")
        agreed(second)
        assert {town.state(each) for each in transfers} == {"matched"}
        undone_end_to_end(keys, second, town, url)
        accountant.close()
        approver.close()


def marked(keys: Keys) -> None:
    """Mark a line and take the mark away; moving up and down stays within the lines."""
    boxes = keys.page.get_by_role("checkbox")
    keys.press("j", "x")
    expect(boxes.nth(1)).to_be_checked()
    keys.press("x", "k", "k")
    expect(boxes.nth(1)).not_to_be_checked()
    expect(keys.page.locator("[data-row]").first).to_be_focused()


def signed_in(chromium: Browser, town: QueueTown, url: str, who: User) -> BrowserContext:
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="vi-VN")
    context.add_cookies([{"name": "hocphi", "value": town.cookie(who), "url": url}])
    return context


def agreed(second: Keys) -> None:
    """Agree to all that waits for a second person."""
    while second.page.locator("[data-row]").count():
        if second.row("form[data-accept]"):
            second.goes("Enter")
        else:
            agreed_to_many(second)
        expect(second.page.get_by_role("status").first).to_contain_text("Đã đồng ý")


def agreed_to_many(second: Keys) -> None:
    """Agree to an act of many lines: a key on it opens it, and what it says stands before its button and its lines."""
    listed = second.page.url
    second.goes("Enter")
    assert "/gd/" in second.page.url
    second.page.goto(listed)
    article = second.page.locator("[data-row]:focus article")
    expect(article).to_contain_text(f"{IN_CLASS} dòng · {IN_CLASS} em · cộng")
    expect(article.get_by_text("1B: 35 em").last).to_be_visible()
    expect(article.locator("details.of-class li").first).to_be_hidden()
    second.goes("Tab", "Tab", "Enter")


def undone_end_to_end(keys: Keys, second: Keys, town: QueueTown, url: str) -> None:
    """Undo a plain match: the bill is open again, the receipt void, and the family reads it."""
    family = keys.page.context.browser
    assert family is not None
    phone = family.new_context(viewport={"width": 360, "height": 740}, locale="vi-VN").new_page()
    phone.goto(url + town.link(UNDONE))
    expect(phone.locator("[data-state-text]")).to_contain_text("Đã có biên lai")
    keys.goes("u")
    keys.press("/")
    keys.type(search_key(town.child(UNDONE).pupil.full_name))
    keys.goes("Enter")
    look(keys.page, "booked")
    keys.goes("Enter")
    keys.press("u")
    keys.type("Tiền của em khác, phụ huynh báo nhầm mã")
    look(keys.page, "undo")
    keys.goes("Enter")
    expect(keys.page.get_by_role("status").first).to_contain_text("Đã đề nghị gỡ")
    look(keys.page, "undo-asked")
    second.page.goto(f"{url}{QUEUE}/viec")
    look(second.page, "undo-acts")
    agreed(second)
    with town.collecting.database.transaction(town.collecting.scope) as session:
        assert len(session.exec(select(ReceiptVoid)).all()) == 1
    (back,) = [each for each in town.collecting.transfers() if each.state == "waiting"]
    assert back.amount.dong == DUE == town.collecting.rests()[UNDONE]
    phone.reload()
    expect(phone.locator("[data-state-text]")).to_contain_text("Chờ nộp")
    if PICTURES:
        phone.screenshot(path=Path(PICTURES) / "queue-family-undone.png", full_page=True)
    phone.context.close()
