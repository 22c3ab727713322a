"""What tests of card money do and look at over and over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from billing.credits.refunding import Wanted, approve_refund, ask_refund
from billing.errors import SamePerson
from billing.money import Money
from reconciliation.cards.acting import decide_act, tie_payout
from reconciliation.cards.balances import balances
from reconciliation.cards.payouts import open_payouts
from reconciliation.cards.tables import CardAct, CardCheckout
from service.database import EVERYTHING
from service.invariants import check_all
from service.standins.stripe_books import Row, StripeBooks, fee_of
from tests.factories.cards import Carding

FEE = fee_of(650_000)
MONEY = ("I1", "I2", "I3", "I5", "I6", "I7")  # the bills of this school have no lines, which I4 looks at


def violations(cards: Carding) -> list[str]:
    with cards.collecting.database.transaction(EVERYTHING) as session:
        results = check_all(session, cards.collecting.wiring.vault, cards.clock())
    return [line for result in results if result.id in MONEY for line in result.problems]


def difference(cards: Carding) -> Money:
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        (told,) = balances(session, cards.collecting.school.id)
    return told.difference


def decide(cards: Carding, act: CardAct | None, *, approved: bool = True) -> None:
    assert act is not None
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        school = cards.collecting.school.id
        with pytest.raises(SamePerson):
            decide_act(session, cards.maker, school, act.id, cards.clock(), approved=True)
        decide_act(session, cards.approver, school, act.id, cards.clock(), approved=approved, reason="đã xem")


def payout_waits(cards: Carding, memo: str) -> str:
    """Let Stripe pay out and the bank bring money of that sum; return the payout's id."""
    cards.pay()
    cards.hear()
    payout = cards.standin.books.pay_out()
    cards.clock.later(minutes=6)
    cards.ask()
    cards.collecting.hear_of(cards.collecting.pays(memo, payout["amount"]))
    return str(payout["id"])


def tie_it(cards: Carding, reason: str = "") -> CardAct | None:
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        ((payout, transfer),) = [
            (each.payout.stripe_id, one.id)
            for each in open_payouts(session, collecting.school.id)
            for one in each.transfers
        ]
        vault, now = collecting.wiring.vault, cards.clock()
        return tie_payout(session, vault, cards.maker, collecting.school.id, payout, transfer, reason, now)


def paid_twice(cards: Carding) -> CardCheckout:
    """Return a checkout whose bill was paid by a transfer too: all that the card brought is credit."""
    checkout = cards.checkout()
    cards.collecting.hear_of(cards.collecting.pays(cards.collecting.requests[0].reference))
    cards.standin.books.pay(cards.session_of(checkout), "paid")
    cards.hear()
    assert cards.collecting.books()["3383"] == -650_000
    return checkout


def hand_out(cards: Carding) -> None:
    """Give the family's credit back in cash, by two people."""
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        wanted = [Wanted(collecting.requests[0].pupil_id, None, Money(650_000))]
        school, vault = collecting.school.id, collecting.wiring.vault
        refund = ask_refund(session, vault, cards.maker, school, wanted, "Nộp hai lần", cards.clock())
        approve_refund(session, refund.id, cards.approver, cards.clock())


_ANSWERED_AT_ONCE = StripeBooks.refund


def pending(books: StripeBooks, form: Mapping[str, Any]) -> Row:
    """Take a refund as Stripe does while the card's bank has not answered: nothing is told yet."""
    told = len(books.events)
    row = _ANSWERED_AT_ONCE(books, form)
    row["status"] = "pending"
    del books.events[told:]
    return row


def finish_by_debit(cards: Carding, checkout: CardCheckout) -> None:
    """Let a family finish its page with a way of paying whose money comes days later, if it comes."""
    books = cards.standin.books
    session = books.rows[cards.session_of(checkout)]
    intent = books._intent_of(session)
    session.update(status="complete", payment_status="unpaid", url=None)
    intent.update(status="processing")
    books.tell("checkout.session.completed", session)


def debit_fails(cards: Carding, checkout: CardCheckout) -> None:
    """Let the family's bank say no to it afterwards."""
    books = cards.standin.books
    session = books.rows[cards.session_of(checkout)]
    books.rows[session["payment_intent"]].update(status="requires_payment_method")
    books.tell("checkout.session.async_payment_failed", session)


def charge_less(cards: Carding, dong: int) -> None:
    """Let Stripe tell so much less of the only charge than was asked for: such a payment is put aside."""
    books = cards.standin.books
    (charge,) = books.of_kind("charge")
    charge["amount"] -= dong
    charge["amount_captured"] -= dong
    books.events.clear()
    books.tell("charge.succeeded", charge)
