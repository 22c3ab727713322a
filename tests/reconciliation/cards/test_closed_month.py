"""What Stripe tells of a month that is closed by then: payments, fees and disputes stand on the first open day."""

from __future__ import annotations

from datetime import date

from sqlmodel import col, select

from billing.ledger.tables import JournalEntry
from tests.factories.cards import Carding
from tests.factories.closing import shut
from tests.reconciliation.cards.acts import FEE, violations

OCTOBER, NOVEMBER = date(2025, 10, 1), date(2025, 11, 1)


def test_a_payment_and_its_fee_that_are_told_after_the_close(cards: Carding) -> None:
    world = cards.collecting
    checkout = cards.pay()
    told = cards.events()
    cards.clock.later(days=31)
    with world.database.transaction(world.scope) as session:
        before = set(session.exec(select(JournalEntry.id)).all())
        shut(session, world.school.id, OCTOBER, cards.clock())
    cards.hear(*told)
    assert cards.ask() == 1
    cards.standin.books.dispute(cards.intent_of(checkout))
    cards.hear()
    with world.database.transaction(world.scope) as session:
        rows = session.exec(select(JournalEntry).where(col(JournalEntry.id).not_in(before))).all()
    assert {row.kind for row in rows} >= {"payment", "card_fee", "payment_reversed"}
    assert [row.kind for row in rows if row.value_date < NOVEMBER] == []
    late = {row.kind for row in rows if row.true_day and row.value_date == NOVEMBER and row.true_day < NOVEMBER}
    assert late >= {"payment"}
    assert world.rests()[0] == 650_000
    assert world.books()["642T"] >= FEE
    assert violations(cards) == []
