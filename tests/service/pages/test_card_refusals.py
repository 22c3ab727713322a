"""What a family is told when it cannot pay by card, and the way that is left open; the outcome while it waits."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from service.access import limits
from tests.factories.cards import Carding, carding
from tests.reconciliation.cards.acts import charge_less, debit_fails, finish_by_debit
from tests.service.pages.test_card_pages import OFFICE, go_to_stripe, press, way_back
from tests.service.pages.worlds import World


@pytest.fixture
def cards(world: World) -> Iterator[Carding]:
    with carding(world.collecting) as made:
        yield made


def test_each_refusal_leads_back_to_the_notice_and_says_nothing_else(
    world: World, cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without JavaScript: the way it names is a link, and nobody is told to correct what was not typed."""
    family, link = world.client(), world.link()
    form = re.search(r'name="csrf" value="([0-9a-f]+)"', family.get(f"{link}/the").text)
    assert form
    with monkeypatch.context() as off:
        off.setattr("service.pages.card_binding.card_rows.may_pay_by_card", lambda *_: False)
        refused = family.post(f"{link}/the", data={"csrf": form[1]})
    assert refused.status_code == 422
    assert "Xin chuyển khoản theo mã" in refused.text
    cards.pay()
    cards.hear()
    paid = family.get(f"{link}/the")
    assert paid.status_code == 422
    assert "không còn gì phải nộp" in paid.text
    assert "chuyển khoản" not in paid.text
    forged = family.post(f"{link}/the", data={"csrf": "0"})
    for answer in (refused, paid):
        assert way_back(answer) == [link]
        assert "Sửa theo lời báo trên" not in answer.text
        assert "nút quay lại của trình duyệt" not in answer.text
    assert forged.status_code == 403


def test_a_link_asks_stripe_only_so_often_and_a_page_that_is_open_is_free(world: World, cards: Carding) -> None:
    family, link = world.client(), world.link()
    for _ in range(limits.CARD_PAGES.tries - 1):
        cards.standin.trouble.order("500", 1)
        assert press(family, link).status_code == 503
    address = go_to_stripe(family, link)
    assert {go_to_stripe(family, link) for _ in range(3)} == {address}
    cards.standin.books.expire_session(address.rpartition("/")[2])
    cards.hear()
    asked = len(cards.standin.asked)
    refused = press(family, link)
    assert refused.status_code == 429
    assert way_back(refused) == [link]
    assert len(cards.standin.asked) == asked
    assert go_to_stripe(family, world.link(1)), "another family's link has its own count"


def test_a_page_that_never_brought_money_lets_the_family_pay_again(world: World, cards: Carding) -> None:
    family, link = world.client(), world.link()
    checkout = cards.checkout()
    finish_by_debit(cards, checkout)
    later(world, cards, hours=3)
    waits = press(family, link)
    assert waits.status_code == 422
    assert "chờ ngân hàng của gia đình xác nhận" in waits.text
    assert way_back(waits) == [link]
    debit_fails(cards, checkout)
    address = go_to_stripe(family, link)
    assert address.rpartition("/")[2] != cards.session_of(checkout)
    assert "đang báo kết quả" in family.get(f"{link}?the=xong").text, "of the new page"


def test_a_payment_that_was_put_aside_is_told_as_such_until_it_is_given_back(world: World, cards: Carding) -> None:
    family, link = world.client(), world.link()
    checkout = cards.pay()
    charge_less(cards, 10_000)
    cards.hear()
    assert "đang báo kết quả" in family.get(f"{link}?the=xong").text
    later(world, cards, hours=2)
    page = family.get(f"{link}?the=xong").text
    assert "Nếu thẻ đã bị trừ tiền, xin gọi nhà trường" in page
    assert "đang báo kết quả" not in page
    refused = press(family, link)
    assert refused.status_code == 422
    assert "chưa ghi được vào sổ" in refused.text
    assert "xin đừng trả lần nữa" in refused.text
    assert "chuyển khoản" not in refused.text
    maker = world.signed_in(world.staff("accountant"))
    office = maker.get(OFFICE).text
    assert "Trang thẻ đã hết giờ, chưa có kết quả" in office
    assert cards.session_of(checkout) in office
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout)})
    go_to_stripe(family, link)
    assert cards.session_of(checkout) not in maker.get(OFFICE).text


def test_the_outcome_is_awaited_only_while_one_can_come(
    world: World, cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address stays in the tab: also after the card's bank took the money back, days later."""
    monkeypatch.setattr("service.pages.family_rows.is_called", lambda *_: False)  # else the bank is waited for
    family, link = world.client(), world.link()
    checkout = cards.pay()
    page = family.get(f"{link}?the=xong").text
    assert "đang báo kết quả" in page
    assert 'data-again="1"' in page
    assert family.get(f"{link}/status?the=1").json()["again"] is True
    cards.hear()
    later(world, cards, days=20)
    cards.standin.books.dispute(cards.intent_of(checkout))
    cards.hear()
    page = family.get(f"{link}?the=xong").text
    assert "Chờ nộp" in page
    assert "đang báo kết quả" not in page
    assert "bị trừ tiền" not in page
    assert 'data-again="0"' in page
    assert family.get(f"{link}/status?the=1").json()["again"] is False


def later(world: World, cards: Carding, **span: float) -> None:
    """Let time pass, for the web as for the cards."""
    cards.clock.later(**span)
    world.clock.now = cards.clock.now
