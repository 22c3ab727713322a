"""How a page stands at Stripe, and that one which never brings money ends and is shown until then."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from billing.errors import Conflict, NotFound
from reconciliation.cards.checking_out import HEARD_WITHIN, OPEN_FOR, returned
from reconciliation.cards.outcomes import OVER, Outcome, Returned, outcome_of
from reconciliation.cards.page_acts import ask_end
from reconciliation.cards.tables import CardAct, CardCheckout, CardEnd
from service.database import EVERYTHING
from tests.factories.cards import Carding
from tests.reconciliation.cards.acts import charge_less, debit_fails, decide, finish_by_debit, violations

CHARGE = {"id": "ch_1", "object": "charge", "amount": 650_000, "amount_refunded": 0, "currency": "vnd", "created": 1}
INTENT = {"id": "pi_1", "object": "payment_intent", "amount": 650_000, "currency": "vnd", "created": 1}


def page(status: str, paid: str = "unpaid", intent: object = None) -> dict[str, Any]:
    """Return a page as Stripe tells it."""
    return {
        "id": "cs_test_1",
        "object": "checkout.session",
        "status": status,
        "payment_status": paid,
        "amount_total": 650_000,
        "currency": "vnd",
        "created": 1,
        "payment_intent": intent,
    }


def intent(status: str, refunded: int | None = None) -> dict[str, Any]:
    charge = None if refunded is None else CHARGE | {"amount_refunded": refunded}
    return INTENT | {"status": status, "latest_charge": charge}


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (page("open"), Outcome.OPEN),
        (page("expired"), Outcome.EXPIRED),
        (page("complete", "paid", intent("succeeded", 0)), Outcome.PAID),
        (page("complete", "paid", intent("succeeded", 649_999)), Outcome.PAID),
        (page("complete", "paid", intent("succeeded", 650_000)), Outcome.GIVEN_BACK),
        (page("complete", "paid", "pi_1"), Outcome.PAID),
        (page("complete", "unpaid", intent("processing", 0)), Outcome.PENDING),
        (page("complete", "unpaid", intent("requires_action")), Outcome.PENDING),
        (page("complete", "unpaid", intent("a_new_word")), Outcome.PENDING),
        (page("complete", "unpaid", "pi_1"), Outcome.PENDING),
        (page("complete", "unpaid", intent("requires_payment_method", 0)), Outcome.FAILED),
        (page("complete", "unpaid", intent("canceled")), Outcome.FAILED),
        (page("a_new_word", "a_new_word"), Outcome.PAID),
    ],
)
def test_how_a_page_stands(told: dict[str, Any], outcome: Outcome) -> None:
    assert outcome_of(told) is outcome


@given(
    status=st.sampled_from(["complete", "a_new_word"]),
    paid=st.sampled_from(["paid", "no_payment_required", "a_new_word"]),
    word=st.sampled_from(["succeeded", "requires_payment_method", "canceled", "processing"]),
    refunded=st.integers(0, 649_999),
)
def test_no_page_is_over_while_anything_paid_there_is_left(status: str, paid: str, word: str, refunded: int) -> None:
    assert outcome_of(page(status, paid, intent(word, refunded))) not in OVER


def ended(cards: Carding) -> list[UUID]:
    with cards.collecting.database.transaction(EVERYTHING) as session:
        return list(session.exec(select(CardEnd.checkout_id)).all())


def told_on_return(cards: Carding) -> Returned:
    """Return what the family of the first request is told when it comes back."""
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        return returned(session, cards.collecting.requests[0], cards.clock())


def test_a_page_whose_payment_failed_afterwards_ends_and_one_that_may_yet_be_paid_does_not(cards: Carding) -> None:
    checkout = cards.checkout()
    finish_by_debit(cards, checkout)
    for _ in range(2):
        cards.clock.later(days=2)
        cards.ask()
    assert ended(cards) == [], "the bank has not said anything yet"
    assert told_on_return(cards) is Returned.LATE
    assert violations(cards), "and somebody should look"
    debit_fails(cards, checkout)
    cards.clock.later(minutes=6)
    cards.ask()
    assert ended(cards) == [checkout.id]
    assert told_on_return(cards) is Returned.NOTHING
    assert violations(cards) == []
    assert cards.facts() == []


def test_a_payment_that_is_put_aside_is_shown_after_a_day_and_ends_its_page_once_it_is_given_back(
    cards: Carding,
) -> None:
    checkout = cards.pay()
    charge_less(cards, 10_000)
    cards.hear()
    cards.clock.later(minutes=6)
    cards.ask()
    assert told_on_return(cards) is Returned.WAITING
    cards.clock.now += OPEN_FOR + HEARD_WITHIN
    cards.ask()
    assert told_on_return(cards) is Returned.LATE
    assert ended(cards) == []
    cards.clock.later(days=1)
    assert any(str(checkout.id) in each for each in violations(cards))
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout), "amount": "1000"})
    cards.ask()
    assert ended(cards) == [], "most of it is still there"
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout)})
    cards.clock.later(minutes=6)
    cards.ask()
    assert ended(cards) == [checkout.id]
    assert not any("its page is over" in each for each in violations(cards))


def test_a_payment_given_back_before_we_heard_of_it_is_booked_all_the_same(cards: Carding) -> None:
    checkout = cards.pay()
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout)})
    cards.clock.later(minutes=6)
    cards.ask()
    assert {fact.kind for fact in cards.facts()} >= {"paid", "refunded"}
    assert told_on_return(cards) is Returned.NOTHING
    assert violations(cards) == []


def ask_the_end(cards: Carding, checkout: CardCheckout) -> CardAct:
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        school, page_id = cards.collecting.school.id, cards.session_of(checkout)
        return ask_end(session, cards.maker, school, page_id, "Phần còn lại trường trả tiền mặt", cards.clock())


def test_a_payment_put_aside_and_given_back_in_part_lets_its_family_pay_again_once_two_people_say_so(
    cards: Carding,
) -> None:
    checkout = cards.pay()
    charge_less(cards, 10_000)
    cards.hear()
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout), "amount": "1000"})
    cards.clock.later(minutes=6)
    cards.ask()
    with pytest.raises(NotFound):
        ask_the_end(cards, checkout)  # its time is not over
    cards.clock.later(days=2)
    cards.ask()
    assert ended(cards) == []
    act = ask_the_end(cards, checkout)
    with pytest.raises(Conflict):
        ask_the_end(cards, checkout)
    decide(cards, act)
    assert ended(cards) == [checkout.id]
    assert not any("its page is over" in each for each in violations(cards))
    again = cards.pay()
    cards.hear()
    assert again.id != checkout.id
    assert cards.collecting.rests()[0] == 0
    with pytest.raises(NotFound):
        ask_the_end(cards, checkout)


def test_a_page_whose_outcome_came_before_the_second_person_is_not_ended(cards: Carding) -> None:
    checkout = cards.checkout()
    finish_by_debit(cards, checkout)
    cards.clock.later(days=2)
    cards.ask()
    act = ask_the_end(cards, checkout)
    debit_fails(cards, checkout)
    cards.clock.later(minutes=6)
    cards.ask()
    with pytest.raises(Conflict):
        decide(cards, act)
