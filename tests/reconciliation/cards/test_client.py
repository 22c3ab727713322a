"""The client's contract: against our stand-in always, against stripe-mock too where STRIPE_MOCK_URL names one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from billing.money import Money
from reconciliation.cards.client import StripeClient
from reconciliation.cards.errors import CardKeyRefused, CardKeyReused, CardProviderAway, CardRequestRefused
from reconciliation.cards.objects import (
    page_of,
    read_dispute,
    read_event,
    read_payout,
    read_refund,
    read_session,
    read_transaction,
)
from tests.reconciliation.cards.houses import KEY, House, house, wanted


@pytest.fixture(scope="module")
def running() -> Iterator[House]:
    with house() as made:
        yield made


@pytest.fixture
def at_home(running: House) -> House:
    running.pauses.clear()
    running.standin.asked.clear()
    return running


@pytest.fixture(params=["stand-in", "stripe-mock"])
def client(request: pytest.FixtureRequest, running: House) -> Iterator[StripeClient]:
    if request.param == "stand-in":
        yield running.client
        return
    url = os.environ.get("STRIPE_MOCK_URL")
    if not url:
        pytest.skip("STRIPE_MOCK_URL is not set: the official stripe-mock is left out")
    with httpx.Client(timeout=10.0) as http:
        yield StripeClient(http, url.rstrip("/"), KEY, lambda _: None, lambda: 0.0)


def _soon(house_client: StripeClient, running: House) -> datetime:
    """The stand-in's clock stands still, stripe-mock's does not."""
    now = running.clock() if house_client.base_url == running.running.url else datetime.now(UTC)
    return now + timedelta(minutes=45)


def test_a_session_is_opened_and_asked_for(client: StripeClient, running: House) -> None:
    opened = client.open_session(replace(wanted(), expires_at=_soon(client, running)), "checkout-a")
    assert opened.id.startswith("cs_test")
    asked = read_session(client.session(opened.id).fields)
    assert asked.id == opened.id


def test_the_other_objects_are_read(client: StripeClient, running: House) -> None:
    if client.base_url == running.running.url:
        session = running.standin.books.open_session(
            {**_form(), "expires_at": str(running.standin.books.now() + 3_000)}
        )
        intent = running.standin.books.pay(session["id"], "paid")["payment_intent"]
    else:
        intent = "pi_any"
    found = client.intent(intent)
    assert found.id == intent
    assert found.amount > 0
    refund = read_refund(client.refund(intent, Money(5_000), "mark", f"refund-{intent}").fields)
    assert refund.id.startswith("re_")
    assert client.refunds_of(intent)
    for path, read in (
        ("/v1/balance_transactions", read_transaction),
        ("/v1/payouts", read_payout),
        ("/v1/events", read_event),
        ("/v1/disputes", read_dispute),
    ):
        for page in client.pages(path, {}):
            page_of(page.fields, read)


def test_a_missing_parameter_is_named(client: StripeClient, running: House) -> None:
    broken = replace(wanted(), success_url="", name="", expires_at=_soon(client, running))
    with pytest.raises(CardRequestRefused) as refused:
        client.open_session(broken, "checkout-broken")
    assert refused.value.status == 400
    assert refused.value.type == "invalid_request_error"


def test_a_wrong_key_is_told_apart(client: StripeClient) -> None:
    with pytest.raises(CardKeyRefused):
        replace(client, key="nonsense").intent("pi_1")


def _form() -> dict[str, object]:
    price = {"currency": "vnd", "unit_amount": "650000", "product_data": {"name": "Học phí"}}
    return {
        "mode": "payment",
        "success_url": "https://hocphi.example/xong",
        "line_items": [{"quantity": "1", "price_data": price}],
        "payment_intent_data": {"metadata": {"checkout": "c1"}},
    }


def test_the_same_key_makes_one_session_and_another_request_is_refused(at_home: House) -> None:
    before = len(at_home.standin.books.of_kind("checkout.session"))
    first = at_home.client.open_session(wanted(), "checkout-one")
    again = at_home.client.open_session(wanted(), "checkout-one")
    assert first == again
    assert len(at_home.standin.books.of_kind("checkout.session")) == before + 1
    with pytest.raises(CardKeyReused) as refused:
        at_home.client.open_session(wanted(700_000), "checkout-one")
    assert refused.value.type == "idempotency_error"


def test_after_a_timeout_the_same_key_takes_the_money_back_once(at_home: House) -> None:
    session = at_home.client.open_session(wanted(), "checkout-slow")
    intent = at_home.standin.books.pay(session.id, "paid")["payment_intent"]
    at_home.standin.trouble.order("done-but-silent", 1)
    hasty = replace(at_home.client, client=httpx.Client(timeout=httpx.Timeout(0.3)))
    refund = read_refund(hasty.refund(intent, Money(100_000), "mark", "refund-slow").fields)
    hasty.client.close()
    assert refund.amount == 100_000
    assert [each.id for each in at_home.client.refunds_of(intent)] == [refund.id], "done before the silence, and once"
    assert at_home.pauses, "it was sent a second time"


@pytest.mark.parametrize("trouble", ["500", "429", "409", "refused-but-500", "garbage"])
def test_what_passes_is_tried_again_with_the_same_key(at_home: House, trouble: str) -> None:
    at_home.standin.trouble.order(trouble, 2)
    session = at_home.client.open_session(wanted(), f"checkout-{trouble}")
    assert session.status == "open"
    keys = {key for _, _, _, key in at_home.standin.asked}
    assert keys == {f"checkout-{trouble}"}
    assert len(at_home.pauses) == 2
    assert at_home.pauses == ([1.0, 1.0] if trouble == "429" else [0.5, 0.75]), "half to the whole of 0.5, 1, …"


def test_what_does_not_pass_is_given_up_and_nobody_says_it_was_not_done(at_home: House) -> None:
    at_home.standin.trouble.order("500", 99)
    with pytest.raises(CardProviderAway):
        at_home.client.open_session(wanted(), "checkout-away")
    at_home.standin.trouble.order("500", 0)
    assert len(at_home.pauses) == 3


def test_no_answer_at_all_is_the_same(at_home: House) -> None:
    with pytest.raises(CardProviderAway):
        replace(at_home.client, base_url="http://127.0.0.1:1").intent("pi_1")
    assert len(at_home.pauses) == 3


def test_stripes_own_word_on_trying_again_goes_first() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        told = {"error": {"type": "card_error", "code": "card_declined", "decline_code": "lost_card", "param": "x"}}
        return httpx.Response(500 if "never" in request.url.path else 402, json=told, headers=_word(request))

    def _word(request: httpx.Request) -> dict[str, str]:
        return {"Stripe-Should-Retry": "false" if "never" in request.url.path else "true"}

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        client = StripeClient(http, "http://stripe.invalid", KEY, lambda _: None, lambda: 0.0)
        with pytest.raises(CardProviderAway):
            client.intent("never")
        assert len(asked) == 1
        with pytest.raises(CardProviderAway):
            client.intent("always")
        assert len(asked) == 5


@pytest.mark.parametrize("status", [409, 429])
def test_a_request_that_is_under_way_elsewhere_was_not_refused(status: int) -> None:
    told = {"error": {"type": "invalid_request_error", "code": "idempotency_key_in_use"}}
    answer = httpx.Response(status, headers={"Stripe-Should-Retry": "false"}, json=told)
    with httpx.Client(transport=httpx.MockTransport(lambda _: answer)) as http:
        client = StripeClient(http, "http://stripe.invalid", KEY, lambda _: None, lambda: 0.0)
        with pytest.raises(CardProviderAway):
            client.refund("pi_1", Money(1_000), "mark", "key")


def test_a_declined_card_carries_stripes_words() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["stripe-version"]
        assert "idempotency-key" not in request.headers
        told = {
            "error": {"type": "card_error", "code": "card_declined", "decline_code": "lost_card", "param": "source"}
        }
        return httpx.Response(402, json=told)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        client = StripeClient(http, "http://stripe.invalid", KEY, lambda _: None, lambda: 0.0)
        with pytest.raises(CardRequestRefused, match="card_declined") as refused:
            client.intent("pi_1")
    assert (refused.value.code, refused.value.decline_code, refused.value.param) == (
        "card_declined",
        "lost_card",
        "source",
    )


def test_a_long_wish_to_be_left_alone_ends_the_asking() -> None:
    waited: list[float] = []
    transport = httpx.MockTransport(lambda _: httpx.Response(429, headers={"Retry-After": "31"}, json={}))
    with httpx.Client(transport=transport) as http, pytest.raises(CardProviderAway):
        StripeClient(http, "http://stripe.invalid", KEY, waited.append, lambda: 0.0).intent("pi_1")
    assert waited == []


def test_lists_are_fetched_to_their_end(at_home: House) -> None:
    books = at_home.standin.books
    for _ in range(120):
        session = books.open_session({**_form(), "expires_at": str(books.now() + 3_000)})
        books.expire_session(session["id"])
    found = [
        event.id
        for page in at_home.client.pages("/v1/events", {"created": {"gte": 0}})
        for event in page_of(page.fields, read_event)
    ]
    assert found == [event["id"] for event in reversed(books.events)]
    assert len(found) > 100


def test_the_key_is_not_printed(at_home: House) -> None:
    assert KEY not in repr(at_home.client)
