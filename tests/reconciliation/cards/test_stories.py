"""Stories of card money, shuffled, repeated, late, in part: one posting, and the book holds what Stripe holds."""

from __future__ import annotations

from random import Random

import pytest

from billing.money import Money
from reconciliation.cards.settling import unsettled
from service.database import EVERYTHING
from tests.factories.cards import Carding
from tests.reconciliation.cards.acts import difference, violations


def _story(cards: Carding, chance: Random) -> list[bytes]:
    """Let much happen to two payments and return every message about it."""
    books = cards.standin.books
    unknown = cards.checkout(0, Money(11_000))
    cards.clock.later(minutes=1)
    if chance.random() < 0.5:
        del books.rows[cards.session_of(unknown)]
    else:
        books.expire_session(cards.session_of(unknown))
    for number in (0, 1):
        checkout = cards.pay(number)
        intent = cards.intent_of(checkout)
        for _ in range(chance.randrange(3)):
            refund = books.refund({"payment_intent": intent, "amount": str(chance.randrange(1_000, 90_000))})
            if chance.random() < 0.4:
                books.fail_refund(refund["id"])
        if chance.random() < 0.6:
            dispute = books.dispute(intent, chance.choice([None, 100_000]))
            if chance.random() < 0.7:
                books.close_dispute(dispute["id"], chance.choice(["won", "lost"]))
    for _ in range(chance.randrange(4)):
        books.move(
            chance.choice(["stripe_fee", "tax_fee", "adjustment", "topup"]), chance.randrange(-9_000, 9_000, 2_000)
        )
    if books.balance() > 0 and chance.random() < 0.5:
        payout = books.pay_out()
        if chance.random() < 0.5:
            books.fail_payout(payout["id"])
    return cards.events()


def _scatter(cards: Carding, chance: Random) -> None:
    """Tell it shuffled, repeated, part of it lost, the rest three days late; then ask."""
    bodies = _story(cards, chance)
    heard = [body for body in bodies if chance.random() < 0.7]
    heard += [body for body in heard if chance.random() < 0.4]
    chance.shuffle(heard)
    for place, body in enumerate(heard):
        if place == len(heard) // 2:
            cards.clock.later(days=3)
            cards.ask()
        cards.hear(body)
    cards.clock.later(minutes=6)
    cards.ask()
    books = cards.standin.books
    paid_out = sum(row["amount"] for row in books.of_kind("payout") if row["status"] == "paid")
    assert cards.collecting.books().get("113T", 0) == books.balance() + paid_out, "the book holds what Stripe holds"
    assert difference(cards) == Money(0)
    expected = [_worth_at_stripe(cards, row["id"]) for row in books.of_kind("payment_intent")]
    assert sum(amount for _, amount in _live_receipts(cards)) == sum(max(each, 0) for each in expected)
    assert cards.collecting.books().get("811T", 0) == -sum(min(each, 0) for each in expected)
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert unsettled(session, 10) == []
    assert violations(cards) == []


def _worth_at_stripe(cards: Carding, intent: str) -> int:
    """Return what Stripe has left of a payment: charge, refunds and disputes by their movements."""
    books = cards.standin.books
    about = {row["id"] for row in books.rows.values() if row.get("payment_intent") == intent}
    return sum(row["amount"] for row in books.of_kind("balance_transaction") if row["source"] in about)


def _live_receipts(cards: Carding) -> list[tuple[str, int]]:
    with cards.collecting.database.transaction(EVERYTHING) as session:
        rows = session.connection().exec_driver_sql(
            "SELECT id::text, amount FROM receipts r WHERE NOT EXISTS "
            "(SELECT FROM receipt_voids v WHERE v.receipt_id = r.id)"
        )
        return [(row[0], int(row[1])) for row in rows]


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_repeated_late_and_lost_is_one_posting(cards: Carding, seed: int) -> None:
    _scatter(cards, Random(seed))  # noqa: S311  chance, not secrecy


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(100, 140))
def test_forty_stories_told_in_any_way_are_one_posting(cards: Carding, seed: int) -> None:
    _scatter(cards, Random(seed))  # noqa: S311  chance, not secrecy
