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
from reconciliation.cards.facts import SIGNS, Kind, read_told, worth
from reconciliation.errors import CallbackUnreadable
from service.standins.stripe_api import event_body
from service.standins.stripe_books import DISPUTE_FEE, StripeBooks, fee_of
from tests.reconciliation.cards.houses import NOW

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


def test_a_declined_card_tells_nothing() -> None:
    books, session = _books()
    books.pay(session["id"], "declined")
    assert _told(books) == [[]]


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
        [],
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
    ("change", "words"),
    [
        ({"currency": "usd"}, "không phải đồng"),
        ({"client_reference_id": None}, "không do hệ thống mở"),
        ({"client_reference_id": "order-7"}, "không do hệ thống mở"),
        ({"amount_total": 0}, "0 đ"),
        ({"amount_total": "650000"}, "amount_total"),
        ({"amount_total": 1.5}, "amount_total"),
        ({"payment_intent": "pi 1"}, "payment_intent"),
        ({"created": 10**14}, "created"),
    ],
)
def test_what_is_not_ours_or_not_stripes_is_put_aside(change: dict[str, object], words: str) -> None:
    books, session = _books()
    paid = {**books.pay(session["id"], "paid"), **change}
    with pytest.raises(CallbackUnreadable, match=words):
        read_told(json.dumps(paid).encode())


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


def test_the_day_is_viet_nams() -> None:
    books, session = _books()
    books.clock = lambda: datetime(2025, 10, 6, 17, 30, tzinfo=UTC)
    books.pay(session["id"], "paid")
    (fact,) = read_told(event_body(books.events[-1])).facts
    assert fact.day.isoformat() == "2025-10-07"
