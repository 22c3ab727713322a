"""A bill that is lowered while the card that paid it is being given back: nothing goes out twice unasked for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import Session, col, select

from billing.bills.tables import Bill, BillLine
from billing.credits.reading import free_credit
from billing.credits.refunding import Wanted, approve_refund, ask_refund
from billing.money import ZERO, Money
from billing.payments.balances import BillBalance, bill_balances
from billing.rounds.correcting import Lowering, approve_correction, propose_credit
from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from service.standins.stripe_books import StripeBooks
from tests.conftest import TestServers
from tests.factories.cards import Carding, carding
from tests.factories.rounds import REFERENCE_KEY
from tests.reconciliation.cards.acts import pending, violations
from tests.service.pages.worlds import World, make_world

OFF = Money(100_000)


@pytest.fixture
def world(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> World:
    return make_world(database, addresses, vault, servers)


@pytest.fixture
def cards(world: World) -> Iterator[Carding]:
    with carding(world.collecting) as made:
        yield made


def test_credit_of_a_bill_that_is_lowered_meanwhile_is_asked_for_again_with_the_bill(
    world: World, cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is handed out of it was paid then; when the card's money has gone, the whole bill is open again.

    So in the end the family pays what the lowered bill comes to, whichever way round it was told.
    """
    billing, scope = world.billing, cards.collecting.scope
    checkout = cards.pay()
    cards.hear()
    monkeypatch.setattr(StripeBooks, "refund", pending)
    cards.refund(checkout, checkout.amount)
    cards.clock.later(minutes=6)
    cards.ask()
    with cards.collecting.database.transaction(scope) as session:
        bill = _bill(session, checkout.amount)
        line = session.exec(select(BillLine).where(BillLine.bill_id == bill.bill_id).order_by(col(BillLine.id))).first()
        assert line is not None
        lowering = [Lowering(line.id or 0, OFF)]
        asked = propose_credit(session, billing.accountant, bill.bill_id, lowering, "Nghỉ ăn", cards.clock())
        approve_correction(session, asked.id, billing.approver, cards.clock(), REFERENCE_KEY)
    with cards.collecting.database.transaction(scope) as session:
        (key,) = free_credit(session, billing.id, [bill.pupil_id])
        wanted = [Wanted(*key, OFF)]
        vault = cards.collecting.wiring.vault
        refund = ask_refund(session, vault, billing.accountant, billing.id, wanted, "Trả lại", cards.clock())
        approve_refund(session, refund.id, billing.approver, cards.clock())
    (row,) = cards.standin.books.of_kind("refund")
    row["status"] = "succeeded"
    cards.standin.books.tell("refund.updated", row)
    cards.hear()
    assert violations(cards) == []
    with cards.collecting.database.transaction(scope) as session:
        bill = _bill(session, checkout.amount)
        assert (bill.allocated, bill.rest) == (ZERO, checkout.amount), "all of it is asked for"
    cards.collecting.hear_of(cards.collecting.pays(cards.collecting.requests[0].reference, checkout.amount.dong))
    with cards.collecting.database.transaction(scope) as session:
        bill = _bill(session, checkout.amount)
        assert (bill.rest, bill.paid, bill.given_back) == (ZERO, checkout.amount - OFF, OFF)
        assert free_credit(session, billing.id, [bill.pupil_id]) == {}, (
            "what was handed out is given back no second time"
        )
    assert violations(cards) == []


def _bill(session: Session, due: Money) -> BillBalance:
    return next(each for each in bill_balances(session, col(Bill.family_due) == due))
