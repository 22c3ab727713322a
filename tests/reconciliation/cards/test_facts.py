"""What Stripe's messages tell, and that a payment's worth depends on no order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import Money
from reconciliation.cards.facts import BALANCE_SIGNS, SIGNS, Kind, loss, read_told, worth
from reconciliation.errors import CallbackUnreadable
from service.standins import stripe_api
from service.standins.stripe_api import event_body
from service.standins.stripe_books import DISPUTE_FEE, StripeBooks, fee_of
from tests.reconciliation.cards.houses import KEY, NOW, SECRET

CHECKOUT = UUID("0199b3c0-0000-7000-8000-000000000001")


def _books() -> tuple[StripeBooks, dict[str, Any]]:
    books = StripeBooks(lambda: NOW)
    price = {"currency": "vnd", "unit_amount": "650000", "product_data": {"name": "x"}}
    session = books.open_session(
        {
            "mode": "payment",
            "success_url": "x",
            "client_reference_id": str(CHECKOUT),
            "line_items": [{"quantity": "1", "price_data": price}],
            "payment_intent_data": {"metadata": {"checkout": str(CHECKOUT)}},
        }
    )
    return books, session


def _told(books: StripeBooks) -> list[list[tuple[str, int]]]:
    return [
        [(fact.kind.value, fact.amount.dong) for fact in read_told(event_body(event)).facts] for event in books.events
    ]


def test_a_payment_is_told_twice_and_is_one_fact() -> None:
    books, session = _books()
    books.pay(session["id"], "paid")
    facts = {fact.key: fact for event in books.events for fact in read_told(event_body(event)).facts}
    ((key, fact),) = facts.items()
    assert key == ("paid", session["payment_intent"])
    assert (fact.checkout, fact.amount, fact.at) == (CHECKOUT, Money(650_000), NOW)


def test_of_a_charge_that_was_captured_in_part_nothing_is_booked() -> None:
    books, session = _books()
    books.pay(session["id"], "paid")
    (charge,) = books.of_kind("charge")
    charge["amount_captured"] = 400_000
    with pytest.raises(CallbackUnreadable, match=r"chỉ thu 400\.000 đ của khoản thẻ 650\.000 đ"):
        read_told(json.dumps(charge).encode())
    charge["amount_captured"] = 650_000
    assert [fact.amount for fact in read_told(json.dumps(charge).encode()).facts] == [Money(650_000)]


def test_a_declined_card_tells_nothing() -> None:
    books, session = _books()
    books.pay(session["id"], "declined")
    assert _told(books) == [[]]


def _asked(books: StripeBooks, session: dict[str, Any]) -> dict[str, Any]:
    """Return a session as it is asked for: with payment and charge in it."""
    house = stripe_api.StripeStandIn(books, KEY, stripe_api.Webhooks([SECRET]))
    return house._do("GET", f"/v1/checkout/sessions/{session['id']}", {"expand": ["payment_intent.latest_charge"]})


def test_the_moment_of_a_payment_is_that_of_its_charge_whoever_tells_it_first() -> None:
    """The page was made at 23.50 on the last day of a month and paid at ten past midnight."""
    books, session = _books()
    session["expires_at"] = int(datetime(2025, 11, 1, tzinfo=UTC).timestamp())
    books.clock = lambda: datetime(2025, 10, 31, 17, 10, tzinfo=UTC)
    books.pay(session["id"], "paid")
    books.clock = lambda: datetime(2025, 11, 2, 3, 0, tzinfo=UTC)
    asked = read_told(json.dumps(_asked(books, session)).encode()).facts
    told = [fact for event in books.events for fact in read_told(event_body(event)).facts]
    assert {fact.day.isoformat() for fact in (*asked, *told)} == {"2025-11-01"}
    assert set(asked) == set(told), "one fact, word for word"


def test_a_session_without_its_charge_tells_of_no_payment() -> None:
    books, session = _books()
    paid = books.pay(session["id"], "paid")
    assert read_told(json.dumps(paid).encode()).facts == ()


def test_a_page_that_ended_names_its_checkout() -> None:
    books, session = _books()
    books.expire_session(session["id"])
    assert read_told(event_body(books.events[-1])).ended == (CHECKOUT,)


def test_refund_dispute_and_payout() -> None:
    books, session = _books()
    books.pay(session["id"], "paid")
    books.events.clear()
    refund = books.refund({"payment_intent": session["payment_intent"], "amount": "50000"})
    books.fail_refund(refund["id"])
    dispute = books.dispute(session["payment_intent"])
    books.close_dispute(dispute["id"], "won")
    books.pay_out()
    withdrawn = [("disputed", 650_000), ("fee", DISPUTE_FEE)]
    won = [("disputed", 650_000), ("reinstated", 650_000), ("fee", DISPUTE_FEE), ("fee_back", DISPUTE_FEE)]
    paid_out = [("payout", 650_000 - fee_of(650_000))]
    assert _told(books) == [
        [("refunded", 50_000)],
        [("paid", 650_000)],
        [("refunded", 50_000), ("refund_failed", 50_000)],
        [],
        withdrawn,
        won,
        won,
        paid_out,
        paid_out,
    ]
    told = read_told(event_body(books.events[4]))
    assert [(each.dispute.status, each.dispute.reason) for each in told.disputes] == [("needs_response", "fraudulent")]


def test_fees_are_told_by_the_balance() -> None:
    books, session = _books()
    books.pay(session["id"], "paid")
    page = {"object": "list", "has_more": False, "data": books.of_kind("balance_transaction")}
    (fee,) = read_told(json.dumps(page).encode()).facts
    assert (fee.kind, fee.amount) == (Kind.FEE, Money(fee_of(650_000)))


@pytest.mark.parametrize(
    ("kind", "amount", "told"),
    [
        ("stripe_fee", -25_000, Kind.FEE),
        ("stripe_fee", 25_000, Kind.FEE_BACK),
        ("tax_fee", -2_500, Kind.FEE),
        ("reserve_transaction", -100_000, Kind.HELD),
        ("reserve_release", 100_000, Kind.RELEASED),
        ("adjustment", -7_000, Kind.MOVED_OUT),
        ("a kind that Stripe thinks of next year", 7_000, Kind.MOVED_IN),
        ("payout", -500_000, Kind.SENT),
        ("payout", 500_000, Kind.MOVED_IN),
        ("payout_failure", 500_000, Kind.UNSENT),
    ],
)
def test_what_stripe_moves_by_itself_is_a_fact_of_its_own(kind: str, amount: int, told: Kind) -> None:
    books, _ = _books()
    row = books.move(kind, amount, "Radar for Fraud Teams")
    (fact,) = read_told(json.dumps(row).encode()).facts
    assert (fact.kind, fact.amount, fact.stripe_id) == (told, Money(abs(amount)), row["id"])
    assert fact.note.startswith(kind)
    assert BALANCE_SIGNS[fact.kind] * fact.amount.dong == amount


def test_the_balance_is_the_sum_of_its_facts() -> None:
    books, session = _books()
    books.pay(session["id"], "paid")
    intent = session["payment_intent"]
    refund = books.refund({"payment_intent": intent, "amount": "50000"})
    books.fail_refund(refund["id"])
    books.refund({"payment_intent": intent, "amount": "60000"})
    books.pay_out()
    books.close_dispute(books.dispute(intent)["id"], "lost")
    books.move("stripe_fee", -9_000)
    books.move("adjustment", 4_000)
    rows = [*(row["data"]["object"] for row in books.events), *books.of_kind("balance_transaction")]
    facts = {fact.key: fact for row in rows for fact in read_told(json.dumps(row).encode()).facts}
    assert sum(BALANCE_SIGNS.get(fact.kind, 0) * fact.amount.dong for fact in facts.values()) == books.balance()


def test_a_message_names_its_mode() -> None:
    books, session = _books()
    assert read_told(json.dumps(session).encode()).modes == {False}
    books.live = True
    books.pay(session["id"], "paid")
    assert read_told(event_body(books.events[0])).modes == {True}
    assert read_told(event_body(books.events[-1])).modes == {True, False}, "an event and what it is about"
    assert read_told(json.dumps(books.of_kind("balance_transaction")[0] | {"livemode": None}).encode()).modes == set()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"currency": "usd"}, "không phải đồng"),
        ({"client_reference_id": None}, "không do hệ thống mở"),
        ({"client_reference_id": "order-7"}, "không do hệ thống mở"),
        ({"amount": 0}, "0 đ"),
        ({"amount": -650_000}, "amount"),
        ({"amount_total": "650000"}, "amount_total"),
        ({"amount_total": 1.5}, "amount_total"),
        ({"payment_intent": "pi 1"}, "payment_intent"),
        ({"created": 10**14}, "created"),
    ],
)
def test_what_is_not_ours_or_not_stripes_is_put_aside(change: dict[str, object], words: str) -> None:
    books, session = _books()
    books.pay(session["id"], "paid")
    asked = _asked(books, session)
    charge = {name: value for name, value in change.items() if name not in asked or name == "created"}
    asked["payment_intent"]["latest_charge"].update(charge)
    with pytest.raises(CallbackUnreadable, match=words):
        read_told(json.dumps({**asked, **change}).encode())


@given(st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=8), max_size=6))
def test_any_object_is_read_or_put_aside(fields: dict[str, object]) -> None:
    for kind in ("event", "list", "checkout.session", "payment_intent", "refund", "dispute", "payout", "else"):
        body = json.dumps({**fields, "object": kind}).encode()
        try:
            read_told(body)
        except CallbackUnreadable:
            continue


MOVES = st.lists(st.tuples(st.sampled_from([kind.value for kind in Kind]), st.integers(1, 10**9).map(Money)))


@given(MOVES, st.randoms())
def test_a_worth_depends_on_no_order_and_is_never_below_nothing(moves: list[tuple[str, Money]], chance: Random) -> None:
    shuffled = list(moves)
    chance.shuffle(shuffled)
    expected = sum(SIGNS.get(Kind(kind), 0) * amount.dong for kind, amount in moves)
    assert worth(shuffled) == worth(moves) == Money(max(expected, 0))
    assert worth(moves) - loss(shuffled) == Money(expected), "what lies below 0 is a loss, to the đồng"


def test_the_day_is_viet_nams() -> None:
    books, session = _books()
    books.clock = lambda: datetime(2025, 10, 6, 17, 30, tzinfo=UTC)
    books.pay(session["id"], "paid")
    (fact,) = read_told(event_body(books.events[0])).facts
    assert fact.day.isoformat() == "2025-10-07"
