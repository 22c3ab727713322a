"""Card payments over the real web: offered where switched on, paid on Stripe's page, given back by two, disputed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from httpx2 import Response
from sqlmodel import select
from starlette.testclient import TestClient

from billing.people.tables import Pupil
from reconciliation.cards.tables import CardCheckout
from reconciliation.matching import Direction
from service.database import EVERYTHING
from tests.factories.cards import Carding, carding
from tests.service.pages.worlds import World

OFFICE = "/van-phong/the"


@pytest.fixture
def cards(world: World) -> Iterator[Carding]:
    with carding(world.collecting) as made:
        yield made


def post(client: TestClient, page: str, path: str, **fields: str) -> int:
    """Send a form of a page with its token; returns the status."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(page).text)
    assert found, f"no form on {page}"
    return client.post(path, data={"csrf": found[1], **fields}).status_code


def go_to_stripe(client: TestClient, link: str) -> str:
    """Press the button; returns the address of Stripe's page."""
    answer = press(client, link)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def press(client: TestClient, link: str) -> Response:
    """Press the button, whatever is answered."""
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get(f"{link}/the").text)
    assert found
    return client.post(f"{link}/the", data={"csrf": found[1]})


def way_back(answer: Response) -> list[str]:
    """Return where a page of a refusal leads to."""
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    return re.findall(r'href="([^"]+)"', main)


def action(client: TestClient, pattern: str) -> str:
    found = re.search(rf'action="({OFFICE}/{pattern})\?', client.get(OFFICE).text)
    assert found, pattern
    return found[1]


def test_a_family_pays_by_card_and_the_page_flips(world: World, cards: Carding) -> None:
    family, link = world.client(), world.link()
    page = family.get(link).text
    assert "Trả bằng thẻ" in page
    assert "Phí thẻ: 0 đ" in page
    offer = family.get(f"{link}/the")
    assert "Phí thẻ: 0 đ" in offer.text
    assert f"form-action 'self' {cards.standin.url};" in offer.headers["content-security-policy"]
    assert cards.standin.url not in family.get(link).headers["content-security-policy"]

    address = go_to_stripe(family, link)
    assert address.startswith(f"{cards.standin.url}/c/pay/cs_test_")
    assert go_to_stripe(family, link) == address, "the same page, not a second one"
    session = cards.standin.books.of_kind("checkout.session")[0]
    assert link.rpartition("/")[2] not in str(session), "Stripe is not told the family's link"
    mark = session["client_reference_id"]
    assert family.get(f"/the/thoi?lan={mark}").headers["location"] == f"{link}?the=thoi"
    assert "Chưa trả gì bằng thẻ" in family.get(f"{link}?the=thoi").text

    cards.http.post(address, data={"card": "paid"})
    assert session["success_url"].endswith(f"/the/xong?lan={mark}")
    back = family.get(f"/the/xong?lan={mark}")
    assert back.headers["location"] == f"{link}?the=xong"
    waiting = family.get(back.headers["location"]).text
    assert "đang báo kết quả" in waiting
    assert 'data-again="1"' in waiting
    assert family.get(f"{link}/status?the=1").json()["again"] is True
    cards.hear()
    paid = family.get(f"{link}?the=xong").text
    assert "Đã có biên lai" in paid
    assert "Trả bằng thẻ" not in paid
    assert family.get(f"{link}/the").status_code == 422
    assert cards.collecting.receipts() == [(1, session["amount_total"])]


def test_a_browser_without_our_cookie_is_told_where_to_look(world: World, cards: Carding) -> None:
    del cards
    stranger = world.client()
    assert "Xin mở lại đường dẫn" in stranger.get("/the/xong").text
    mark = UUID(int=7)
    stranger.cookies.set(f"hocphi-card-{mark.hex}", "//evil.example")
    assert stranger.get(f"/the/xong?lan={mark}").status_code == 200
    assert stranger.get("/the/xong?lan=evil").status_code == 422
    assert stranger.get("/the/khac").status_code in {404, 422}


