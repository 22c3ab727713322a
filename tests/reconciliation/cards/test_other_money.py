"""An account of Stripe's that does not settle in đồng: no card is offered, and what a card's bank takes is heard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billing.errors import Refused
from reconciliation.cards.switching import ask_switch, decide_switch, takes_cards
from reconciliation.cards.tables import CardSwitch
from tests.factories.cards import Carding, carding
from tests.factories.collecting import Collecting
from tests.reconciliation.cards.acts import violations

DOLLARS = ("usd", 250)


@pytest.fixture
def off(collecting: Collecting) -> Iterator[Carding]:
    """Cards with both feeds open, and not switched on."""
    with carding(collecting, on=False) as made:
        yield made


def _asked(cards: Carding) -> CardSwitch:
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        school, account = collecting.school.id, collecting.account.id
        return ask_switch(session, cards.maker, school, account, "Quyết định 12", cards.clock(), turn_on=True)


def _approve(cards: Carding, asked: CardSwitch) -> None:
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        decide_switch(session, cards.approver, cards.collecting.school.id, asked.id, cards.clock(), approved=True)


def _offered(cards: Carding) -> bool:
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        return takes_cards(session, cards.collecting.school.id, cards.collecting.account.id)


def test_cards_are_not_switched_on_where_stripe_names_another_currency(off: Carding) -> None:
    off.standin.books.settles = DOLLARS
    assert off.ask() == 1
    with pytest.raises(Refused, match="nhận tiền bằng USD, không chỉ bằng đồng"):
        _asked(off)
    off.standin.books.settles = ("vnd", 1)
    off.clock.later(minutes=6)
    off.ask()
    asked = _asked(off)
    off.standin.books.settles = DOLLARS
    off.clock.later(minutes=6)
    off.ask()
    with pytest.raises(Refused, match="USD"):
        _approve(off, asked)
    off.standin.books.settles = ("vnd", 1)
    off.clock.later(minutes=6)
    off.ask()
    _approve(off, asked)
    assert _offered(off)


def test_an_account_that_comes_to_settle_in_dollars_is_told_of_and_its_disputes_open_the_bill(cards: Carding) -> None:
    assert _offered(cards)
    books = cards.standin.books
    books.settles = DOLLARS
    checkout = cards.pay()
    cards.hear()
    cards.clock.later(minutes=6)
    cards.ask()
    assert not _offered(cards)
    (broken,) = violations(cards)
    assert broken.endswith("takes cards, and Stripe holds usd for it")
    dispute = books.dispute(cards.intent_of(checkout))
    cards.hear()
    assert [(fact.kind, fact.amount.dong) for fact in cards.facts()] == [("paid", 650_000), ("disputed", 650_000)]
    assert cards.collecting.books().get("113T", 0) == 0
    assert cards.collecting.rests()[0] == 650_000, "the bill is open again"
    books.close_dispute(dispute["id"], "won")
    cards.hear()
    assert cards.collecting.books()["113T"] == 650_000
    reasons = {why.split(" · ")[0] for why in cards.put_aside()}
    assert reasons == {"Stripe báo tiền tệ usd, không phải đồng"}, "its fees are seen, and not booked"
