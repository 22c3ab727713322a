"""What of cards waits for a person is told on the overview, and what was put aside says what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from sqlmodel import select

from billing.audit.tables import AuditEntry
from billing.money import Money
from reconciliation.cards.refunding import ask_refund
from reconciliation.cards.switching import ask_switch
from service.database import EVERYTHING
from tests.factories.cards import Carding, carding
from tests.service.pages.test_card_pages import post
from tests.service.pages.worlds import World

OFFICE, OVERVIEW, TROUBLES = "/van-phong/the", "/van-phong", "/van-phong/su-co"


@pytest.fixture
def cards(world: World) -> Iterator[Carding]:
    with carding(world.collecting) as made:
        yield made


def plain(html: str) -> str:
    """Return what a person reads."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_overview_tells_of_disputes_decisions_differences_and_what_is_put_aside(
    world: World, cards: Carding
) -> None:
    books, client = cards.standin.books, world.signed_in(world.staff("approver"))
    assert "Thẻ:" not in plain(client.get(OVERVIEW).text)
    first = cards.pay()
    cards.hear()
    books.dispute(cards.intent_of(first))
    second = cards.pay(1)
    cards.hear()
    with world.collecting.database.transaction(world.collecting.scope) as session:
        ask_refund(
            session, cards.maker, world.collecting.school.id, second.id, Money(100_000), "Nộp nhầm", cards.clock()
        )
    books.move("adjustment", -7_000, "Correction")
    cards.pay(2)
    (charge,) = [json.loads(body) for body in cards.events() if json.loads(body)["type"] == "charge.succeeded"]
    charge["data"]["object"]["amount_captured"] = books.of_kind("charge")[0]["amount_captured"] = 5
    cards.hear(json.dumps(charge).encode())
    books.events.clear()  # they tell of the whole sum
    cards.clock.later(minutes=6)
    cards.ask()
    told = plain(client.get(OVERVIEW).text)
    assert re.search(r"1 tranh chấp phải trả lời +\(sớm nhất trước \d\d:\d\d \d\d/10/2025\)", told)
    assert "1 đề nghị chờ người thứ hai." in told
    assert "1 tài khoản Stripe lệch với sổ." in told
    assert "1 biến động số dư chưa rõ." in told
    assert "tin của Stripe chưa vào sổ." in told
    assert f'href="{OFFICE}?' in client.get(OVERVIEW).text


def test_a_card_message_that_was_put_aside_is_looked_up_at_stripe_and_not_in_a_statement(
    world: World, cards: Carding
) -> None:
    client = world.signed_in(world.staff("accountant"))
    assert "Tin của Stripe" not in client.get(TROUBLES).text
    checkout = cards.pay()
    (charge,) = [json.loads(body) for body in cards.events() if json.loads(body)["type"] == "charge.succeeded"]
    charge["data"]["object"]["amount_captured"] = 5
    cards.hear(json.dumps(charge).encode())
    told = plain(client.get(TROUBLES).text)
    assert "Mọi thông báo đều đã đọc được." in told, "the bank's"
    assert "Tin của Stripe chưa vào sổ 1 tin về tiền trả bằng thẻ. Sao kê ngân hàng không mang tiền này về sổ." in told
    assert f"hãy xem trang của Stripe · {cards.intent_of(checkout)}" in told
    assert "không đọc được, tiền trong đó chưa vào sổ" not in client.get(OVERVIEW).text


def test_the_page_of_cards_says_that_an_account_does_not_settle_in_dong(world: World, cards: Carding) -> None:
    cards.standin.books.settles = ("usd", 250)
    cards.ask()
    client = world.signed_in(world.staff("accountant"))
    assert "Tài khoản Stripe này nhận tiền bằng USD, không chỉ bằng đồng." in plain(client.get(OFFICE).text)
    assert "1 tài khoản Stripe lệch với sổ." in plain(client.get(OVERVIEW).text)
    assert "Trả bằng thẻ" not in world.client().get(world.link()).text


def test_the_menu_counts_what_waits_and_says_nothing_where_nothing_does(world: World, cards: Carding) -> None:
    client = world.signed_in(world.staff("accountant"))
    assert 'class="count"' not in client.get("/van-phong/thong-bao").text
    checkout = cards.pay()
    cards.hear()
    cards.standin.books.dispute(cards.intent_of(checkout))
    cards.hear()
    with world.collecting.database.transaction(world.collecting.scope) as session:
        ask_switch(
            session, cards.maker, world.collecting.school.id, world.collecting.account.id, "Thử", cards.clock(),
            turn_on=False,
        )  # fmt: skip
    told = plain(client.get("/van-phong/thong-bao").text)
    assert re.search(r"Thẻ +2 +việc đang chờ", told)
    assert re.search(r"Thẻ +2 +việc đang chờ", plain(client.get(OFFICE).text))


def test_a_message_that_was_put_aside_is_marked_as_seen_by_who_may_with_what_became_of_it(
    world: World, cards: Carding
) -> None:
    cards.pay()
    (charge,) = [json.loads(body) for body in cards.events() if json.loads(body)["type"] == "charge.succeeded"]
    charge["data"]["object"]["amount_captured"] = 5
    cards.hear(json.dumps(charge).encode())
    client, approver = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    page = client.get(TROUBLES).text
    (action,) = re.findall(r'action="(/van-phong/su-co/\d+/da-xem)', page)
    assert "da-xem?" not in approver.get(TROUBLES).text
    assert post(approver, TROUBLES, action, ly_do="x") == 403
    assert post(client, TROUBLES, action, ly_do=" ") == 422
    assert post(client, TROUBLES, "/van-phong/su-co/999999/da-xem", ly_do="x") == 404
    assert post(client, TROUBLES, action, ly_do="Đã hoàn ở Stripe") == 303
    told = plain(client.get(TROUBLES).text)
    assert "Tin của Stripe chưa vào sổ" not in told
    assert "Đã hoàn ở Stripe" in told
    assert "tin của Stripe chưa vào sổ" not in plain(client.get(OVERVIEW).text)
    assert post(client, TROUBLES, action, ly_do="lần nữa") == 409
    with world.collecting.database.transaction(EVERYTHING) as session:
        deeds = session.exec(select(AuditEntry).where(AuditEntry.action == "inbox.seen")).all()
    assert [deed.object_id for deed in deeds] == re.findall(r"\d+", action)