def test_cards_are_offered_only_where_two_people_switched_them_on(world: World) -> None:
    with carding(world.collecting, on=False):
        family, link = world.client(), world.link()
        maker, approver = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
        auditor = world.signed_in(world.staff("auditor"))
        assert "Trả bằng thẻ" not in family.get(link).text
        assert family.get(f"{link}/the").status_code == 422
        ask = action(maker, r"bat-tat/[0-9a-f-]{36}")
        assert post(maker, OFFICE, ask, bat="1") == 422, "without a reason"
        assert post(maker, OFFICE, ask, bat="1", ly_do="Quyết định 12") == 303
        assert (
            post(maker, f"{OFFICE}", f"{action(maker, 'bat-tat/[0-9a-f-]{36}/tu-choi')}".replace("tu-choi", "duyet"))
            == 403
        )
        assert "Duyệt" not in auditor.get(OFFICE).text
        assert "Trả bằng thẻ" not in family.get(link).text
        assert post(approver, OFFICE, action(approver, r"bat-tat/[0-9a-f-]{36}/duyet")) == 303
        assert "Trả bằng thẻ" in family.get(link).text
        assert post(maker, OFFICE, ask, bat="0", ly_do="Tạm dừng") == 303
        assert post(approver, OFFICE, action(approver, r"bat-tat/[0-9a-f-]{36}/duyet")) == 303
        assert "Trả bằng thẻ" not in family.get(link).text


def test_money_on_its_way_and_a_paid_bill_offer_no_card(world: World, cards: Carding) -> None:
    bank, link = world.collecting, world.link()
    bank.hear_of(bank.pays(f"{bank.requests[0].reference} {bank.requests[1].reference}", 5_000))
    assert "Trả bằng thẻ" not in world.client().get(link).text, "something names this bill and waits"
    assert cards.standin.asked == []


def test_when_stripe_is_away_the_family_is_told_and_the_same_checkout_is_used_later(
    world: World, cards: Carding
) -> None:
    family, link = world.client(), world.link()
    cards.standin.trouble.order("500", 99)
    answer = press(family, link)
    assert answer.status_code == 503
    assert way_back(answer) == [link]
    assert "không trả lời" in answer.text
    assert "Xin chuyển khoản" in answer.text
    assert "HTTP" not in answer.text
    cards.standin.trouble.order("500", 0)
    go_to_stripe(family, link)
    with world.collecting.database.transaction(EVERYTHING) as session:
        assert len(session.exec(select(CardCheckout.id)).all()) == 1


def test_given_back_by_two_disputed_and_tied(world: World, cards: Carding) -> None:
    maker, approver = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    checkout = cards.pay()
    cards.hear()
    give_back = action(maker, r"nop/[0-9a-f-]{36}/hoan")
    assert post(maker, OFFICE, give_back, so_tien="9.000.000", ly_do="nhầm") == 422
    assert post(maker, OFFICE, give_back, so_tien="100.000", ly_do="Nộp nhầm") == 303
    assert "Nộp nhầm" in approver.get(OFFICE).text
    assert post(approver, OFFICE, action(approver, r"hoan/[0-9a-f-]{36}/duyet")) == 303
    assert "reconciliation.cards" in world.rung
    assert "đang gửi" in maker.get(OFFICE).text
    cards.ask()
    assert "đã hoàn về thẻ" in maker.get(OFFICE).text
    assert post(maker, OFFICE, give_back, so_tien="50.000", ly_do="Nộp nhầm nữa") == 303
    assert post(maker, OFFICE, action(maker, r"hoan/[0-9a-f-]{36}/tu-choi"), ly_do="Thôi") == 303
    assert "không hoàn" in maker.get(OFFICE).text

    cards.standin.books.dispute(cards.intent_of(checkout), 20_000)
    cards.hear()
    page = maker.get(OFFICE).text
    assert "cần trả lời" in page
    assert "gửi thông báo thu và biên lai làm bằng chứng" in page
    amount = cards.standin.books.pay_out()["amount"]
    cards.hear()
    assert "Chưa có tiền vào nào có thể là khoản này" in maker.get(OFFICE).text
    world.collecting.hear_of(world.collecting.pays("CHUYEN TIEN QUOC TE", amount))
    (choice,) = re.findall(r'name="giao_dich" value="([0-9a-f-]{36})"', maker.get(OFFICE).text)
    tie = action(maker, r"chi-tra/po_\d+")
    assert post(maker, OFFICE, tie) == 422, "nothing chosen"
    assert post(maker, OFFICE, tie, giao_dich=choice) == 422, "it does not name Stripe: a reason for the second person"
    assert post(maker, OFFICE, tie, giao_dich=choice, ly_do="Đúng số tiền của Stripe") == 303
    assert world.collecting.states() == ["waiting"]
    page = maker.get(OFFICE).text
    assert "Đã đề nghị gắn, đang chờ người thứ hai" in page
    assert "Chưa có tiền vào nào có thể là khoản này" not in page
    agree = action(maker, "viec/[0-9a-f-]{36}/tu-choi").replace("tu-choi", "duyet")
    assert post(maker, OFFICE, agree) == 403
    assert post(approver, OFFICE, action(approver, "viec/[0-9a-f-]{36}/duyet")) == 303
    assert world.collecting.states() == ["matched"]
    assert "113T" not in world.collecting.books() or world.collecting.books()["113T"] == cards.standin.books.balance()


