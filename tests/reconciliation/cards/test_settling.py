"""Card money on a real database: paid, declined, disputed; told in any order, once in the book."""

from __future__ import annotations

import json

import pytest

from billing.errors import Refused
from billing.money import Money
from reconciliation.cards.settling import unsettled
from service.database import EVERYTHING
from service.jobs import reconciling
from service.standins.stripe_books import DISPUTE_FEE
from tests.factories.cards import Carding
from tests.reconciliation.cards.acts import FEE, hand_out, paid_twice, violations


def test_a_card_pays_a_bill_once_with_a_receipt(cards: Carding) -> None:
    cards.pay()
    bodies = cards.events()
    cards.hear(*bodies)
    cards.hear(*bodies)
    assert cards.collecting.receipts() == [(1, 650_000)]
    assert cards.collecting.rests() == [0, 300_000]
    assert cards.collecting.books()["113T"] == 650_000
    assert [fact.kind for fact in cards.facts()] == ["paid"]
    assert cards.ask() == 1
    books = cards.collecting.books()
    assert (books["113T"], books["642T"]) == (650_000 - FEE, FEE)
    assert violations(cards) == []


def test_a_declined_card_and_an_abandoned_page_pay_nothing(cards: Carding) -> None:
    cards.pay(outcome="declined")
    cards.hear()
    assert cards.collecting.receipts() == []
    cards.clock.later(minutes=50)
    assert cards.ask() == 1
    cards.standin.books.expire_session(cards.standin.books.of_kind("checkout.session")[0]["id"])
    cards.hear()
    assert cards.collecting.receipts() == []
    assert "113T" not in cards.collecting.books()


def test_a_chargeback_reverses_and_a_won_dispute_brings_it_back(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    dispute = cards.standin.books.dispute(cards.intent_of(checkout))
    cards.hear()
    assert cards.collecting.rests()[0] == 650_000
    assert cards.collecting.books().get("113T", 0) == -DISPUTE_FEE
    with pytest.raises(Refused, match="tranh chấp"):
        cards.refund(checkout, Money(1_000))
    cards.standin.books.close_dispute(dispute["id"], "won")
    cards.hear(*reversed(cards.events()))
    assert cards.collecting.rests()[0] == 0
    assert cards.collecting.books()["113T"] == 650_000
    assert violations(cards) == []


def test_foreign_money_and_another_sum_are_put_aside(cards: Carding) -> None:
    checkout = cards.pay()
    (charge,) = cards.standin.books.of_kind("charge")
    assert charge["metadata"] == {"checkout": str(checkout.id)}
    for change in ({"metadata": {"checkout": "0199b3c0-0000-7000-8000-00000000000f"}}, {"amount": 1_000}):
        body = json.dumps({**charge, **change}).encode()
        cards.hear(body)
    assert len(cards.put_aside()) == 2
    assert cards.facts() == []
    cards.hear()
    assert cards.collecting.receipts() == [(1, 650_000)]


def test_what_is_paid_twice_becomes_credit(cards: Carding) -> None:
    checkout = cards.checkout()
    cards.collecting.hear_of(cards.collecting.pays(cards.collecting.requests[0].reference))
    cards.standin.books.pay(cards.session_of(checkout), "paid")
    cards.hear()
    assert cards.collecting.books()["3383"] == -650_000
    assert [amount for _, amount in cards.collecting.receipts()] == [650_000, 650_000]
    cards.refund(checkout, Money(650_000))
    cards.ask()
    assert "3383" not in cards.collecting.books()
    assert cards.collecting.rests()[0] == 0


def test_what_is_given_back_and_charged_back_in_full_is_a_loss_until_it_is_won(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    cards.refund(checkout, Money(400_000))
    cards.ask()
    dispute = cards.standin.books.dispute(cards.intent_of(checkout))
    cards.hear()
    cards.clock.later(minutes=6)
    cards.ask()
    books = cards.collecting.books()
    assert books["811T"] == 400_000
    assert books["113T"] == cards.standin.books.balance()
    assert cards.collecting.rests()[0] == 650_000
    assert violations(cards) == []
    cards.standin.books.close_dispute(dispute["id"], "won")
    cards.hear()
    cards.clock.later(minutes=6)
    cards.ask()
    books = cards.collecting.books()
    assert "811T" not in books
    assert books["113T"] == cards.standin.books.balance()
    assert cards.collecting.rests()[0] == 400_000
    assert violations(cards) == []


def test_a_refund_changes_no_month_that_is_over(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    october = _taken_in_october(cards)
    assert october == 650_000
    cards.clock.later(days=40)
    cards.refund(checkout, Money(1_000))
    cards.ask()
    assert _taken_in_october(cards) == october
    assert cards.collecting.receipts() == [(1, 650_000), (2, 649_000)]


@pytest.mark.parametrize("back", [1_000, 650_000])
def test_the_month_of_a_payment_does_not_depend_on_what_was_told_first(cards: Carding, back: int) -> None:
    checkout = cards.pay()
    paid = cards.events()
    cards.clock.later(days=40)
    cards.standin.books.refund({"payment_intent": cards.intent_of(checkout), "amount": str(back)})
    cards.hear(*[body for body in cards.events() if b'"refund.created"' in body])
    assert cards.collecting.receipts() == []
    cards.hear(*paid)
    assert _taken_in_october(cards) == 650_000
    assert cards.collecting.receipts() == [(1, 650_000), *([(2, 649_000)] if back == 1_000 else [])]
    cards.clock.later(minutes=6)
    cards.ask()
    assert cards.collecting.books().get("113T", 0) == cards.standin.books.balance()
    cards.clock.later(hours=2)
    assert violations(cards) == []
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert unsettled(session, 10) == []


def _taken_in_october(cards: Carding) -> int:
    with cards.collecting.database.transaction(EVERYTHING) as session:
        return int(
            session.connection()
            .exec_driver_sql(
                "SELECT sum(CASE WHEN x.debit_account_id = l.id THEN x.amount ELSE -x.amount END) FROM postings x "
                "JOIN journal_entries e ON e.id = x.entry_id AND e.school_id = x.school_id JOIN ledger_accounts l "
                "ON l.code = '113T' AND l.id IN (x.debit_account_id, x.credit_account_id) "
                "WHERE e.value_date < '2025-11-01' AND e.kind LIKE 'payment%%'"
            )
            .scalar_one()
        )


def test_what_is_not_in_the_book_for_an_hour_is_told(cards: Carding) -> None:
    checkout = paid_twice(cards)
    hand_out(cards)
    cards.standin.books.dispute(cards.intent_of(checkout))
    cards.hear()
    assert violations(cards) == [], "it may take a while"
    cards.clock.later(minutes=61)
    assert any("worth 0" in line and "stands 650000" in line for line in violations(cards))


def test_settling_twice_at_once_does_it_once(cards: Carding) -> None:
    cards.pay()
    cards.collecting.receive(*cards.events(), feed=cards.hooks)
    reconciling.normalise(cards.collecting.wiring)
    assert [reconciling.settle(cards.collecting.wiring) for _ in range(2)] == [1, 0]
