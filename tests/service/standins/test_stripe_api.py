"""The stand-in for Stripe: its cardholder's page, its signatures as the official library checks them, its retries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from service.standins.stripe_api import RETRIES, event_body
from service.standins.stripe_books import DISPUTE_FEE, fee_of
from service.standins.stripe_wire import signature
from tests.reconciliation.cards.houses import SECRET, House, house, wanted


@pytest.fixture
def at_home() -> Iterator[House]:
    with house() as made:
        yield made


def _pay(at_home: House, *steps: dict[str, str]) -> httpx.Response:
    session = at_home.client.open_session(wanted(), "checkout-1")
    answer = at_home.http.get(session.url)
    assert "650.000" in answer.text
    for step in steps:
        answer = at_home.http.post(session.url, data=step)
    return answer


def _kinds(at_home: House) -> list[str]:
    return [event["type"] for event in at_home.standin.books.events]


def test_a_card_that_pays(at_home: House) -> None:
    answer = _pay(at_home, {"card": "paid"})
    assert "https://hocphi.example/the/xong" in answer.text
    assert _kinds(at_home) == ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]
    assert at_home.standin.books.balance() == 650_000 - fee_of(650_000)


def test_a_declined_card_can_be_followed_by_another(at_home: House) -> None:
    answer = _pay(at_home, {"card": "declined"})
    assert (answer.status_code, "bị từ chối" in answer.text) == (402, True)
    session = at_home.standin.books.of_kind("checkout.session")[0]
    assert at_home.http.post(session["url"], data={"card": "paid"}).status_code == 200
    assert len(at_home.standin.books.of_kind("payment_intent")) == 1, "one payment with two tries"


@pytest.mark.parametrize(("step", "balance"), [("yes", 650_000 - fee_of(650_000)), ("no", 0)])
def test_3d_secure_asks_once_more(at_home: House, step: str, balance: int) -> None:
    _pay(at_home, {"card": "3ds"}, {"card": "3ds", "step": step})
    assert at_home.standin.books.balance() == balance


def test_a_page_that_was_paid_takes_no_second_payment(at_home: House) -> None:
    answer = _pay(at_home, {"card": "paid"}, {"card": "paid"})
    assert "đã đóng" in answer.text
    assert len(at_home.standin.books.of_kind("charge")) == 1


def test_a_page_ends(at_home: House) -> None:
    session = at_home.client.open_session(wanted(), "checkout-1")
    at_home.clock.later(minutes=46)
    assert "đã đóng" in at_home.http.post(session.url, data={"card": "paid"}).text
    assert _kinds(at_home) == ["checkout.session.expired"]


def test_the_official_library_believes_the_signatures(at_home: House) -> None:
    _pay(at_home, {"card": "paid"})
    event = at_home.standin.books.events[-1]
    body = event_body(event)
    for secrets in ([SECRET], ["whsec_older", SECRET], [SECRET, "whsec_newer"]):
        at = at_home.standin.books.now()
        believed = stripe.Webhook.construct_event(body, signature(body, secrets, at), SECRET, tolerance=10**9)
        assert believed["id"] == event["id"]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signature(body, ["whsec_other"], at), SECRET, tolerance=10**9)


def test_the_official_library_reads_the_objects(at_home: House) -> None:
    _pay(at_home, {"card": "paid"})
    answer = at_home.client.session(at_home.standin.books.of_kind("checkout.session")[0]["id"])
    read = stripe.checkout.Session.construct_from(json.loads(answer.body), None)
    assert (read.payment_status, read.amount_total, read.currency) == ("paid", 650_000, "vnd")


def test_a_webhook_comes_again_until_it_is_taken_and_not_for_ever(at_home: House) -> None:
    taken: list[str] = []
    answers = iter([500, 503, 200])

    def school(request: httpx.Request) -> httpx.Response:
        taken.append(json.loads(request.content)["id"])
        return httpx.Response(next(answers, 500))

    session = at_home.client.open_session(wanted(), "checkout-1")
    at_home.standin.books.expire_session(session.id)
    at_home.standin.webhooks.url = "http://school.invalid/callbacks/x"
    with httpx.Client(transport=httpx.MockTransport(school)) as http:
        assert [at_home.standin.deliver(http) for _ in range(2)] == [0, 0], "once now, and not again at once"
        at_home.clock.later(seconds=60)
        at_home.standin.deliver(http)
        at_home.clock.later(minutes=10)
        assert at_home.standin.deliver(http) == 1
        at_home.clock.later(days=1)
        assert at_home.standin.deliver(http) == 0
        at_home.standin.books.tell("checkout.session.expired", {"object": "checkout.session"})
        for _ in range(5):
            at_home.clock.later(days=1)
            for _ in range(4):
                at_home.standin.deliver(http)
    assert len(taken) == 3 + len(RETRIES)
    assert RETRIES[-1] < 3 * 24 * 3600


def test_refunds_disputes_and_payouts_move_the_balance(at_home: House) -> None:
    _pay(at_home, {"card": "paid"})
    books = at_home.standin.books
    intent = books.of_kind("payment_intent")[0]["id"]

    def play(**wish: str) -> dict[str, Any]:
        answer = at_home.http.post(f"{at_home.running.url}/play", json=wish)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    refund = books.refund({"payment_intent": intent, "amount": "50000"})
    play(act="fail-refund", refund=refund["id"])
    assert books.balance() == 650_000 - fee_of(650_000)
    dispute = play(act="dispute", intent=intent)
    assert books.balance() == -fee_of(650_000) - DISPUTE_FEE
    assert at_home.http.post(f"{at_home.running.url}/play", json={"act": "payout"}).status_code == 400
    play(act="close", dispute=dispute["id"], status="won")
    play(act="move", type="stripe_fee", amount="-9900", words="Radar")
    payout = play(act="payout")
    assert payout["amount"] == 650_000 - fee_of(650_000) - 9_900
    assert books.balance() == at_home.client.balance() == 0
    play(act="fail-payout", payout=payout["id"])
    assert at_home.client.balance() == payout["amount"]
    told = stripe.Balance.construct_from(books.told_balance(), None)
    assert [told.available[0].amount, told.pending[0].amount] == [0, payout["amount"]], (
        "as the official library reads it"
    )
    assert at_home.http.post(f"{at_home.running.url}/play", json={"act": "earthquake"}).status_code == 400


@pytest.mark.parametrize(
    ("amount", "code"),
    [("650001", ""), ("0", ""), ("x", "parameter_invalid_integer")],
)
def test_a_refund_gives_back_no_more_than_was_paid(at_home: House, amount: str, code: str) -> None:
    _pay(at_home, {"card": "paid"})
    intent = at_home.standin.books.of_kind("payment_intent")[0]["id"]
    answer = at_home.http.post(
        f"{at_home.running.url}/v1/refunds",
        data={"payment_intent": intent, "amount": amount},
        headers={"Authorization": f"Bearer {at_home.standin.key}"},
    )
    assert answer.status_code == 400
    assert answer.json()["error"].get("code", "") == code
    assert answer.json()["error"]["param"] == "amount"


@pytest.mark.parametrize("field", ["mode", "success_url", "line_items", "surprise"])
def test_a_session_with_a_wrong_field_says_which(at_home: House, field: str) -> None:
    form = {
        "mode": "payment",
        "success_url": "https://x.example",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "vnd",
        "line_items[0][price_data][unit_amount]": "50000",
        "line_items[0][price_data][product_data][name]": "x",
    }
    form = {name: value for name, value in form.items() if not name.startswith(field)}
    form |= {"surprise": "1"} if field == "surprise" else {}
    answer = at_home.http.post(
        f"{at_home.running.url}/v1/checkout/sessions",
        data=form,
        headers={"Authorization": f"Bearer {at_home.standin.key}"},
    )
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, field)