def test_whoever_pays_for_two_children_in_two_tabs_is_led_back_to_each(world: World, cards: Carding) -> None:
    family, first, second = world.client(), world.link(0), world.link(1)
    address = go_to_stripe(family, first)
    go_to_stripe(family, second)
    cards.http.post(address, data={"card": "paid"})
    paid = cards.standin.books.rows[address.rpartition("/")[2]]
    back = paid["success_url"].removeprefix("http://testserver")
    assert family.get(back).headers["location"] == f"{first}?the=xong"


def test_a_refusal_of_stripes_is_told_in_words_of_a_family(world: World, cards: Carding) -> None:
    family, link = world.client(), world.link()
    cards.standin.key = "sk_test_another"
    form = re.search(r'name="csrf" value="([0-9a-f]+)"', family.get(f"{link}/the").text)
    assert form
    answer = family.post(f"{link}/the", data={"csrf": form[1]})
    assert answer.status_code == 503
    assert "Xin chuyển khoản theo mã" in answer.text
    assert "401" not in answer.text
    assert "invalid_request" not in answer.text


def test_stripe_is_told_to_leave_the_currency_alone(world: World, cards: Carding) -> None:
    go_to_stripe(world.client(), world.link())
    (session,) = cards.standin.books.of_kind("checkout.session")
    assert session["adaptive_pricing"] == {"enabled": False}, "else the fee of 0 đ would not be true"


def test_an_older_page_of_the_bill_is_closed_before_a_new_one_is_made(world: World, cards: Carding) -> None:
    family, link = world.client(), world.link()
    first = go_to_stripe(family, link)
    cards.clock.later(minutes=36)
    world.clock.now = cards.clock.now
    second = go_to_stripe(family, link)
    assert second != first
    states = [row["status"] for row in cards.standin.books.of_kind("checkout.session")]
    assert states == ["open", "expired"]


def test_nobody_is_led_to_a_second_page_while_the_first_is_paid_and_not_told(world: World, cards: Carding) -> None:
    family, link = world.client(), world.link()
    first = go_to_stripe(family, link)
    cards.http.post(first, data={"card": "paid"})
    cards.clock.later(minutes=36)
    world.clock.now = cards.clock.now
    form = re.search(r'name="csrf" value="([0-9a-f]+)"', family.get(f"{link}/the").text)
    assert form
    answer = family.post(f"{link}/the", data={"csrf": form[1]})
    assert answer.status_code == 422
    assert "Xin đừng trả lần nữa" in answer.text
    assert len(cards.standin.books.of_kind("checkout.session")) == 1


