"""What families are told of money that went back to a card, and what they are not."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import col, select

from billing.events.going_back import BY_CARD_DISPUTE, BY_CARD_FAILED, BY_CARD_REFUND, BY_CARD_UNBOOKED
from billing.events.recording import CARD_UNPAID, PAYMENT_RECEIVED, PAYMENT_TAKEN_BACK
from billing.events.tables import Event
from billing.money import Money
from billing.payments.tables import PaymentRequestBill
from reconciliation.cards.facts import Kind
from reconciliation.cards.telling import takers
from service.database import EVERYTHING
from tests.factories.cards import Carding
from tests.reconciliation.cards.acts import charge_less, debit_fails, finish_by_debit, paid_twice


def told(cards: Carding) -> list[tuple[str, Any]]:
    """Return who took back how much, and ``received`` with the sum where money came, in the order of the events."""
    with cards.collecting.database.transaction(EVERYTHING) as session:
        rows = session.exec(
            select(Event)
            .where(col(Event.kind).in_([PAYMENT_RECEIVED, PAYMENT_TAKEN_BACK, CARD_UNPAID]))
            .order_by(col(Event.id))
        ).all()
        bill = session.exec(
            select(PaymentRequestBill.bill_id).where(PaymentRequestBill.request_id == cards.collecting.requests[0].id)
        ).one()
    taken = [row for row in rows if row.kind != PAYMENT_RECEIVED]
    assert {row.subject_id for row in taken} <= {bill}, "about the bill that was paid"
    return [(row.facts["by"], row.facts["used"]) if row in taken else ("received", None) for row in rows]


def test_what_is_given_back_in_part_and_then_whole_is_told_each_time(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    for part in (150_000, 500_000):
        cards.refund(checkout, Money(part))
        cards.clock.later(minutes=6)
        cards.ask()
    cards.hear()
    assert told(cards) == [("received", None), (BY_CARD_REFUND, 150_000), (BY_CARD_REFUND, 500_000)]


def test_a_dispute_is_told_and_so_is_money_that_comes_again(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    dispute = cards.standin.books.dispute(cards.intent_of(checkout), 100_000)
    cards.hear()
    assert told(cards) == [("received", None), (BY_CARD_DISPUTE, 100_000)]
    cards.standin.books.close_dispute(dispute["id"], "won")
    cards.hear()
    assert told(cards)[2:] == [("received", None)], "with the receipt that holds now"


def test_a_refund_and_a_dispute_that_are_heard_together_are_told_as_two(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    books, intent = cards.standin.books, cards.intent_of(checkout)
    books.refund({"payment_intent": intent, "amount": "100000"})
    books.dispute(intent, 300_000)
    cards.hear()
    assert told(cards)[1:] == [(BY_CARD_REFUND, 100_000), (BY_CARD_DISPUTE, 300_000)]


@pytest.mark.parametrize(
    ("facts", "was", "less", "expected"),
    [
        ("P650 R100 D300", 650, 400, [(BY_CARD_REFUND, 100), (BY_CARD_DISPUTE, 300)]),
        ("P650 R100 D300", 550, 300, [(BY_CARD_DISPUTE, 300)]),
        ("R100 P650 D300", 650, 400, [(BY_CARD_REFUND, 100), (BY_CARD_DISPUTE, 300)]),
        ("P650 R100 F100 D300", 650, 300, [(BY_CARD_DISPUTE, 300)]),
        ("P650 R100 D650", 650, 650, [(BY_CARD_DISPUTE, 650)]),
        ("P650 D650 B650 R200", 650, 200, [(BY_CARD_REFUND, 200)]),
    ],
)
def test_who_took_how_much(facts: str, was: int, less: int, expected: list[tuple[str, int]]) -> None:
    kinds = {"P": Kind.PAID, "R": Kind.REFUNDED, "F": Kind.REFUND_FAILED, "D": Kind.DISPUTED, "B": Kind.REINSTATED}
    written = [(kinds[each[0]], Money(int(each[1:]))) for each in facts.split()]
    assert [(by, amount.dong) for by, amount in takers(written, Money(was), Money(less))] == expected


def test_leftover_money_that_goes_back_is_told_though_nothing_is_due(cards: Carding) -> None:
    checkout = paid_twice(cards)
    cards.refund(checkout, Money(650_000))
    cards.ask()
    assert told(cards)[-1] == (BY_CARD_REFUND, 650_000)
    assert cards.collecting.rests()[0] == 0


def test_money_that_was_given_back_before_we_heard_of_it_is_told_as_both(cards: Carding) -> None:
    checkout = cards.pay()
    paid = cards.events()
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout), "amount": "1000"})
    cards.hear()
    cards.hear(*paid)
    assert told(cards) == [("received", None), (BY_CARD_REFUND, 1_000)]


def test_a_page_whose_payment_failed_afterwards_is_told_once(cards: Carding) -> None:
    checkout = cards.checkout()
    finish_by_debit(cards, checkout)
    cards.clock.later(days=2)
    cards.ask()
    assert told(cards) == [], "the family's bank has not said anything yet"
    debit_fails(cards, checkout)
    for _ in range(2):
        cards.clock.later(minutes=6)
        cards.ask()
    assert told(cards) == [(BY_CARD_FAILED, 650_000)]


def test_what_was_put_aside_and_given_back_whole_is_told_once_with_what_was_paid(cards: Carding) -> None:
    checkout = cards.pay()
    charge_less(cards, 10_000)
    cards.hear()
    cards.clock.later(minutes=6)
    cards.ask()
    assert told(cards) == []
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout)})
    for _ in range(2):
        cards.clock.later(minutes=6)
        cards.ask()
    assert told(cards) == [(BY_CARD_UNBOOKED, 640_000)]


def test_what_was_given_back_before_we_heard_of_it_is_told_as_a_payment_that_went_back_only(cards: Carding) -> None:
    checkout = cards.pay()
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout)})
    cards.clock.later(minutes=6)
    cards.ask()
    assert told(cards) == [("received", None), (BY_CARD_REFUND, 650_000)]


def test_nobody_is_told_of_a_page_that_was_left_or_said_no_itself(cards: Carding) -> None:
    cards.checkout()
    cards.checkout(1)
    cards.standin.books.pay(cards.session_of(cards.checkout(1)), "declined")
    cards.clock.later(hours=2)
    cards.hear()
    cards.ask()
    assert told(cards) == []
