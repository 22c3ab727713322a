"""What Stripe holds beside what we know of: a difference lasts as long as the money that nobody told us of."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from billing.money import Money
from reconciliation.cards.client import Wanted
from tests.factories.cards import Carding
from tests.reconciliation.cards.acts import difference, violations


def test_a_payment_that_is_not_ours_makes_a_difference_until_it_is_given_back(cards: Carding) -> None:
    cards.pay()
    cards.hear()
    intent = _pay_stray(cards, 200_000)
    assert _asked(cards) == Money(200_000)
    cards.standin.books.refund({"payment_intent": intent, "amount": "50000"})
    assert _asked(cards) == Money(150_000), "what of it Stripe still holds"
    cards.standin.books.refund({"payment_intent": intent, "amount": "150000"})
    assert _asked(cards) == Money(0)
    assert violations(cards) == []


def test_a_payment_that_is_not_ours_and_was_charged_back_makes_no_difference(cards: Carding) -> None:
    cards.pay()
    cards.hear()
    cards.standin.books.dispute(_pay_stray(cards, 200_000), 200_000)
    assert _asked(cards) == Money(0), "its fees are the school's, the rest came and went"
    assert violations(cards) == []


def _pay_stray(cards: Carding, dong: int) -> str:
    """Let somebody pay the school's Stripe account by a page that is none of ours; return the intent."""
    ends, page = cards.clock() + timedelta(minutes=45), "http://other.invalid/page"
    made = cards.client().open_session(Wanted(str(uuid4()), Money(dong), "Khác", page, page, ends), str(uuid4()))
    cards.standin.books.pay(made.id, "paid")
    return str(cards.standin.books.rows[made.id]["payment_intent"])


def _asked(cards: Carding) -> Money:
    """Hear all that Stripe tells, ask what it holds, and return the difference."""
    cards.hear()
    cards.clock.later(minutes=6)
    cards.ask()
    return difference(cards)