def test_the_office_sees_whom_a_payment_is_for_and_all_of_them(
    world: World, cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    cards.pay(0)
    cards.pay(1)
    cards.hear()
    maker = world.signed_in(world.staff("accountant"))
    monkeypatch.setattr("service.pages.card_payment_rows.SHOWN", 1)
    page = maker.get(OFFICE).text
    with world.collecting.database.transaction(EVERYTHING) as session:
        names = [session.get_one(Pupil, request.pupil_id).full_name for request in world.collecting.requests[:2]]
    assert names[0] != names[1]
    assert [name in page for name in names] == [False, True]
    older = re.search(r'href="(/van-phong/the\?[^"]*truoc=\d+)"', page)
    assert older
    page = maker.get(older[1].replace("&amp;", "&")).text
    assert [name in page for name in names] == [True, False]
    assert "trừ vào" in page
    assert "Cũ hơn" not in page


def test_stripes_own_movements_and_balance_are_on_the_page_and_a_tie_is_undone_by_two(
    world: World, cards: Carding
) -> None:
    maker, approver = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    cards.pay()
    cards.standin.books.move("adjustment", -7_000, "Correction of 3 October")
    cards.hear()
    amount = cards.standin.books.pay_out()["amount"]
    cards.clock.later(minutes=6)
    cards.ask()
    page = maker.get(OFFICE).text
    assert "Correction of 3 October" in page
    assert "khớp với những gì đã biết" in page
    assert post(maker, OFFICE, action(maker, r"bien-dong/txn_\d+"), ly_do="Stripe trừ phí") == 303
    assert post(approver, OFFICE, action(approver, "viec/[0-9a-f-]{36}/duyet")) == 303
    assert "1388T" not in world.collecting.books()
    world.collecting.hear_of(world.collecting.pays("STRIPE PAYOUT", amount))
    assert world.collecting.states() == ["matched"]
    assert post(maker, OFFICE, action(maker, r"chi-tra/po_\d+/go"), ly_do="Tiền của đơn vị khác") == 303
    assert post(approver, OFFICE, action(approver, "viec/[0-9a-f-]{36}/duyet")) == 303
    assert world.collecting.states() == ["waiting"]
    cards.standin.books.rows.popitem()
    cards.clock.later(minutes=6)
    cards.ask()
    assert "Lệch" in maker.get(OFFICE).text


def test_money_from_before_and_of_the_schools_own_is_asked_for_on_the_page(world: World, cards: Carding) -> None:
    maker, approver = world.signed_in(world.staff("accountant")), world.signed_in(world.staff("approver"))
    cards.clock.later(days=-30)
    cards.standin.books.move("topup", 50_000, "before us")
    cards.clock.later(days=30)
    cards.standin.books.move("topup", 400_000, "Top-up")
    cards.clock.later(minutes=6)
    cards.ask()
    assert "Lệch 50.000 đ" in maker.get(OFFICE).text
    assert post(maker, OFFICE, action(maker, r"so-du/[0-9a-f-]{36}"), ly_do="Dùng từ tháng 9") == 303
    page = approver.get(OFFICE).text
    assert "tiền Stripe giữ từ trước khi mở kênh" in page
    assert re.search(r"so-du/", page) is None
    assert post(approver, OFFICE, action(approver, "viec/[0-9a-f-]{36}/duyet")) == 303
    assert "khớp với những gì đã biết" in maker.get(OFFICE).text
    assert post(maker, OFFICE, action(maker, r"bien-dong/txn_\d+/nap"), ly_do="Nạp để hoàn thẻ") == 303
    assert post(approver, OFFICE, action(approver, "viec/[0-9a-f-]{36}/duyet")) == 303
    assert "Hai người đã nhận là tiền trường nạp" in maker.get(OFFICE).text
    world.collecting.hear_of(world.collecting.pays("STRIPE TOPUP", 400_000, direction=Direction.OUT))
    money_out = maker.get("/van-phong/tien-ra").text
    assert "Nạp vào tài khoản Stripe của trường" in money_out
    (tie,) = re.findall(r'type="hidden" name="gan" value="(stripe:[0-9a-f-]{36})"', money_out)
    way = re.findall(r'action="(/van-phong/tien-ra/[0-9a-f-]{36})\?', money_out)[0]
    assert post(maker, "/van-phong/tien-ra", way, gan=tie) == 303
    assert "1388T" not in world.collecting.books()
    assert "chua-ro" not in maker.get(OFFICE).text


def test_a_page_somewhere_else_is_never_led_to(world: World, cards: Carding) -> None:
    family, link = world.client(), world.link()
    cards.standin.url = "https://checkout.stripe.example"
    form = re.search(r'name="csrf" value="([0-9a-f]+)"', family.get(f"{link}/the").text)
    assert form
    assert family.post(f"{link}/the", data={"csrf": form[1]}).status_code == 503
