"""Pages of Stripe's that are asked for at once, what stays open, and what the office's page reads without holding."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlmodel import select

from billing.errors import Conflict
from billing.money import Money
from billing.payments.tables import PaymentRequest
from reconciliation.cards.checking_out import begin_checkout, idempotency_key, keep_session
from reconciliation.cards.client import Wanted
from reconciliation.cards.errors import CardPageNotOpened, CardsOff
from reconciliation.cards.objects import Session as StripeSession
from reconciliation.cards.tables import CardCheckout, CardEnd, CardSession
from reconciliation.tables import Transfer
from service.database import EVERYTHING
from service.pages.card_binding import MOST_WAITING, card_page_opener
from service.pages.card_rows import card_page, order_name
from service.pages.card_views import CardOrder, CardPage
from service.standins.stripe_books import StripeBooks
from service.standins.stripe_wire import WireError
from service.wiring import Wiring
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


def test_a_fault_that_stripe_keeps_with_its_key_holds_up_the_closing_of_a_page_for_a_minute(cards: Carding) -> None:
    first = cards.checkout(0, Money(200_000))
    order = replace(ordered(cards), older=((first.id, cards.session_of(first)),))
    opener = card_page_opener(cards.collecting.wiring)
    cards.standin.trouble.order("kept-500", 1)
    for _ in range(2):
        with pytest.raises(CardPageNotOpened, match="nếu vừa trả ở một lần mở trước"):
            opener(order)
    assert states(cards) == {200_000: "open"}, "the second was answered with what was kept"
    cards.clock.later(minutes=1)
    opener(order)
    assert states(cards) == {200_000: "expired", order.amount.dong: "open"}


def leave_open(monkeypatch: pytest.MonkeyPatch, session_id: str) -> None:
    """Let Stripe refuse to close one page that is open."""
    closes = StripeBooks.expire_session

    def refuses(books: StripeBooks, asked: str) -> object:
        if asked == session_id:
            raise WireError(400, "invalid_request_error", "This page cannot be expired now.")
        return closes(books, asked)

    monkeypatch.setattr(StripeBooks, "expire_session", refuses)


def test_while_stripe_hangs_only_a_few_wait_for_it_and_the_others_are_told_at_once(
    cards: Carding, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, begun, answered = ordered(cards), threading.Semaphore(0), threading.Event()

    def hangs(_: Wiring, __: CardOrder) -> str:
        begun.release()
        assert answered.wait(60)
        return "https://checkout.stripe.invalid/c/pay/1"

    monkeypatch.setattr("service.pages.card_binding._opened", hangs)
    opener = card_page_opener(cards.collecting.wiring)
    with ThreadPoolExecutor(MOST_WAITING) as pool:
        waiting = [pool.submit(opener, order) for _ in range(MOST_WAITING)]
        for _ in waiting:
            assert begun.acquire(timeout=60)
        with pytest.raises(CardPageNotOpened, match="Xin chuyển khoản"):
            opener(order)
        assert opener(replace(order, url="https://checkout.stripe.invalid/c/pay/2")).endswith("2"), "no place is needed"
        answered.set()
        assert {each.result() for each in waiting} == {"https://checkout.stripe.invalid/c/pay/1"}
    assert opener(order).endswith("1"), "the places are free again"


@pytest.mark.parametrize("trouble", ["500", "garbage"])
def test_a_family_waits_for_one_try_and_the_place_is_free_again(cards: Carding, trouble: str) -> None:
    order, opener = ordered(cards), card_page_opener(cards.collecting.wiring)
    for _ in range(MOST_WAITING + 1):
        cards.standin.trouble.order(trouble, 1)
        with pytest.raises(CardPageNotOpened, match="nhà cung cấp thẻ không trả lời"):
            opener(order)
    assert cards.standin.asked == [], "each press was one request, which the trouble took"
    assert opener(order).startswith(cards.standin.url)


def test_two_presses_of_one_page_at_once_are_given_the_same_page(cards: Carding) -> None:
    order, opener = ordered(cards), card_page_opener(cards.collecting.wiring)
    start = threading.Barrier(4)

    def press(_: int) -> str:
        start.wait(60)
        return opener(order)

    with ThreadPoolExecutor(4) as pool:
        given = set(pool.map(press, range(4)))
    assert len(given) == 1
    assert states(cards) == {order.amount.dong: "open"}
    with cards.collecting.database.transaction(EVERYTHING) as session:
        assert [row.checkout_id for row in session.exec(select(CardSession)).all()] == [order.checkout_id]


def test_whoever_presses_while_another_keeps_the_page_finds_it_kept(cards: Carding) -> None:
    """The second has read that there is none, and writes while the first has not committed."""
    order, collecting = ordered(cards), cards.collecting
    made = cards.client().open_session(_told(order), idempotency_key(order.checkout_id))
    with ThreadPoolExecutor(1) as pool:
        with collecting.database.transaction(collecting.scope) as first:
            keep_session(first, first.get_one(CardCheckout, order.checkout_id), made, cards.clock())
            second = pool.submit(_keep, cards, order, made)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.2)
        second.result(timeout=60)


def _told(order: CardOrder) -> Wanted:
    return Wanted(str(order.checkout_id), order.amount, order.name, "http://x.invalid", "", order.expires_at)


def _keep(cards: Carding, order: CardOrder, made: StripeSession) -> None:
    with cards.collecting.database.transaction(cards.collecting.scope) as session:
        keep_session(session, session.get_one(CardCheckout, order.checkout_id), made, cards.clock())


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
