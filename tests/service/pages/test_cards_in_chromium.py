"""A bill paid by card in a real Chromium on a phone: 3-D Secure, declined, given back, disputed; a payout is tied."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from billing.money import Money
from billing.vault import Vault
from reconciliation.cards.tables import CardCheckout
from service.database import Database
from service.preparing import Addresses
from tests.browser import free_listener, origin_of, served
from tests.conftest import TestServers
from tests.factories.cards import Carding, carding
from tests.service.pages.test_statements_in_chromium import cookie_of
from tests.service.pages.worlds import World, make_world

pytestmark = pytest.mark.browser
PICTURES = os.environ.get("HOCPHI_PICTURES")


def look(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at it."""
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"cards-{name}.png", full_page=True)


def tell(cards: Carding, url: str) -> None:
    """Let Stripe send its webhooks to the real door, and the workers do their part."""
    cards.standin.webhooks.url = f"{url}/callbacks/{cards.token}"
    with httpx.Client() as http:
        cards.standin.deliver(http)
    assert set(cards.standin.webhooks.sent) == cards.standin.webhooks.done, "the door took every one"
    cards.collecting.reconcile()


def test_paid_declined_abandoned_given_back_and_disputed(
    chromium: Browser, database: Database, addresses: Addresses, vault: Vault, servers: TestServers
) -> None:
    world, listener = make_world(database, addresses, vault, servers), free_listener()
    url = origin_of(listener)
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="vi-VN")
    page = context.new_page()
    with carding(world.collecting, url) as cards, served(world.app(), listener):
        first, second = world.link(0), world.link(1)
        page.goto(url + first)
        look(page, "bill")
        page.get_by_role("link", name="Trả bằng thẻ").click()
        expect(page.get_by_text("Phí thẻ: 0 đ")).to_be_visible()
        look(page, "offer")
        page.get_by_role("button", name="Sang trang trả thẻ").click()
        expect(page.get_by_role("heading", name="Trang thẻ (giả lập)")).to_be_visible()
        page.get_by_role("button", name="bị từ chối").click()
        expect(page.get_by_role("alert")).to_contain_text("từ chối")
        tell(cards, url)
        assert cards.collecting.receipts() == [], "declined: nothing"
        page.get_by_role("button", name="3-D Secure").click()
        page.get_by_role("button", name="Đúng là tôi trả").click()
        expect(page.get_by_text("đang báo kết quả")).to_be_visible()
        look(page, "back")
        tell(cards, url)
        expect(page.locator("[data-state-text]")).to_contain_text("Đã có biên lai")
        look(page, "paid")

        page.goto(url + second)
        page.get_by_role("link", name="Trả bằng thẻ").click()
        page.get_by_role("button", name="Sang trang trả thẻ").click()
        page.get_by_role("link", name="Quay lại, không trả").click()
        expect(page.get_by_text("Chưa trả gì bằng thẻ")).to_be_visible()
        assert len(cards.collecting.receipts()) == 1, "abandoned: nothing"

        given_back(world, cards, page, (url, first), cards.facts()[0].amount)
        disputed(world, cards, page, (url, first))
    context.close()


def given_back(world: World, cards: Carding, page: Page, where: tuple[str, str], amount: Money) -> None:
    """Give back a part: the bill is open by so much, with a new receipt over the rest."""
    url, link = where
    checkout = next(each for each in cards.facts() if each.kind == "paid")
    with world.collecting.database.transaction(world.collecting.scope) as session:
        from_row = session.get_one(CardCheckout, checkout.checkout_id)
    cards.refund(from_row, Money(10_000))
    cards.ask()
    page.goto(url + link)
    expect(page.locator("[data-state-text]")).to_contain_text("Đã nhận một phần")
    expect(page.locator(".amount").first).to_have_text("10.000 đ")
    look(page, "part-given-back")
    cards.refund(from_row, amount - Money(10_000))
    cards.clock.later(minutes=6)
    cards.ask()
    page.goto(url + link)
    expect(page.locator("[data-state-text]")).to_contain_text("Chờ nộp")


def disputed(world: World, cards: Carding, page: Page, where: tuple[str, str]) -> None:
    """Pay again, and let the cardholder's bank take it back: the bill is open, the office reads what to do."""
    url, link = where
    page.goto(url + link)
    page.get_by_role("link", name="Trả bằng thẻ").click()
    page.get_by_role("button", name="Sang trang trả thẻ").click()
    page.get_by_role("button", name="trả ngay").click()
    expect(page.get_by_text("đang báo kết quả")).to_be_visible()
    tell(cards, url)
    expect(page.locator("[data-state-text]")).to_contain_text("Đã có biên lai")
    intent = next(row for row in cards.standin.books.of_kind("payment_intent"))["id"]
    cards.standin.books.dispute(intent)
    tell(cards, url)
    page.goto(url + link)
    expect(page.locator("[data-state-text]")).to_contain_text("Chờ nộp")
    page.context.add_cookies([{"name": "hocphi", "value": cookie_of(world), "url": url}])
    page.goto(f"{url}/van-phong/the")
    expect(page.get_by_text("cần trả lời")).to_be_visible()
    look(page, "office")


def test_a_payout_is_tied_on_the_offices_page_and_the_book_holds_what_stripe_holds(
    chromium: Browser, database: Database, addresses: Addresses, vault: Vault, servers: TestServers
) -> None:
    world, listener = make_world(database, addresses, vault, servers), free_listener()
    url = origin_of(listener)
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="vi-VN")
    page = context.new_page()
    with carding(world.collecting, url) as cards, served(world.app(), listener):
        cards.pay()
        payout = cards.standin.books.pay_out()
        cards.hear()
        cards.clock.later(minutes=6)
        cards.ask()
        memos = ("STRIPE PAYMENTS UK PAYOUT", "STRIPE PAYMENTS UK PAYOUT 2")  # two of one sum: the rule leaves it
        world.collecting.hear_of(*(world.collecting.pays(memo, payout["amount"]) for memo in memos))
        context.add_cookies([{"name": "hocphi", "value": cookie_of(world), "url": url}])
        page.goto(f"{url}/van-phong/the")
        on_its_way = page.get_by_text("Đang chuyển").locator("strong")
        expect(on_its_way).to_have_text(str(Money(payout["amount"])))
        expect(page.get_by_text("khớp với những gì đã biết")).to_be_visible()
        look(page, "payout-360")
        page.set_viewport_size({"width": 1280, "height": 900})
        look(page, "payout-1280")
        page.get_by_role("radio", name="PAYOUT 2").check()
        page.get_by_role("button", name="Gắn với khoản chi trả").click()
        expect(page.get_by_text("Khoản chi trả đã gắn với tiền vào ngân hàng")).to_be_visible()
        expect(on_its_way).to_have_text("0 đ")
        expect(page.get_by_role("heading", name="Đã về ngân hàng")).to_be_visible()
        look(page, "tied-1280")
        assert "113T" not in world.collecting.books(), "Stripe holds nothing, nothing is on its way"
        assert world.collecting.states() == ["matched", "waiting"]
    context.close()
