"""Pages of Stripe's that are asked for at once, what stays open, and what the office's page reads without holding."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlmodel import select

from billing.errors import Conflict
from billing.money import Money
from billing.payments.tables import PaymentRequest
from reconciliation.cards.checking_out import begin_checkout
from reconciliation.cards.errors import CardPageNotOpened, CardsOff
from reconciliation.cards.tables import CardCheckout, CardEnd
from reconciliation.tables import Transfer
from service.database import EVERYTHING
from service.pages.card_binding import card_page_opener
from service.pages.card_rows import card_page, order_name
from service.pages.card_views import CardOrder, CardPage
from service.standins.stripe_books import StripeBooks
from service.standins.stripe_wire import WireError
from tests.factories.cards import Carding, carding
from tests.reconciliation.cards.acts import payout_waits
from tests.service.pages.worlds import World


@pytest.fixture
def cards(world: World) -> Iterator[Carding]:
    with carding(world.collecting) as made:
        yield made


def ordered(cards: Carding, amount: Money | None = None) -> CardOrder:
    """Press the button: the row is committed, Stripe is not asked yet. It saw no other page."""
    collecting = cards.collecting
    with collecting.database.transaction(collecting.scope) as session:
        request = session.get_one(PaymentRequest, collecting.requests[0].id)
        row = begin_checkout(session, request, amount or cards._rest(session, 0), cards.clock())
        name = order_name(request.reference)
        return CardOrder(row.id, row.school_id, row.bank_account_id, row.amount, name, row.expires_at)


def states(cards: Carding) -> dict[int, str]:
    """Return how each page stands at Stripe, by its sum."""
    return {row["amount_total"]: row["status"] for row in cards.standin.books.of_kind("checkout.session")}


def test_of_two_pages_opened_at_once_the_one_that_is_kept_second_stays(cards: Carding) -> None:
    order = ordered(cards)
    other = cards.checkout(0, Money(200_000))
    address = card_page_opener(cards.collecting.wiring)(order)
    assert states(cards) == {200_000: "expired", order.amount.dong: "open"}
    assert address.startswith(cards.standin.url)
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert session.exec(select(CardEnd.checkout_id)).all() == [other.id]


def test_a_page_on_which_more_would_be_paid_than_is_due_by_now_is_given_to_nobody(cards: Carding) -> None:
    order = ordered(cards)
    cards.collecting.hear_of(cards.collecting.pays(cards.collecting.requests[0].reference, 100_000))
    with pytest.raises(Conflict, match="vừa thay đổi"):
        card_page_opener(cards.collecting.wiring)(order)
    assert states(cards) == {order.amount.dong: "expired"}


@pytest.mark.parametrize("left", ["paid", "open"])
def test_a_page_beside_one_that_is_paid_or_stays_open_is_closed_again(
    cards: Carding, monkeypatch: pytest.MonkeyPatch, left: str
) -> None:
    order = ordered(cards)
    other = cards.session_of(cards.checkout(0, Money(200_000)))
    if left == "paid":
        cards.standin.books.pay(other, "paid")
    else:
        leave_open(monkeypatch, other)
    with pytest.raises(CardsOff if left == "paid" else CardPageNotOpened):
        card_page_opener(cards.collecting.wiring)(order)
    assert states(cards) == {200_000: "complete" if left == "paid" else "open", order.amount.dong: "expired"}


def test_a_page_that_stripe_leaves_open_is_not_taken_for_closed(
    cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cards.checkout(0, Money(200_000))
    leave_open(monkeypatch, cards.session_of(first))
    order = ordered(cards)
    older = ((first.id, cards.session_of(first)),)
    with pytest.raises(CardPageNotOpened):
        card_page_opener(cards.collecting.wiring)(
            CardOrder(
                order.checkout_id,
                order.school_id,
                order.account_id,
                order.amount,
                order.name,
                order.expires_at,
                older=older,
            )
        )
    assert states(cards) == {200_000: "open"}, "no second page beside it"
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert session.exec(select(CardEnd.checkout_id)).all() == []
        assert len(session.exec(select(CardCheckout.id)).all()) == 2


def leave_open(monkeypatch: pytest.MonkeyPatch, session_id: str) -> None:
    """Let Stripe refuse to close one page that is open."""
    closes = StripeBooks.expire_session

    def refuses(books: StripeBooks, asked: str) -> object:
        if asked == session_id:
            raise WireError(400, "invalid_request_error", "This page cannot be expired now.")
        return closes(books, asked)

    monkeypatch.setattr(StripeBooks, "expire_session", refuses)


def shown(cards: Carding) -> CardPage:
    collecting, user = cards.collecting, cards.maker.user_id
    assert user is not None
    with collecting.database.transaction(collecting.scope) as session:
        return card_page(session, collecting.wiring.vault, collecting.school.id, user, 0, cards.clock())


def test_whoever_looks_at_the_page_holds_no_money(cards: Carding) -> None:
    payout_waits(cards, "CHUYEN TIEN QUOC TE")
    collecting, user = cards.collecting, cards.maker.user_id
    assert user is not None
    with collecting.database.transaction(collecting.scope) as looking:
        found = card_page(looking, collecting.wiring.vault, collecting.school.id, user, 0, cards.clock())
        assert len(found.payouts[0].choices) == 1
        with collecting.database.transaction(collecting.scope) as deciding:
            deciding.exec(select(Transfer).with_for_update(nowait=True)).one()


def test_a_refund_that_stripe_does_not_take_for_an_hour_is_marked(cards: Carding) -> None:
    checkout = cards.pay()
    cards.hear()
    cards.refund(checkout, Money(1_000))
    assert [row.state for row in shown(cards).refunds] == ["sending"]
    cards.clock.later(minutes=61)
    assert [row.state for row in shown(cards).refunds] == ["stuck"]
